#include <greenroom/actors/scheduled_jobs.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/journal.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/explore.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/runtime/support.hpp>
#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/tests/actors/lossy_disk.hpp>
#endif

namespace greenroom::scheduled_jobs_test {
namespace {

using namespace test;
using testkit::require;

/// What the runs of a job do, and what they have done.
struct notes {
  std::vector<time_point> begun = {};
  int running = 0;
  int most_at_once = 0;
  int unwound = 0;
};
using shared_notes = std::shared_ptr<notes>;

task<> work(shared_notes seen, duration length) {
  seen->begun.push_back(this_actor::system().now());
  seen->most_at_once = std::max(seen->most_at_once, ++seen->running);
  struct leaving {
    notes& of;
    ~leaving() {
      --of.running;
      ++of.unwound;
    }
  } const leave{*seen};
  co_await sleep_for(length);
}

task<> clean_up(duration length) { co_await sleep_for(length); }
/// Takes as long to unwind as to work.
task<> work_slowly_unwound(shared_notes seen, duration length) {
  seen->begun.push_back(this_actor::system().now());
  seen->most_at_once = std::max(seen->most_at_once, ++seen->running);
  std::optional<cancelled> why;
  try {
    co_await sleep_for(length);
  } catch (const cancelled& c) {
    why = c;
  }
  if (why) {
    auto last = clean_up(length);
    co_await shielded(1h, std::move(last));
    ++seen->unwound;
  }
  --seen->running;
  if (why) throw *why;
}

task<result<void>> gives_error() { co_return error(errc::upstream, "the bank is closed"); }
task<> throws() {
  co_await yield();
  throw std::runtime_error("out of paper");
}
task<> throws_a_number() {
  co_await yield();
  throw 7;
}
task<> counts(std::shared_ptr<std::atomic<int>> n) {
  ++*n;
  co_return;
}

job_spec often(std::string name, overlap_rule overlap = overlap_rule::skip) {
  return {.name = std::move(name), .when = schedule::every(100ms), .overlap = overlap};
}
task<> end_of(scheduled_jobs jobs) {
  jobs.stop();
  (void)co_await jobs.self().join();
}

task<> ten_minutes(overlap_rule rule, duration length, int begun, int skipped, int most_queued) {
  const auto seen = std::make_shared<notes>();
  scheduled_jobs jobs(this_actor::system());
  const auto start = this_actor::system().now();
  require(jobs.add(often("a", rule), work, seen, length).has_value(), "it is not added");
  co_await sleep_for(10min + 50ms);
  const auto now = co_await jobs.look("a");
  require(static_cast<int>(seen->begun.size()) == begun, "begun: " + std::to_string(seen->begun.size()));
  require(static_cast<int>(now->skipped) == skipped, "skipped: " + std::to_string(now->skipped));
  require(static_cast<int>(now->queued) == most_queued, "queued: " + std::to_string(now->queued));
  require(seen->most_at_once == 1, "two runs overlap");
  if (rule != overlap_rule::queue) {
    for (const auto t : seen->begun)
      require((t - start) % 100ms < 1ms, "a run is off the grid"); // the resolution of timers
  }
  co_await end_of(jobs);
  require(seen->running == 0, "a run outlives its jobs");
}

template <class F>
void passes(const testkit::exploration& how, F program) {
  const auto found = testkit::explore(how, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

TEST(ScheduledJobs, AHundredMillisecondsNeitherDriftNorOverlap) {
  passes({.runs = 1, .world = {.most_steps = 10'000'000}},
         [] { return ten_minutes(overlap_rule::skip, 30ms, 6'000, 0, 0); });
  passes({.runs = 1, .world = {.most_steps = 10'000'000}},
         [] { return ten_minutes(overlap_rule::skip, 250ms, 2'000, 4'000, 0); });
  passes({.runs = 1, .world = {.most_steps = 10'000'000}},
         [] { return ten_minutes(overlap_rule::replace, 250ms, 6'000, 0, 0); });
  passes({.runs = 1, .world = {.most_steps = 10'000'000}},
         [] { return ten_minutes(overlap_rule::queue, 250ms, 2'400, 3'599, 1); });
}

task<> replace_slowly() {
  const auto seen = std::make_shared<notes>();
  scheduled_jobs jobs(this_actor::system());
  require(jobs.add(often("a", overlap_rule::replace), work_slowly_unwound, seen, duration(240ms)).has_value(), "added");
  co_await sleep_for(10s);
  require(seen->most_at_once == 1, "the next run has not waited for the unwinding");
  require(seen->unwound > 20, "runs were not replaced");
  const auto now = co_await jobs.look("a");
  require(now->history.front().outcome == run_outcome::cancelled, "outcome");
  require(now->history.front().error == "the next run has replaced it", now->history.front().error);
  co_await end_of(jobs);
}

TEST(ScheduledJobs, AReplacedRunUnwindsBeforeTheNextBegins) { passes({.runs = 200}, replace_slowly); }

task<> see_failures() {
  scheduled_jobs jobs(this_actor::system());
  const auto seen = std::make_shared<notes>();
  require(jobs.add(often("error"), gives_error).has_value(), "added");
  require(jobs.add(often("exception"), throws).has_value(), "added");
  require(jobs.add(often("number"), throws_a_number).has_value(), "added");
  require(
      jobs.add({.name = "late", .when = schedule::every(100ms), .limit = 50ms}, work, seen, duration(1h)).has_value(),
      "added");
  co_await sleep_for(1s + 60ms);
  for (const auto& [name, outcome, why] :
       {std::tuple("error", run_outcome::failed, "the bank is closed"),
        std::tuple("exception", run_outcome::failed, "out of paper"),
        std::tuple("number", run_outcome::failed, "an exception that is no std::exception"),
        std::tuple("late", run_outcome::timed_out, "it took longer than its limit of 50ms")}) {
    const auto now = co_await jobs.look(name);
    require(now->runs == 10 && now->failures == 10, std::string(name) + " has ended the others");
    require(now->history.front().outcome == outcome, name);
    require(now->history.front().error == why, now->history.front().error);
  }
  co_await end_of(jobs);
}

TEST(ScheduledJobs, AFailureEndsOneRunAndNoMore) { passes({.runs = 100}, see_failures); }

task<> give_orders() {
  scheduled_jobs jobs(this_actor::system());
  const auto seen = std::make_shared<notes>();
  require(jobs.add({.name = "a", .when = schedule::every(1h)}, work, seen, duration(1s)).has_value(), "added");
  const auto again = jobs.add(often("a"), work, seen, duration(1s));
  require(again.error().message() == "cannot add the job 'a': there is one of that name", "the name is taken");
  const auto unknown = co_await jobs.pause("b");
  require(unknown.error().message() == "there is no job 'b'", "unknown");

  auto now = co_await jobs.run_now("a");
  require(now->running && now->running->by_hand, "it does not run");
  require(*now->next - now->running->started == 1h, "by hand the times stay");
  now = co_await jobs.run_now("a");
  require(now.error().is(errc::already_exists), "it runs twice");
  now = co_await jobs.cancel("a");
  co_await yield();
  co_await sleep_for(1ms);
  now = co_await jobs.look("a");
  require(!now->running && now->history.front().error == "it was cancelled by hand", "not cancelled");
  require(seen->unwound == 1, "not unwound");

  now = co_await jobs.pause("a");
  require(now->paused && !now->next, "not paused");
  co_await sleep_for(3h + 30min);
  now = co_await jobs.resume("a");
  require(seen->begun.size() == 1, "it ran while it was paused");
  co_await sleep_for(31min);
  require(seen->begun.size() == 2, "it did not go on");

  now = co_await jobs.remove("a");
  const auto left = co_await jobs.list();
  require(left->empty(), "still there");
  require(jobs.add(often("a"), work, seen, duration(1s)).has_value(), "the name is not free");
  co_await end_of(jobs);
  const auto late = jobs.add(often("b"), work, seen, duration(1s));
  require(late.error().message() == "cannot add the job 'b': the jobs are stopped", "added to what is stopped");
  const auto none = co_await jobs.list();
  require(none.error().is(errc::closed), "asked what is stopped");
}

TEST(ScheduledJobs, AreRunPausedCancelledAndRemovedByHand) { passes({.runs = 100}, give_orders); }

task<> a_minute_with_jitter(shared_notes seen) {
  scheduled_jobs jobs(this_actor::system());
  (void)jobs.add({.name = "a", .when = schedule::every(1s), .jitter = 500ms}, work, seen, duration(1ms));
  co_await sleep_for(1min);
  co_await end_of(jobs);
}
std::vector<time_point> begun_by(std::uint64_t seed) {
  testkit::simulation world;
  testkit::random_schedule by(seed);
  const auto seen = std::make_shared<notes>();
  EXPECT_TRUE(world.run(by, a_minute_with_jitter, seen).passed());
  return seen->begun;
}

TEST(ScheduledJobs, ASimulationRepeatsTheirJitter) {
  EXPECT_EQ(begun_by(1), begun_by(1));
  EXPECT_NE(begun_by(1), begun_by(2));
}

task<> end_while_running(bool by_stop) {
  const auto seen = std::make_shared<notes>();
  actor keeper;
  {
    scheduled_jobs jobs(this_actor::system());
    keeper = jobs.self();
    (void)jobs.add(often("a"), work_slowly_unwound, seen, duration(10s));
    (void)jobs.add(often("b", overlap_rule::queue), work, seen, duration(10s));
    co_await sleep_for(1s);
    require(seen->running == 2, "they do not run");
    if (by_stop) jobs.stop();
  }
  const auto why = co_await keeper.join();
  require(why.normal(), why.to_string());
  require(seen->running == 0, "the jobs have ended before their runs");
  require(seen->begun.size() == 2, "what was queued has begun");
}

TEST(ScheduledJobs, EndWhenTheirRunsHaveUnwound) {
  passes({.runs = 50}, [] { return end_while_running(true); });
  passes({.runs = 50}, [] { return end_while_running(false); });
}

TEST(ScheduledJobs, AStopOfTheSystemUnwindsWhatRuns) {
  const auto seen = std::make_shared<notes>();
  timed_system world;
  const scheduled_jobs jobs(world.sys);
  ASSERT_TRUE(jobs.add(often("a"), work, seen, duration(1h)));
  world.advance(1ms);
  world.advance(101ms); // timers may be a little late
  EXPECT_EQ(seen->running, 1);
  EXPECT_TRUE(world.sys.stop(5s).complete());
  EXPECT_EQ(seen->running, 0);
}

TEST(ScheduledJobs, AKillOfTheirActorCancelsWhatRuns) {
  const auto seen = std::make_shared<notes>();
  timed_system world;
  const scheduled_jobs jobs(world.sys);
  ASSERT_TRUE(jobs.add(often("a"), work, seen, duration(1h)));
  world.advance(1ms);
  world.advance(101ms);
  EXPECT_EQ(seen->running, 1);
  jobs.self().kill();
  (void)jobs.self().wait();
  (void)world.sys.run(settle);
  EXPECT_EQ(seen->running, 0);
  EXPECT_EQ(world.sys.live_actors(), 0u);
}

TEST(ScheduledJobs, ArgumentsAreTheSameForEachRun) {
  timed_system world;
  const scheduled_jobs jobs(world.sys);
  const auto n = std::make_shared<std::atomic<int>>(0);
  const auto hands_on = [n](const std::string& text) { return text == "as it was" ? counts(n) : throws(); };
  ASSERT_TRUE(jobs.add(often("a"), hands_on, std::string("as it was")));
  world.advance(1ms);
  for (int i = 0; i < 5; ++i) world.advance(101ms);
  EXPECT_EQ(n->load(), 5);
}

/// Both clocks in the hands of the test.
class two_clocks final : public clock {
public:
  time_point now() const noexcept override { return time_point(duration(now_.load())); }
  wall_time wall_now() const noexcept override { return wall_time(duration(now_.load() + ahead_.load())); }
  void advance(duration by) { now_ += by.count(); }
  void set_forward(duration by) { ahead_ += by.count(); }

private:
  std::atomic<std::int64_t> now_{duration(1h).count()};
  std::atomic<std::int64_t> ahead_{0};
};

TEST(ScheduledJobs, SeeAClockThatIsSetForwardWithinTheirLook) {
  two_clocks time;
  actor_system sys(quiet(1), {.time = &time});
  const scheduled_jobs jobs(sys, {.look_at_clock = 10s});
  const auto n = std::make_shared<std::atomic<int>>(0);
  ASSERT_TRUE(jobs.add({.name = "noon", .when = cron::parse("0 12 * * *").value()}, counts, n)); // it is 1:00
  (void)sys.run(settle);
  time.set_forward(11h - 1s);
  time.advance(9s);
  (void)sys.run(settle);
  EXPECT_EQ(n->load(), 0) << "not yet looked at";
  time.advance(1s + 1ms);
  (void)sys.run(settle);
  EXPECT_EQ(n->load(), 1);
}

#ifdef GREENROOM_HAS_SQLITE

task<result<job_info>> look_at(scheduled_jobs jobs, std::string name) { co_return co_await jobs.look(std::move(name)); }
task<result<job_info>> pause(scheduled_jobs jobs, std::string name) { co_return co_await jobs.pause(std::move(name)); }

task<result<job_info>> remove(scheduled_jobs jobs, std::string name) {
  co_return co_await jobs.remove(std::move(name));
}

/// Jobs on a disk that forgets, in time that the test moves.
struct DurableJobs : testing::Test {
  result<void> start() {
    sys.emplace(quiet(1), environment{.time = &time});
    auto opened = scheduled_jobs::open(*sys, "jobs", {}, disk.name());
    if (!opened) return opened.error();
    jobs.emplace(*std::move(opened));
    return jobs->add(spec, work, seen, length);
  }
  void stop() {
    jobs.reset();
    sys.reset();
  }
  void pass(duration by) {
    time.advance(by + 1ms); // timers may be a little late
    (void)sys->run(settle_with_disk);
  }
  /// Lets all others run until they wait, and for nothing that the disk will answer.
  static task<> settle_with_disk() {
    do co_await settle();
    while (others_go_on());
  }
  static bool others_go_on() {
    for (const auto& a : this_actor::system().actors()) {
      const bool goes_on = a.waits_for == "blocking" || a.waits_for.starts_with("nothing");
      if (goes_on && a.id != this_actor::id()) return true;
    }
    return false;
  }
  result<job_info> look() { return sys->run(look_at, *jobs, spec.name); }

  lossy_disk disk;
  two_clocks time;
  job_spec spec{.name = "a", .when = schedule::every(1h), .missed = missed_rule::all};
  duration length = 1s;
  shared_notes seen = std::make_shared<notes>();
  std::optional<actor_system> sys;
  std::optional<scheduled_jobs> jobs;
};

TEST_F(DurableJobs, GoOnAfterARestart) {
  ASSERT_TRUE(start());
  pass(1ms);
  pass(1h);
  while (look()->history.empty()) pass(1s); // it lasts so long from when the disk has answered
  stop();
  time.advance(2h);
  ASSERT_TRUE(start());
  pass(1ms);
  while (look()->history.size() < 3) pass(2s);
  const auto now = look();
  ASSERT_EQ(now->history.size(), 3u) << "the two that were missed, and the one before";
  EXPECT_EQ(now->runs, 3u);
  EXPECT_EQ(now->history[0].due - now->history[2].due, 2h);
}

TEST_F(DurableJobs, ACrashInterruptsWhatRuns) {
  spec.missed = missed_rule::skip;
  length = 100h;
  ASSERT_TRUE(start());
  pass(1ms);
  pass(1h);
  ASSERT_TRUE(look()->running);
  disk.crash_after(0);
  stop();
  disk.restore();
  ASSERT_TRUE(start());
  pass(1ms);
  const auto now = look();
  ASSERT_EQ(now->history.size(), 1u);
  EXPECT_EQ(now->history[0].outcome, run_outcome::interrupted);
  EXPECT_EQ(now->history[0].error, "the program ended while it ran");
  EXPECT_FALSE(now->running);
}

TEST_F(DurableJobs, ThePauseIsOnDiskWhenItIsAnswered) {
  ASSERT_TRUE(start());
  ASSERT_TRUE(sys->run(pause, *jobs, spec.name));
  disk.crash_after(0);
  stop();
  disk.restore();
  ASSERT_TRUE(start());
  EXPECT_TRUE(look()->paused);
}

TEST_F(DurableJobs, NoRunBeginsUnwritten) {
  ASSERT_TRUE(start());
  pass(1ms);
  disk.fail_flushes(true);
  pass(1h);
  EXPECT_EQ(seen->begun.size(), 0u);
  const auto failed = look();
  ASSERT_EQ(failed->history.size(), 1u);
  EXPECT_EQ(failed->history[0].error.find("it was not begun, as that could not be written down: cannot "), 0u)
      << failed->history[0].error;
  EXPECT_FALSE(sys->run(pause, *jobs, spec.name)) << "an order is not done before it is written";
  disk.fail_flushes(false);
  pass(1ms);
  EXPECT_TRUE(sys->run(pause, *jobs, spec.name)) << "it has opened its file anew";
}

TEST_F(DurableJobs, EachTimeIsWorkedForWheneverItCrashes) {
  spec.history = 100;
  spec.overlap = overlap_rule::queue;
  spec.queue = 100;
  bool crashed = true;
  for (int point = 1; crashed; ++point) {
    disk.crash_after(point);
    const auto live = [this](int hours) {
      if (!start()) return std::vector<job_run>(); // the power fails meanwhile
      pass(1ms);
      for (int i = 0; i < hours; ++i) {
        pass(1h - 2s);
        pass(1s);
        pass(1s);
      }
      pass(2s);
      auto last = look();
      stop();
      if (last && last->running) last->history.push_back(*last->running);
      return last ? last->history : std::vector<job_run>();
    };
    (void)live(4);
    stop();
    crashed = disk.crashed();
    disk.restore();
    const auto history = live(4);
    ASSERT_FALSE(history.empty());
    std::set<wall_time> ended;
    for (const auto& run : history) {
      EXPECT_NE(run.outcome, run_outcome::failed) << "crash at change " << point << ": " << run.error;
      if (run.outcome == run_outcome::succeeded) ended.insert(std::chrono::round<std::chrono::hours>(run.due));
    }
    ASSERT_FALSE(ended.empty());
    EXPECT_EQ(ended.size(), static_cast<std::size_t>((*ended.rbegin() - *ended.begin()) / 1h) + 1)
        << "crash at change " << point << ": a time has no run that succeeded";
    EXPECT_GE(history.size(), seen->begun.size()) << "crash at change " << point << ": a run has begun unwritten";
    // Anew for the next one.
    ASSERT_TRUE(start());
    (void)sys->run(remove, *jobs, spec.name);
    pass(1ms);
    stop();
    seen->begun.clear();
  }
}

TEST_F(DurableJobs, SayWhatIsWrongWithAFile) {
  sys.emplace(quiet(1), environment{.time = &time});
  ASSERT_TRUE(open_sqlite_journal("jobs", disk.name()));
  EXPECT_EQ(scheduled_jobs::open(*sys, "jobs", {}, disk.name()).error().message(),
            "cannot use 'jobs': it is a database, but not one of jobs of this version; name another file");
  const auto missing = scheduled_jobs::open(*sys, "no/such/folder/jobs.db");
  EXPECT_EQ(missing.error().message().find("cannot open 'no/such/folder/jobs.db': "), 0u) << missing.error().message();
}

#endif

} // namespace
} // namespace greenroom::scheduled_jobs_test
