#include <greenroom/actors/ask.hpp>

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::ask_test {
namespace {

using namespace test;

struct twice {
  int n;
  using reply = int;
};
struct greet {
  std::string name;
  using reply = std::string;
};
struct note {
  using reply = void;
};
using twice_address = address<request<twice>>;
using twice_mailbox = mailbox<request<twice>>;

task<> answer_all(twice_mailbox in) {
  while (auto r = co_await in.receive()) r->reply(r->message.n * 2);
}

task<> answer_nothing(twice_mailbox in) {
  std::optional<request<twice>> held;
  while (auto r = co_await in.receive()) held.emplace(*std::move(r));
}

/// Asks once and keeps what came of it.
struct outcome {
  std::optional<result<int>> answer;
  std::optional<error> cancelled_by;
};
task<> ask_into(outcome* out, twice_address to, duration limit) {
  try {
    out->answer.emplace(co_await ask(to, twice{21}, limit));
  } catch (const cancelled& c) {
    out->cancelled_by = c.cause;
    throw;
  }
}

template <class T>
errc code_of(const std::optional<result<T>>& r) {
  return !r || r->has_value() ? errc{} : r->error().code();
}

TEST(Ask, GivesTheReply) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  sys.spawn(answer_all, std::move(in));
  outcome o;
  sys.spawn(ask_into, &o, out, duration(1s)).wait();
  ASSERT_TRUE(o.answer && *o.answer);
  EXPECT_EQ(**o.answer, 42);
  EXPECT_EQ(sys.requests().answered, 1U);
  EXPECT_EQ(sys.requests().pending(), 0U);
  EXPECT_EQ(sys.live_timers(), 0U);
}

TEST(Ask, GivesTheReplyOverARendezvous) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(rendezvous());
  outcome o;
  const auto asker = sys.spawn(ask_into, &o, out, duration(1h));
  await_wait(sys, asker, "send");
  sys.spawn(answer_all, std::move(in));
  asker.wait();
  ASSERT_TRUE(o.answer && *o.answer);
  EXPECT_EQ(**o.answer, 42);
}

TEST(Ask, TimesOutWithoutAnAnswer) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  t.sys.spawn(answer_nothing, std::move(in));
  outcome o;
  const auto asker = t.sys.spawn(ask_into, &o, out, duration(1s));
  await_wait(t.sys, asker, "reply");
  t.advance(999ms);
  EXPECT_FALSE(o.answer);
  t.advance(2ms);
  asker.wait();
  EXPECT_EQ(code_of(o.answer), errc::timed_out);
  EXPECT_EQ(t.sys.requests().timed_out, 1U);
  EXPECT_EQ(t.sys.requests().pending(), 0U);
}

TEST(Ask, CountsWaitingForRoomInTheSameLimit) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(rendezvous());
  outcome slow, quick;
  const auto first = t.sys.spawn(ask_into, &slow, out, duration(1s));
  const auto second = t.sys.spawn(ask_into, &quick, out, duration(600ms));
  await_wait(t.sys, first, "send");
  await_wait(t.sys, second, "send");
  t.advance(700ms);
  EXPECT_EQ(code_of(quick.answer), errc::timed_out);
  t.sys.spawn(answer_nothing, in);
  t.advance(200ms);
  EXPECT_EQ(waits_for(t.sys, first), "reply");
  EXPECT_FALSE(slow.answer);
  t.advance(101ms);
  EXPECT_EQ(code_of(slow.answer), errc::timed_out);
}

TEST(Ask, ThrowsCancelledWhileItWaitsForTheReply) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  outcome o;
  const auto asker = sys.spawn(ask_into, &o, out, duration(1h));
  EXPECT_EQ(cancel_in(sys, asker, "reply").kind(), exit_kind::cancelled);
  EXPECT_TRUE(o.cancelled_by);
  EXPECT_EQ(sys.requests().cancelled, 1U);
  EXPECT_EQ(sys.requests().pending(), 0U);
  EXPECT_EQ(sys.live_timers(), 0U);
}

TEST(Ask, ThrowsCancelledWhileItWaitsForRoom) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(rendezvous());
  outcome o;
  const auto asker = sys.spawn(ask_into, &o, out, duration(1h));
  EXPECT_EQ(cancel_in(sys, asker, "send").kind(), exit_kind::cancelled);
  EXPECT_TRUE(o.cancelled_by);
  EXPECT_FALSE(in.try_receive());
  EXPECT_EQ(sys.requests().pending(), 0U);
  EXPECT_EQ(sys.live_timers(), 0U);
}

