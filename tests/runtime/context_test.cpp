#include <greenroom/runtime/context.hpp>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::context_test {
namespace {

using namespace test;

std::size_t children_of(const context& c) {
  std::size_t n = 0;
  std::lock_guard guard(c.node().lock);
  for (auto* child = c.node().first_child; child != nullptr; child = child->sibling_next) ++n;
  return n;
}

struct user {
  std::string name;
};

// -- the tree -----------------------------------------------------------------------------------------

TEST(Context, ParentEndsItsChildrenAndNotTheOtherWayRound) {
  one_worker sys;
  const auto top = sys.context().with_cancel();
  const auto left = top.ctx.with_cancel();
  const auto right = top.ctx.with_cancel();
  const auto below = left.ctx.with_value(1);
  left.cancel(errc::limit);
  EXPECT_TRUE(below.cancelled());
  EXPECT_EQ(below.cause()->code(), errc::limit);
  EXPECT_FALSE(top.ctx.cancelled());
  EXPECT_FALSE(right.ctx.cancelled());
  EXPECT_EQ(right.ctx.cause(), std::nullopt);
  top.cancel();
  EXPECT_TRUE(right.ctx.cancelled());
  EXPECT_EQ(right.ctx.cause()->code(), errc::cancelled);
  EXPECT_EQ(left.ctx.cause()->code(), errc::limit) << "the first cause holds";
}

task<> say_how_it_ends(std::string* how) {
  try {
    co_await yield();
    *how = "ended by itself";
  } catch (const cancelled& c) {
    *how = c.cause.message();
    throw;
  }
}

task<> join_it(actor who) { co_await who.join(); }

/// Has an actor under a supervised child of the context, and says how it ended.
std::string end_under_supervised_child_of(actor_system& sys, const context& parent) {
  std::string how;
  auto& node = detail::new_supervised_child(parent.node(), never);
  const auto started = detail::launch({.core = sys.core(),
                                       .made = {say_how_it_ends(&how).release()},
                                       .site = std::source_location::current(),
                                       .ctx = &node,
                                       .supervised = true});
  (void)sys.run(join_it, started);
  detail::release(node);
  return how;
}

TEST(Context, ASupervisedChildEndsWithItsParentAlsoIfThatHasEnded) {
  one_worker sys;
  const auto top = sys.context().with_cancel();
  EXPECT_EQ(end_under_supervised_child_of(sys, top.ctx), "ended by itself");
  EXPECT_EQ(children_of(top.ctx), 0u);
  top.cancel(error(errc::io, "the disk is gone"));
  EXPECT_EQ(end_under_supervised_child_of(sys, top.ctx), "the disk is gone");
}

TEST(Context, DerivedFromCancelledIsCancelledAtOnce) {
  one_worker sys;
  const auto top = sys.context().with_cancel();
  top.cancel(error(errc::io, "the disk is gone"));
  for (const auto& child : {top.ctx.with_cancel().ctx, top.ctx.with_value(1), top.ctx.with_timeout(1h)}) {
    EXPECT_TRUE(child.cancelled());
    EXPECT_EQ(child.cause()->message(), "the disk is gone");
  }
  EXPECT_EQ(sys.live_timers(), 0u);
}

TEST(Context, CancelRemovesTheChildFromItsParent) {
  one_worker sys;
  const auto top = sys.context().with_cancel();
  {
    const auto a = top.ctx.with_cancel();
    const auto b = top.ctx.with_timeout(1h);
    const auto c = b.with_value(3);
    EXPECT_EQ(children_of(top.ctx), 2u);
    EXPECT_EQ(children_of(b), 1u);
    EXPECT_EQ(sys.live_timers(), 1u);
    a.cancel();
  }
  EXPECT_EQ(children_of(top.ctx), 0u);
  EXPECT_EQ(sys.live_timers(), 0u);
  const auto d = top.ctx.with_timeout(1h);
  top.cancel();
  EXPECT_EQ(children_of(top.ctx), 0u);
  EXPECT_EQ(sys.live_timers(), 0u) << "a context that has ended needs no timer";
}

TEST(Context, ChildKeepsItsParentsAlive) {
  one_worker sys;
  const auto deep = [&] {
    const auto top = sys.context().with_value(user{"ann"});
    return top.with_cancel().ctx.with_value(2);
  }();
  EXPECT_EQ(deep.value<user>()->name, "ann");
}

TEST(Context, VeryDeepTreeIsCancelledAndFreedWithoutStack) {
  one_worker sys;
  const auto top = sys.context().with_cancel();
  auto deepest = top.ctx;
  for (int i = 0; i < 200'000; ++i) deepest = deepest.with_value(i);
  EXPECT_FALSE(deepest.cancelled());
  top.cancel();
  EXPECT_TRUE(deepest.cancelled());
}

// Source: Go's TestSimultaneousCancels, TestInterlockedCancels.
TEST(Context, SimultaneousCancelsOfATreeDoNotDeadlock) {
  actor_system sys(quiet(2));
  for (int round = 0; round < 50; ++round) {
    const auto root = sys.context().with_cancel();
    std::vector<cancellable_context> all{root};
    for (std::size_t i = 0; i < all.size() && all.size() < 31; ++i) {
      for (int j = 0; j < 5; ++j) all.push_back(all[i].ctx.with_cancel());
    }
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&all, t] {
        for (std::size_t i = t; i < all.size(); i += 4) all[i].cancel();
      });
    }
    for (auto& t : threads) t.join();
    for (auto& c : all) EXPECT_TRUE(c.ctx.cancelled());
  }
}

