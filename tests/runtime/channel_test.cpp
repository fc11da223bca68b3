// Go's own channel tests, for mailboxes and select. Source: the programs of go/test/chan and runtime/chan_test.go, as facts.
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom {
namespace {

using namespace test;

using int_ends = mailbox_ends<int>;

options seeded(std::size_t workers) {
  auto o = quiet(workers);
  o.seed = std::random_device{}();
  return o;
}

// -- fifo, goroutines, sendstmt, sieve -------------------------------------------------------------

TEST(GoChan, FifoGivesABufferBackInOrder) {
  auto [in, out] = make_mailbox<int>(bounded(10));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(out.try_send(i));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(in.try_receive().value(), i);
}

// Reader `n` takes its value once its predecessor has taken its own.
task<> daisy(mailbox<int> values, int n, mailbox<int> before, address<int> behind) {
  co_await before.receive();
  EXPECT_EQ(co_await values.receive(), n);
  EXPECT_TRUE(co_await behind.send(1));
}

TEST(GoChan, FifoWithoutABufferGivesEachReaderItsOwn) {
  actor_system sys(quiet(2));
  const auto ok = sys.run([]() -> task<> {
    auto values = make_mailbox<int>(rendezvous());
    auto start = make_mailbox<int>(rendezvous());
    auto before = start.in;
    for (int i = 0; i < 10; ++i) {
      auto next = make_mailbox<int>(rendezvous());
      spawn(daisy, values.in, i, before, next.out);
      before = next.in;
    }
    EXPECT_TRUE(co_await start.out.send(0));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(co_await values.out.send(i));
    co_await before.receive();
  });
  EXPECT_TRUE(ok);
}

TEST(GoChan, GoroutinesInALongChainPassOneValue) {
  actor_system sys(quiet(2));
  const auto got = sys.run([]() -> task<int> {
    auto right = make_mailbox<int>(rendezvous());
    auto first = right.out;
    auto in = right.in;
    for (int i = 0; i < 10'000; ++i) {
      auto next = make_mailbox<int>(rendezvous());
      auto pass = [](mailbox<int> from, address<int> to) -> task<> {
        const auto item = co_await from.receive();
        EXPECT_TRUE(co_await to.send(*item + 1));
      };
      spawn(pass, in, next.out);
      in = next.in;
    }
    EXPECT_TRUE(co_await first.send(0));
    const auto last = co_await in.receive();
    co_return *last;
  });
  EXPECT_EQ(got.value(), 10'000);
}

TEST(GoChan, SendstmtUsesAnAddressThatCameAsAnItem) {
  one_worker sys;
  const auto ok = sys.run([]() -> task<> {
    auto ends = make_mailbox<address<int>>(bounded(1));
    auto reply = make_mailbox<int>(bounded(1));
    EXPECT_TRUE(co_await ends.out.send(reply.out));
    auto s = co_await select(ends.in.receive(), otherwise());
    EXPECT_EQ(s.index(), 0u);
    EXPECT_TRUE(co_await s.get<0>()->send(7));
    EXPECT_EQ(co_await reply.in.receive(), 7);
  });
  EXPECT_TRUE(ok);
}

task<> generate(address<int> out) {
  for (int i = 2;; ++i) {
    if (!co_await out.send(i)) co_return;
  }
}
task<> filter(mailbox<int> in, address<int> out, int prime) {
  while (const auto i = co_await in.receive()) {
    if (*i % prime != 0 && !co_await out.send(*i)) co_return;
  }
}

TEST(GoChan, SieveFindsTheFirstPrimesAndItsFiltersEnd) {
  actor_system sys(quiet(2));
  std::vector<int> primes;
  const auto ok = sys.run(
      [](std::vector<int>* found) -> task<> {
        auto ends = make_mailbox<int>(rendezvous());
        spawn(generate, ends.out);
        ends.out = {};
        auto in = ends.in;
        ends.in = {};
        while (found->size() < 25) {
          const auto prime = co_await in.receive();
          found->push_back(*prime);
          auto next = make_mailbox<int>(rendezvous());
          spawn(filter, in, next.out, *prime);
          in = next.in;
        }
      },
      &primes);
  ASSERT_TRUE(ok);
  EXPECT_EQ(primes.size(), 25u);
  EXPECT_EQ(primes.back(), 97);
  EXPECT_TRUE(std::is_sorted(primes.begin(), primes.end()));
  while (sys.live_actors() != 0) std::this_thread::yield(); // each filter ends by itself, no receiver being left
}

// -- nonblock ---------------------------------------------------------------------------------------

template <class T>
void check_nonblock(T value) {
  one_worker sys;
  for (const int capacity : {0, 1}) {
    auto [in, out] = make_mailbox<T>(bounded(capacity));
    EXPECT_EQ(in.try_receive().error().code(), errc::empty);
    EXPECT_EQ(static_cast<bool>(out.try_send(value)), capacity == 1);
    if (capacity == 1) {
      EXPECT_EQ(out.try_send(value).error().code(), errc::full);
      EXPECT_EQ(in.try_receive().value(), value);
    }
    const auto receiver =
        sys.spawn([](mailbox<T> box, T expected) -> task<> { EXPECT_EQ(co_await box.receive(), expected); }, in, value);
    await_wait(sys, receiver, "receive");
    EXPECT_TRUE(out.try_send(value));
    receiver.wait();
    const auto sender = sys.spawn(
        [](address<T> to, T item, bool full) -> task<> {
          for (int i = full ? 0 : 1; i < 2; ++i) EXPECT_TRUE(co_await to.send(item));
        },
        out, value, capacity == 1);
    await_wait(sys, sender, "send");
    EXPECT_EQ(in.try_receive().value(), value);
    sender.wait();
  }
}

struct empty_item {
  friend bool operator==(empty_item, empty_item) = default;
};

TEST(GoChan, NonblockSucceedsOnlyWithABufferOrAPeer) {
  check_nonblock<int>(42);
  check_nonblock<std::string>("hello");
  check_nonblock<bool>(true);
  check_nonblock<std::array<double, 8>>({1.5});
  check_nonblock<empty_item>({}); // zerosize
}

// -- select3: the truth table of waiting -----------------------------------------------------------------

// Runs `body` as an actor and says whether it waits for ever.
template <class... Args>
bool waits(actor_system& sys, detail::target_for<Args...> body, Args... args) {
  const auto a = sys.spawn(body, std::move(args)...);
  (void)sys.run(settle);
  const bool waiting = !a.finished();
  a.cancel();
  a.wait();
  return waiting;
}

TEST(GoChan, Select3TruthTable) {
  one_worker sys;
  mailbox<int> no_box;
  address<int> no_address;
  auto sync = make_mailbox<int>(rendezvous());
  auto buffered = make_mailbox<int>(bounded(1));
  auto full = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(full.out.try_send(0));
  auto closed = make_mailbox<int>(bounded(1));
  closed.out.close();

  auto receive = [](mailbox<int> in) -> task<> { co_await select(in.receive()); };
  auto send = [](address<int> out) -> task<> { co_await select(out.send(7)); };
  EXPECT_TRUE(waits(sys, receive, no_box));
  EXPECT_TRUE(waits(sys, send, no_address));
  EXPECT_TRUE(waits(sys, receive, sync.in));
  EXPECT_TRUE(waits(sys, send, sync.out));
  EXPECT_TRUE(waits(sys, receive, buffered.in));
  EXPECT_FALSE(waits(sys, send, buffered.out));
  EXPECT_FALSE(waits(sys, receive, buffered.in));
  EXPECT_TRUE(waits(sys, send, full.out));
  EXPECT_FALSE(waits(sys, receive, closed.in));
  EXPECT_FALSE(waits(sys, send, closed.out));

  // With a default nothing waits.
  EXPECT_FALSE(waits(
      sys, [](mailbox<int> in) -> task<> { co_await select(in.receive(), otherwise()); }, no_box));
  EXPECT_FALSE(waits(
      sys, [](mailbox<int> in) -> task<> { co_await select(in.receive(), otherwise()); }, sync.in));
  EXPECT_FALSE(waits(
      sys, [](address<int> out) -> task<> { co_await select(out.send(1), otherwise()); }, full.out));

  // Send and receive on one mailbox without a queue do not meet within one select.
  EXPECT_TRUE(waits(
      sys, [](mailbox<int> in, address<int> out) -> task<> { co_await select(in.receive(), out.send(1)); }, sync.in,
      sync.out));
}

// -- select6, SelectDuplicateChannel: losers leave the queues of others intact ------------------------------

TEST(GoChan, Select6LoserLeavesTheQueueIntact) {
  one_worker sys;
  const auto ok = sys.run([]() -> task<> {
    auto c1 = make_mailbox<bool>(rendezvous());
    auto c2 = make_mailbox<bool>(rendezvous());
    auto c3 = make_mailbox<bool>(rendezvous());
    auto c4 = make_mailbox<bool>(rendezvous());
    auto take = [](mailbox<bool> in) -> task<> { co_await in.receive(); };
    auto pick = [](mailbox<bool> one, mailbox<bool> two, address<bool> done) -> task<> {
      auto s = co_await select(one.receive(), two.receive());
      EXPECT_EQ(s.index(), 1u);
      EXPECT_TRUE(co_await done.send(true));
    };
    auto last = [](mailbox<bool> one, mailbox<bool> two, address<bool> done) -> task<> {
      co_await two.receive();
      co_await one.receive();
      EXPECT_TRUE(co_await done.send(true));
    };
    spawn(take, c1.in);
    co_await settle();
    spawn(pick, c1.in, c2.in, c3.out);
    co_await settle();
    spawn(last, c1.in, c3.in, c4.out);
    co_await settle();
    EXPECT_TRUE(co_await c2.out.send(true)); // the select leaves the queue of c1
    EXPECT_TRUE(co_await c1.out.send(true));
    EXPECT_TRUE(co_await c1.out.send(true));
    co_await c4.in.receive();
  });
  EXPECT_TRUE(ok);
}

TEST(GoChan, SelectDuplicateChannelLeavesTheQueueIntact) {
  one_worker sys;
  const auto ok = sys.run([]() -> task<> {
    auto c = make_mailbox<int>(rendezvous());
    auto d = make_mailbox<int>(rendezvous());
    auto e = make_mailbox<int>(rendezvous());
    auto twice = [](mailbox<int> one, mailbox<int> two, mailbox<int> three, address<int> more) -> task<> {
      auto s = co_await select(one.receive(), two.receive(), three.receive());
      EXPECT_EQ(s.index(), 2u);
      EXPECT_TRUE(co_await more.send(9));
    };
    auto once = [](mailbox<int> in) -> task<> { co_await in.receive(); };
    spawn(twice, c.in, c.in, d.in, e.out);
    co_await settle();
    const auto second = spawn(once, c.in);
    co_await settle();
    EXPECT_TRUE(co_await d.out.send(7)); // wakes the select
    co_await e.in.receive();
    EXPECT_TRUE(co_await c.out.send(8)); // wakes the other
    EXPECT_TRUE((co_await second.join()).normal());
  });
  EXPECT_TRUE(ok);
}

// -- closedchan ---------------------------------------------------------------------------------------

TEST(GoChan, ClosedchanDeliversItsBufferThenTheEndForEver) {
  one_worker sys;
  const auto ok = sys.run([]() -> task<> {
    for (const int capacity : {0, 2}) {
      auto [in, out] = make_mailbox<int>(bounded(capacity));
      auto other = make_mailbox<int>(rendezvous());
      for (int i = 0; i < capacity; ++i) EXPECT_TRUE(co_await out.send(i));
      out.close();
      for (int i = 0; i < capacity; ++i) EXPECT_EQ(co_await in.receive(), i);
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(co_await in.receive(), std::nullopt);
        EXPECT_EQ(in.try_receive().error().code(), errc::closed);
        auto one = co_await select(in.receive());
        EXPECT_EQ(one.get<0>(), std::nullopt);
        auto two = co_await select(other.in.receive(), in.receive());
        EXPECT_EQ(two.index(), 1u);
        EXPECT_EQ(two.get<1>(), std::nullopt);
        auto with_default = co_await select(in.receive(), otherwise());
        EXPECT_EQ(with_default.index(), 0u);
        auto direct = co_await out.send(1);
        EXPECT_EQ(direct.error().code(), errc::closed);
        auto chosen = co_await select(out.send(1), other.in.receive());
        EXPECT_EQ(chosen.index(), 0u);
        EXPECT_EQ(chosen.get<0>().error().code(), errc::closed);
        out.close();
      }
    }
  });
  EXPECT_TRUE(ok);
}

// -- fairness -------------------------------------------------------------------------------------------

TEST(GoChan, SelectFairnessGivesEachReadyCaseItsShare) {
  actor_system sys(seeded(2));
  SCOPED_TRACE(testing::Message() << "seed " << sys.settings().seed);
  constexpr int trials = 10'000;
  auto one = make_mailbox<int>(bounded(trials + 1));
  auto two = make_mailbox<int>(bounded(trials + 1));
  for (int i = 0; i <= trials; ++i) {
    EXPECT_TRUE(one.out.try_send(1));
    EXPECT_TRUE(two.out.try_send(2));
  }
  const auto ones = sys.run(
      [](mailbox<int> c1, mailbox<int> c2) -> task<int> {
        auto dead = make_mailbox<int>(rendezvous());
        auto closed_never = make_mailbox<int>(rendezvous());
        int first = 0;
        for (int i = 0; i < trials; ++i) {
          auto s = co_await select(dead.in.receive(), c1.receive(), c2.receive(), closed_never.in.receive());
          first += s.index() == 1;
        }
        co_return first;
      },
      one.in, two.in);
  const double share = static_cast<double>(ones.value()) / trials;
  EXPECT_LT(std::abs(share - 0.5), 4.891676 / (2 * std::sqrt(trials))); // 0.0245: one failure in a million
}

TEST(GoChan, PseudoRandomSendChoosesBothCases) {
  actor_system sys(seeded(2));
  SCOPED_TRACE(testing::Message() << "seed " << sys.settings().seed);
  const auto zeros = sys.run([]() -> task<int> {
    int count = 0;
    auto [in, out] = make_mailbox<int>(bounded(1));
    for (int i = 0; i < 1'000; ++i) {
      co_await select(out.send(0), out.send(1));
      const auto item = co_await in.receive();
      count += *item == 0;
    }
    co_return count;
  });
  EXPECT_GT(zeros.value(), 100);
  EXPECT_LT(zeros.value(), 900);
}

} // namespace
} // namespace greenroom
