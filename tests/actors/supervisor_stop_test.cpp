// Stopping: graces, kills, what is stuck, trees, significant children, and the stop of the system.
#include <atomic>
#include <thread>

#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::supervisor_stop_test {
namespace {

child_options with_grace(duration grace) { return {.grace = grace}; }

task<> graces() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top");
  spec.child("infinite", with_grace(duration::max()), slow_performer, s, std::string("infinite"), duration(1h))
      .child("in time", with_grace(10s), slow_performer, s, std::string("in time"), duration(9s))
      .child("stuck", with_grace(2s), slow_performer, s, std::string("stuck"), duration(24h))
      .child("brutal", with_grace(0s), slow_performer, s, std::string("brutal"), duration(1s));
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  s->log.clear();
  const auto from = this_actor::system().now();
  co_await stop(top);
  const auto took = this_actor::system().now() - from;
  require_equal<std::string>(
      s->story(), "end brutal, end stuck, unwound in time, end in time, unwound infinite, end infinite", "the stop");
  require(took >= 1h + 11s && took < 1h + 11s + 100ms, "it took " + std::to_string(took.count()) + " ns");
}

TEST(SupervisorStop, EachChildHasItsGraceAndIsKilledAfterIt) { play(graces); }

task<> many_at_once() {
  const auto s = std::make_shared<cast>();
  const auto top = co_await started(supervisor_spec("top", {.strategy = dynamic}));
  for (int i = 0; i < 5; ++i) {
    const auto name = std::string(1, static_cast<char>('a' + i));
    (void)co_await top.start_child("slow", with_grace(5s), slow_performer, s, name, duration(i == 3 ? 24h : 2s));
  }
  co_await settle_all();
  const auto from = this_actor::system().now();
  co_await stop(top);
  const auto took = this_actor::system().now() - from;
  require(took >= 5s && took < 5100ms, "it took " + std::to_string(took.count()) + " ns");
  for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived");
}

TEST(SupervisorStop, DynamicChildrenAreStoppedAllAtOnce) { play(many_at_once); }

supervisor_spec tree(stage s, int depth, std::string name) {
  supervisor_spec spec(name);
  const child_options tells{.reports_ready = true};
  spec.child("leaf", tells, performer, s, name + ".1");
  if (depth > 1) {
    spec.child("below", tree(s, depth - 1, name + "x"));
  }
  spec.child("last", tells, performer, s, name + ".2");
  return spec;
}

task<> three_levels(bool killed) {
  const auto s = std::make_shared<cast>();
  const auto top = co_await started(tree(s, 3, "t"));
  co_await settle_all();
  require_equal<std::string>(s->story(), "start t.1, start tx.1, start txx.1, start txx.2, start tx.2, start t.2",
                             "the start");
  if (killed) {
    top.self().kill();
    (void)co_await top.self().join();
    co_await settle_all();
    for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived the kill of its supervisor");
    co_return;
  }
  co_await stop(top);
  require_equal<std::string>(s->story(), "end t.2, end tx.2, end txx.2, end txx.1, end tx.1, end t.1", "the stop");
}

TEST(SupervisorStop, TreeDiesFromTheLeavesInReverseOrder) {
  play([] { return three_levels(false); });
}
TEST(SupervisorStop, KilledSupervisorLeavesNothingBehind) {
  play([] { return three_levels(true); });
}

task<> escalates() {
  const auto s = std::make_shared<cast>();
  supervisor_spec inner("inner", {.intensity = {1, 5s}});
  inner.child("a", performer, s, std::string("a")).child("b", performer, s, std::string("b"));
  supervisor_spec outer("outer", {.strategy = rest_for_one, .intensity = {1, 5s}});
  outer.child("before", performer, s, std::string("before"))
      .child("inner", std::move(inner))
      .child("after", performer, s, std::string("after"));
  const auto top = co_await started(std::move(outer));
  co_await settle_all();
  co_await end(s, "a", ending::failed);
  require_equal<std::string>(s->counts(), "a2 after1 b1 before1", "after the first end");
  co_await end(s, "a", ending::failed); // the inner one gives up, and is restarted with those after it
  require_equal<std::string>(s->counts(), "a3 after2 b2 before1", "after the second end");
  auto below = co_await top.find("inner");
  require(below.has_value(), "the inner one is not found");
  const auto counts = co_await below->count_children();
  require_equal<std::size_t>(counts->running, 2, "children of the inner one");
  co_await end(s, "b", ending::failed);
  co_await end(s, "b", ending::failed); // once more: now the outer one gives up too
  require(top.self().finished(), "the outer one has not given up");
  const auto why = co_await top.self().join();
  require(why.to_string().find("supervisor 'outer' gives up") != std::string::npos, why.to_string());
  for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived");
}

