// select: which case wins, what a loser has taken (nothing), and the four ways a wait ends. tests/semantics has Go's cases.
#include <greenroom/runtime/select.hpp>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::select_test {
namespace {

using namespace test;

using int_ends = mailbox_ends<int>;

task<> select_receive(mailbox<int> one, mailbox<int> two, std::vector<int>* won) {
  auto s = co_await select(one.receive(), two.receive());
  won->push_back(static_cast<int>(s.index()));
  const auto item = s.index() == 0 ? s.get<0>() : s.get<1>();
  won->push_back(item.value_or(-1));
}

TEST(Select, WaitsForTheFirstMailboxThatGetsAnItem) {
  for (int which = 0; which < 2; ++which) {
    one_worker sys;
    std::array<int_ends, 2> boxes{make_mailbox<int>(rendezvous()), make_mailbox<int>(bounded(1))};
    std::vector<int> won;
    const auto a = sys.spawn(select_receive, boxes[0].in, boxes[1].in, &won);
    await_wait(sys, a, "select");
    EXPECT_TRUE(boxes[static_cast<std::size_t>(which)].out.try_send(7));
    EXPECT_TRUE(a.wait().normal());
    EXPECT_EQ(won, (std::vector<int>{which, 7}));
    // The loser has left its queue: the rendezvous has no receiver any more.
    EXPECT_FALSE(boxes[0].out.try_send(8));
  }
}

TEST(Select, SendsToTheFirstReceiverThatComes) {
  one_worker sys;
  auto one = make_mailbox<std::unique_ptr<int>>(rendezvous());
  auto two = make_mailbox<std::unique_ptr<int>>(rendezvous());
  const auto a = sys.spawn(
      [](address<std::unique_ptr<int>> to_one, address<std::unique_ptr<int>> to_two) -> task<> {
        auto first = std::make_unique<int>(1);
        auto second = std::make_unique<int>(2);
        auto s = co_await select(to_one.send(std::move(first)), to_two.send(std::move(second)));
        EXPECT_EQ(s.index(), 1u);
        EXPECT_TRUE(s.get<1>());
        EXPECT_TRUE(first) << "the losing case moved its item";
        EXPECT_FALSE(second);
      },
      one.out, two.out);
  await_wait(sys, a, "select");
  EXPECT_EQ(**two.in.try_receive(), 2);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(one.in.try_receive().error().code(), errc::empty);
}

TEST(Select, TimesOutHavingTakenNothing) {
  timed_system t;
  auto [in, out] = make_mailbox<int>(rendezvous());
  const auto a = t.sys.spawn(
      [](mailbox<int> box) -> task<> {
        auto s = co_await select(box.receive(), after(10ms), at(never));
        EXPECT_EQ(s.index(), 1u);
        EXPECT_EQ(s.get<1>(), nothing());
      },
      in);
  await_wait(t.sys, a, "select");
  EXPECT_EQ(t.sys.live_timers(), 1u);
  EXPECT_EQ(out.closed(), false);
  t.advance(9ms);
  EXPECT_FALSE(a.finished());
  t.advance(2ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_FALSE(out.try_send(1));
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Select, CaseThatLostHoldsUpNobodyWhileTheSelectLivesOn) {
  one_worker sys;
  semaphore permits(5);
  auto news = make_mailbox<int>(rendezvous());
  auto end = make_mailbox<int>(rendezvous());
  const auto first = sys.spawn(
      [](semaphore* from, mailbox<int> in, mailbox<int> until) -> task<> {
        const auto three = co_await from->acquire(3);
        auto both = select(from->acquire(5), in.receive());
        const auto won = co_await both;
        EXPECT_EQ(won.index(), 1u);
        (void)co_await until.receive();
      },
      &permits, news.in, end.in);
  await_wait(sys, first, "select");
  const auto behind = sys.spawn([](semaphore* from) -> task<> { const auto one = co_await from->acquire(); }, &permits);
  await_wait(sys, behind, "semaphore");
  EXPECT_TRUE(news.out.try_send(1));
  EXPECT_TRUE(behind.wait().normal());
  await_wait(sys, first, "receive");
  EXPECT_TRUE(end.out.try_send(1));
  EXPECT_TRUE(first.wait().normal());
}

TEST(Select, IsRefusedASecondTime) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(2));
  const auto ok = sys.run(
      [](mailbox<int> box, address<int> to) -> task<> {
        (void)to.try_send(1);
        (void)to.try_send(2);
        auto described = box.receive();
        auto one = select(std::move(described), after(std::chrono::hours(1)));
        const auto got = co_await one;
        EXPECT_EQ(got.index(), 0u);
        int refused = 0;
        try {
          (void)co_await one;
        } catch (const usage_error&) {
          ++refused;
        }
        try {
          (void)co_await described; // it was given away
        } catch (const usage_error&) {
          ++refused;
        }
        EXPECT_EQ(refused, 2);
        EXPECT_EQ(co_await box.receive(), 2);
      },
      in, out);
  EXPECT_TRUE(ok);
}

