// Go's cases for select with a known order of events: what waits, what wins, what a loser leaves. Source: go/test/chan and
// runtime/chan_test.go, as facts. select_load_test.cpp has those with many actors.
#include <memory>
#include <stdexcept>
#include <variant>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::select_test {
namespace {

using namespace go_kit;

// -- select: what is evaluated ----------------------------------------------------------------------

unsigned make_value(int* evaluated, unsigned shift) {
  ++*evaluated;
  return 1U << shift;
}

/// Sends to each of them once, for as long as one takes it. Returns how often it sent.
task<int> send_while_ready(address<unsigned> a, address<unsigned> b, int* evaluated, unsigned* shift) {
  for (int sent = 0;; ++sent, ++*shift) {
    auto s = co_await select(a.send(make_value(evaluated, *shift)), b.send(make_value(evaluated, *shift)), otherwise());
    if (s.index() == 2) co_return sent;
    if (s.index() == 0) {
      a = {};
    } else {
      b = {};
    }
  }
}

task<> send_twice_and_once(int* evaluated) {
  auto a = make_mailbox<unsigned>(bounded(1));
  auto b = make_mailbox<unsigned>(bounded(1));
  unsigned shift = 0;
  const int both = co_await send_while_ready(a.out, b.out, evaluated, &shift);
  EXPECT_EQ(both, 2);
  const auto from_a = co_await a.in.receive();
  const auto from_b = co_await b.in.receive();
  EXPECT_EQ(*from_a | *from_b, 3U) << "each got a value of its own pass";
  const int one = co_await send_while_ready(a.out, address<unsigned>(), evaluated, &shift);
  EXPECT_EQ(one, 1);
}

// Go: test/chan/select
TEST(GoSelect, ValueOfEachSendCaseIsEvaluatedOncePerPass) {
  one_worker sys;
  int evaluated = 0;
  EXPECT_TRUE(sys.run(send_twice_and_once, &evaluated));
  EXPECT_EQ(evaluated, 10);
}

// -- select3: the truth table of waiting ------------------------------------------------------------

task<> receive(mailbox<int> in) { co_await in.receive(); }
task<> send(address<int> out) {
  const auto sent = co_await out.send(7);
  (void)sent;
}
task<> select_receive(mailbox<int> in) { co_await select(in.receive()); }
task<> select_send(address<int> out) { co_await select(out.send(7)); }
task<> select_receive_or_not(mailbox<int> in, bool expect_default) {
  auto s = co_await select(in.receive(), otherwise());
  EXPECT_EQ(s.index() == 1, expect_default);
}
task<> select_send_or_not(address<int> out, bool expect_default) {
  auto s = co_await select(out.send(7), otherwise());
  EXPECT_EQ(s.index() == 1, expect_default);
}

// Go: test/chan/select3
TEST(GoSelect, WaitsExactlyWhenNoCaseCanComplete) {
  one_worker sys;
  auto sync = make_mailbox<int>(rendezvous());
  auto buffered = make_mailbox<int>(bounded(1));
  auto full = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(full.out.try_send(0));
  auto closed = make_mailbox<int>(bounded(1));
  closed.out.close();

  for (const auto receiving : {receive, select_receive}) {
    EXPECT_TRUE(waits(sys, receiving, sync.in));
    EXPECT_TRUE(waits(sys, receiving, buffered.in));
    EXPECT_FALSE(waits(sys, receiving, closed.in));
    EXPECT_TRUE(buffered.out.try_send(1));
    EXPECT_FALSE(waits(sys, receiving, buffered.in));
  }
  for (const auto sending : {send, select_send}) {
    EXPECT_TRUE(waits(sys, sending, sync.out));
    EXPECT_TRUE(waits(sys, sending, full.out));
    EXPECT_FALSE(waits(sys, sending, closed.out));
    EXPECT_FALSE(waits(sys, sending, buffered.out));
    EXPECT_TRUE(buffered.in.try_receive());
  }
}

// Go: test/chan/select3
TEST(GoSelect, WithADefaultItNeverWaitsAndTakesWhatIsReady) {
  one_worker sys;
  auto sync = make_mailbox<int>(rendezvous());
  auto buffered = make_mailbox<int>(bounded(1));
  auto closed = make_mailbox<int>(rendezvous());
  closed.out.close();
  EXPECT_FALSE(waits(sys, select_receive_or_not, mailbox<int>(), true));
  EXPECT_FALSE(waits(sys, select_send_or_not, address<int>(), true));
  EXPECT_FALSE(waits(sys, select_receive_or_not, sync.in, true));
  EXPECT_FALSE(waits(sys, select_send_or_not, sync.out, true));
  EXPECT_FALSE(waits(sys, select_receive_or_not, buffered.in, true));
  EXPECT_FALSE(waits(sys, select_send_or_not, buffered.out, false));
  EXPECT_FALSE(waits(sys, select_send_or_not, buffered.out, true)) << "it is full now";
  EXPECT_FALSE(waits(sys, select_receive_or_not, buffered.in, false));
  EXPECT_FALSE(waits(sys, select_receive_or_not, closed.in, false)) << "the end is ready";
  EXPECT_FALSE(waits(sys, select_send_or_not, closed.out, false)) << "so is the refusal";
}

// Go: test/chan/select3
// Differs: an operation on a nil channel waits for ever in Go. Within a select it does here too; outside of one nobody can mean
// it, and it is a usage_error. A select without any case does not compile: select(at(never)) waits for ever.
TEST(GoSelect, CaseWithoutAMailboxNeverWinsAndACallWithoutOneIsAUsageError) {
  one_worker sys;
  EXPECT_TRUE(waits(sys, select_receive, mailbox<int>()));
  EXPECT_TRUE(waits(sys, select_send, address<int>()));
  EXPECT_TRUE(waits(sys, []() -> task<> { co_await select(at(never)); }));
  EXPECT_EQ(sys.spawn(receive, mailbox<int>()).wait().kind(), exit_kind::failed);
  EXPECT_EQ(sys.spawn(send, address<int>()).wait().kind(), exit_kind::failed);
}

// Go: test/chan/select3
TEST(GoSelect, SendAndReceiveOfOneSelectDoNotMeet) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  const auto both = [](mailbox<int> from, address<int> to) -> task<> { co_await select(from.receive(), to.send(1)); };
  EXPECT_TRUE(waits(sys, both, in, out));
}