TEST(SupervisorStop, GivingUpEscalatesToTheSupervisorAbove) { play(escalates); }

task<> significant(auto_shutdown how, bool first_ends_it) {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.shuts_down = how});
  spec.child("helper", performer, s, std::string("helper"))
      .child("m1", {.restart = transient, .significant = true}, performer, s, std::string("m1"))
      .child("m2", {.restart = temporary, .significant = true}, performer, s, std::string("m2"));
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  co_await end(s, "m1", ending::failed); // a restart is no end
  require(!top.self().finished(), "it has ended with a restart");
  co_await end(s, "m1", ending::normal);
  require_equal(top.self().finished(), first_ends_it, "it has ended with the first");
  if (!first_ends_it) co_await end(s, "m2", ending::failed);
  require(top.self().finished(), "it has not ended with the last");
  const auto why = co_await top.self().join();
  require(why.normal(), "it ended: " + why.to_string());
  require_equal(s->who["helper"].finished(), true, "the helper has ended");
}

TEST(SupervisorStop, EndsWithItsSignificantChildren) {
  play([] { return significant(auto_shutdown::any_significant, true); });
  play([] { return significant(auto_shutdown::all_significant, false); });
}

task<> starter_is_cancelled() {
  const auto s = std::make_shared<cast>();
  const auto starter = spawn(
      [](stage st) -> task<> {
        supervisor_spec spec("top");
        spec.child("a", performer, st, std::string("a"))
            .child("late", {.reports_ready = true, .start_limit = 1h}, slow_performer, st, std::string("late"),
                   duration(1s));
        (void)co_await supervise(std::move(spec));
      },
      s);
  co_await settle_all();
  starter.cancel();
  (void)co_await starter.join();
  co_await sleep_for(2s);
  for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived");
}

TEST(SupervisorStop, CancellingWhoWaitsForTheStartStopsTheSupervisor) { play(starter_is_cancelled); }

TEST(SupervisorStop, StopOfTheSystemStopsTreesInOrderBeforeAllOthers) {
  const auto s = std::make_shared<cast>();
  {
    actor_system sys(options{.workers = 1, .log_level = "off"});
    supervisor_spec first("first"), second("second");
    first.child("a", performer, s, std::string("a")).child("b", performer, s, std::string("b"));
    second.child("c", performer, s, std::string("c")).child("d", performer, s, std::string("d"));
    sys.spawn(performer, s, std::string("other"));
    ASSERT_TRUE(supervise(sys, std::move(first)));
    ASSERT_TRUE(supervise(sys, std::move(second)));
    (void)sys.run([]() -> task<> {
      for (int i = 0; i < 100; ++i) co_await yield();
    });
    s->log.clear();
    EXPECT_TRUE(sys.stop().complete());
  }
  EXPECT_EQ(s->story(), "end d, end c, end b, end a, end other");
}

/// Computes and never waits, until it is let go.
task<> computes(std::atomic<bool>* go_on, std::atomic<bool>* began) {
  *began = true;
  while (*go_on) std::this_thread::yield();
  co_return;
}

TEST(SupervisorStop, StuckChildDoesNotHoldTheStop) {
  std::atomic<bool> go_on{true}, began{false};
  const auto s = std::make_shared<cast>();
  actor_system sys(options{.workers = 2, .log_level = "off"});
  supervisor_spec spec("top");
  spec.child("a", performer, s, std::string("a"));
  spec.child("stuck", with_grace(1ms), computes, &go_on, &began);
  const auto top = supervise(sys, std::move(spec));
  ASSERT_TRUE(top.has_value());
  while (!began) std::this_thread::yield();
  top->self().cancel();
  EXPECT_EQ(top->self().wait().kind(), exit_kind::cancelled); // though the child still computes
  EXPECT_EQ(s->log.back(), "end a");
  go_on = false;
}

} // namespace
} // namespace greenroom::test::supervisor_stop_test