TEST(Select, DisarmsItsTimersWhenAnItemComes) {
  timed_system t;
  auto [in, out] = make_mailbox<int>(rendezvous());
  const auto a = t.sys.spawn(
      [](mailbox<int> box) -> task<> {
        auto s = co_await select(after(1h), box.receive(), after(2h));
        EXPECT_EQ(s.index(), 1u);
        EXPECT_EQ(s.get<1>(), 5);
      },
      in);
  await_wait(t.sys, a, "select");
  EXPECT_EQ(t.sys.live_timers(), 2u);
  EXPECT_TRUE(out.try_send(5));
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Select, CancelledHasTakenNothing) {
  one_worker sys;
  auto one = make_mailbox<int>(rendezvous());
  auto two = make_mailbox<int>(rendezvous());
  std::vector<int> won;
  const auto a = sys.spawn(select_receive, one.in, two.in, &won);
  EXPECT_EQ(cancel_in(sys, a, "select").kind(), exit_kind::cancelled);
  EXPECT_FALSE(one.out.try_send(1));
  EXPECT_FALSE(two.out.try_send(1));
  EXPECT_TRUE(won.empty());
}

TEST(Select, KilledLeavesAllQueues) {
  timed_system t;
  auto one = make_mailbox<int>(rendezvous());
  auto two = make_mailbox<int>(rendezvous());
  const auto a = t.sys.spawn(
      [](mailbox<int> in, address<int> out) -> task<> {
        int item = 1;
        co_await select(in.receive(), out.send(std::move(item)), after(1h), this_actor::context().done());
      },
      one.in, two.out);
  EXPECT_EQ(kill_in(t.sys, a, "select").kind(), exit_kind::killed);
  EXPECT_FALSE(one.out.try_send(1));
  EXPECT_FALSE(two.in.try_receive());
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Select, ClosedMailboxWinsWithoutAnItem) {
  one_worker sys;
  auto one = make_mailbox<int>(rendezvous());
  auto two = make_mailbox<int>(rendezvous());
  std::vector<int> won;
  const auto a = sys.spawn(select_receive, one.in, two.in, &won);
  await_wait(sys, a, "select");
  two.out = {};
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(won, (std::vector<int>{1, -1}));
}

TEST(Select, SendCaseToAMailboxThatClosesWinsAndHandsTheItemBack) {
  one_worker sys;
  auto ends = make_mailbox<int>(rendezvous());
  const auto a = sys.spawn(
      [](address<int> out) -> task<> {
        int item = 4;
        auto s = co_await select(out.send(std::move(item)), at(never));
        EXPECT_EQ(s.index(), 0u);
        EXPECT_EQ(s.get<0>().error().code(), errc::closed);
        EXPECT_EQ(s.get<0>().item(), 4);
      },
      ends.out);
  await_wait(sys, a, "select");
  ends.in = {};
  EXPECT_TRUE(a.wait().normal());
}

