// Children that cannot outlive their parent's step.
#include <greenroom/runtime/scope.hpp>

#include <atomic>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::scope_test {
namespace {

using namespace test;

task<> add_after_yields(std::atomic<int>* sum, int value, int yields) {
  for (int i = 0; i < yields; ++i) co_await yield();
  *sum += value;
}

task<> sleeper(std::atomic<int>* cancelled_ones) {
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    ++*cancelled_ones;
    throw;
  }
}

task<> fails() {
  co_await yield();
  throw std::runtime_error("broken");
}

task<int> three_children(scope& s, std::atomic<int>* sum) {
  for (int i = 1; i <= 3; ++i) s.spawn(add_after_yields, sum, i, 10 * i);
  co_return 5;
}

TEST(WithScope, ReturnsTheBodysValueWhenTheLastChildHasEnded) {
  one_worker sys;
  std::atomic<int> sum{0};
  const auto got = sys.run(
      [](std::atomic<int>* s) -> task<std::string> {
        auto value = co_await with_scope(three_children, s);
        co_return std::to_string(value.value()) + " " + std::to_string(s->load());
      },
      &sum);
  EXPECT_EQ(got.value(), "5 6");
}

task<> two_sleepers_and_a_failure(scope& s, std::atomic<int>* cancelled_ones) {
  s.spawn(sleeper, cancelled_ones);
  s.spawn(sleeper, cancelled_ones);
  s.spawn({.name = "third"}, fails);
  co_await sleep_for(1h); // the body is cancelled too
}

TEST(WithScope, TheFirstFailureCancelsTheRestAndNamesTheChild) {
  one_worker sys;
  std::atomic<int> cancelled_ones{0};
  const auto got = sys.run(
      [](std::atomic<int>* c) -> task<std::string> {
        auto ended = co_await with_scope(two_sleepers_and_a_failure, c);
        co_return std::string(ended.error().message());
      },
      &cancelled_ones);
  ASSERT_TRUE(got);
  EXPECT_NE(got->find("'third' failed: std::runtime_error: broken"), std::string::npos) << *got;
  EXPECT_EQ(cancelled_ones, 2);
}

task<> sleeper_and_throw(scope& s, std::atomic<int>* cancelled_ones) {
  s.spawn(sleeper, cancelled_ones);
  co_await yield();
  throw std::logic_error("body");
}

TEST(WithScope, AnExceptionOfTheBodyPassesAfterTheChildrenWereCancelled) {
  one_worker sys;
  std::atomic<int> cancelled_ones{0};
  const auto got =
      sys.run([](std::atomic<int>* c) -> task<> { (void)co_await with_scope(sleeper_and_throw, c); }, &cancelled_ones);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message(), "std::logic_error: body");
  EXPECT_EQ(cancelled_ones, 1);
}

task<> one_sleeper(scope& s, std::atomic<int>* cancelled_ones) {
  s.spawn({.name = "child"}, sleeper, cancelled_ones);
  co_return;
}
task<> parent(std::atomic<int>* cancelled_ones) { (void)co_await with_scope(one_sleeper, cancelled_ones); }

TEST(WithScope, CancellingTheParentCancelsTheChildrenFirst) {
  one_worker sys;
  std::atomic<int> cancelled_ones{0};
  const auto a = sys.spawn(parent, &cancelled_ones);
  EXPECT_EQ(cancel_in(sys, a, "join").kind(), exit_kind::cancelled);
  EXPECT_EQ(cancelled_ones, 1);
  EXPECT_EQ(sys.live_actors(), 0U);
}

TEST(WithScope, TheDeadlineOfTheParentHoldsForTheChildren) {
  timed_system t;
  std::atomic<int> cancelled_ones{0};
  std::string got;
  const auto a = t.sys.spawn(
      [](std::atomic<int>* c, std::string* out) -> task<> {
        auto ended = co_await with_timeout(1s, with_scope(one_sleeper, c));
        *out = ended ? "in time" : std::string(ended.error().message());
      },
      &cancelled_ones, &got);
  await_wait(t.sys, a, "join");
  t.advance(1001ms);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(got, "deadline exceeded");
  EXPECT_EQ(cancelled_ones, 1);
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

TEST(WithScope, KillingTheParentCancelsTheChildren) {
  one_worker sys;
  std::atomic<int> cancelled_ones{0};
  const auto a = sys.spawn(parent, &cancelled_ones);
  EXPECT_EQ(kill_in(sys, a, "join").kind(), exit_kind::killed);
  while (sys.live_actors() != 0) std::this_thread::yield();
  EXPECT_EQ(cancelled_ones, 1);
}

task<> waits_in_the_middle(scope& s, std::atomic<int>* sum, int* seen) {
  s.spawn(add_after_yields, sum, 1, 5);
  co_await s.join();
  *seen = sum->load();
  s.spawn(add_after_yields, sum, 10, 5);
}

TEST(Scope, JoinWaitsForTheChildrenSoFarAndMoreMayFollow) {
  one_worker sys;
  std::atomic<int> sum{0};
  int seen = 0;
  EXPECT_TRUE(
      sys.run([](std::atomic<int>* s, int* out) -> task<> { (void)co_await with_scope(waits_in_the_middle, s, out); },
              &sum, &seen));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(sum, 11);
}

task<> cancels_itself(scope& s, std::atomic<int>* cancelled_ones) {
  s.spawn(sleeper, cancelled_ones);
  s.cancel(error(errc::limit, "that will do"));
  co_return;
}

TEST(Scope, CancellingItIsNoFailureOfItsChildren) {
  one_worker sys;
  std::atomic<int> cancelled_ones{0};
  const auto got = sys.run(
      [](std::atomic<int>* c) -> task<bool> {
        auto ended = co_await with_scope(cancels_itself, c);
        co_return ended.has_value();
      },
      &cancelled_ones);
  EXPECT_TRUE(got.value());
  EXPECT_EQ(cancelled_ones, 1);
}

task<> fan(scope& s, std::atomic<int>* sum, int width, int depth) {
  for (int i = 0; i < width; ++i) {
    if (depth == 0) {
      s.spawn(add_after_yields, sum, 1, i % 3);
    } else {
      s.spawn(
          [](std::atomic<int>* n, int w, int d) -> task<> {
            auto ended = co_await with_scope(fan, n, w, d);
            if (!ended) throw std::runtime_error("inner scope");
          },
          sum, width, depth - 1);
    }
  }
  co_return;
}

TEST(Scope, NestedScopesOnSeveralWorkersJoinEveryChild) {
  actor_system sys(quiet(4));
  std::atomic<int> sum{0};
  EXPECT_TRUE(sys.run([](std::atomic<int>* n) -> task<> { (void)co_await with_scope(fan, n, 10, 3); }, &sum));
  EXPECT_EQ(sum, 10'000);
  EXPECT_EQ(sys.live_actors(), 0U);
}

} // namespace
} // namespace greenroom::scope_test
