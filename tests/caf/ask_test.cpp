// ask_caf and send_caf: lightweight actors talk to CAF's.
#include <string>
#include <tuple>
#include <vector>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/caf/kit.hpp>

namespace greenroom::test::ask_test {
namespace {

caf::behavior helper(caf::event_based_actor* self) {
  drop_unknown(self);
  auto kept = std::make_shared<caf::typed_response_promise<number>>();
  return {
      [](number n) { return n + 1; },
      [](number a, number b) { return a + b; },
      [=](const std::string& what) -> caf::result<std::string> {
        if (what == "fail") return caf::make_error(caf::sec::invalid_argument, "no such thing");
        if (what == "end") self->quit();
        return "you said " + what;
      },
      [](bool) {},
      [](float f) -> caf::result<number, std::string> {
        return {static_cast<number>(f), "rounded"};
      },
      // Keeps the first request of this kind, and answers it while the second one is under way.
      [=](double n) -> caf::typed_response_promise<number> {
        auto mine = self->make_response_promise<number>();
        if (!kept->pending()) return *kept = mine;
        kept->deliver(number{-1});
        mine.deliver(static_cast<number>(n));
        return mine;
      },
  };
}

class CafAsk : public testing::TestWithParam<mode> {
protected:
  void TearDown() override { caf::anon_send_exit(peer, caf::exit_reason::kill); }
  world w{GetParam()};
  caf::actor peer = w.caf().spawn(helper);
};
INSTANTIATE_TEST_SUITE_P(Modes, CafAsk, testing::Values(mode::own, mode::attached), name_of);

template <class R, class Handle, class... Args>
task<result<R>> ask_once(Handle to, std::chrono::milliseconds limit, Args... args) {
  auto asking = ask_caf<R>(to, limit, args...);
  co_return co_await std::move(asking);
}

/// Asks with the patience of a test.
template <class R, class Handle, class... Args>
result<R> ask_from(world& w, const Handle& to, Args... args) {
  return w.sys().run(ask_once<R, Handle, Args...>, to, std::chrono::milliseconds(patience), args...);
}

TEST_P(CafAsk, GivesTheAnswerOfABehaviour) { EXPECT_EQ(ask_from<number>(w, peer, number{41}).value(), 42); }

TEST_P(CafAsk, SendsSeveralValues) { EXPECT_EQ(ask_from<number>(w, peer, number{40}, number{2}).value(), 42); }

TEST_P(CafAsk, GivesNoValue) { EXPECT_TRUE(ask_from<void>(w, peer, true).has_value()); }

TEST_P(CafAsk, GivesSeveralValues) {
  const auto got = ask_from<std::tuple<number, std::string>>(w, peer, 7.5F);
  EXPECT_EQ(got.value(), std::tuple(number{7}, std::string("rounded")));
}

using adder = caf::typed_actor<takes<number, number, number>>;
adder::behavior_type add() {
  return {[](number a, number b) { return a + b; }};
}

TEST_P(CafAsk, TakesTypedHandles) {
  const auto typed = w.caf().spawn(add);
  EXPECT_EQ(ask_from<number>(w, typed, number{40}, number{2}).value(), 42);
}

TEST_P(CafAsk, TakesHandlesOfLightweightActors) {
  running_server server(w);
  EXPECT_EQ(ask_from<number>(w, server.handle, number{41}).value(), 42);
  const auto forgotten = ask_from<number>(w, server.handle, number{1000});
  EXPECT_TRUE(forgotten.error().is(errc::no_reply));
  const auto refused = ask_from<number>(w, server.handle, number{2000});
  EXPECT_TRUE(refused.error().is(errc::failed));
  EXPECT_NE(refused.error().message().find("too much"), std::string::npos) << refused.error().message();
}

TEST_P(CafAsk, OfAnEndedActorGivesNoReply) {
  caf::scoped_actor self(w.caf());
  EXPECT_TRUE(ask_from<std::string>(w, peer, std::string("end")).has_value());
  self->wait_for(peer);
  const auto got = ask_from<number>(w, peer, number{1});
  EXPECT_TRUE(got.error().is(errc::no_reply));
  EXPECT_NE(got.error().message().find("ask_caf: CAF actor " + std::to_string(peer.id())), std::string::npos)
      << got.error().message();
}

TEST_P(CafAsk, GivesTheTextOfAnError) {
  const auto got = ask_from<std::string>(w, peer, std::string("fail"));
  EXPECT_TRUE(got.error().is(errc::failed));
  EXPECT_NE(got.error().message().find("invalid_argument"), std::string::npos) << got.error().message();
  EXPECT_NE(got.error().message().find("no such thing"), std::string::npos) << got.error().message();
}

TEST_P(CafAsk, OfWhatTheReceiverDoesNotKnowFails) {
  const auto got = ask_from<number>(w, peer, std::u16string(u"?"));
  EXPECT_TRUE(got.error().is(errc::failed));
  EXPECT_NE(got.error().message().find("unexpected_message"), std::string::npos) << got.error().message();
}

TEST_P(CafAsk, AnswerOfAnotherTypeIsAMismatch) {
  EXPECT_TRUE(ask_from<std::string>(w, peer, number{1}).error().is(errc::type_mismatch));
  EXPECT_TRUE(ask_from<void>(w, peer, number{1}).error().is(errc::type_mismatch));
  EXPECT_TRUE(ask_from<number>(w, peer, true).error().is(errc::type_mismatch));
}

task<std::vector<std::string>> ask_too_briefly(caf::actor peer) {
  std::vector<std::string> log;
  auto first = ask_caf<number>(peer, 1ms, 1.0);
  const auto early = co_await std::move(first);
  log.push_back(early ? "an answer" : to_string(early.error().code()));
  // The answer to the first request comes while this one is under way, before its own.
  auto second = ask_caf<number>(peer, patience, 2.0);
  const auto late = co_await std::move(second);
  log.push_back(late ? std::to_string(*late) : "an error");
  co_return log;
}

TEST_P(CafAsk, LateAnswerIsDroppedAndCountedAndReachesNoLaterAsk) {
  const auto log = w.sys().run(ask_too_briefly, peer);
  EXPECT_EQ(log.value(), (std::vector<std::string>{"timed_out", "2"}));
  EXPECT_EQ(w.counters().late_responses, 1U);
  EXPECT_EQ(w.counters().pending_asks, 0U);
}

task<> ask_for_ever(caf::actor peer, event* asking) {
  asking->set();
  auto wait = ask_caf<number>(peer, patience, 1.0);
  (void)co_await std::move(wait);
}

std::string waits_for(actor_system& sys, const actor& who) {
  for (const auto& info : sys.actors()) {
    if (info.id == who.id()) return info.waits_for;
  }
  return "ended";
}

TEST_P(CafAsk, IsCancelledAndLeavesNothingBehind) {
  event asking;
  const auto who = w.sys().spawn(ask_for_ever, peer, &asking);
  while (waits_for(w.sys(), who) != "reply") std::this_thread::yield();
  EXPECT_EQ(w.counters().pending_asks, 1U);
  who.cancel();
  EXPECT_EQ(who.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(w.counters().pending_asks, 0U);
}

TEST_P(CafAsk, IsKilledAndLeavesNothingBehind) {
  event asking;
  const auto who = w.sys().spawn(ask_for_ever, peer, &asking);
  while (waits_for(w.sys(), who) != "reply") std::this_thread::yield();
  who.kill();
  EXPECT_EQ(who.wait().kind(), exit_kind::killed);
  EXPECT_EQ(w.counters().pending_asks, 0U);
}

TEST_P(CafAsk, AnsweredAfterACancellationCountsAsLate) {
  event asking;
  const auto who = w.sys().spawn(ask_for_ever, peer, &asking);
  while (waits_for(w.sys(), who) != "reply") std::this_thread::yield();
  // The actor's identity stays for its handle's sake, so that the late answer finds somebody to count it.
  const auto handle = caf_handle(who);
  who.cancel();
  (void)who.wait();
  EXPECT_EQ(ask_from<number>(w, peer, 2.0).value(), 2);
  EXPECT_EQ(w.counters().late_responses, 1U);
}

task<result<number>> ask_within(caf::actor peer) {
  auto wait = ask_caf<number>(peer, patience, 1.0);
  auto got = co_await with_timeout(1ms, std::move(wait));
  if (!got) co_return got.error();
  co_return *got;
}

TEST_P(CafAsk, EndsWithTheDeadlineOfItsContext) {
  const auto got = w.sys().run(ask_within, peer);
  EXPECT_TRUE(got.error().is(errc::timed_out));
  EXPECT_EQ(w.counters().pending_asks, 0U);
}

task<> ask_nobody() {
  auto wait = ask_caf<number>(caf::strong_actor_ptr(), 1s, number{1});
  (void)co_await std::move(wait);
}

TEST_P(CafAsk, OfAnEmptyHandleIsAUsageError) {
  const auto why = w.sys().spawn(ask_nobody).wait();
  EXPECT_NE(why.to_string().find("this CAF handle names no actor"), std::string::npos) << why.to_string();
}

task<> ask_often(caf::actor to, number from, address<number> wrong) {
  for (number i = from; i < from + 200; ++i) {
    auto wait = ask_caf<number>(to, patience, i);
    const auto got = co_await std::move(wait);
    if (!got || *got != i + 1) (void)co_await wrong.send(i);
  }
}

TEST_P(CafAsk, EachOfManyAsksGetsItsOwnAnswer) {
  auto [in, out] = make_mailbox<number>(unbounded());
  std::vector<actor> askers;
  for (number i = 0; i < 8; ++i) askers.push_back(w.sys().spawn(ask_often, peer, i * 1000, out));
  for (const auto& one : askers) EXPECT_TRUE(one.wait().normal());
  EXPECT_EQ(in.size_approx(), 0U);
}

// -- send_caf -------------------------------------------------------------------------------------

caf::behavior echo(caf::event_based_actor* self) {
  return {[=](const std::string& text) { say(self, caf::actor_cast<caf::actor>(self->current_sender()), text + "!"); }};
}

task<std::string> shout(caf::actor to) {
  auto [in, out] = make_mailbox<std::string>(bounded(1));
  caf_accept(out);
  send_caf(to, "hello");
  co_return *co_await in.receive();
}

TEST_P(CafAsk, SendNamesTheActorAsTheSender) {
  const auto other = w.caf().spawn(echo);
  EXPECT_EQ(w.sys().run(shout, other).value(), "hello!");
}

TEST_P(CafAsk, SendOutsideActorsIsAUsageError) { EXPECT_THROW(send_caf(peer, number{1}), usage_error); }

} // namespace
} // namespace greenroom::test::ask_test
