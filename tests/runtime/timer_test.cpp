#include <greenroom/runtime/timer.hpp>

#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/context.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::timer_test {
namespace {

using namespace test;

task<> nap(duration span, std::vector<int>* log, int me) {
  co_await sleep_for(span);
  log->push_back(me);
}

TEST(Sleep, WakesAfterItsTimeAndNeverEarly) {
  timed_system t;
  std::vector<int> log;
  const auto a = t.sys.spawn(nap, duration(10ms), &log, 1);
  await_wait(t.sys, a, "sleep");
  t.advance(10ms - 1ns);
  EXPECT_TRUE(log.empty());
  t.advance(66us); // a tick
  EXPECT_EQ(log, std::vector<int>{1});
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Sleep, NeverWakesEarlyByTheRealClock) {
  actor_system sys(quiet(2));
  const auto early = sys.run([]() -> task<int> {
    int n = 0;
    for (int i = 0; i < 50; ++i) {
      const auto due = real_clock().now() + i * 20us;
      co_await sleep_until(due);
      n += real_clock().now() < due;
    }
    co_return n;
  });
  EXPECT_EQ(early.value(), 0);
}

TEST(Sleep, SleepersWakeInTheOrderOfTheirTimes) {
  timed_system t;
  std::vector<int> log;
  const std::vector<int> times{3, 1, 4, 7, 5, 2, 6};
  for (const int ms : times) (void)t.sys.spawn(nap, duration(ms * 1ms), &log, ms);
  (void)t.sys.run(settle);
  EXPECT_EQ(t.sys.live_timers(), 7u);
  for (int i = 0; i < 8; ++i) t.advance(1ms);
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 4, 5, 6, 7}));
}

TEST(Sleep, TimeThatHasPassedOnlyLetsOthersRun) {
  one_worker sys;
  const auto ok = sys.run([]() -> task<> {
    bool other_ran = false;
    spawn([](bool* f) -> task<> { co_return void(*f = true); }, &other_ran);
    co_await sleep_for(-1s);
    EXPECT_TRUE(other_ran);
    co_await sleep_until(time_point::min());
  });
  EXPECT_TRUE(ok);
}

TEST(Sleep, CancelledEndsAtOnce) {
  timed_system t;
  std::vector<int> log;
  EXPECT_EQ(cancel_in(t.sys, t.sys.spawn(nap, duration(1h), &log, 1), "sleep").kind(), exit_kind::cancelled);
  EXPECT_EQ(t.sys.live_timers(), 0u);
  EXPECT_TRUE(log.empty());
}

TEST(Sleep, CancelledBeforeItBeginsDoesNotSleep) {
  one_worker sys;
  const auto a = sys.spawn([]() -> task<> {
    this_actor::self().cancel(errc::limit);
    co_await sleep_until(never);
  });
  EXPECT_EQ(a.wait().why().code(), errc::limit);
}

TEST(Sleep, KilledDisarmsItsTimer) {
  timed_system t;
  std::vector<int> log;
  EXPECT_EQ(kill_in(t.sys, t.sys.spawn(nap, duration(1h), &log, 1), "sleep").kind(), exit_kind::killed);
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Sleep, OverflowingSpanIsForEver) {
  timed_system t;
  const auto a = t.sys.spawn([]() -> task<> { co_await sleep_for(std::chrono::hours::max()); });
  await_wait(t.sys, a, "sleep");
  t.advance(24h * 365);
  EXPECT_FALSE(a.finished());
  a.cancel();
  a.wait();
}