TEST(Context, InterlockedCancelsDoNotDeadlock) {
  one_worker sys;
  const auto parent = sys.context().with_cancel();
  const auto child = parent.ctx.with_cancel();
  const auto handle = parent.ctx.after_func([&child] { child.cancel(); });
  parent.cancel();
  EXPECT_TRUE(child.ctx.cancelled());
}

// -- deadlines ----------------------------------------------------------------------------------------

TEST(Context, EndsAtItsDeadlineAndSaysSo) {
  timed_system t;
  const auto c = t.sys.context().with_timeout(10ms);
  EXPECT_EQ(c.remaining(), 10ms);
  t.advance(9ms);
  EXPECT_FALSE(c.cancelled());
  t.advance(2ms);
  EXPECT_TRUE(c.cancelled());
  EXPECT_EQ(c.cause()->code(), errc::timed_out);
  EXPECT_EQ(c.cause()->message(), "deadline exceeded");
  EXPECT_EQ(c.remaining(), duration::zero());
}

TEST(Context, EarlierDeadlineOfTheParentWins) {
  timed_system t;
  const auto parent = t.sys.context().with_timeout(10ms);
  const auto later = parent.with_timeout(1h);
  const auto sooner = parent.with_timeout(5ms);
  EXPECT_EQ(later.deadline(), parent.deadline());
  EXPECT_LT(sooner.deadline(), parent.deadline());
  t.advance(6ms);
  EXPECT_TRUE(sooner.cancelled());
  EXPECT_FALSE(later.cancelled());
  t.advance(5ms);
  EXPECT_TRUE(later.cancelled());
  EXPECT_EQ(later.cause()->code(), errc::timed_out);
}

TEST(Context, CancelBeforeTheDeadlineIsNoTimeout) {
  timed_system t;
  const auto parent = t.sys.context().with_cancel();
  const auto c = parent.ctx.with_timeout(10ms);
  parent.cancel();
  t.advance(20ms);
  EXPECT_EQ(c.cause()->code(), errc::cancelled);
}

TEST(Context, DeadlineThatHasPassedEndsItAtOnce) {
  timed_system t;
  const auto c = t.sys.context().with_timeout(0s);
  EXPECT_TRUE(c.cancelled());
  EXPECT_EQ(c.cause()->code(), errc::timed_out);
}

TEST(Context, OverflowingTimeoutIsForEver) {
  one_worker sys;
  const auto c = sys.context().with_timeout(std::chrono::hours::max());
  EXPECT_EQ(c.deadline(), never);
  EXPECT_EQ(c.remaining(), duration::max());
  EXPECT_FALSE(c.cancelled());
  EXPECT_EQ(sys.live_timers(), 0u);
}

// -- values -------------------------------------------------------------------------------------------

