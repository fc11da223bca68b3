// Running a part of an actor's work under another context, a time limit, or a shield.
#include <greenroom/runtime/within.hpp>

#include <string>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::within_test {
namespace {

using namespace test;

struct note_end {
  bool* ended;
  explicit note_end(bool* e) : ended(e) {}
  note_end(const note_end&) = delete;
  note_end& operator=(const note_end&) = delete;
  ~note_end() { *ended = true; }
};

task<int> answer_after(duration span, bool* unwound) {
  const note_end note(unwound);
  co_await sleep_for(span);
  co_return 42;
}

task<std::string> outcome_of(duration limit, duration work) {
  bool unwound = false;
  auto got = co_await with_timeout(limit, answer_after(work, &unwound));
  std::string text = unwound ? "unwound, " : "running, ";
  co_return text + (got ? std::to_string(*got) : std::string(got.error().message()));
}

TEST(WithTimeout, GivesTheValueOfABodyThatEndsInTime) {
  timed_system t;
  std::string got;
  const auto a = t.sys.spawn([](std::string* out) -> task<> { *out = co_await outcome_of(2s, 1s); }, &got);
  await_wait(t.sys, a, "sleep");
  t.advance(1001ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got, "unwound, 42");
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

TEST(WithTimeout, UnwindsTheBodyBeforeItSaysThatTheTimeIsOver) {
  timed_system t;
  std::string got;
  const auto a = t.sys.spawn([](std::string* out) -> task<> { *out = co_await outcome_of(2s, 3s); }, &got);
  await_wait(t.sys, a, "sleep");
  t.advance(1999ms);
  EXPECT_FALSE(a.finished());
  t.advance(2ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got, "unwound, deadline exceeded");
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

TEST(WithTimeout, TheEarlierOfTwoNestedLimitsHoldsAndOnlyItsLevelAnswers) {
  timed_system t;
  std::string got;
  const auto a = t.sys.spawn(
      [](std::string* out) -> task<> {
        auto outer = co_await with_timeout(1s, outcome_of(5s, 10s));
        *out = outer ? "inner " + *outer : "outer " + std::string(outer.error().message());
      },
      &got);
  await_wait(t.sys, a, "sleep");
  t.advance(1001ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got, "outer deadline exceeded");
}

task<> swallow_and_wait(int* caught) {
  for (int i = 0; i < 3; ++i) {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      ++*caught;
    }
  }
}

TEST(WithTimeout, ASwallowedCancellationComesAgainButNotAfterTheLimitedPart) {
  timed_system t;
  int caught = 0;
  bool after = false;
  const auto a = t.sys.spawn(
      [](int* c, bool* done) -> task<> {
        (void)co_await with_timeout(1s, swallow_and_wait(c));
        co_await yield();
        *done = true;
      },
      &caught, &after);
  await_wait(t.sys, a, "sleep");
  t.advance(1001ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(caught, 3);
  EXPECT_TRUE(after);
}

task<int> throws() {
  co_await yield();
  throw std::runtime_error("broken");
}

TEST(WithTimeout, AnExceptionOfTheBodyPasses) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> { (void)co_await with_timeout(1h, throws()); });
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message(), "std::runtime_error: broken");
}

TEST(WithTimeout, CancellingTheActorIsNoTimeOut) {
  one_worker sys;
  std::string got = "untouched";
  const auto a = sys.spawn([](std::string* out) -> task<> { *out = co_await outcome_of(1h, 1h); }, &got);
  await_wait(sys, a, "sleep");
  a.cancel(error(errc::cancelled, "enough"));
  EXPECT_EQ(a.wait().to_string(), "cancelled: enough");
  EXPECT_EQ(got, "untouched");
}