TEST(Select, OtherwiseWinsOnlyWhenNothingIsReady) {
  one_worker sys;
  auto ends = make_mailbox<int>(bounded(1));
  const auto ok = sys.run(
      [](mailbox<int> in, address<int> out) -> task<> {
        for (int i = 0; i < 100; ++i) {
          auto empty = co_await select(otherwise(), in.receive());
          EXPECT_EQ(empty.index(), 0u);
          EXPECT_TRUE(out.try_send(1));
          auto ready = co_await select(otherwise(), in.receive());
          EXPECT_EQ(ready.index(), 1u);
        }
        auto alone = co_await select(otherwise());
        EXPECT_EQ(alone.index(), 0u);
      },
      ends.in, ends.out);
  EXPECT_TRUE(ok);
}

TEST(Select, CaseWithoutAMailboxNeverWins) {
  one_worker sys;
  auto ends = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(ends.out.try_send(1));
  const auto ok = sys.run(
      [](mailbox<int> in) -> task<> {
        mailbox<int> none;
        address<int> nowhere;
        auto first = co_await select(none.receive(), nowhere.send(1), in.receive(), actor().join());
        EXPECT_EQ(first.index(), 2u);
        auto second = co_await select(none.receive(), nowhere.send(1), in.receive(), otherwise());
        EXPECT_EQ(second.index(), 3u);
      },
      ends.in);
  EXPECT_TRUE(ok);
}

TEST(Select, WaitingForNothingEndsByCancellation) {
  one_worker sys;
  const auto a = sys.spawn([]() -> task<> {
    mailbox<int> none;
    co_await select(none.receive(), at(never));
  });
  EXPECT_EQ(cancel_in(sys, a, "select").kind(), exit_kind::cancelled);
}

TEST(Select, JoinsAnActorOrATimeOrAContext) {
  timed_system t;
  auto [ctx, cancel] = t.sys.context().with_cancel();
  auto ends = make_mailbox<int>(rendezvous());
  const auto other = t.sys.spawn([](mailbox<int> in) -> task<> { co_await in.receive(); }, ends.in);
  const auto a = t.sys.spawn(
      [](actor who, context c) -> task<> {
        auto first = co_await select(who.join(), c.done(), after(5ms));
        EXPECT_EQ(first.index(), 2u);
        auto second = co_await select(who.join(), c.done());
        EXPECT_EQ(second.index(), 1u);
        EXPECT_EQ(second.get<1>().code(), errc::limit);
        auto third = co_await select(who.join(), at(never));
        EXPECT_EQ(third.index(), 0u);
        EXPECT_TRUE(third.get<0>().normal());
      },
      other, ctx);
  await_wait(t.sys, a, "select");
  t.advance(6ms);
  await_wait(t.sys, a, "select");
  cancel(errc::limit);
  (void)t.sys.run(settle);
  EXPECT_FALSE(a.finished());
  ends.out = {};
  EXPECT_TRUE(a.wait().normal());
}

TEST(Select, TwoSelectsMeet) {
  one_worker sys;
  auto one = make_mailbox<int>(rendezvous());
  auto two = make_mailbox<int>(rendezvous());
  const auto receiver = sys.spawn(
      [](mailbox<int> in, mailbox<int> other) -> task<> {
        auto s = co_await select(other.receive(), in.receive());
        EXPECT_EQ(s.index(), 1u);
        EXPECT_EQ(s.get<1>(), 3);
      },
      one.in, two.in);
  await_wait(sys, receiver, "select");
  const auto ok = sys.run(
      [](address<int> out) -> task<> {
        int item = 3;
        auto s = co_await select(at(never), out.send(std::move(item)));
        EXPECT_EQ(s.index(), 1u);
        EXPECT_TRUE(s.get<1>());
      },
      one.out);
  EXPECT_TRUE(ok);
  EXPECT_TRUE(receiver.wait().normal());
}

TEST(Select, FullMailboxWithAPolicyWinsAtOnce) {
  one_worker sys;
  auto ends = make_mailbox<int>(bounded(1, overflow::reject));
  const auto ok = sys.run(
      [](address<int> out) -> task<> {
        EXPECT_TRUE(out.try_send(1));
        int item = 2;
        auto s = co_await select(out.send(std::move(item)), at(never));
        EXPECT_EQ(s.index(), 0u);
        EXPECT_EQ(s.get<0>().error().code(), errc::full);
      },
      ends.out);
  EXPECT_TRUE(ok);
}

