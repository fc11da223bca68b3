// Go's cases for sleeping, timers and tickers, in time that the test moves. Source: go/src/time/sleep_test.go and tick_test.go, as
// facts. A timer of Go's is here an actor that sleeps, a case of a select, or the deadline of a context.
#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/context.hpp>
#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::time_test {
namespace {

using namespace go_kit;

constexpr auto one_tick = 66us; // what a timer may be late

task<> sleep_and_note(duration span, std::vector<int>* log, int me) {
  co_await sleep_for(span);
  log->push_back(me);
}

// -- sleeping ---------------------------------------------------------------------------------------

// Go: time TestSleep
TEST(GoTime, SleepEndsAfterItsSpanNeverBefore) {
  timed_system t;
  const auto seed = from_environment("STRESS_SEED", random_seed());
  SCOPED_TRACE(testing::Message() << "STRESS_SEED=" << seed);
  xoshiro random(seed);
  for (int i = 0; i < 300; ++i) {
    const duration span(1 + random.below(std::uint64_t{1} << (1 + i % 40))); // from nanoseconds to minutes
    std::vector<int> log;
    const auto sleeper = t.sys.spawn(sleep_and_note, span, &log, i);
    await_wait(t.sys, sleeper, "sleep");
    t.advance(span - 1ns);
    ASSERT_TRUE(log.empty()) << "woke early from " << span.count() << " ns";
    t.advance(one_tick);
    ASSERT_EQ(log.size(), 1U) << "did not wake from " << span.count() << " ns";
  }
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

task<> wait_in_select(duration span, std::vector<int>* log, int me) {
  mailbox<int> none;
  auto s = co_await select(none.receive(), after(span));
  EXPECT_EQ(s.index(), 1U);
  log->push_back(me);
}

// Go: time TestAfter
TEST(GoTime, AfterWinsASelectAtItsTimeNeverBefore) {
  timed_system t;
  std::vector<int> log;
  await_wait(t.sys, t.sys.spawn(wait_in_select, duration(100ms), &log, 1), "select");
  t.advance(100ms - 1ns);
  EXPECT_TRUE(log.empty());
  t.advance(one_tick);
  EXPECT_EQ(log.size(), 1U);
}

task<> sleep_and_start_the_next(int left, int* ended) {
  co_await sleep_for(1ms);
  ++*ended;
  if (left > 1) spawn(sleep_and_start_the_next, left - 1, ended);
}

// Go: time TestAfterFunc
TEST(GoTime, ChainOfTimersThatStartEachOtherComesToItsEnd) {
  timed_system t;
  int ended = 0;
  (void)t.sys.spawn(sleep_and_start_the_next, 10, &ended);
  (void)t.sys.run(settle);
  for (int i = 1; i <= 10; ++i) {
    t.advance(1ms + one_tick);
    EXPECT_EQ(ended, i);
  }
  EXPECT_EQ(t.sys.live_actors(), 0U);
}

task<> sleep_often(std::uint64_t seed, int* early, int times) {
  xoshiro random(seed);
  for (int i = 0; i < times; ++i) {
    const auto due = this_actor::system().now() + duration(random.below(200'000));
    co_await sleep_until(due);
    *early += this_actor::system().now() < due;
  }
}
task<> keep_the_worker_busy(std::atomic<bool>* enough) {
  while (!*enough) {
    const auto garbage = std::make_unique<std::vector<int>>(100);
    co_await yield();
  }
}

// Go: time TestAfterStress
TEST(GoTime, ShortSleepsEndWhileTheWorkerIsBusy) {
  timed_system t;
  std::atomic<bool> enough = false;
  int early = 0;
  const auto busy = t.sys.spawn(keep_the_worker_busy, &enough);
  std::vector<actor> sleepers;
  for (std::uint64_t i = 0; i < 100; ++i) sleepers.push_back(t.sys.spawn(sleep_often, i, &early, 20));
  for (const auto& a : sleepers) {
    while (!a.finished()) t.time.advance(10us);
    EXPECT_TRUE(a.wait().normal());
  }
  enough = true;
  busy.wait();
  EXPECT_EQ(early, 0);
}

// Go: time TestAfterQueuing
TEST(GoTime, SleepersWakeInTheOrderOfTheirTimes) {
  const std::vector<int> slots{5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
  for (auto* const wait : {sleep_and_note, wait_in_select}) {
    timed_system t;
    std::vector<int> log;
    for (const int slot : slots) (void)t.sys.spawn(wait, duration(slot * 10ms), &log, slot);
    (void)t.sys.run(settle);
    for (int i = 0; i < 10; ++i) t.advance(10ms); // of those that are due at the same time any may run first
    EXPECT_EQ(log, (std::vector<int>{0, 1, 1, 2, 3, 4, 5, 6, 6, 6, 7, 8, 9}));
  }
}

task<> start_and_sleep_for_nothing(int times) {
  for (int i = 0; i < times; ++i) {
    spawn([]() -> task<> { co_await sleep_for(0s); });
    co_await sleep_for(0ns);
  }
}

// Go: time TestSleepZeroDeadlock
TEST(GoTime, SleepsOfNoLengthBesideSpawnsDoNotDeadlock) {
  actor_system sys(quiet(4));
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) all.push_back(sys.spawn(start_and_sleep_for_nothing, 1'000));
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
}

// Go: time TestOverflowSleep
TEST(GoTime, SpanTooLongForTheClockIsForEverAndANegativeOneIsOver) {
  using real_seconds = std::chrono::duration<double>;
  timed_system t;
  std::vector<int> log;
  const auto c = t.sys.context().with_cancel();
  const spawn_options how{.ctx = c.ctx};
  (void)t.sys.spawn(how, sleep_and_note, duration::max(), &log, 1);
  (void)t.sys.spawn(how, wait_in_select, duration::max() - 1ns, &log, 2);
  (void)t.sys.spawn(how, []() -> task<> { co_await sleep_for(std::chrono::hours::max()); });
  (void)t.sys.spawn(how, []() -> task<> { co_await sleep_for(real_seconds(1e300)); });
  (void)t.sys.run(settle);
  t.advance(24h * 365 * 100);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(t.sys.live_actors(), 4U);
  for (const auto past : {duration(-1ns), duration::min()}) {
    (void)t.sys.spawn(sleep_and_note, past, &log, 3);
    (void)t.sys.spawn(wait_in_select, past, &log, 4);
  }
  (void)t.sys.run(settle);
  EXPECT_EQ(log.size(), 4U);
  c.cancel();
}

// -- stopping ---------------------------------------------------------------------------------------

// Go: time TestAfterStop
TEST(GoTime, StoppedTimerNeverFiresAndASecondStopSaysSo) {
  timed_system t;
  int fired = 0;
  const auto later = t.sys.context().with_timeout(100ms);
  const auto sooner = t.sys.context().with_timeout(50ms);
  auto call = later.after_func([&fired] { ++fired; });
  auto other = sooner.after_func([&fired] { fired += 10; });
  std::vector<int> log;
  const auto sleeper = t.sys.spawn(sleep_and_note, duration(70ms), &log, 1);
  await_wait(t.sys, sleeper, "sleep");
  EXPECT_TRUE(call.stop());
  EXPECT_FALSE(call.stop());
  sleeper.cancel();
  sleeper.cancel();
  t.advance(200ms);
  EXPECT_EQ(fired, 10) << "only the one that was not stopped";
  EXPECT_FALSE(other.stop()) << "too late";
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

// Go: time TestTimerStopStress
TEST(GoTime, HundredTimersStoppedAtHalfTimeNeverFire) {
  timed_system t;
  std::vector<int> log;
  std::vector<actor> sleepers;
  for (int i = 0; i < 100; ++i) {
    sleepers.push_back(t.sys.spawn(i % 2 == 0 ? sleep_and_note : wait_in_select, duration(2s), &log, i));
  }
  t.advance(1s);
  EXPECT_EQ(t.sys.live_timers(), 100U);
  for (const auto& a : sleepers) a.cancel();
  (void)t.sys.run(settle);
  EXPECT_EQ(t.sys.live_timers(), 0U);
  t.advance(2s);
  EXPECT_TRUE(log.empty());
}

// Go: time TestIssue5745
// Differs: a panic in a timer's function ends Go's process; here it ends one actor, and the other timers fire.
TEST(GoTime, SleeperThatThrowsStopsNoOtherTimer) {
  timed_system t;
  std::vector<int> log;
  const auto throwing = t.sys.spawn([]() -> task<> {
    co_await sleep_for(1ms);
    throw std::runtime_error("in a timer");
  });
  for (const auto span : {1ms, 2ms}) (void)t.sys.spawn(sleep_and_note, duration(span), &log, 1);
  (void)t.sys.run(settle);
  t.advance(2ms + one_tick);
  EXPECT_EQ(throwing.wait().kind(), exit_kind::failed);
  EXPECT_EQ(log.size(), 2U);
}

// -- resetting --------------------------------------------------------------------------------------

/// A timer that can be set anew: fires at the time it was told last, and once only.
task<> be_a_timer(mailbox<time_point> told, int* fired) {
  time_point due = never;
  for (;;) {
    auto s = co_await select(told.receive(), at(due));
    if (s.index() == 0) {
      if (!s.get<0>()) co_return;
      due = *s.get<0>();
    } else {
      EXPECT_GE(this_actor::system().now(), due);
      ++*fired;
      due = never;
    }
  }
}

struct resettable {
  explicit resettable(timed_system& t) : system(&t) { (void)t.sys.spawn(be_a_timer, ends.in, &fired); }
  void reset(duration span) {
    EXPECT_TRUE(ends.out.try_send(span == duration::max() ? never : system->time.now() + span));
    (void)system->sys.run(settle);
  }
  void stop() { reset(duration::max()); }

  timed_system* system;
  mailbox_ends<time_point> ends = make_mailbox<time_point>(bounded(1));
  int fired = 0;
};

// Go: time TestReset
TEST(GoTime, TimerSetAnewFiresAtItsNewTimeOnly) {
  timed_system t;
  resettable timer(t);
  timer.reset(20ms);
  t.advance(10ms);
  timer.reset(30ms);
  t.advance(20ms);
  EXPECT_EQ(timer.fired, 0) << "at its old time";
  t.advance(10ms + one_tick);
  EXPECT_EQ(timer.fired, 1);
  timer.reset(5ms); // after it has fired it can be used again
  t.advance(5ms + one_tick);
  EXPECT_EQ(timer.fired, 2);
}

// Go: time TestTimerModifiedEarlier
TEST(GoTime, TimerSetToAnEarlierTimeFiresThenHoweverManyAreDueLater) {
  timed_system t;
  std::vector<int> log;
  const auto c = t.sys.context().with_cancel();
  for (int i = 0; i < 50; ++i) (void)t.sys.spawn({.ctx = c.ctx}, sleep_and_note, duration(1h + i * 1s), &log, i);
  resettable timer(t);
  timer.reset(2h);
  t.advance(10ms);
  timer.reset(10ms);
  t.advance(10ms + one_tick);
  EXPECT_EQ(timer.fired, 1);
  EXPECT_TRUE(log.empty());
  c.cancel();
}

// Go: time TestAdjustTimers
TEST(GoTime, StormOfStopsAndResetsFiresEachTimerAtItsLastTimeOnce) {
  timed_system t;
  const auto seed = from_environment("STRESS_SEED", random_seed());
  SCOPED_TRACE(testing::Message() << "STRESS_SEED=" << seed);
  xoshiro random(seed);
  std::vector<std::unique_ptr<resettable>> timers;
  for (int i = 0; i < 100; ++i) timers.push_back(std::make_unique<resettable>(t));
  // Times on a grid of 1 ms, looked at between its points: no doubt about who is due.
  std::vector<std::int64_t> due(timers.size(), std::numeric_limits<std::int64_t>::max());
  std::vector<int> expected(timers.size());
  const auto start = t.time.now();
  t.time.advance(500us);
  for (std::int64_t now = 0; now < 500; ++now) {
    for (auto changes = random.below(10); changes > 0; --changes) {
      const auto i = random.below(timers.size());
      due[i] = random.below(4) == 0 ? std::numeric_limits<std::int64_t>::max()
                                    : now + 1 + static_cast<std::int64_t>(random.below(50));
      const auto when = due[i] == std::numeric_limits<std::int64_t>::max() ? never : start + due[i] * 1ms;
      ASSERT_TRUE(timers[i]->ends.out.try_send(when));
      (void)t.sys.run(settle);
    }
    t.advance(1ms);
    for (std::size_t i = 0; i < timers.size(); ++i) {
      if (due[i] <= now + 1) {
        ++expected[i];
        due[i] = std::numeric_limits<std::int64_t>::max();
      }
      ASSERT_EQ(timers[i]->fired, expected[i]) << "timer " << i << " at " << now + 1 << " ms";
    }
  }
}

} // namespace
} // namespace greenroom::time_test
