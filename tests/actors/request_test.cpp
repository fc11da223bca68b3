#include <greenroom/actors/request.hpp>

#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::request_test {
namespace {

using namespace test;

struct twice {
  int n;
  using reply = int;
};
struct note {
  using reply = void;
};
struct point {
  int x = 0;
  int y = 0;
};
struct where {
  using reply = point;
};

template <class M>
task<> ask_into(std::optional<result<typename M::reply>>* out, address<request<M>> to, M message) {
  out->emplace(co_await ask(to, std::move(message), 1h));
}

/// An asker that waits, and its request in the test's hand.
template <class M>
struct asked {
  explicit asked(actor_system& sys, M message = {}) : ends(make_mailbox<request<M>>(bounded(1))) {
    asker = sys.spawn(ask_into<M>, &answer, ends.out, message);
    await_wait(sys, asker, "reply");
    held.emplace(*ends.in.try_receive());
  }
  request<M>& req() { return *held; }
  const std::optional<result<typename M::reply>>& wait() {
    asker.wait();
    return answer;
  }

  std::optional<result<typename M::reply>> answer;
  mailbox_ends<request<M>> ends;
  actor asker;
  std::optional<request<M>> held;
};

template <class R>
errc code_of(const std::optional<result<R>>& r) {
  return !r || r->has_value() ? errc{} : r->error().code();
}

TEST(Request, ReplyTakesValuesResultsErrorsAndBraces) {
  one_worker sys;
  asked<twice> value(sys), outcome(sys), failure(sys);
  EXPECT_TRUE(value.req().reply(1));
  EXPECT_TRUE(outcome.req().reply(result<int>(2)));
  EXPECT_TRUE(failure.req().reply(errc::limit));
  EXPECT_EQ(value.wait()->value(), 1);
  EXPECT_EQ(outcome.wait()->value(), 2);
  EXPECT_EQ(code_of(failure.wait()), errc::limit);
  asked<where> braces(sys);
  EXPECT_TRUE(braces.req().reply({3, 4}));
  EXPECT_EQ(braces.wait()->value().y, 4);
}

TEST(Request, AVoidReplyNeedsNoValue) {
  one_worker sys;
  asked<note> done(sys), failed(sys);
  EXPECT_TRUE(done.req().reply());
  EXPECT_TRUE(failed.req().reply(errc::io));
  EXPECT_TRUE(done.wait()->has_value());
  EXPECT_EQ(code_of(failed.wait()), errc::io);
}

TEST(Request, FailCarriesTheErrorAndItsText) {
  one_worker sys;
  asked<twice> a(sys);
  EXPECT_TRUE(a.req().fail(error(errc::invalid_argument, "twice: of what?")));
  EXPECT_EQ(a.wait()->error().message(), "twice: of what?");
}

TEST(Request, DroppedUnansweredFailsAtOnce) {
  one_worker sys;
  asked<twice> a(sys);
  a.held.reset();
  EXPECT_EQ(code_of(a.wait()), errc::no_reply);
}

TEST(Request, OverwrittenUnansweredFailsAtOnce) {
  one_worker sys;
  asked<twice> a(sys), b(sys);
  a.req() = std::move(b.req());
  EXPECT_EQ(code_of(a.wait()), errc::no_reply);
  EXPECT_TRUE(a.req().reply(5));
  EXPECT_EQ(b.wait()->value(), 5);
}

TEST(Request, IsAnsweredOnce) {
  one_worker sys;
  asked<twice> a(sys);
  EXPECT_TRUE(a.req().reply(1));
  EXPECT_THROW(a.req().reply(2), usage_error);
  EXPECT_THROW(a.req().fail(errc::io), usage_error);
  EXPECT_THROW((void)a.req().forward(a.ends.out), usage_error);
  EXPECT_THROW((void)a.req().context(), usage_error);
  EXPECT_EQ(a.wait()->value(), 1);
}

TEST(Request, ForwardedIsAnsweredByTheNextServer) {
  one_worker sys;
  asked<twice> a(sys, {.n = 3});
  auto [in, out] = make_mailbox<request<twice>>(bounded(1));
  EXPECT_TRUE(a.req().forward(out));
  EXPECT_FALSE(a.answer);
  auto next = in.try_receive();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->from(), a.asker.id());
  EXPECT_TRUE(next->reply(next->message.n));
  EXPECT_EQ(a.wait()->value(), 3);
}