TEST(Ask, LeavesNothingWhenTheAskerIsKilled) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(1));
  outcome o;
  const auto first = sys.spawn(ask_into, &o, out, duration(1h));
  EXPECT_EQ(kill_in(sys, first, "reply").kind(), exit_kind::killed);
  const auto second = sys.spawn(ask_into, &o, out, duration(1h));
  EXPECT_EQ(kill_in(sys, second, "send").kind(), exit_kind::killed);
  EXPECT_EQ(sys.requests().cancelled, 2U);
  EXPECT_EQ(sys.live_timers(), 0U);
  auto left = in.try_receive();
  ASSERT_TRUE(left);
  EXPECT_FALSE(left->wanted());
  EXPECT_FALSE(left->reply(1));
  EXPECT_EQ(sys.requests().late, 1U);
}

TEST(Ask, FailsAtOnceWhenThereIsNoReceiver) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  in = {};
  outcome o;
  sys.spawn(ask_into, &o, out, duration(1h)).wait();
  EXPECT_EQ(code_of(o.answer), errc::closed);
}

TEST(Ask, FailsAtOnceWhenTheMailboxClosesWhileItWaitsForRoom) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(rendezvous());
  outcome o;
  const auto asker = sys.spawn(ask_into, &o, out, duration(1h));
  await_wait(sys, asker, "send");
  in.close();
  asker.wait();
  EXPECT_EQ(code_of(o.answer), errc::closed);
}

TEST(Ask, FailsAtOnceWhenTheServerEndsWithTheRequest) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  const auto server = sys.spawn(answer_nothing, std::move(in));
  outcome held, queued;
  const auto first = sys.spawn(ask_into, &held, out, duration(1h));
  await_wait(sys, first, "reply");
  await_wait(sys, server, "receive");
  server.kill();
  first.wait();
  EXPECT_EQ(code_of(held.answer), errc::no_reply);
  sys.spawn(ask_into, &queued, out, duration(1h)).wait();
  EXPECT_EQ(code_of(queued.answer), errc::closed);
}

TEST(Ask, FailsAtOnceWhenTheQueuedRequestIsDropped) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  outcome o;
  const auto asker = sys.spawn(ask_into, &o, out, duration(1h));
  await_wait(sys, asker, "reply");
  in.close(queued::drop);
  asker.wait();
  EXPECT_EQ(code_of(o.answer), errc::no_reply);
  EXPECT_EQ(sys.requests().failed, 1U);
  EXPECT_EQ(sys.requests().late, 0U);
}

TEST(Ask, GivesFullWhereTheMailboxRejects) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(rendezvous(overflow::reject));
  outcome o;
  sys.spawn(ask_into, &o, out, duration(1h)).wait();
  EXPECT_EQ(code_of(o.answer), errc::full);
}

TEST(Ask, GivesNoReplyWhereTheMailboxDrops) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(rendezvous(overflow::drop_newest));
  outcome o;
  sys.spawn(ask_into, &o, out, duration(1h)).wait();
  EXPECT_EQ(code_of(o.answer), errc::no_reply);
}

TEST(Ask, AnEarlierEndOfTheContextHolds) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  outcome o;
  const auto asker = t.sys.spawn(spawn_options{.ctx = t.sys.context().with_deadline(t.time.now() + 1s)}, ask_into, &o,
                                 out, duration(1h));
  await_wait(t.sys, asker, "reply");
  t.advance(999ms);
  EXPECT_EQ(in.try_receive()->deadline(), t.time.now() + 1ms);
  asker.wait();
  EXPECT_EQ(code_of(o.answer), errc::no_reply);
}

TEST(Ask, TheEndOfTheContextCancelsIt) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  outcome o;
  const auto asker = t.sys.spawn(spawn_options{.ctx = t.sys.context().with_deadline(t.time.now() + 1s)}, ask_into, &o,
                                 out, duration(1h));
  await_wait(t.sys, asker, "reply");
  t.advance(1001ms);
  asker.wait();
  ASSERT_TRUE(o.cancelled_by);
  EXPECT_TRUE(o.cancelled_by->is(errc::timed_out));
}

task<int> ask_for_int(twice_address to, duration limit) {
  auto r = co_await ask(to, twice{21}, limit);
  co_return r.value_or(-1);
}
task<> limited_ask(twice_address to, std::optional<result<int>>* out) {
  out->emplace(co_await with_timeout(1s, ask_for_int(to, 1h)));
}
TEST(Ask, ALimitAroundItComesBackAsAnError) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  std::optional<result<int>> o;
  const auto asker = t.sys.spawn(limited_ask, out, &o);
  await_wait(t.sys, asker, "reply");
  t.advance(1001ms);
  asker.wait();
  EXPECT_EQ(code_of(o), errc::timed_out);
}