TEST(WithTimeout, KillingTheActorDestroysTheBody) {
  one_worker sys;
  bool unwound = false;
  const auto a = sys.spawn([](bool* u) -> task<> { (void)co_await with_timeout(1h, answer_after(1h, u)); }, &unwound);
  EXPECT_EQ(kill_in(sys, a, "sleep").kind(), exit_kind::killed);
  EXPECT_TRUE(unwound);
  EXPECT_EQ(sys.live_timers(), 0U);
}

struct user {
  std::string name;
};

task<std::string> who() {
  const auto* u = this_actor::context().value<user>();
  co_return u == nullptr ? "nobody" : u->name;
}

TEST(Within, TheBodySeesTheContextAndItsValuesAndTheActorAgainItsOwn) {
  one_worker sys;
  const auto got = sys.run([]() -> task<std::string> {
    const auto with_user = this_actor::context().with_value(user{"ada"});
    auto seen = co_await within(with_user, who());
    auto after = co_await who();
    co_return seen.value() + " " + after;
  });
  EXPECT_EQ(got.value(), "ada nobody");
}

TEST(Within, AForeignContextStillLetsTheActorsOwnEndThrough) {
  one_worker sys;
  const auto foreign = sys.context().with_cancel();
  const auto own = sys.context().with_cancel();
  bool unwound = false;
  const auto a = sys.spawn(
      {.ctx = own.ctx}, [](context c, bool* u) -> task<> { (void)co_await within(c, answer_after(1h, u)); },
      foreign.ctx, &unwound);
  await_wait(sys, a, "sleep");
  own.cancel(error(errc::cancelled, "owner gone"));
  EXPECT_EQ(a.wait().to_string(), "cancelled: owner gone");
  EXPECT_TRUE(unwound);
}

TEST(Within, AContextThatHasEndedUnwindsTheBodyAtItsFirstWait) {
  one_worker sys;
  const auto ended = sys.context().with_cancel();
  ended.cancel(error(errc::limit, "no more"));
  bool unwound = false;
  const auto got = sys.run(
      [](context c, bool* u) -> task<std::string> {
        auto r = co_await within(c, answer_after(1h, u));
        co_return std::string(r.error().message());
      },
      ended.ctx, &unwound);
  EXPECT_EQ(got.value(), "no more");
  EXPECT_TRUE(unwound);
}

// -- shields --------------------------------------------------------------------------------------

task<> tidy_up(mailbox<int> go, int* steps) {
  ++*steps;
  (void)co_await go.receive();
  ++*steps;
}

task<> work_then_tidy_up(mailbox<int> go, int* steps, duration limit) {
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {}
  co_await shielded(limit, tidy_up(go, steps));
  ++*steps;
  co_await yield();
  *steps = 100;
}

TEST(Shielded, TheBodyWaitsOnThroughACancellationThatComesRightAfterIt) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  int steps = 0;
  const auto a = sys.spawn(work_then_tidy_up, in, &steps, duration(1h));
  await_wait(sys, a, "sleep");
  a.cancel();
  await_wait(sys, a, "receive");
  EXPECT_TRUE(out.try_send(1));
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(steps, 3);
}

TEST(Shielded, TheCancellationStrikesWhenTheLimitIsOver) {
  timed_system t;
  auto [in, out] = make_mailbox<int>(rendezvous());
  int steps = 0;
  const auto a = t.sys.spawn(work_then_tidy_up, in, &steps, duration(2s));
  await_wait(t.sys, a, "sleep");
  a.cancel();
  await_wait(t.sys, a, "receive");
  t.advance(1999ms);
  EXPECT_FALSE(a.finished());
  t.advance(2ms);
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

TEST(Shielded, AKillDoesNotWaitForTheShield) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  int steps = 0;
  const auto a = sys.spawn(work_then_tidy_up, in, &steps, duration(1h));
  await_wait(sys, a, "sleep");
  a.cancel();
  EXPECT_EQ(kill_in(sys, a, "receive").kind(), exit_kind::killed);
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(sys.live_timers(), 0U);
}

} // namespace
} // namespace greenroom::within_test