TEST(Request, ForwardedToAClosedMailboxFailsTheAsker) {
  one_worker sys;
  asked<twice> a(sys);
  auto [in, out] = make_mailbox<request<twice>>(bounded(1));
  in.close();
  const auto sent = a.req().forward(out);
  ASSERT_FALSE(sent);
  EXPECT_TRUE(sent.error().is(errc::closed));
  EXPECT_EQ(code_of(a.wait()), errc::closed);
}

TEST(Request, ForwardedToAFullMailboxFailsTheAsker) {
  one_worker sys;
  asked<twice> a(sys);
  auto [in, out] = make_mailbox<request<twice>>(rendezvous());
  EXPECT_FALSE(a.req().forward(out));
  EXPECT_EQ(code_of(a.wait()), errc::full);
}

TEST(Request, SaysWhoAsksAndWhetherTheyStillWait) {
  one_worker sys;
  asked<twice> a(sys);
  EXPECT_EQ(a.req().from(), a.asker.id());
  EXPECT_TRUE(a.req().wanted());
  EXPECT_LE(a.req().deadline(), sys.now() + 1h);
  a.asker.cancel();
  a.wait();
  EXPECT_FALSE(a.req().wanted());
  EXPECT_FALSE(a.req().reply(1));
  EXPECT_EQ(sys.requests().late, 1U);
}

struct tenant {
  std::string name;
};
struct seen {
  bool ended_before = true;
  bool ended_after = false;
  std::string tenant_name;
  time_point deadline;
};
task<> look(mailbox<request<twice>> in, seen* s) {
  auto r = co_await in.receive();
  const auto ctx = r->context();
  s->ended_before = ctx.cancelled();
  s->deadline = ctx.deadline();
  if (const auto* t = ctx.value<tenant>()) s->tenant_name = t->name;
  (void)co_await ctx.done();
  s->ended_after = r->context().cancelled();
}
task<> ask_for(address<request<twice>> to, duration limit) { (void)co_await ask(to, twice{1}, limit); }

TEST(Request, ContextIsTheAskersUntilItsTimeIsOver) {
  timed_system t;
  auto [in, out] = make_mailbox<request<twice>>(bounded(1));
  seen s;
  const auto server = t.sys.spawn(look, std::move(in), &s);
  const auto start = t.time.now();
  t.sys.spawn(spawn_options{.ctx = t.sys.context().with_value(tenant{"acme"})}, ask_for, out, duration(1s));
  await_wait(t.sys, server, "context");
  EXPECT_FALSE(s.ended_before);
  EXPECT_EQ(s.tenant_name, "acme");
  EXPECT_EQ(s.deadline, start + 1s);
  t.advance(1001ms);
  server.wait();
  EXPECT_TRUE(s.ended_after);
}

TEST(Request, ContextEndsWithTheAskers) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(1));
  seen s;
  const auto server = sys.spawn(look, std::move(in), &s);
  const auto [ctx, cancel] = sys.context().with_cancel();
  sys.spawn(spawn_options{.ctx = ctx}, ask_for, out, duration(1h));
  await_wait(sys, server, "context");
  cancel();
  server.wait();
  EXPECT_FALSE(s.ended_before);
  EXPECT_TRUE(s.ended_after);
}

TEST(Request, ContextEndsWhenTheAskerIsCancelledOrKilled) {
  for (const bool killed : {false, true}) {
    one_worker sys;
    auto [in, out] = make_mailbox<request<twice>>(bounded(1));
    seen s;
    const auto server = sys.spawn(look, std::move(in), &s);
    const auto asker = sys.spawn(ask_for, out, duration(1h));
    await_wait(sys, server, "context");
    if (killed) {
      asker.kill();
    } else {
      asker.cancel();
    }
    server.wait();
    EXPECT_FALSE(s.ended_before);
    EXPECT_TRUE(s.ended_after);
  }
}

task<> keep_context(mailbox<request<twice>> in, bool* ended) {
  auto r = co_await in.receive();
  const auto ctx = r->context();
  r->reply(2);
  co_await yield(); // the asker has it, and ends
  co_await yield();
  *ended = ctx.cancelled();
}

TEST(Request, ContextOfAnAnsweredOneGoesOn) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<twice>>(bounded(1));
  bool ended = true;
  const auto server = sys.spawn(keep_context, std::move(in), &ended);
  sys.spawn(ask_for, out, duration(1h)).wait();
  server.wait();
  EXPECT_FALSE(ended);
}

} // namespace
} // namespace greenroom::request_test