// -- select4, select7, select8: the value and its handling ------------------------------------------

// Go: test/chan/select4
// Differs: a case here has no target. The value is asked for afterwards, and only the winner has one.
TEST(GoSelect, ReceiveThatIsNotChosenGivesNothingAndTakesNothing) {
  one_worker sys;
  auto chosen = make_mailbox<int>(bounded(1));
  auto other = make_mailbox<int>(rendezvous());
  EXPECT_TRUE(chosen.out.try_send(42));
  EXPECT_TRUE(sys.run(
      [](mailbox<int> silent, mailbox<int> ready) -> task<> {
        auto s = co_await select(silent.receive(), ready.receive());
        EXPECT_EQ(s.index(), 1U);
        EXPECT_EQ(s.get<1>(), 42);
        EXPECT_THROW((void)s.get<0>(), std::bad_variant_access);
      },
      other.in, chosen.in));
  EXPECT_FALSE(other.out.try_send(1)) << "nobody waits there any more";
}

using shared = std::shared_ptr<int>;
struct silent_ends {
  mailbox_ends<shared> box = make_mailbox<shared>(rendezvous());
};

task<> send_in_some_way(std::size_t ways, address<shared> out, shared item, silent_ends silent) {
  switch (ways) {
  case 0: {
    const auto sent = co_await out.send(std::move(item));
    EXPECT_TRUE(sent.has_value());
    break;
  }
  case 1: co_await select(out.send(std::move(item))); break;
  default: co_await select(silent.box.in.receive(), out.send(std::move(item)));
  }
}
task<> discard_in_some_way(std::size_t ways, mailbox<shared> in, silent_ends silent) {
  switch (ways) {
  case 0: co_await in.receive(); break;
  case 1: co_await select(in.receive()); break;
  default: co_await select(silent.box.in.receive(), in.receive());
  }
}

// Go: test/chan/select7
TEST(GoSelect, ReceivedValueMayBeDiscardedInEveryPairOfWays) {
  for (const std::size_t workers : {1U, 2U}) {
    actor_system sys(quiet(workers));
    for (std::size_t pair = 0; pair < 9; ++pair) {
      auto ends = make_mailbox<shared>(rendezvous());
      auto item = std::make_shared<int>(1);
      const std::weak_ptr<int> watched = item;
      const auto receiver = sys.spawn(discard_in_some_way, pair / 3, ends.in, silent_ends());
      const auto sender = sys.spawn(send_in_some_way, pair % 3, ends.out, std::move(item), silent_ends());
      EXPECT_TRUE(receiver.wait().normal());
      EXPECT_TRUE(sender.wait().normal());
      EXPECT_TRUE(watched.expired()) << "pair " << pair;
      EXPECT_EQ(ends.in.try_receive().error().code(), errc::empty);
    }
  }
}