// Source: Go's TestTimerStopStress: a hundred timers stopped at half time, none fires.
TEST(Sleep, ManyCancelledAtHalfTimeNeverWake) {
  timed_system t;
  std::vector<int> log;
  const auto c = t.sys.context().with_cancel();
  for (int i = 0; i < 100; ++i) (void)t.sys.spawn(spawn_options{.ctx = c.ctx}, nap, duration(2s), &log, i);
  t.advance(1s);
  EXPECT_EQ(t.sys.live_timers(), 100u);
  c.cancel();
  t.advance(2s);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

// -- ticker ---------------------------------------------------------------------------------------------

/// Notes in milliseconds since its start when each tick was due.
task<> tick(missed_ticks rule, std::vector<long>* due) {
  const auto start = this_actor::system().now();
  ticker every(10ms, rule);
  for (;;) {
    const auto when = co_await every.tick();
    due->push_back((when - start) / 1ms);
  }
}

std::vector<long> ticks_after_a_pause(missed_ticks rule) {
  timed_system t;
  std::vector<long> due;
  (void)t.sys.spawn(tick, rule, &due);
  (void)t.sys.run(settle);
  t.advance(11ms); // 11: on time
  t.advance(34ms); // 45: the ticks at 20, 30, 40 are past
  t.advance(6ms);  // 51
  t.advance(5ms);  // 56
  t.advance(5ms);  // 61
  return due;
}

TEST(Ticker, SkipLosesMissedTicksAndKeepsTheGrid) {
  EXPECT_EQ(ticks_after_a_pause(missed_ticks::skip), (std::vector<long>{10, 20, 50, 60}));
}

TEST(Ticker, BurstDeliversEachMissedTick) {
  EXPECT_EQ(ticks_after_a_pause(missed_ticks::burst), (std::vector<long>{10, 20, 30, 40, 50, 60}));
}

TEST(Ticker, DelayStartsTheRhythmAnewFromTheLateTick) {
  EXPECT_EQ(ticks_after_a_pause(missed_ticks::delay), (std::vector<long>{10, 20, 55}));
}

TEST(Ticker, CancelledUsesNoTickUp) {
  timed_system t;
  std::vector<long> due;
  const auto a = t.sys.spawn(tick, missed_ticks::skip, &due);
  EXPECT_EQ(cancel_in(t.sys, a, "sleep").kind(), exit_kind::cancelled);
  EXPECT_TRUE(due.empty());
  EXPECT_EQ(t.sys.live_timers(), 0u);
}

TEST(Ticker, ResetStartsANewRhythm) {
  timed_system t;
  ticker every(10ms);
  std::vector<long> due;
  const auto loop = [](ticker* e, std::vector<long>* log, int times) -> task<> {
    const auto start = this_actor::system().now();
    for (int i = 0; i < times; ++i) {
      const auto when = co_await e->tick();
      log->push_back((when - start) / 1ms);
    }
  };
  (void)t.sys.run([](ticker* e) -> task<> { co_return e->reset(30ms); }, &every);
  const auto a = t.sys.spawn(loop, &every, &due, 2);
  (void)t.sys.run(settle);
  t.advance(29ms);
  EXPECT_TRUE(due.empty());
  t.advance(2ms);
  t.advance(30ms);
  a.wait();
  EXPECT_EQ(due, (std::vector<long>{30, 60}));
}

TEST(Ticker, PeriodMustBePositive) {
  EXPECT_THROW(ticker(0ms), usage_error);
  EXPECT_THROW(ticker(-1ms), usage_error);
  ticker good(1ms);
  try {
    good.reset(0ns);
    ADD_FAILURE() << "accepted";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(), "ticker: the period must be positive, not 0 ns");
  }
}

TEST(Ticker, IsOneCaseOfASelect) {
  timed_system t;
  auto [in, out] = make_mailbox<int>(rendezvous());
  int ticks = 0;
  int items = 0;
  const auto a = t.sys.spawn(
      [](mailbox<int> box, int* n, int* m) -> task<> {
        ticker every(10ms);
        for (;;) {
          auto s = co_await select(at(every.next()), box.receive());
          if (s.index() == 0) {
            co_await every.tick();
            ++*n;
          } else if (s.get<1>()) {
            ++*m;
          } else {
            co_return;
          }
        }
      },
      in, &ticks, &items);
  await_wait(t.sys, a, "select");
  EXPECT_TRUE(out.try_send(1));
  for (int i = 0; i < 5; ++i) t.advance(10ms + 66us);
  out = {};
  a.wait();
  EXPECT_EQ(ticks, 5);
  EXPECT_EQ(items, 1);
}

} // namespace
} // namespace greenroom::timer_test