TEST(Context, NearestValueOfATypeIsFoundThroughLayers) {
  one_worker sys;
  const auto a = sys.context().with_value(user{"ann"});
  const auto b = a.with_cancel();
  const auto c = b.ctx.with_value(42).with_timeout(1h).with_value(user{"bob"});
  EXPECT_EQ(c.value<user>()->name, "bob");
  EXPECT_EQ(*c.value<int>(), 42);
  EXPECT_EQ(a.value<int>(), nullptr);
  EXPECT_EQ(b.ctx.value<user>()->name, "ann");
  b.cancel();
  EXPECT_EQ(c.value<user>()->name, "bob") << "values outlive the cancellation";
}

// Source: Go's TestLayersCancel: layers of every kind at random.
TEST(Context, RandomLayersKeepValuesReadableAndEndTogether) {
  one_worker sys;
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    const auto top = sys.context().with_cancel();
    std::vector<context> layers{top.ctx};
    int newest = -1;
    for (int i = 0; i < 30; ++i) {
      switch (random() % 3) {
      case 0: layers.push_back(layers.back().with_cancel().ctx); break;
      case 1: layers.push_back(layers.back().with_timeout(1h + std::chrono::seconds(random() % 100))); break;
      default: layers.push_back(layers.back().with_value(newest = i));
      }
    }
    const auto check = [&](bool ended) {
      for (auto& c : layers) EXPECT_EQ(c.cancelled(), ended);
      const int* const value = layers.back().value<int>();
      EXPECT_EQ(value != nullptr ? *value : -1, newest);
    };
    check(false);
    top.cancel();
    check(true);
  }
}

// -- without_cancel, after_func -------------------------------------------------------------------------------

TEST(Context, WithoutCancelKeepsValuesAndOutlivesItsParent) {
  timed_system t;
  const auto parent = t.sys.context().with_value(user{"ann"}).with_timeout(10ms);
  const auto free = parent.without_cancel();
  EXPECT_EQ(free.deadline(), never);
  const auto below = free.with_cancel();
  t.advance(11ms);
  EXPECT_TRUE(parent.cancelled());
  EXPECT_FALSE(free.cancelled());
  EXPECT_FALSE(below.ctx.cancelled());
  EXPECT_EQ(free.value<user>()->name, "ann");
}

TEST(Context, WithoutCancelEndsWithItsSystem) {
  one_worker sys;
  const auto free = sys.context().with_cancel().ctx.without_cancel();
  const auto below = free.with_value(1);
  int calls = 0;
  const auto handle = below.after_func([&] { ++calls; });
  EXPECT_TRUE(sys.stop().complete());
  EXPECT_TRUE(free.cancelled());
  EXPECT_EQ(below.cause()->code(), errc::stopped);
  EXPECT_EQ(calls, 1);
}

TEST(Context, AfterFuncRunsExactlyOnce) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  int calls = 0;
  auto handle = c.ctx.after_func([&] { ++calls; });
  EXPECT_EQ(calls, 0);
  c.cancel();
  c.cancel();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(handle.stop());
  auto late = c.ctx.after_func([&] { ++calls; });
  EXPECT_EQ(calls, 2) << "of a context that has ended it runs at once";
  EXPECT_FALSE(late.stop());
}

TEST(Context, StoppedAfterFuncNeverRuns) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  int calls = 0;
  auto first = c.ctx.after_func([&] { ++calls; });
  auto second = c.ctx.after_func([&] { calls += 10; });
  {
    const auto dropped = c.ctx.after_func([&] { calls += 100; });
  }
  EXPECT_TRUE(first.stop());
  EXPECT_FALSE(first.stop());
  c.cancel();
  EXPECT_EQ(calls, 10);
  second = {};
}

TEST(Context, AfterFuncIsCalledOrStoppedNeverBoth) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 2'000; ++i) {
    const auto c = sys.context().with_cancel();
    std::atomic<int> calls = 0;
    auto handle = c.ctx.after_func([&] { ++calls; });
    const auto canceller = sys.spawn([](cancellable_context* ctx) -> task<> { co_return ctx->cancel(); },
                                     const_cast<cancellable_context*>(&c));
    const bool stopped = handle.stop();
    canceller.wait();
    EXPECT_EQ(calls, stopped ? 0 : 1);
  }
}