TEST(Select, WrongCaseIsABadVariantAccess) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> {
    auto s = co_await select(otherwise(), at(never));
    EXPECT_THROW(s.get<1>(), std::bad_variant_access);
    mailbox<int> in(bounded(1));
    mailbox<int> other(bounded(1));
    EXPECT_TRUE(in.address().try_send(3));
    auto of_one_kind = co_await select(other.receive(), in.receive());
    EXPECT_THROW(of_one_kind.get<0>(), std::bad_variant_access);
    EXPECT_EQ(of_one_kind.get<1>(), 3);
  });
  EXPECT_TRUE(got);
}

task<> send_for_ever(address<int> out) {
  for (int n = 1;; ++n) {
    const auto sent = co_await out.send(n);
    if (!sent) co_return;
  }
}

// What is ready is looked for without the locks first: whatever makes a receive ready must be seen there, or it would come last each time.
TEST(Select, ItemsWaitingSendersAndAnEndAreEachAsLikely) {
  one_worker sys;
  auto queue = make_mailbox<int>(bounded(1));
  auto meeting = make_mailbox<int>(rendezvous());
  auto ended = make_mailbox<int>(bounded(1));
  ended.out = {};
  sys.spawn(send_for_ever, queue.out);
  const auto sender = sys.spawn(send_for_ever, meeting.out);
  await_wait(sys, sender, "send");
  constexpr int rounds = 3'000;
  const auto won = sys.run(
      [](mailbox<int> items, mailbox<int> senders, mailbox<int> end) -> task<std::array<int, 3>> {
        std::array<int, 3> times{};
        for (int i = 0; i < rounds; ++i) {
          while (items.size_approx() == 0) co_await yield();
          auto s = co_await select(items.receive(), senders.receive(), end.receive());
          ++times[s.index()];
          EXPECT_EQ((s.index() == 0   ? s.get<0>()
                     : s.index() == 1 ? s.get<1>()
                                      : s.get<2>())
                        .has_value(),
                    s.index() != 2);
          co_await yield(); // the senders wait again
        }
        co_return times;
      },
      std::move(queue.in), std::move(meeting.in), std::move(ended.in));
  for (const int times : won.value())
    EXPECT_GT(times, rounds / 5); // a third of them, 6 standard deviations at the least
}

TEST(Select, LetsOthersRunWithinItsStepBudget) {
  one_worker sys;
  bool other_ran = false;
  const auto rounds = sys.run(
      [](bool* flag) -> task<int> {
        spawn([](bool* f) -> task<> { co_return void(*f = true); }, flag);
        int n = 0;
        for (; !*flag; ++n) co_await select(otherwise());
        co_return n;
      },
      &other_ran);
  EXPECT_LE(rounds.value(), 128);
}

TEST(Select, TakesManyCasesOfManyMailboxes) {
  one_worker sys;
  std::array<int_ends, 8> boxes;
  for (auto& b : boxes) b = make_mailbox<int>(bounded(1));
  const auto sum = sys.run(
      [](std::array<int_ends, 8>* b) -> task<int> {
        auto& at_ = *b;
        for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(at_[i].out.try_send(1 << i));
        int total = 0;
        for (int i = 0; i < 8; ++i) {
          auto s = co_await select(at_[7].in.receive(), at_[3].in.receive(), at_[5].in.receive(), at_[1].in.receive(),
                                   at_[0].in.receive(), at_[2].in.receive(), at_[4].in.receive(), at_[6].in.receive());
          switch (s.index()) {
          case 0: total += *s.get<0>(); break;
          case 1: total += *s.get<1>(); break;
          case 2: total += *s.get<2>(); break;
          case 3: total += *s.get<3>(); break;
          case 4: total += *s.get<4>(); break;
          case 5: total += *s.get<5>(); break;
          case 6: total += *s.get<6>(); break;
          default: total += *s.get<7>();
          }
        }
        co_return total;
      },
      &boxes);
  EXPECT_EQ(sum.value(), 255);
}

} // namespace
} // namespace greenroom::select_test
