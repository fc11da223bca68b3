#include <greenroom/runtime/internal/poller.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <greenroom/runtime/internal/polled_socket.hpp>

namespace greenroom::internal::poller_test {
namespace {

using namespace std::chrono_literals;

struct noted final : poller::source {
  void changed(std::uint32_t events) noexcept override {
    readable += (events & EPOLLIN) != 0 ? 1 : 0;
    ended = ended || (events & EPOLLRDHUP) != 0;
  }
  int readable = 0;
  bool ended = false;
};

/// Two sockets that are connected with each other.
struct pair {
  pair() {
    std::array<int, 2> both{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both.data()), 0);
    near = unique_fd(both[0]);
    far = unique_fd(both[1]);
  }
  void say(char c) const { EXPECT_EQ(::send(far.get(), &c, 1, 0), 1); }
  unique_fd near;
  unique_fd far;
};

/// A source that nobody holds but the poller.
struct watched_alone {
  explicit watched_alone(poller& by) {
    const auto made = std::make_shared<noted>();
    watched = made;
    source = made.get();
    EXPECT_TRUE(by.watch(ends.near.get(), made));
  }
  void forget(poller& by) const { by.forget(ends.near.get(), *source); }
  bool kept() const { return !watched.expired(); }

  pair ends;
  std::weak_ptr<noted> watched;
  noted* source = nullptr;
};

TEST(Poller, TellsWhatIsThereAlreadyAndThenEachChangeOnce) {
  poller p;
  pair ends;
  ends.say('a');
  const auto seen = std::make_shared<noted>();
  ASSERT_TRUE(p.watch(ends.near.get(), seen));
  p.wait(0ns);
  EXPECT_EQ(seen->readable, 1);
  p.wait(0ns);
  EXPECT_EQ(seen->readable, 1) << "it is still there, but nothing has changed";
  ends.say('b');
  p.wait(duration::max());
  EXPECT_EQ(seen->readable, 2);
  ends.far = unique_fd();
  p.wait(duration::max());
  EXPECT_TRUE(seen->ended);
  p.forget(ends.near.get(), *seen);
}

TEST(Poller, LetsAnotherThreadLookUnlessItsOwnerWaits) {
  poller p;
  pair ends;
  const auto seen = std::make_shared<noted>();
  ASSERT_TRUE(p.watch(ends.near.get(), seen));
  ends.say('a');
  std::jthread([&p] { p.try_look(); }).join();
  EXPECT_EQ(seen->readable, 1);
  p.wait(0ns);
  EXPECT_EQ(seen->readable, 1) << "that change was told";
  struct looks_again final : poller::source {
    void changed(std::uint32_t) noexcept override {
      ++told;
      std::jthread([this] { by->try_look(); }).join(); // while its owner is about it: returns at once
    }
    poller* by = nullptr;
    int told = 0;
  };
  pair others;
  const auto again = std::make_shared<looks_again>();
  again->by = &p;
  ASSERT_TRUE(p.watch(others.near.get(), again));
  others.say('b');
  p.wait(duration::max());
  EXPECT_EQ(again->told, 1);
  p.forget(ends.near.get(), *seen);
  p.forget(others.near.get(), *again);
}

TEST(Poller, KeepsARingForItsOwnerWhoeverLooksBefore) {
  poller p;
  p.interrupt();
  p.try_look();
  p.wait(duration::max()); // hangs if the look has used it up
}

TEST(Poller, KeepsASourceUntilNoEventCanNameIt) {
  poller p;
  const watched_alone one(p);
  EXPECT_TRUE(one.kept());
  one.forget(p);
  EXPECT_TRUE(one.kept()) << "an event of it may have been fetched before";
  p.wait(0ns);
  EXPECT_FALSE(one.kept());
}

TEST(Poller, LetsGoAtOnceWhenItIsShutDown) {
  poller p;
  const watched_alone one(p);
  p.shut_down();
  EXPECT_TRUE(one.kept()) << "it was not forgotten yet";
  one.forget(p);
  EXPECT_FALSE(one.kept());
}

TEST(Poller, AnInterruptEndsTheNextWaitIfNoneIsUnderWay) {
  poller p;
  p.interrupt();
  p.wait(duration::max());
  p.interrupt();
  p.interrupt();
  p.wait(duration::max()); // would not end otherwise
}

TEST(Poller, SaysWhyItCannotWatch) {
  poller p;
  const auto seen = std::make_shared<noted>();
  const auto watched = p.watch(-1, seen);
  ASSERT_FALSE(watched);
  EXPECT_TRUE(watched.error().is(errc::io));
  EXPECT_EQ(watched.error().message(), "Bad file descriptor");
  EXPECT_EQ(seen.use_count(), 1);
}

// -- polled_socket ------------------------------------------------------------------------------------

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

struct polled_pair {
  ~polled_pair() { socket->close(); }
  bool ready(detail::io_side which) const {
    std::lock_guard guard(socket->lock);
    return socket->ready_or_watch_locked(which);
  }
  attempt read(std::size_t size) const {
    std::vector<char> into(size);
    return socket->try_move(detail::io_side::reading, size,
                            [&into](int fd) { return ::recv(fd, into.data(), into.size(), MSG_DONTWAIT); });
  }
  pair ends;
  const int near = ends.near.get();
  std::shared_ptr<poller> home = std::make_shared<poller>();
  std::shared_ptr<polled_socket> socket =
      *polled_socket::adopt(home, std::move(ends.near), std::make_shared<open_sockets>());
};

TEST(PolledSocket, IsReadyUntilATryHasShownThatNothingIsLeft) {
  const polled_pair w;
  EXPECT_FALSE(w.ready(detail::io_side::reading));
  for (const char c : {'a', 'b', 'c'}) w.ends.say(c);
  w.home->wait(0ns);
  EXPECT_TRUE(w.ready(detail::io_side::reading));
  EXPECT_EQ(w.read(1).value, 1);
  EXPECT_TRUE(w.ready(detail::io_side::reading)) << "it has got all that it asked for: there may be more";
  EXPECT_EQ(w.read(10).value, 2);
  EXPECT_FALSE(w.ready(detail::io_side::reading));
  EXPECT_TRUE(w.read(10).must_wait());
  EXPECT_FALSE(w.ready(detail::io_side::reading));
}

TEST(PolledSocket, StaysReadyOnceTheOtherSideHasEnded) {
  polled_pair w;
  w.ends.say('a');
  w.ends.far = unique_fd();
  w.home->wait(0ns); // one change for both
  EXPECT_EQ(w.read(10).value, 1);
  EXPECT_TRUE(w.ready(detail::io_side::reading));
  EXPECT_EQ(w.read(10).value, 0);
  EXPECT_TRUE(w.ready(detail::io_side::reading));
}

TEST(PolledSocket, GivesItsNumberBackOnceHoweverManyCallsFindItClosed) {
  const polled_pair w;
  w.socket->close();
  EXPECT_FALSE(is_open(w.near));
  const auto same = ::fcntl(w.ends.far.get(), F_DUPFD_CLOEXEC, w.near); // takes the number
  ASSERT_EQ(same, w.near);
  EXPECT_TRUE(w.read(1).closed());
  w.socket->close();
  EXPECT_TRUE(w.read(1).closed());
  EXPECT_TRUE(is_open(same)) << "it belongs to somebody else now";
  ::close(same);
}

} // namespace
} // namespace greenroom::internal::poller_test
