// Go's cases for contexts: how an end spreads, deadlines, values. Source: go/src/context, as facts.
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/context.hpp>
#include <greenroom/tests/runtime/allocation_count.hpp>
#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::context_test {
namespace {

using namespace go_kit;

constexpr auto one_tick = 66us; // what a timer may be late

// -- the tree ---------------------------------------------------------------------------------------

// Go: context TestBackground, TestTODO
TEST(GoContext, RootHasNoDeadlineNoValueAndDoesNotEndBeforeItsSystem) {
  one_worker sys;
  const auto root = sys.context();
  EXPECT_FALSE(root.cancelled());
  EXPECT_EQ(root.cause(), std::nullopt);
  EXPECT_EQ(root.deadline(), never);
  EXPECT_EQ(root.value<int>(), nullptr);
  EXPECT_TRUE(sys.stop().complete());
  EXPECT_EQ(root.cause()->code(), errc::stopped);
}

task<> note_cause(context c, std::optional<error>* cause) { *cause = co_await c.done(); }

// Go: context TestWithCancel
TEST(GoContext, CancelEndsItAndWhatDerivesFromItAndWakesWhoWaits) {
  one_worker sys;
  const auto top = sys.context().with_cancel();
  const auto below = top.ctx.with_value(1);
  std::array<std::optional<error>, 2> causes;
  const auto one = sys.spawn(note_cause, top.ctx, &causes[0]);
  const auto two = sys.spawn(note_cause, below, &causes[1]);
  await_wait(sys, one, "context");
  await_wait(sys, two, "context");
  EXPECT_FALSE(top.ctx.cancelled() || below.cancelled());
  top.cancel();
  EXPECT_TRUE(one.wait().normal() && two.wait().normal());
  for (const auto& cause : causes) EXPECT_EQ(cause->code(), errc::cancelled);
  EXPECT_TRUE(top.ctx.cancelled() && below.cancelled());
}

// Go: context TestParentFinishesChild
TEST(GoContext, ParentThatEndsEndsAllItsKindsOfChildrenAndTheirChildren) {
  timed_system t;
  const auto parent = t.sys.context().with_cancel();
  const auto child = parent.ctx.with_cancel();
  const auto with_value = parent.ctx.with_value(1);
  const auto below_the_value = with_value.with_cancel();
  const auto with_limit = parent.ctx.with_timeout(1h);
  const auto further_down = with_limit.with_value(2).with_cancel();
  const auto beside = t.sys.context().with_cancel();
  parent.cancel();
  for (const auto& ended : {parent.ctx, child.ctx, with_value, below_the_value.ctx, with_limit, further_down.ctx,
                            parent.ctx.with_value(3)}) {
    EXPECT_TRUE(ended.cancelled());
    EXPECT_EQ(ended.cause()->code(), errc::cancelled);
  }
  EXPECT_FALSE(beside.ctx.cancelled());
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

// Go: context TestChildFinishesFirst
TEST(GoContext, ChildThatEndsLeavesItsParentAndSiblings) {
  one_worker sys;
  const auto bounded_parent = sys.context().with_timeout(1h);
  const auto plain_parent = sys.context().with_cancel();
  for (const auto& parent : {sys.context(), plain_parent.ctx, bounded_parent}) {
    const auto child = parent.with_cancel();
    const auto sibling = parent.with_cancel();
    child.cancel();
    EXPECT_EQ(child.ctx.cause()->code(), errc::cancelled);
    EXPECT_FALSE(parent.cancelled());
    EXPECT_EQ(parent.cause(), std::nullopt);
    EXPECT_FALSE(sibling.ctx.cancelled());
  }
}

// Go: context TestWithCancelCanceledParent
TEST(GoContext, DerivedFromAnEndedParentItHasEndedForTheSameCause) {
  one_worker sys;
  const auto parent = sys.context().with_cancel();
  parent.cancel(error(errc::io, "the disk is gone"));
  for (const auto& child : {parent.ctx.with_cancel().ctx, parent.ctx.with_timeout(1h), parent.ctx.with_value(1)}) {
    EXPECT_TRUE(child.cancelled());
    EXPECT_EQ(child.cause()->message(), "the disk is gone");
  }
  EXPECT_EQ(sys.live_timers(), 0U);
}

// Go: context TestInvalidDerivedFail
// Differs: there is no nil context to derive from, and no key but a type.
TEST(GoContext, ContextIsNeverEmpty) {
  static_assert(!std::is_default_constructible_v<context> && !std::is_constructible_v<context, std::nullptr_t>);
  one_worker sys;
  auto one = sys.context().with_cancel().ctx;
  const auto two = std::move(one);
  EXPECT_FALSE(one.cancelled() || two.cancelled()) << "moved from, it is still a context";
}

task<> cancel_it(cancellable_context* c) { co_return c->cancel(); }

// Go: context TestSimultaneousCancels
TEST(GoContext, TreeOfWhichAllAreCancelledAtOnceDoesNotDeadlock) {
  actor_system sys(quiet(2));
  for (int round = 0; round < 50; ++round) {
    std::vector<cancellable_context> tree{sys.context().with_cancel()};
    for (std::size_t i = 0; tree.size() < 1 + 5 + 25; ++i) {
      for (int j = 0; j < 5; ++j) tree.push_back(tree[i].ctx.with_cancel());
    }
    std::vector<std::optional<error>> causes(tree.size());
    std::vector<actor> all;
    for (std::size_t i = 0; i < tree.size(); ++i) {
      all.push_back(sys.spawn(note_cause, tree[i].ctx, &causes[i]));
      all.push_back(sys.spawn(cancel_it, &tree[tree.size() - 1 - i]));
    }
    for (auto& a : all) EXPECT_TRUE(a.wait().normal());
    for (const auto& cause : causes) EXPECT_EQ(cause->code(), errc::cancelled);
  }
}

task<> cancel_at_the_end_of(context parent, cancellable_context* child) {
  co_await parent.done();
  child->cancel(errc::limit);
}

// Go: context TestInterlockedCancels
TEST(GoContext, ChildCancelledOutOfItsParentsNotificationDoesNotDeadlock) {
  actor_system sys(quiet(2));
  for (int round = 0; round < 500; ++round) {
    const auto parent = sys.context().with_cancel();
    auto child = parent.ctx.with_cancel();
    const auto by_actor = sys.spawn(cancel_at_the_end_of, parent.ctx, &child);
    const auto by_call = parent.ctx.after_func([&child] { child.cancel(errc::limit); });
    parent.cancel();
    EXPECT_TRUE(child.ctx.cancelled());
    EXPECT_TRUE(by_actor.wait().normal());
  }
}

// Go: context TestCancelRemoves
TEST(GoContext, ParentKeepsNeitherFinishedChildrenNorTheirTimers) {
  one_worker sys;
  const auto parent = sys.context().with_cancel();
  const auto held = std::make_shared<int>(1);
  {
    const auto value = parent.ctx.with_value(held);
    const auto cancelled_child = value.with_cancel();
    const auto limited = value.with_timeout(1h);
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(sys.live_timers(), 1U);
    cancelled_child.cancel();
  }
  EXPECT_EQ(held.use_count(), 1) << "somebody still refers to the child";
  EXPECT_EQ(sys.live_timers(), 0U);

  const auto limited = parent.ctx.with_timeout(1h).with_cancel();
  limited.cancel();
  EXPECT_EQ(sys.live_timers(), 1U) << "the timer belongs to the layer above, which has not ended";
  const auto sooner = limited.ctx.with_timeout(1min);
  EXPECT_TRUE(sooner.cancelled());
  EXPECT_EQ(sys.live_timers(), 1U) << "a context that has ended needs no timer";
}

// -- deadlines --------------------------------------------------------------------------------------

// Go: context TestDeadline, TestTimeout
TEST(GoContext, EndsAtItsDeadlineNeverBeforeAndSoDoLayersBelow) {
  timed_system t;
  for (const bool relative : {false, true}) {
    const auto root = t.sys.context();
    const auto c = relative ? root.with_timeout(50ms) : root.with_deadline(t.time.now() + 50ms);
    const auto below = c.with_value(1).with_cancel();
    t.advance(50ms - 1ns);
    EXPECT_FALSE(c.cancelled() || below.ctx.cancelled());
    t.advance(one_tick);
    for (const auto& ended : {c, below.ctx}) EXPECT_EQ(ended.cause()->code(), errc::timed_out);
  }
  EXPECT_TRUE(t.sys.context().with_timeout(-1s).cancelled()) << "a deadline that has passed";
  EXPECT_TRUE(t.sys.context().with_deadline(time_point::min()).cancelled());
}

// Go: context TestDeadline, TestTimeout
TEST(GoContext, EarliestDeadlineOfAllLayersHolds) {
  timed_system t;
  const auto parent = t.sys.context().with_timeout(20ms);
  const auto later = parent.with_timeout(1h);
  const auto sooner = parent.with_timeout(10ms);
  EXPECT_EQ(later.deadline(), parent.deadline());
  EXPECT_EQ(sooner.deadline(), parent.deadline() - 10ms);
  t.advance(10ms + one_tick);
  EXPECT_TRUE(sooner.cancelled());
  EXPECT_FALSE(parent.cancelled() || later.cancelled());
  t.advance(10ms);
  EXPECT_EQ(parent.cause()->code(), errc::timed_out);
  EXPECT_EQ(later.cause()->code(), errc::timed_out);
}

// Go: context TestCanceledTimeout
TEST(GoContext, CancelledBeforeItsDeadlineItStaysCancelled) {
  timed_system t;
  const auto c = t.sys.context().with_timeout(10ms).with_timeout(5ms).with_cancel();
  c.cancel();
  t.advance(20ms);
  EXPECT_EQ(c.ctx.cause()->code(), errc::cancelled);
}

// Go: context TestDeadlineExceededSupportsTimeout, TestDeadlineExceededIsNetError
TEST(GoContext, CauseTellsATimeOutFromACancellation) {
  timed_system t;
  const auto late = t.sys.context().with_timeout(0s);
  const auto unwanted = t.sys.context().with_cancel();
  unwanted.cancel();
  EXPECT_TRUE(late.cause()->is(errc::timed_out));
  EXPECT_EQ(late.cause()->message(), "deadline exceeded");
  EXPECT_TRUE(unwanted.ctx.cause()->is(errc::cancelled));
  EXPECT_FALSE(unwanted.ctx.cause()->is(errc::timed_out));
  EXPECT_NE(unwanted.ctx.cause()->message(), late.cause()->message());
}

// -- values -----------------------------------------------------------------------------------------

template <int Key>
struct value_of_key {
  std::string text;
};

template <int Key>
std::string text_of(const context& c) {
  const auto* const found = c.value<value_of_key<Key>>();
  return found == nullptr ? "" : found->text;
}
template <int Key>
context with_text(const context& c, std::string text) {
  return c.with_value(value_of_key<Key>{std::move(text)});
}
std::vector<std::string> texts_of(const context& c) { return {text_of<0>(c), text_of<1>(c), text_of<2>(c)}; }

// Go: context TestValues
// Differs: the type is the key, so that keys need no comparison (TestWithValueChecksKey).
TEST(GoContext, NearestValueOfEachKeyIsSeenFromEachLayer) {
  one_worker sys;
  using texts = std::vector<std::string>;
  const auto c0 = sys.context();
  const auto c1 = with_text<0>(c0, "c1k1");
  const auto c2 = with_text<1>(c1, "c2k2").with_cancel();
  const auto c3 = with_text<2>(c2.ctx, "c3k3").with_timeout(1h);
  const auto c4 = with_text<0>(c3, "");
  EXPECT_EQ(texts_of(c0), (texts{"", "", ""}));
  EXPECT_EQ(texts_of(c1), (texts{"c1k1", "", ""}));
  EXPECT_EQ(texts_of(c2.ctx), (texts{"c1k1", "c2k2", ""}));
  EXPECT_EQ(texts_of(c3), (texts{"c1k1", "c2k2", "c3k3"}));
  EXPECT_EQ(texts_of(c4), (texts{"", "c2k2", "c3k3"}));
  EXPECT_EQ(texts_of(c3), (texts{"c1k1", "c2k2", "c3k3"})) << "a child's value is not its parent's";
}

struct layers {
  std::vector<context> all;
  std::vector<std::pair<std::size_t, canceller>> cancels; // and the layer that each ends
  std::vector<std::string> newest{"", "", ""};            // what the last layer must see
};

/// At least 30 layers of every kind, in random order.
layers random_layers(const context& root, xoshiro& random, duration limit) {
  layers made{{root}, {}, {"", "", ""}};
  std::array<int, 3> of_kind{};
  while (made.all.size() < 30 || of_kind[0] == 0 || of_kind[1] == 0 || of_kind[2] == 0) {
    const auto kind = random.below(3);
    ++of_kind[kind];
    const auto& last = made.all.back();
    const auto text = std::to_string(made.all.size());
    if (kind == 0) {
      const auto next = last.with_cancel();
      made.cancels.emplace_back(made.all.size(), next.cancel);
      made.all.push_back(next.ctx);
    } else if (kind == 1) {
      made.all.push_back(last.with_timeout(limit + duration(random.below(1'000'000))));
    } else {
      const auto key = random.below(3);
      made.newest[key] = text;
      made.all.push_back(key == 0   ? with_text<0>(last, text)
                         : key == 1 ? with_text<1>(last, text)
                                    : with_text<2>(last, text));
    }
  }
  return made;
}

// Go: context TestLayersCancel
TEST(GoContext, CancellingALayerEndsExactlyThoseBelowAndValuesStayReadable) {
  actor_system sys(seeded(1));
  SCOPED_TRACE(seed_of(sys));
  xoshiro random(sys.settings().seed);
  for (int round = 0; round < 100; ++round) {
    const auto made = random_layers(sys.context(), random, 1h);
    EXPECT_EQ(texts_of(made.all.back()), made.newest);
    const auto& [layer, cancel] = made.cancels[random.below(made.cancels.size())];
    cancel(errc::limit);
    for (std::size_t i = 0; i < made.all.size(); ++i) {
      ASSERT_EQ(made.all[i].cancelled(), i >= layer) << "layer " << i << " of which " << layer << " was cancelled";
      if (i >= layer) {
        ASSERT_EQ(made.all[i].cause()->code(), errc::limit);
      }
    }
    EXPECT_EQ(texts_of(made.all.back()), made.newest);
  }
  EXPECT_EQ(sys.live_timers(), 0U);
}

// Go: context TestLayersTimeout
TEST(GoContext, LayersEndTogetherAtTheirEarliestDeadlineAndValuesStayReadable) {
  timed_system t;
  const auto seed = from_environment("STRESS_SEED", random_seed());
  SCOPED_TRACE(testing::Message() << "STRESS_SEED=" << seed);
  xoshiro random(seed);
  for (int round = 0; round < 100; ++round) {
    const auto made = random_layers(t.sys.context(), random, 10ms);
    const auto& last = made.all.back();
    EXPECT_EQ(texts_of(last), made.newest);
    t.advance(last.remaining() - 1ns);
    EXPECT_FALSE(last.cancelled());
    t.advance(one_tick);
    EXPECT_EQ(last.cause()->code(), errc::timed_out);
    for (const auto& layer : made.all) { // in between it may be either: timers come up to a tick late
      const bool due = layer.deadline() <= t.time.now() - one_tick;
      const bool not_due = layer.deadline() > t.time.now();
      ASSERT_TRUE(layer.cancelled() ? !not_due : !due);
    }
    EXPECT_EQ(texts_of(last), made.newest);
  }
}

// -- cost -------------------------------------------------------------------------------------------

#ifdef GREENROOM_COUNTS_ALLOCATIONS
template <class F>
std::size_t allocations_of(F what) {
  const auto before = allocations;
  what();
  return allocations - before;
}

void check_allocations(const context& root) {
  EXPECT_EQ(allocations_of([&] { (void)root.value<int>(); }), 0U);
  EXPECT_LE(allocations_of([&] { (void)root.with_value(1).value<int>(); }), 1U);
  EXPECT_LE(allocations_of([&] { (void)root.with_timeout(-1ns).cause(); }), 1U);
  EXPECT_LE(allocations_of([&] { root.with_cancel().cancel(); }), 1U);
  EXPECT_LE(allocations_of([&] { (void)root.with_timeout(1h); }), 1U);
  const auto limited = root.with_timeout(1h).with_cancel();
  EXPECT_EQ(allocations_of([&] { limited.cancel(); }), 0U);
}
#endif

// Go: context TestAllocs
TEST(GoContext, DerivingAllocatesOnceAndCancellingNothing) {
#ifdef GREENROOM_COUNTS_ALLOCATIONS
  one_worker sys; // on its worker: a timer armed elsewhere may have to wake it first
  EXPECT_TRUE(sys.run([]() -> task<> { co_return check_allocations(this_actor::context()); }));
#else
  GTEST_SKIP() << "the sanitizers have allocators of their own";
#endif
}

} // namespace
} // namespace greenroom::context_test