// -- actors in contexts -------------------------------------------------------------------------------------------

task<> wait_for_ever() { co_await sleep_until(never); }

TEST(Context, ItsEndCancelsItsActorsWithItsCause) {
  timed_system t;
  const auto c = t.sys.context().with_timeout(10ms);
  const auto a = t.sys.spawn(spawn_options{.ctx = c.with_value(1)}, wait_for_ever);
  const auto b = t.sys.spawn(wait_for_ever);
  await_wait(t.sys, a, "sleep");
  t.advance(11ms);
  const auto why = a.wait();
  EXPECT_EQ(why.kind(), exit_kind::cancelled);
  EXPECT_EQ(why.why().code(), errc::timed_out);
  EXPECT_EQ(why.to_string(), "cancelled: deadline exceeded");
  EXPECT_FALSE(b.finished());
}

TEST(Context, ActorSpawnedIntoAnEndedContextIsCancelledAtItsFirstWait) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  c.cancel(errc::limit);
  bool began = false;
  const auto a = sys.spawn(
      spawn_options{.ctx = c.ctx},
      [](bool* flag) -> task<> {
        *flag = true;
        EXPECT_TRUE(this_actor::cancel_requested());
        co_await sleep_until(never);
      },
      &began);
  EXPECT_EQ(a.wait().why().code(), errc::limit);
  EXPECT_TRUE(began);
}

TEST(Context, IsTheOneItsActorSees) {
  one_worker sys;
  const auto c = sys.context().with_value(user{"eve"});
  const auto a = sys.spawn(spawn_options{.ctx = c}, []() -> task<> {
    EXPECT_EQ(this_actor::context().value<user>()->name, "eve");
    const auto child = spawn([]() -> task<> {
      EXPECT_EQ(this_actor::context().value<user>(), nullptr); // contexts are not passed on by spawn()
      co_return;
    });
    co_await child.join();
  });
  EXPECT_TRUE(a.wait().normal());
}

TEST(Context, LetsGoOfActorsThatEnded) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sys.spawn(spawn_options{.ctx = c.ctx}, settle).wait().normal());
  {
    std::lock_guard guard(c.ctx.node().lock);
    EXPECT_EQ(c.ctx.node().first_actor, nullptr);
  }
  c.cancel();
}

// -- done: succeeds, is cancelled, the system stops (it has no time-out of its own: see select_test) ---------------------

task<> wait_for_end(context c, std::optional<error>* cause) { *cause = co_await c.done(); }

TEST(Context, DoneGivesTheCause) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  std::optional<error> cause;
  const auto a = sys.spawn(wait_for_end, c.ctx, &cause);
  await_wait(sys, a, "context");
  c.cancel(error(errc::limit, "enough"));
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(cause->message(), "enough");
  EXPECT_TRUE(sys.run(wait_for_end, c.ctx, &cause)) << "of a context that has ended it does not wait";
}

TEST(Context, DoneIsCancelledWithItsActor) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  std::optional<error> cause;
  EXPECT_EQ(cancel_in(sys, sys.spawn(wait_for_end, c.ctx, &cause), "context").kind(), exit_kind::cancelled);
  EXPECT_EQ(kill_in(sys, sys.spawn(wait_for_end, c.ctx, &cause), "context").kind(), exit_kind::killed);
  c.cancel();
  EXPECT_EQ(cause, std::nullopt);
}

TEST(Context, DoneOfTheOwnContextIsACancellation) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  std::optional<error> cause;
  const auto a = sys.spawn(spawn_options{.ctx = c.ctx}, wait_for_end, c.ctx, &cause);
  await_wait(sys, a, "context");
  c.cancel(errc::limit);
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
}

TEST(Context, DoneEndsWhenTheSystemStops) {
  one_worker sys;
  const auto c = sys.context().with_cancel();
  std::optional<error> cause;
  const auto a = sys.spawn(wait_for_end, c.ctx, &cause);
  await_wait(sys, a, "context");
  EXPECT_TRUE(sys.stop().complete());
  EXPECT_TRUE(a.finished());
  EXPECT_TRUE(c.ctx.cancelled());
}

} // namespace
} // namespace greenroom::context_test
