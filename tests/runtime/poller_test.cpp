#include <greenroom/runtime/internal/poller.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <greenroom/runtime/internal/polled_socket.hpp>

namespace greenroom::internal {
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
    near = both[0];
    far = unique_fd(both[1]).release();
  }
  void say(char c) const { EXPECT_EQ(::send(far, &c, 1, 0), 1); }
  int near = -1;
  int far = -1;
};

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(Poller, TellsWhatIsThereAlreadyAndThenEachChangeOnce) {
  poller p;
  const pair ends;
  ends.say('a');
  const auto seen = std::make_shared<noted>();
  ASSERT_TRUE(p.watch(ends.near, seen));
  p.wait(0ns);
  EXPECT_EQ(seen->readable, 1);
  p.wait(0ns);
  EXPECT_EQ(seen->readable, 1) << "it is still there, but nothing has changed";
  ends.say('b');
  p.wait(duration::max());
  EXPECT_EQ(seen->readable, 2);
  ::close(ends.far);
  p.wait(duration::max());
  EXPECT_TRUE(seen->ended);
  p.forget(ends.near, *seen);
  ::close(ends.near);
}

TEST(Poller, KeepsASourceUntilNoEventCanNameIt) {
  poller p;
  const pair ends;
  auto seen = std::make_shared<noted>();
  const std::weak_ptr<noted> watched = seen;
  ASSERT_TRUE(p.watch(ends.near, seen));
  auto& source = *seen;
  seen.reset();
  EXPECT_FALSE(watched.expired());
  p.forget(ends.near, source);
  EXPECT_FALSE(watched.expired()) << "an event of it may have been fetched before";
  p.wait(0ns);
  EXPECT_TRUE(watched.expired());
  ::close(ends.near);
  ::close(ends.far);
}

TEST(Poller, LetsGoAtOnceWhenItIsShutDown) {
  poller p;
  const pair ends;
  auto seen = std::make_shared<noted>();
  const std::weak_ptr<noted> watched = seen;
  ASSERT_TRUE(p.watch(ends.near, seen));
  auto& source = *seen;
  seen.reset();
  p.shut_down();
  EXPECT_FALSE(watched.expired()) << "it was not forgotten yet";
  p.forget(ends.near, source);
  EXPECT_TRUE(watched.expired());
  ::close(ends.near);
  ::close(ends.far);
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

struct watched_pair : pair {
  watched_pair() { socket = *polled_socket::adopt(home, unique_fd(near), std::make_shared<open_sockets>()); }
  ~watched_pair() {
    socket->close();
    if (is_open(far)) ::close(far);
  }
  bool ready(detail::io_side which) const {
    std::lock_guard guard(socket->lock);
    return socket->ready_or_watch_locked(which);
  }
  attempt read(std::size_t size) const {
    std::vector<char> into(size);
    return socket->try_move(detail::io_side::reading, size,
                            [&into](int fd) { return ::recv(fd, into.data(), into.size(), MSG_DONTWAIT); });
  }
  std::shared_ptr<poller> home = std::make_shared<poller>();
  std::shared_ptr<polled_socket> socket;
};

TEST(PolledSocket, IsReadyUntilATryHasShownThatNothingIsLeft) {
  const watched_pair w;
  EXPECT_FALSE(w.ready(detail::io_side::reading));
  for (const char c : {'a', 'b', 'c'}) w.say(c);
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
  const watched_pair w;
  w.say('a');
  ::close(w.far);
  w.home->wait(0ns); // one change for both
  EXPECT_EQ(w.read(10).value, 1);
  EXPECT_TRUE(w.ready(detail::io_side::reading));
  EXPECT_EQ(w.read(10).value, 0);
  EXPECT_TRUE(w.ready(detail::io_side::reading));
}

TEST(PolledSocket, GivesItsNumberBackOnceHoweverManyCallsFindItClosed) {
  const watched_pair w;
  w.socket->close();
  EXPECT_FALSE(is_open(w.near));
  const auto same = ::fcntl(w.far, F_DUPFD_CLOEXEC, w.near); // takes the number
  ASSERT_EQ(same, w.near);
  EXPECT_TRUE(w.read(1).closed());
  w.socket->close();
  EXPECT_TRUE(w.read(1).closed());
  EXPECT_TRUE(is_open(same)) << "it belongs to somebody else now";
  ::close(same);
}

} // namespace
} // namespace greenroom::internal
