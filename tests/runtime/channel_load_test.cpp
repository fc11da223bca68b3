// Go's channel tests with many actors. Source: go/test/chan and runtime/chan_test.go, as facts.
#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom {
namespace {

using namespace test;

using int_ends = mailbox_ends<int>;

// -- doubleselect -----------------------------------------------------------------------------------------

task<> offer_on_four(std::array<address<int>, 4> to, int items) {
  for (int i = 0; i < items; ++i) {
    co_await select(to[0].send(i), to[1].send(i), to[2].send(i), to[3].send(i));
  }
}
task<> forward(mailbox<int> from, address<int> to) {
  while (const auto item = co_await from.receive()) EXPECT_TRUE(co_await to.send(*item));
}

TEST(GoChan, DoubleselectTakesNoValueTwice) {
  static constexpr int items = 20'000;
  actor_system sys(quiet(2));
  const auto ok = sys.run([]() -> task<> {
    auto all = make_mailbox<int>(rendezvous());
    std::array<address<int>, 4> to;
    for (auto& t : to) {
      auto ends = make_mailbox<int>(rendezvous());
      spawn(forward, ends.in, all.out);
      t = ends.out;
    }
    spawn(offer_on_four, to, items);
    to = {};
    all.out = {};
    std::vector<char> seen(items);
    while (const auto item = co_await all.in.receive()) {
      EXPECT_EQ(seen[static_cast<std::size_t>(*item)]++, 0) << *item;
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), items);
  });
  EXPECT_TRUE(ok);
}

// -- SelfSelect ---------------------------------------------------------------------------------------------

task<> self_select(mailbox<int> in, address<int> out, int me, bool queued_too) {
  for (int i = 0; i < 20'000; ++i) {
    int got = -1;
    if (me == 0 || i % 2 == 0) {
      auto s = co_await select(out.send(me), in.receive());
      if (s.index() == 1) got = s.get<1>().value();
    } else {
      auto s = co_await select(in.receive(), out.send(me));
      if (s.index() == 0) got = s.get<0>().value();
    }
    EXPECT_TRUE(queued_too || got != me) << "met itself";
  }
}

TEST(GoChan, SelfSelectNeverMeetsItself) {
  for (const int capacity : {0, 10}) {
    actor_system sys(quiet(2));
    auto [in, out] = make_mailbox<int>(bounded(capacity));
    const auto first = sys.spawn(self_select, in, out, 0, capacity != 0);
    const auto second = sys.spawn(self_select, in, out, 1, capacity != 0);
    EXPECT_TRUE(first.wait().normal());
    EXPECT_TRUE(second.wait().normal());
  }
}

// -- SelectStress ---------------------------------------------------------------------------------------------

constexpr int stress_items = 10'000;

task<> stress_send(address<int> out) {
  for (int i = 0; i < stress_items; ++i) EXPECT_TRUE(co_await out.send(0));
}
task<> stress_receive(mailbox<int> in) {
  for (int i = 0; i < stress_items; ++i) EXPECT_EQ(co_await in.receive(), 0);
}
task<> stress_select_send(std::array<address<int>, 4> to) {
  std::array<int, 4> sent{};
  for (int i = 0; i < 4 * stress_items; ++i) {
    auto s = co_await select(to[3].send(0), to[2].send(0), to[0].send(0), to[1].send(0));
    const std::size_t which = std::array<std::size_t, 4>{3, 2, 0, 1}[s.index()];
    if (++sent[which] == stress_items) to[which] = {}; // never wins any more
  }
  for (const int n : sent) EXPECT_EQ(n, stress_items);
}
task<> stress_select_receive(std::array<mailbox<int>, 4> from) {
  std::array<int, 4> got{};
  for (int i = 0; i < 4 * stress_items; ++i) {
    auto s = co_await select(from[0].receive(), from[1].receive(), from[2].receive(), from[3].receive());
    if (++got[s.index()] == stress_items) from[s.index()] = {};
  }
  for (const int n : got) EXPECT_EQ(n, stress_items);
}

TEST(GoChan, SelectStressDoesNotDeadlock) {
  for (const std::size_t workers : {1u, 2u, 4u}) {
    actor_system sys(quiet(workers));
    std::array<mailbox<int>, 4> in;
    std::array<address<int>, 4> out;
    for (std::size_t i = 0; i < 4; ++i) {
      auto ends = make_mailbox<int>(bounded(i < 2 ? 0 : 2));
      in[i] = ends.in;
      out[i] = ends.out;
    }
    std::vector<actor> all;
    for (std::size_t i = 0; i < 4; ++i) {
      all.push_back(sys.spawn(stress_send, out[i]));
      all.push_back(sys.spawn(stress_receive, in[i]));
    }
    all.push_back(sys.spawn(stress_select_send, out));
    all.push_back(sys.spawn(stress_select_receive, in));
    for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  }
}

