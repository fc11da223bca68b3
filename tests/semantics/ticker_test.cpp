// Go's cases for tickers, in time that the test moves. Source: go/src/time/tick_test.go and sleep_test.go, as facts.
#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::ticker_test {
namespace {

using namespace go_kit;

constexpr auto one_tick = 66us; // what a timer may be late

/// Notes in milliseconds since its start when each tick was due; a period that comes in is the new one.
task<> tick(duration period, mailbox<duration> periods, std::vector<long>* due) {
  const auto start = this_actor::system().now();
  ticker every(period);
  for (;;) {
    auto s = co_await select(at(every.next()), periods.receive());
    if (s.index() == 0) {
      const auto when = co_await every.tick();
      due->push_back((when - start) / 1ms);
    } else {
      if (!s.get<1>()) co_return;
      every.reset(*s.get<1>());
    }
  }
}

struct ticking {
  explicit ticking(duration period) : who(t.sys.spawn(tick, period, ends.in, &due)) { (void)t.sys.run(settle); }
  /// Moves time on in small steps, so that nothing is late.
  void pass(duration span) {
    for (auto left = span / 1ms; left > 0; --left) t.advance(1ms);
    t.advance(one_tick);
  }

  timed_system t;
  mailbox_ends<duration> ends = make_mailbox<duration>(bounded(1));
  std::vector<long> due;
  actor who;
};

// Go: time TestTicker, TestTick, TestAfterTick
TEST(GoTime, TenTicksTakeTenPeriods) {
  ticking k(100ms);
  k.pass(999ms);
  EXPECT_EQ(k.due.size(), 9U);
  k.pass(1ms);
  EXPECT_EQ(k.due, (std::vector<long>{100, 200, 300, 400, 500, 600, 700, 800, 900, 1'000}));
}

// Go: time TestTicker
TEST(GoTime, TickerTicksAtItsNewPeriodFromItsResetOn) {
  ticking k(20ms);
  k.pass(50ms);
  EXPECT_EQ(k.due, (std::vector<long>{20, 40}));
  EXPECT_TRUE(k.ends.out.try_send(40ms)); // at 50
  (void)k.t.sys.run(settle);
  k.pass(100ms);
  EXPECT_EQ(k.due, (std::vector<long>{20, 40, 90, 130}));
  EXPECT_TRUE(k.ends.out.try_send(10ms)); // at 150
  (void)k.t.sys.run(settle);
  k.pass(25ms);
  EXPECT_EQ(k.due, (std::vector<long>{20, 40, 90, 130, 160, 170}));
}

// Go: time TestTicker
TEST(GoTime, NoTickComesAfterItsActorWasStopped) {
  ticking k(20ms);
  k.pass(50ms);
  k.who.cancel();
  (void)k.t.sys.run(settle);
  EXPECT_EQ(k.t.sys.live_timers(), 0U);
  k.pass(100ms);
  EXPECT_EQ(k.due, (std::vector<long>{20, 40}));
}

task<> tick_slowly(mailbox<int> permits, std::vector<long>* due) {
  const auto start = this_actor::system().now();
  ticker every(10ms);
  while (const auto permit = co_await permits.receive()) {
    const auto when = co_await every.tick();
    due->push_back((when - start) / 1ms);
  }
}

// Go: time Ticker "drops ticks to make up for slow receivers"
TEST(GoTime, SlowReceiverLosesTicksAndKeepsTheGrid) {
  timed_system t;
  auto [permits, permit] = make_mailbox<int>(unbounded());
  std::vector<long> due;
  (void)t.sys.spawn(tick_slowly, permits, &due);
  (void)t.sys.run(settle);
  t.advance(75ms); // seven ticks that nobody takes
  EXPECT_TRUE(permit.try_send(1));
  (void)t.sys.run(settle);
  EXPECT_EQ(due, (std::vector<long>{10})) << "one was kept";
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(permit.try_send(1));
  (void)t.sys.run(settle);
  EXPECT_EQ(due.size(), 1U) << "the others are lost";
  t.advance(5ms + one_tick);
  t.advance(10ms);
  EXPECT_EQ(due, (std::vector<long>{10, 80, 90}));
}

task<> make_and_drop_tickers() {
  for (int i = 0; i < 1'000; ++i) {
    ticker every(1h);
    auto s = co_await select(at(every.next()), otherwise());
    EXPECT_EQ(s.index(), 1U);
  }
}

// Go: time TestTeardown
TEST(GoTime, TickersThatAreDroppedLeaveNoTimer) {
  timed_system t;
  EXPECT_TRUE(t.sys.run(make_and_drop_tickers));
  EXPECT_EQ(t.sys.live_timers(), 0U);
  for (int i = 0; i < 100; ++i) {
    ticking k(1h);
    EXPECT_EQ(k.t.sys.live_timers(), 1U);
    k.ends.out = {};
    k.who.wait();
    EXPECT_EQ(k.t.sys.live_timers(), 0U);
  }
}

// Go: time TestOverflowPeriodRuntimeTimer
TEST(GoTime, PeriodTooLongForTheClockNeverTicks) {
  ticking k(duration::max());
  k.t.advance(24h * 365 * 100);
  EXPECT_TRUE(k.due.empty());
  EXPECT_FALSE(k.who.finished());
}

task<> reset_to(duration period, bool* refused) {
  ticker every(1h);
  try {
    every.reset(period);
  } catch (const usage_error&) {
    *refused = true;
  }
  co_return;
}

// Go: time TestNewTickerLtZeroDuration, TestTickerResetLtZeroDuration, TestTick
TEST(GoTime, PeriodThatIsNotPositiveIsAUsageError) {
  timed_system t;
  for (const auto period : {duration(0), duration(-1), duration::min()}) {
    EXPECT_THROW((void)ticker(period), usage_error);
    bool refused = false;
    EXPECT_TRUE(t.sys.run(reset_to, period, &refused));
    EXPECT_TRUE(refused);
  }
}

} // namespace
} // namespace greenroom::ticker_test
