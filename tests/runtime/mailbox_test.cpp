// Receiving and sending: succeeds, times out, is cancelled, the other end is gone. mailbox_ends_test.cpp has closing and limits.
#include <greenroom/runtime/mailbox.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::mailbox_test {
namespace {

using namespace test;

task<> receive_one(mailbox<int> in, std::optional<int>* got) { *got = co_await in.receive(); }
task<> receive_all(mailbox<int> in, std::vector<int>* got) {
  while (auto item = co_await in.receive()) got->push_back(*item);
}
task<> send_one(address<int> out, int item, send_result<int>* sent) { *sent = co_await out.send(std::move(item)); }

// -- receive --------------------------------------------------------------------------------------

TEST(Mailbox, ReceiveTakesWhatIsQueuedInOrder) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(3));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(out.try_send(i));
  out = {};
  std::vector<int> got;
  ASSERT_TRUE(sys.run(receive_all, in, &got));
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2}));
}

TEST(Mailbox, ReceiveWaitsUntilAnItemComes) {
  for (const auto limits : {rendezvous(), bounded(1), unbounded()}) {
    one_worker sys;
    auto [in, out] = make_mailbox<int>(limits);
    std::optional<int> got;
    const auto a = sys.spawn(receive_one, in, &got);
    await_wait(sys, a, "receive");
    EXPECT_TRUE(out.try_send(7));
    EXPECT_TRUE(a.wait().normal());
    EXPECT_EQ(got, 7);
  }
}

TEST(Mailbox, ReceiveForTimesOutHavingTakenNothing) {
  timed_system t;
  auto [in, out] = make_mailbox<int>(bounded(1));
  result<int> got = errc::empty;
  const auto a =
      t.sys.spawn([](mailbox<int> box, result<int>* r) -> task<> { *r = co_await box.receive_for(1s); }, in, &got);
  await_wait(t.sys, a, "receive");
  t.advance(999ms);
  EXPECT_FALSE(a.finished());
  t.advance(2ms);
  EXPECT_TRUE(a.wait().normal());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::timed_out);
  EXPECT_TRUE(out.try_send(1));
  EXPECT_EQ(in.try_receive().value(), 1);
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Mailbox, ReceiveForDisarmsItsTimerWhenAnItemComes) {
  timed_system t;
  auto [in, out] = make_mailbox<int>(rendezvous());
  result<int> got = errc::empty;
  const auto a =
      t.sys.spawn([](mailbox<int> box, result<int>* r) -> task<> { *r = co_await box.receive_for(1h); }, in, &got);
  await_wait(t.sys, a, "receive");
  EXPECT_EQ(t.sys.live_timers(), 1u);
  EXPECT_TRUE(out.try_send(3));
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got.value(), 3);
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Mailbox, ReceiveUntilAPastTimeStillTakesWhatIsThere) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(out.try_send(5));
  const auto ok = sys.run(
      [](mailbox<int> box) -> task<> {
        const auto past = this_actor::system().now() - 1s;
        const auto first = co_await box.receive_until(past);
        EXPECT_EQ(first.value(), 5);
        const auto second = co_await box.receive_until(past);
        EXPECT_FALSE(second);
        EXPECT_EQ(second.error().code(), errc::timed_out);
      },
      in);
  EXPECT_TRUE(ok);
}

TEST(Mailbox, PollingWithATimeThatHasPassedLetsOthersRun) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto ok = sys.run(
      [](mailbox<int> box, address<int> to) -> task<> {
        auto sender = [](address<int> there) -> task<> { EXPECT_TRUE(co_await there.send(1)); };
        spawn(sender, to);
        for (;;) { // without a turn for the sender this would never end
          const auto got = co_await box.receive_for(0ms);
          if (got) co_return;
        }
      },
      in, out);
  EXPECT_TRUE(ok);
}

TEST(Mailbox, CancelledReceiverHasTakenNothing) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  std::optional<int> got;
  const auto a = sys.spawn(receive_one, in, &got);
  EXPECT_EQ(cancel_in(sys, a, "receive").kind(), exit_kind::cancelled);
  const auto sent = out.try_send(1);
  EXPECT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), errc::full);
  EXPECT_EQ(got, std::nullopt);
}