task<> leave_early(mailbox<int> a, mailbox<int> b, int* after_the_switch) {
  for (int i = 0; i < 3; ++i) {
    auto s = co_await select(a.receive(), b.receive(), otherwise());
    switch (s.index()) {
    case 0:
      if (*s.get<0>() == 1) break; // leaves the handling of the case, not the loop
      ADD_FAILURE();
      co_return;
    case 1: break;
    default: break;
    }
    ++*after_the_switch;
  }
}

// Go: test/chan/select8
TEST(GoSelect, LeavingTheHandlingOfACaseLeavesTheSelectOnly) {
  one_worker sys;
  auto a = make_mailbox<int>(bounded(1));
  auto b = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(a.out.try_send(1));
  EXPECT_TRUE(b.out.try_send(2));
  int after_the_switch = 0;
  EXPECT_TRUE(sys.run(leave_early, a.in, b.in, &after_the_switch));
  EXPECT_EQ(after_the_switch, 3);
}

task<> throw_from_a_case(mailbox<int> a, mailbox<int> b) {
  auto s = co_await select(a.receive(), b.receive());
  EXPECT_EQ(s.index(), 0U);
  throw std::runtime_error("left by an exception");
}

// Go: test/chan/select8
TEST(GoSelect, LeftByAnExceptionItWaitsNowhereAnyMore) {
  one_worker sys;
  auto a = make_mailbox<int>(rendezvous());
  auto b = make_mailbox<int>(rendezvous());
  const auto left = sys.spawn(throw_from_a_case, a.in, b.in);
  await_wait(sys, left, "select");
  EXPECT_TRUE(a.out.try_send(1));
  EXPECT_EQ(left.wait().kind(), exit_kind::failed);
  EXPECT_FALSE(b.out.try_send(1));
}

// -- select6, SelectDuplicateChannel: losers leave the queues of others intact ----------------------

task<> lose_on(mailbox<bool> one, mailbox<bool> two, address<bool> done) {
  auto s = co_await select(one.receive(), two.receive());
  EXPECT_EQ(s.index(), 1U);
  EXPECT_TRUE(co_await done.send(true));
}
task<> take_one(mailbox<bool> in) { co_await in.receive(); }
task<> take_and_tell(mailbox<bool> in, address<bool> done) {
  co_await in.receive();
  EXPECT_TRUE(co_await done.send(true));
}

task<> lose_between_two_others() {
  auto c1 = make_mailbox<bool>(rendezvous());
  auto c2 = make_mailbox<bool>(rendezvous());
  auto c3 = make_mailbox<bool>(bounded(1));
  auto c4 = make_mailbox<bool>(bounded(1));
  co_await until_waits(spawn(take_one, c1.in), "receive");
  co_await until_waits(spawn(lose_on, c1.in, c2.in, c3.out), "select");
  co_await until_waits(spawn(take_and_tell, c1.in, c4.out), "receive");
  EXPECT_TRUE(co_await c2.out.send(true)); // the select leaves the middle of c1's queue
  co_await c3.in.receive();
  EXPECT_TRUE(co_await c1.out.send(true));
  EXPECT_TRUE(co_await c1.out.send(true));
  co_await c4.in.receive();
}

// Go: test/chan/select6
TEST(GoSelect, LoserLeavesThoseWhoWaitBesideItInTheQueue) {
  one_worker sys;
  EXPECT_TRUE(sys.run(lose_between_two_others));
}

task<> select_one_mailbox_twice(mailbox<bool> one, mailbox<bool> two, address<bool> done) {
  auto s = co_await select(one.receive(), one.receive(), two.receive());
  EXPECT_EQ(s.index(), 2U);
  EXPECT_TRUE(co_await done.send(true));
}

task<> lose_twice_in_one_queue() {
  auto c = make_mailbox<bool>(rendezvous());
  auto d = make_mailbox<bool>(rendezvous());
  auto e = make_mailbox<bool>(bounded(1));
  co_await until_waits(spawn(select_one_mailbox_twice, c.in, d.in, e.out), "select");
  const auto second = spawn(take_one, c.in);
  co_await until_waits(second, "receive");
  EXPECT_TRUE(co_await d.out.send(true)); // wakes the select
  co_await e.in.receive();
  EXPECT_TRUE(co_await c.out.send(true)); // wakes the other
  const auto why = co_await second.join();
  EXPECT_TRUE(why.normal());
}

// Go: runtime/chan_test SelectDuplicateChannel
TEST(GoSelect, MailboxNamedTwiceInOneSelectStillWakesOthers) {
  one_worker sys;
  EXPECT_TRUE(sys.run(lose_twice_in_one_queue));
}

} // namespace
} // namespace greenroom::select_test