// -- MultiConsumer, ken/chan1 ------------------------------------------------------------------------------------

task<> consume(mailbox<int> in, address<int> out) {
  while (const auto v = co_await in.receive()) {
    if (*v % 37 == 0) co_await yield(); // mixes the order
    EXPECT_TRUE(co_await out.send(*v));
  }
}
task<> produce(address<int> out, int items, long* sum) {
  constexpr std::array<int, 4> primes{2, 3, 5, 7};
  for (int i = 0; i < items; ++i) {
    const int v = primes[static_cast<std::size_t>(i) % 4] * i;
    *sum += v;
    EXPECT_TRUE(co_await out.send(v));
  }
}

TEST(GoChan, MultiConsumerGetsEveryItemOnceAndTheEndAfterTheLastWorker) {
  static constexpr int items = 100'000;
  actor_system sys(quiet(2));
  const auto ok = sys.run([]() -> task<> {
    auto work = make_mailbox<int>(bounded(23 * 3));
    auto results = make_mailbox<int>(bounded(23 * 3));
    for (int i = 0; i < 23; ++i) spawn(consume, work.in, results.out);
    results.out = {};
    long expected = 0;
    const auto producer = spawn(produce, work.out, items, &expected);
    work.out = {};
    work.in = {};
    long sum = 0;
    int count = 0;
    while (const auto v = co_await results.in.receive()) {
      sum += *v;
      ++count;
    }
    co_await producer.join();
    EXPECT_EQ(sum, expected);
    EXPECT_EQ(count, items);
  });
  EXPECT_TRUE(ok);
}

// -- chanlinear: taking one of n waiters out of a queue does not look at the others ---------------------------------

task<> wait_in_select(mailbox<int> shared, mailbox<int> own, std::atomic<int>* woken) {
  auto s = co_await select(shared.receive(), own.receive());
  EXPECT_EQ(s.index(), 1u);
  ++*woken;
}

TEST(GoChan, ChanlinearLosersLeaveALongQueueOneByOne) {
  constexpr int waiters = 20'000; // quadratic work would take minutes
  actor_system sys(quiet(2));
  auto shared = make_mailbox<int>(rendezvous());
  std::vector<int_ends> own;
  std::vector<actor> actors;
  std::atomic<int> woken = 0;
  for (int i = 0; i < waiters; ++i) {
    own.push_back(make_mailbox<int>(bounded(1)));
    actors.push_back(sys.spawn(wait_in_select, shared.in, own.back().in, &woken));
  }
  // From the middle outwards: neither end of the queue is where the leavers stand.
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto middle = own.size() / 2;
    const auto at = i % 2 == 0 ? middle + i / 2 : middle - 1 - i / 2;
    EXPECT_TRUE(own[at].out.try_send(1));
  }
  for (auto& a : actors) EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(woken, waiters);
  EXPECT_FALSE(shared.out.try_send(1)) << "a waiter was left behind in the queue";
}

// -- NonblockRecvRace, NonblockSelectRace ------------------------------------------------------------------------------

TEST(GoChan, NonblockSelectRaceSeesWhatWasThereAtTheStart) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 5'000; ++i) {
    auto one = make_mailbox<int>(bounded(1));
    auto two = make_mailbox<int>(bounded(1));
    EXPECT_TRUE(one.out.try_send(1)); // one of them is ready at any moment
    const auto racer = sys.spawn(
        [](mailbox<int> first, mailbox<int> second) -> task<> {
          auto s = co_await select(first.receive(), second.receive(), otherwise());
          EXPECT_NE(s.index(), 2u);
        },
        one.in, two.in);
    EXPECT_TRUE(two.out.try_send(1));
    (void)one.in.try_receive();
    racer.wait();
  }
}

TEST(GoChan, NonblockRecvRaceSeesTheItemOrTheEnd) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 5'000; ++i) {
    auto ends = make_mailbox<int>(bounded(1));
    EXPECT_TRUE(ends.out.try_send(1));
    const auto racer = sys.spawn(
        [](mailbox<int> in) -> task<> {
          auto s = co_await select(in.receive(), otherwise());
          EXPECT_EQ(s.index(), 0u);
        },
        ends.in);
    ends.out.close();
    (void)ends.in.try_receive();
    racer.wait();
  }
}

} // namespace
} // namespace greenroom