TEST(Mailbox, KilledReceiverLeavesTheQueueToTheNext) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  std::optional<int> first;
  std::optional<int> second;
  const auto a = sys.spawn(receive_one, in, &first);
  await_wait(sys, a, "receive");
  const auto b = sys.spawn(receive_one, in, &second);
  await_wait(sys, b, "receive");
  EXPECT_EQ(kill_in(sys, a, "receive").kind(), exit_kind::killed);
  EXPECT_TRUE(out.try_send(9));
  EXPECT_TRUE(b.wait().normal());
  EXPECT_EQ(first, std::nullopt);
  EXPECT_EQ(second, 9);
}

TEST(Mailbox, ItemThatCameBeforeTheCancellationIsDeliveredFirst) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  std::vector<int> got;
  const auto a = sys.spawn(receive_all, in, &got);
  await_wait(sys, a, "receive");
  const auto ok = sys.run(
      [](actor who, address<int> to) -> task<> {
        EXPECT_TRUE(to.try_send(4)); // both come while the receiver cannot run
        who.cancel();
        co_return;
      },
      a, out);
  EXPECT_TRUE(ok);
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(got, std::vector<int>{4});
}

TEST(Mailbox, ReceiveEndsWhenTheLastAddressGoes) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  std::optional<int> got = 1;
  const auto a = sys.spawn(receive_one, in, &got);
  await_wait(sys, a, "receive");
  auto second = out;
  out = {};
  EXPECT_FALSE(a.finished());
  second = {};
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got, std::nullopt);
}

TEST(Mailbox, ReceiveForSaysClosedWhenTheLastAddressGoes) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  result<int> got = errc::empty;
  const auto a =
      sys.spawn([](mailbox<int> box, result<int>* r) -> task<> { *r = co_await box.receive_for(1h); }, in, &got);
  await_wait(sys, a, "receive");
  out = {};
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got.error().code(), errc::closed);
}

TEST(Mailbox, ReceiveWithoutAMailboxIsAUsageError) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> {
    mailbox<int> none;
    co_await none.receive();
  });
  EXPECT_NE(got.error().message().find("receive: there is no mailbox behind this end"), std::string_view::npos);
  EXPECT_THROW((void)mailbox<int>().try_receive(), usage_error);
}

TEST(Mailbox, TryReceiveSaysEmptyOrClosed) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  EXPECT_EQ(in.try_receive().error().code(), errc::empty);
  out.close();
  EXPECT_EQ(in.try_receive().error().code(), errc::closed);
}

// -- send -----------------------------------------------------------------------------------------

TEST(Mailbox, SendHandsTheItemToAWaitingReceiver) {
  one_worker sys;
  auto [in, out] = make_mailbox<std::unique_ptr<int>>(rendezvous());
  const auto got = sys.run(
      [](mailbox<std::unique_ptr<int>> box, address<std::unique_ptr<int>> to) -> task<int> {
        auto sender = [](address<std::unique_ptr<int>> there) -> task<> {
          EXPECT_TRUE(co_await there.send(std::make_unique<int>(3)));
        };
        spawn(sender, to);
        const auto item = co_await box.receive();
        co_return **item;
      },
      in, out);
  EXPECT_EQ(got.value(), 3);
}

TEST(Mailbox, SendWaitsWhileTheMailboxIsFull) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(out.try_send(1));
  send_result<int> sent(errc::empty, 0);
  const auto a = sys.spawn(send_one, out, 2, &sent);
  await_wait(sys, a, "send");
  EXPECT_EQ(in.try_receive().value(), 1);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_TRUE(sent);
  EXPECT_EQ(in.try_receive().value(), 2);
}

TEST(Mailbox, SendForTimesOutAndHandsTheItemBack) {
  timed_system t;
  auto [in, out] = make_mailbox<std::string>(rendezvous());
  std::string back;
  const auto a = t.sys.spawn(
      [](address<std::string> to, std::string* b) -> task<> {
        auto sent = co_await to.send_for(std::string("a text too long for the string itself"), 10ms);
        EXPECT_FALSE(sent);
        EXPECT_EQ(sent.error().code(), errc::timed_out);
        *b = std::move(sent.item());
      },
      out, &back);
  await_wait(t.sys, a, "send");
  t.advance(11ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(back, "a text too long for the string itself");
  EXPECT_EQ(in.try_receive().error().code(), errc::empty);
}

TEST(Mailbox, SendForConvertsItsItemOnceAndKeepsIt) {
  timed_system t;
  auto [in, out] = make_mailbox<std::string>(rendezvous());
  const auto a = t.sys.spawn(
      [](address<std::string> to) -> task<> {
        const char* const text = "a text too long for the string itself";
        EXPECT_TRUE(co_await to.send_for(text, 1s));
      },
      out);
  await_wait(t.sys, a, "send");
  EXPECT_EQ(in.try_receive().value(), "a text too long for the string itself");
  EXPECT_TRUE(a.wait().normal());
}

TEST(Mailbox, CancelledSenderHasSentNothing) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  send_result<int> sent(errc::empty, 0);
  const auto a = sys.spawn(send_one, out, 1, &sent);
  EXPECT_EQ(cancel_in(sys, a, "send").kind(), exit_kind::cancelled);
  EXPECT_EQ(in.try_receive().error().code(), errc::empty);
}

