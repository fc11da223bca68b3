#include <greenroom/actors/schedule.hpp>

#include <string>

#include <gtest/gtest.h>

namespace greenroom::schedule_test {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

std::string read(const char* text) {
  const auto made = schedule::parse(text);
  return made ? made->text() : std::string(made.error().message());
}
duration since(year_month_day day, duration time = 0s) { return (sys_days(day) + time).time_since_epoch(); }
schedule by(const char* text) { return schedule::parse(text).value(); }

TEST(Schedule, SaysWhatItReads) {
  for (const char* text :
       {"every 100ms", "every 5min", "every 1h", "at 2026-11-27T08:30:00Z", "at 2026-11-27T08:30:00.250Z",
        "at 1969-12-31T23:59:59.999Z", "cron 30 2 * * MON-FRI", "cron @daily"})
    EXPECT_EQ(read(text), text);
  EXPECT_EQ(read("every 60s"), "every 1min");
}

TEST(Schedule, SaysWhatIsWrong) {
  EXPECT_EQ(
      read("every day"),
      "cannot read the schedule 'every day': 'day' is not a duration such as 500ms, 2s, 5min or 1h; a schedule is "
      "'every 5min', 'at 2026-11-27T08:30:00Z', 'cron 30 2 * * *' or 'cron 30 2 * * * in Europe/Berlin'");
  EXPECT_NE(read("cron 60 * * * *").find("the minute of a cron expression must be"), std::string::npos);
  for (const char* text :
       {"", "every", "every 0s", "every -1s", "every 9223372036854775807ms", "at", "at noon", "at 2026-02-30T00:00:00Z",
        "at 2026-11-27T24:00:00Z", "at 2026-11-27T08:30:00", "at 2026-11-27 08:30:00Z", "at 1677-11-27T08:30:00Z",
        "at 2262-01-01T00:00:00Z", "cron", "Every 1s", "every  1s", "at 2026-11-27T08:30:00.25Z"})
    EXPECT_FALSE(schedule::parse(text)) << text;
  EXPECT_THROW(schedule::every(0ms), usage_error);
}

TEST(Schedule, ComesOnAGridByThePeriod) {
  const auto grid = schedule::every(100ms);
  EXPECT_FALSE(grid.by_wall_clock());
  EXPECT_EQ(grid.next(0ms), 100ms) << "behind, not at";
  EXPECT_EQ(grid.next(99ms), 100ms);
  EXPECT_EQ(grid.next(100ms), 200ms);
  EXPECT_EQ(grid.next(-1ns), 0ms);
  EXPECT_EQ(grid.next(-100ms), 0ms);
  EXPECT_EQ(grid.next(duration::max()), duration::max());
  using times = std::vector<duration>;
  EXPECT_EQ(grid.last(0ms, 350ms, 2), (times{200ms, 300ms}));
  EXPECT_EQ(grid.last(0ms, 350ms, 9), (times{100ms, 200ms, 300ms}));
  EXPECT_EQ(grid.last(300ms, 399ms, 9), times{});
  EXPECT_EQ(grid.last(-300ms, -200ms, 9), times{-200ms});
}

TEST(Schedule, ComesOnceAtATime) {
  const auto once = by("at 2026-11-27T08:30:00Z");
  const auto when = since(2026y / 11 / 27, 8h + 30min);
  EXPECT_TRUE(once.by_wall_clock() && once.once());
  EXPECT_EQ(once.next(when - 1ns), when);
  EXPECT_EQ(once.next(when), duration::max());
  EXPECT_EQ(once.last(0s, when, 5), std::vector<duration>{when});
  EXPECT_TRUE(once.last(when, when + 1h, 5).empty());
}

TEST(Schedule, FindsTheLastTimesOfACalendarHoweverOftenItComes) {
  const auto day = 2026y / 11 / 27;
  const auto now = since(day, 12h + 30s);
  const auto hourly = by("cron 0 * * * *").last(since(2000y / 1 / 1), now, 3);
  EXPECT_EQ(hourly, (std::vector<duration>{since(day, 10h), since(day, 11h), since(day, 12h)}));
  const auto each_second = by("cron * * * * * *").last(0s, now, 2);
  EXPECT_EQ(each_second, (std::vector<duration>{now - 1s, now}));
  const auto leap_days = by("cron 0 0 29 2 *").last(since(1990y / 1 / 1), now, 3);
  EXPECT_EQ(leap_days, (std::vector<duration>{since(2016y / 2 / 29), since(2020y / 2 / 29), since(2024y / 2 / 29)}));
  EXPECT_EQ(by("cron 0 12 * * *").last(now - 1h, now, 5), std::vector<duration>{since(day, 12h)});
  EXPECT_TRUE(by("cron 0 12 * * *").last(since(day, 12h), now, 5).empty());
}

} // namespace
} // namespace greenroom::schedule_test
