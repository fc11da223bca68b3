#include <greenroom/actors/cron.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fmt/chrono.h>

namespace greenroom::cron_test {
namespace {

using namespace std::chrono;

sys_seconds utc(year_month_day day, int h = 0, int m = 0, int s = 0) {
  return sys_days(day) + hours(h) + minutes(m) + seconds(s);
}
std::string shown(sys_seconds t) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(t.time_since_epoch().count()));
}
std::string next(const char* text, sys_seconds after, const char* zone = "UTC") {
  const auto made = cron::parse(text, zone);
  return made ? shown(made->next(after)) : std::string(made.error().message());
}

TEST(Cron, ComesAtWhatItsFieldsName) {
  const auto friday = utc(2026y / 11 / 27, 8, 30);
  EXPECT_EQ(next("* * * * *", friday), "2026-11-27 08:31:00");
  EXPECT_EQ(next("*/20 * * * *", friday), "2026-11-27 08:40:00");
  EXPECT_EQ(next("30 8 * * *", friday), "2026-11-28 08:30:00") << "behind, not at";
  EXPECT_EQ(next("0 9-17/4 * * *", friday), "2026-11-27 09:00:00");
  EXPECT_EQ(next("5,10 22 * * mon-wed", friday), "2026-11-30 22:05:00");
  EXPECT_EQ(next("0 0 1 JAN,jul *", friday), "2027-01-01 00:00:00");
  EXPECT_EQ(next("0 0 29 2 *", friday), "2028-02-29 00:00:00");
  EXPECT_EQ(next("0 0 * * 7", friday), next("0 0 * * SUN", friday));
  EXPECT_EQ(next("15 30 8 * * *", friday), "2026-11-27 08:30:15");
  EXPECT_EQ(next("*/10 * * * * ?", friday), "2026-11-27 08:30:10");
  EXPECT_EQ(next("50/5 * * * *", friday), "2026-11-27 08:50:00");
  EXPECT_EQ(next("@monthly", friday), "2026-12-01 00:00:00");
  EXPECT_EQ(next(" 0  12\t* * * ", friday), "2026-11-27 12:00:00");
}

TEST(Cron, TakesEitherDayWhereBothAreGiven) {
  const auto friday = utc(2026y / 11 / 27);
  EXPECT_EQ(next("0 12 1 * TUE", friday), "2026-12-01 12:00:00");
  EXPECT_EQ(next("0 12 13 * FRI", friday), "2026-11-27 12:00:00");
  EXPECT_EQ(next("0 12 */2 * FRI", friday), "2026-11-27 12:00:00") << "a * is no restriction: both must hold";
  EXPECT_EQ(next("0 12 */2 * SAT", friday), "2026-12-05 12:00:00");
}

TEST(Cron, SaysWhatIsWrong) {
  const auto why = [](const char* text, const char* zone = "UTC") {
    return std::string(cron::parse(text, zone).error().message());
  };
  EXPECT_NE(why("60 * * * *").find("the minute of a cron expression must be *, values from 0 to 59"), std::string::npos)
      << why("60 * * * *");
  EXPECT_NE(why("* * * FOO *").find("or JAN and so on"), std::string::npos);
  for (const char* text : {"",
                           "*",
                           "* * * *",
                           "* * * * * * *",
                           "-1 * * * *",
                           "5-1 * * * *",
                           "*/0 * * * *",
                           "*/99 * * * *",
                           "1, * * * *",
                           "1- * * * *",
                           "a * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 13 *",
                           "* * * * 8",
                           "+5 * * * *",
                           "1/ * * * *",
                           "@never",
                           "** * * * *",
                           "1-2-3 * * * *"})
    EXPECT_TRUE(cron::parse(text).error().is(errc::parse)) << text;
  EXPECT_NE(why("0 0 30 2 *").find("never comes"), std::string::npos);
  EXPECT_NE(why("* * * * *", "Europe/Nowhere").find("Europe/Nowhere"), std::string::npos);
}

#ifdef GREENROOM_HAS_TIME_ZONES