TEST(Mailbox, KilledSenderHasSentNothing) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  send_result<int> sent(errc::empty, 0);
  const auto a = sys.spawn(send_one, out, 1, &sent);
  EXPECT_EQ(kill_in(sys, a, "send").kind(), exit_kind::killed);
  EXPECT_EQ(in.try_receive().error().code(), errc::empty);
}

TEST(Mailbox, WaitingSenderGetsItsItemBackWhenTheLastMailboxGoes) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  send_result<int> sent;
  const auto a = sys.spawn(send_one, out, 8, &sent);
  await_wait(sys, a, "send");
  auto second = in;
  in = {};
  EXPECT_FALSE(a.finished());
  second = {};
  EXPECT_TRUE(a.wait().normal());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), errc::closed);
  EXPECT_EQ(sent.item(), 8);
}

TEST(Mailbox, SendFailsAtOnceWithoutAReceiver) {
  auto [in, out] = make_mailbox<std::unique_ptr<int>>(unbounded());
  in = {};
  auto sent = out.try_send(std::make_unique<int>(6));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), errc::closed);
  EXPECT_EQ(*sent.item(), 6);
  EXPECT_TRUE(out.closed());
}

TEST(Mailbox, SendOfAnLvalueCopiesItAtTheCall) {
  one_worker sys;
  auto [in, out] = make_mailbox<std::string>(bounded(2));
  const auto ok = sys.run(
      [](mailbox<std::string> box, address<std::string> to) -> task<> {
        std::string text = "first";
        auto described = to.send(text);
        text = "second";
        EXPECT_TRUE(co_await std::move(described));
        EXPECT_TRUE(co_await to.send(std::move(text)));
        EXPECT_EQ(co_await box.receive(), "first");
        EXPECT_EQ(co_await box.receive(), "second");
      },
      in, out);
  EXPECT_TRUE(ok);
}

TEST(Mailbox, WaitThatIsAwaitedASecondTimeIsRefused) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(2));
  const auto ok = sys.run(
      [](mailbox<int> box, address<int> to) -> task<> {
        (void)to.try_send(1);
        (void)to.try_send(2);
        auto described = box.receive();
        EXPECT_EQ(co_await described, 1);
        std::string why;
        try {
          (void)co_await described;
        } catch (const usage_error& e) {
          why = e.what();
        }
        EXPECT_EQ(why, "a wait was awaited a second time, or after it was given away: describe it anew for each await");
        bool refused = false;
        try {
          auto moved = std::move(described);
        } catch (const usage_error&) {
          refused = true;
        }
        EXPECT_TRUE(refused);
        EXPECT_EQ(co_await box.receive(), 2);
      },
      in, out);
  EXPECT_TRUE(ok);
}

TEST(Mailbox, DescribedWaitThatIsNotAwaitedDoesNothing) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  {
    [[maybe_unused]] auto receiving = in.receive();
    [[maybe_unused]] auto sending = out.send(1);
  }
  EXPECT_EQ(in.size_approx(), 0u);
  EXPECT_TRUE(out.try_send(2));
  EXPECT_EQ(in.try_receive().value(), 2);
}

TEST(Mailbox, SendWithoutAMailboxIsAUsageError) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> {
    address<int> none;
    (void)co_await none.send(1);
  });
  EXPECT_NE(got.error().message().find("send: there is no mailbox behind this end"), std::string_view::npos);
}

TEST(Mailbox, ChattyActorsLetOthersRunWithinTheirStepBudget) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(unbounded());
  bool other_ran = false;
  const auto rounds = sys.run(
      [](mailbox<int> box, address<int> to, bool* flag) -> task<int> {
        spawn([](bool* f) -> task<> { co_return void(*f = true); }, flag);
        int n = 0;
        for (; !*flag; ++n) { // never has to wait
          EXPECT_TRUE(co_await to.send(n));
          co_await box.receive();
        }
        co_return n;
      },
      in, out, &other_ran);
  EXPECT_LE(rounds.value(), 128);
}

} // namespace
} // namespace greenroom::mailbox_test