task<> ask_when_cancelled(twice_address to, int* got) {
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {}
  *got = co_await shielded(1h, ask_for_int(to, 10min));
}
TEST(Ask, WorksInAShieldAfterTheEndOfTheContext) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  t.sys.spawn(answer_all, std::move(in));
  int got = 0;
  const auto asker = t.sys.spawn(spawn_options{.ctx = t.sys.context().with_deadline(t.time.now() + 1s)},
                                 ask_when_cancelled, out, &got);
  await_wait(t.sys, asker, "sleep");
  t.advance(1001ms);
  asker.wait();
  EXPECT_EQ(got, 42);
}

task<> two_asks(twice_address to, outcome* first, outcome* second) {
  co_await ask_into(first, to, 1s);
  co_await ask_into(second, to, 1h);
}
TEST(Ask, ALateAnswerIsCountedAndReachesNoLaterAsk) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  outcome first, second;
  const auto asker = t.sys.spawn(two_asks, out, &first, &second);
  await_wait(t.sys, asker, "reply");
  t.advance(1001ms);
  EXPECT_EQ(code_of(first.answer), errc::timed_out);
  await_wait(t.sys, asker, "reply");
  auto late = in.try_receive();
  auto wanted = in.try_receive();
  EXPECT_FALSE(late->reply(1));
  EXPECT_EQ(waits_for(t.sys, asker), "reply");
  EXPECT_TRUE(wanted->reply(2));
  asker.wait();
  ASSERT_TRUE(second.answer && *second.answer);
  EXPECT_EQ(**second.answer, 2);
  const auto stats = t.sys.requests();
  EXPECT_EQ(stats.late, 1U);
  EXPECT_EQ(stats.answered, 1U);
  EXPECT_EQ(stats.timed_out, 1U);
  EXPECT_EQ(stats.pending(), 0U);
}

task<std::string> hello(address<request<greet>> to) {
  greet you{"you"};
  auto r = co_await ask(to, you, 1h);
  co_return r ? *r : std::string(r.error().message());
}
task<> greet_all(mailbox<request<greet>> in) {
  while (auto r = co_await in.receive()) {
    if (r->message.name.empty()) {
      r->fail(error(errc::invalid_argument, "greet: the name is empty"));
    } else {
      r->reply("hello, " + r->message.name);
    }
  }
}
TEST(Ask, CarriesValuesThatOwnMemory) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<greet>>(bounded(4));
  sys.spawn(greet_all, std::move(in));
  EXPECT_EQ(*sys.run(hello, out), "hello, you");
}

struct held_place {
  std::unique_ptr<int> n;
  using reply = std::unique_ptr<int>;
};
task<int> move_there_and_back(address<request<held_place>> to) {
  held_place seven{std::make_unique<int>(7)};
  auto r = co_await ask(to, std::move(seven), 1h);
  co_return r ? **r : 0;
}
task<> give_back(mailbox<request<held_place>> in) {
  while (auto r = co_await in.receive()) r->reply(std::move(r->message.n));
}
TEST(Ask, CarriesMoveOnlyValues) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<held_place>>(bounded(4));
  sys.spawn(give_back, std::move(in));
  EXPECT_EQ(*sys.run(move_there_and_back, out), 7);
}

using either_kind = std::variant<request<twice>, request<note>, int>;
task<int> ask_both(address<either_kind> to) {
  auto n = co_await ask(to, twice{4}, 1h);
  auto done = co_await ask(to, note{}, 1h);
  co_return n&& done ? *n : -1;
}
task<> serve_both(mailbox<either_kind> in) {
  while (auto m = co_await in.receive()) {
    if (auto* t = std::get_if<request<twice>>(&*m)) {
      t->reply(t->message.n * 2);
    } else if (auto* n = std::get_if<request<note>>(&*m)) {
      n->reply();
    }
  }
}
TEST(Ask, TakesMailboxesOfSeveralKinds) {
  one_worker sys;
  auto [in, out] = make_mailbox<either_kind>(bounded(4));
  sys.spawn(serve_both, std::move(in));
  EXPECT_EQ(*sys.run(ask_both, out), 8);
}

task<> ask_nobody() {
  twice_address nowhere;
  (void)co_await ask(nowhere, twice{1}, 1h);
}
TEST(Ask, OfAnEmptyAddressIsAUsageError) {
  one_worker sys;
  auto r = sys.run(ask_nobody);
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().message().find("ask: there is no mailbox"), std::string_view::npos) << r.error().message();
}

TEST(Ask, BetweenTwoSystemsWakesTheAskerInItsOwn) {
  one_worker here, there;
  auto [in, out] = make_mailbox<request<twice>>(bounded(4));
  there.spawn(answer_all, std::move(in));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(*here.run(ask_for_int, out, duration(1h)), 42);
  EXPECT_EQ(here.requests().answered, 100U);
  EXPECT_EQ(there.requests().started, 0U);
}

} // namespace
} // namespace greenroom::ask_test