TEST(Cron, RunsOnceRightBehindTheHourThatIsLeftOut) {
  const auto before = utc(2026y / 3 / 28, 12);
  EXPECT_EQ(next("30 2 * * *", before, "Europe/Berlin"), "2026-03-29 01:00:00") << "2:30 does not exist there; 3:00 is";
  EXPECT_EQ(next("30 2 * * *", utc(2026y / 3 / 29, 1), "Europe/Berlin"), "2026-03-30 00:30:00");
  EXPECT_EQ(next("*/15 2 * * *", utc(2026y / 3 / 29, 1), "Europe/Berlin"), "2026-03-30 00:00:00")
      << "once for all four";
  EXPECT_EQ(next("30 * * * *", utc(2026y / 3 / 29, 0, 30), "Europe/Berlin"), "2026-03-29 01:30:00")
      << "every hour: nothing is missing";
}

TEST(Cron, RunsOnceInTheHourThatComesTwice) {
  EXPECT_EQ(next("30 2 * * *", utc(2026y / 10 / 24, 12), "Europe/Berlin"), "2026-10-25 00:30:00");
  EXPECT_EQ(next("30 2 * * *", utc(2026y / 10 / 25, 0, 30), "Europe/Berlin"), "2026-10-26 01:30:00");
  EXPECT_EQ(next("30 * * * *", utc(2026y / 10 / 25, 0, 30), "Europe/Berlin"), "2026-10-25 01:30:00")
      << "every hour: both";
}

/// What the clock on the wall shows at each minute from `from` on: it jumps over times, or shows some again.
std::vector<sys_seconds> clock_of(const char* zone, sys_seconds from, sys_seconds until) {
  const std::string old = std::getenv("TZ") == nullptr ? "" : std::getenv("TZ");
  ::setenv("TZ", zone, 1);
  ::tzset();
  const auto offset_at = [](sys_seconds t) {
    const std::time_t seconds_since = t.time_since_epoch().count();
    std::tm there{};
    ::localtime_r(&seconds_since, &there);
    return seconds(there.tm_gmtoff);
  };
  std::vector<sys_seconds> shown;
  seconds offset{};
  bool changes = true; // within this quarter of an hour
  for (auto t = from; t < until; t += 1min) {
    if (t.time_since_epoch() % 15min == 0s) {
      offset = offset_at(t);
      changes = offset_at(t + 15min) != offset;
    } else if (changes) {
      offset = offset_at(t);
    }
    shown.push_back(t + offset);
  }
  old.empty() ? ::unsetenv("TZ") : ::setenv("TZ", old.c_str(), 1);
  ::tzset();
  return shown;
}

/// What comes, found by looking at every minute.
std::vector<sys_seconds> by_looking(const std::string& text, const std::vector<sys_seconds>& clock, sys_seconds from) {
  const auto fits = cron::parse(text, "UTC").value(); // a place without jumps
  std::vector<sys_seconds> wanted;                    // on the clock
  const auto last = *std::max_element(clock.begin(), clock.end());
  for (auto at = fits.next(clock.front() - 24h); at <= last; at = fits.next(at)) wanted.push_back(at);
  const bool every_hour = text.find(" * * * ") != std::string::npos;
  std::vector<sys_seconds> found;
  auto latest = clock.front() - 1min;
  auto next = std::upper_bound(wanted.begin(), wanted.end(), latest); // the first that the clock has not passed
  for (std::size_t i = 0; i < clock.size(); ++i) {
    const auto now = clock[i];
    const bool passes = next != wanted.end() && *next <= now; // by a jump, or just so
    if (every_hour ? std::binary_search(wanted.begin(), wanted.end(), now) : passes) found.push_back(from + minutes(i));
    latest = std::max(latest, now);
    while (next != wanted.end() && *next <= latest) ++next;
  }
  return found;
}

TEST(Cron, IsWhatOneSeesByLookingAtTheClockForTenYears) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const auto from = utc(2011y / 10 / 1), until = utc(2012y / 5 / 1); // ten years take minutes there
#else
  const auto from = utc(2008y / 1 / 1), until = utc(2018y / 1 / 1);
#endif
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
                           "Africa/Casablanca", "America/St_Johns"}) {
    const auto clock = clock_of(zone, from, until);
    for (const char* text : {"30 2 * * *", "*/20 0-3 * * SUN", "15 * * * *", "0 12 31 * *"}) {
      const auto expected = by_looking(text, clock, from);
      const auto made = cron::parse(text, zone).value();
      auto at = from - 1s;
      for (const auto t : expected) {
        at = made.next(at);
        ASSERT_EQ(shown(at), shown(t)) << text << " in " << zone;
      }
      EXPECT_GE(made.next(at), until) << text << " in " << zone;
    }
  }
}

#endif

} // namespace
} // namespace greenroom::cron_test
