// Go's cases for select under load: races, fairness, many actors, what a long life costs. Source: go/test/chan, go/test/chanlinear
// and runtime/chan_test.go, as facts.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::select_load_test {
namespace {

using namespace go_kit;

// -- doubleselect -----------------------------------------------------------------------------------

task<> offer_on_four(std::array<address<int>, 4> to, int items) {
  for (int i = 0; i < items; ++i) {
    co_await select(to[0].send(i), to[1].send(i), to[2].send(i), to[3].send(i));
  }
}
task<> forward(mailbox<int> from, address<int> to) {
  while (const auto item = co_await from.receive()) EXPECT_TRUE(co_await to.send(*item));
}

task<> offer_and_collect(int items) {
  auto all = make_mailbox<int>(rendezvous());
  std::array<address<int>, 4> to;
  for (auto& t : to) {
    auto ends = make_mailbox<int>(rendezvous());
    spawn(forward, ends.in, all.out);
    t = ends.out;
  }
  spawn(offer_on_four, std::move(to), items);
  to = {};
  all.out = {};
  std::vector<int> times(static_cast<std::size_t>(items));
  while (const auto item = co_await all.in.receive()) ++times[static_cast<std::size_t>(*item)];
  EXPECT_EQ(std::count(times.begin(), times.end(), 1), items);
}

// Go: test/chan/doubleselect
TEST(GoSelect, ValueOfferedOnFourMailboxesIsTakenOnce) {
  actor_system sys(quiet(2));
  EXPECT_TRUE(sys.run(offer_and_collect, 100'000));
}

// -- SelfSelect -------------------------------------------------------------------------------------

task<> send_or_receive(mailbox<int> in, address<int> out, int me, bool buffered) {
  for (int i = 0; i < 20'000; ++i) {
    int got = -1;
    if (me == 0 || i % 2 == 0) {
      auto s = co_await select(out.send(me), in.receive());
      if (s.index() == 1) got = s.get<1>().value();
    } else {
      auto s = co_await select(in.receive(), out.send(me));
      if (s.index() == 0) got = s.get<0>().value();
    }
    EXPECT_TRUE(buffered || got != me) << "met itself";
  }
}

// Go: runtime/chan_test SelfSelect
TEST(GoSelect, TwoActorsThatSendAndReceiveOnOneMailboxNeverMeetThemselves) {
  for (const int capacity : {0, 10}) {
    actor_system sys(quiet(2));
    auto [in, out] = make_mailbox<int>(bounded(capacity));
    const auto first = sys.spawn(send_or_receive, in, out, 0, capacity != 0);
    const auto second = sys.spawn(send_or_receive, in, out, 1, capacity != 0);
    EXPECT_TRUE(first.wait().normal());
    EXPECT_TRUE(second.wait().normal());
  }
}

// -- SelectStress -----------------------------------------------------------------------------------

task<> send_zeros(address<int> out, int items) {
  for (int i = 0; i < items; ++i) EXPECT_TRUE(co_await out.send(0));
}
task<> receive_zeros(mailbox<int> in, int items) {
  for (int i = 0; i < items; ++i) EXPECT_EQ(co_await in.receive(), 0);
}
task<> send_on_four(std::array<address<int>, 4> to, int items) {
  constexpr std::array<std::size_t, 4> order{3, 2, 0, 1};
  std::array<int, 4> sent{};
  for (int i = 0; i < 4 * items; ++i) {
    auto s = co_await select(to[3].send(0), to[2].send(0), to[0].send(0), to[1].send(0));
    const auto which = order[s.index()];
    if (++sent[which] == items) to[which] = {}; // never wins any more
  }
  EXPECT_EQ(sent, (std::array{items, items, items, items}));
}
task<> receive_from_four(std::array<mailbox<int>, 4> from, int items) {
  std::array<int, 4> got{};
  for (int i = 0; i < 4 * items; ++i) {
    auto s = co_await select(from[0].receive(), from[1].receive(), from[2].receive(), from[3].receive());
    if (++got[s.index()] == items) from[s.index()] = {};
  }
  EXPECT_EQ(got, (std::array{items, items, items, items}));
}

void stress_selects(std::size_t workers, int items) {
  actor_system sys(quiet(workers));
  std::array<mailbox<int>, 4> in;
  std::array<address<int>, 4> out;
  std::vector<actor> all;
  for (std::size_t i = 0; i < 4; ++i) {
    auto ends = make_mailbox<int>(bounded(i < 2 ? 0 : 2));
    all.push_back(sys.spawn(send_zeros, ends.out, items));
    all.push_back(sys.spawn(receive_zeros, ends.in, items));
    in[i] = std::move(ends.in);
    out[i] = std::move(ends.out);
  }
  all.push_back(sys.spawn(send_on_four, out, items));
  all.push_back(sys.spawn(receive_from_four, in, items));
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
}

// Go: runtime/chan_test SelectStress
TEST(GoSelect, SelectsAndDirectCallsOnFourMailboxesDoNotDeadlock) {
  stress_selects(2, 100'000);
  stress_selects(1, 10'000);
  stress_selects(4, 10'000);
}

// -- fairness ---------------------------------------------------------------------------------------

task<int> count_firsts(mailbox<int> one, mailbox<int> two, int trials) {
  auto dead = make_mailbox<int>(rendezvous());
  auto dead_too = make_mailbox<int>(rendezvous());
  int firsts = 0;
  for (int i = 0; i < trials; ++i) {
    auto s = co_await select(dead.in.receive(), one.receive(), two.receive(), dead_too.in.receive());
    firsts += s.index() == 1;
  }
  co_return firsts;
}

// Go: runtime/chan_test SelectFairness
TEST(GoSelect, EachOfTwoReadyCasesWinsAboutHalfOfTheTime) {
  actor_system sys(seeded(2));
  SCOPED_TRACE(seed_of(sys));
  constexpr int trials = 10'000;
  auto one = make_mailbox<int>(bounded(trials + 1));
  auto two = make_mailbox<int>(bounded(trials + 1));
  for (int i = 0; i <= trials; ++i) {
    EXPECT_TRUE(one.out.try_send(1));
    EXPECT_TRUE(two.out.try_send(2));
  }
  const double share = static_cast<double>(sys.run(count_firsts, one.in, two.in, trials).value()) / trials;
  EXPECT_LT(std::abs(share - 0.5), 4.891676 / (2 * std::sqrt(trials))); // 0.0245: one failure in a million
}

task<> count_zeros(mailbox<int> in, int* zeros) {
  while (const auto item = co_await in.receive()) *zeros += *item == 0;
}
task<> send_either(address<int> out, int times) {
  for (int i = 0; i < times; ++i) co_await select(out.send(1), out.send(0));
}

// Go: runtime/chan_test PseudoRandomSend
TEST(GoSelect, BothOfTwoSendsToOneMailboxAreChosen) {
  for (const int capacity : {0, 1}) {
    actor_system sys(seeded(2));
    SCOPED_TRACE(seed_of(sys));
    int zeros = 0;
    auto [in, out] = make_mailbox<int>(bounded(capacity));
    const auto reader = sys.spawn(count_zeros, in, &zeros);
    EXPECT_TRUE(sys.run(send_either, std::move(out), 1'000));
    EXPECT_TRUE(reader.wait().normal());
    EXPECT_GT(zeros, 100);
    EXPECT_LT(zeros, 900);
  }
}

// -- NonblockSelectRace, NonblockSelectRace2 --------------------------------------------------------

task<> must_find_one(mailbox<int> first, mailbox<int> second) {
  auto s = co_await select(first.receive(), second.receive(), otherwise());
  EXPECT_NE(s.index(), 2U);
}

// Go: runtime/chan_test NonblockSelectRace
TEST(GoSelect, WithADefaultItSeesThatOneOfTwoMailboxesIsReadyAtAnyMoment) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 20'000; ++i) {
    auto one = make_mailbox<int>(bounded(1));
    auto two = make_mailbox<int>(bounded(1));
    EXPECT_TRUE(one.out.try_send(1));
    const auto racer = sys.spawn(must_find_one, one.in, two.in);
    EXPECT_TRUE(two.out.try_send(1)); // the second is ready before the first is not any more
    (void)one.in.try_receive();
    EXPECT_TRUE(racer.wait().normal());
  }
}

// Go: runtime/chan_test NonblockSelectRace2
TEST(GoSelect, WithADefaultItSeesAnItemOrTheEndThatCameBeforeTheItemWent) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 20'000; ++i) {
    auto one = make_mailbox<int>(bounded(1));
    auto two = make_mailbox<int>(bounded(1));
    EXPECT_TRUE(one.out.try_send(1));
    const auto racer = sys.spawn(must_find_one, one.in, two.in);
    two.out.close();
    (void)one.in.try_receive();
    EXPECT_TRUE(racer.wait().normal());
  }
}

// -- select2, chanlinear: what a long life costs ----------------------------------------------------

task<> receive_beside_a_dead_one(mailbox<int> in, mailbox<int> dead, int times) {
  for (int i = 0; i < times; ++i) {
    auto s = co_await select(dead.receive(), in.receive());
    EXPECT_EQ(s.index(), 1U);
  }
}

task<std::size_t> grow(int times) {
  auto live = make_mailbox<int>(rendezvous());
  auto dead = make_mailbox<int>(rendezvous());
  const auto allocated = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const auto rounds = [](mailbox<int> in, mailbox<int> silent, address<int> out, int n) -> task<> {
    const auto sender = spawn(send_zeros, out, n);
    co_await receive_beside_a_dead_one(in, silent, n);
    co_await sender.join();
  };
  co_await rounds(live.in, dead.in, live.out, 1'000); // what is allocated once
  const auto before = allocated();
  co_await rounds(live.in, dead.in, live.out, times);
  const auto after = allocated();
  EXPECT_FALSE(dead.out.try_send(1)) << "a select that is over still waits there";
  co_return after > before ? after - before : 0;
}

// Go: test/chan/select2
TEST(GoSelect, HundredThousandSelectsBesideADeadMailboxLeaveNothingThere) {
  one_worker sys;
  EXPECT_LT(sys.run(grow, 100'000).value(), 110'000U);
}

task<> wait_in_both(mailbox<int> shared, mailbox<int> own, int messages) {
  for (int i = 0; i < messages; ++i) {
    auto s = co_await select(shared.receive(), own.receive());
    EXPECT_EQ(s.index(), 1U);
  }
}

/// Wakes each of them, which leaves the shared queue and lines up there again, from the middle outwards: neither end of the queue is
/// where the leavers stand.
task<> wake_all(std::vector<address<int>> own, int messages) {
  const auto middle = own.size() / 2;
  for (int round = 0; round < messages; ++round) {
    for (std::size_t i = 0; i < own.size(); ++i) {
      const auto& to = own[i % 2 == 0 ? middle + i / 2 : middle - 1 - i / 2];
      EXPECT_TRUE(co_await to.send(1));
    }
  }
}

// Go: test/chanlinear
// No time is measured: with work that grows as the square, this would not end within the test's limit.
TEST(GoSelect, ActorsLeaveTheMiddleOfALongQueueWithoutLookingAtTheOthers) {
  constexpr int messages = 10;
  actor_system sys(quiet(2));
  auto shared = make_mailbox<int>(rendezvous());
  std::vector<address<int>> own;
  std::vector<actor> actors;
  for (int i = 0; i < 20'000; ++i) {
    auto ends = make_mailbox<int>(rendezvous());
    actors.push_back(sys.spawn(wait_in_both, shared.in, std::move(ends.in), messages));
    own.push_back(std::move(ends.out));
  }
  EXPECT_TRUE(sys.run(wake_all, own, messages));
  for (auto& a : actors) EXPECT_TRUE(a.wait().normal());
  EXPECT_FALSE(shared.out.try_send(1)) << "a waiter was left behind in the queue";
}

} // namespace
} // namespace greenroom::select_load_test
