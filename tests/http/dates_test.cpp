#include <greenroom/http/internal/dates.hpp>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::dates_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;

const sys_seconds noon_2024 = sys_days{year{2024} / 6 / 15} + 12h;
const sys_seconds example = sys_days{year{1994} / 11 / 6} + 8h + 49min + 37s; // the date of RFC 9110 section 5.6.7

/// The date as HTTP writes it, or "none".
std::string read(std::string_view text, sys_seconds now = noon_2024) {
  const auto when = parse_http_date(text, now);
  return when ? http_date(*when) : "none";
}

TEST(HttpDate, IsReadInAllThreeForms) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", noon_2024), example);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", noon_2024), example);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", noon_2024), example);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", noon_2024), example + 240h);
}

TEST(HttpDate, KnowsEveryMonthAndTheLengthOfEachDay) {
  EXPECT_EQ(read("Mon, 01 Jan 2024 00:00:00 GMT"), "Mon, 01 Jan 2024 00:00:00 GMT");
  EXPECT_EQ(read("Thu, 29 Feb 2024 23:59:59 GMT"), "Thu, 29 Feb 2024 23:59:59 GMT");
  for (const auto* text :
       {"Sun, 31 Mar 2024 01:02:03 GMT", "Tue, 30 Apr 2024 01:02:03 GMT", "Fri, 31 May 2024 01:02:03 GMT",
        "Sun, 30 Jun 2024 01:02:03 GMT", "Wed, 31 Jul 2024 01:02:03 GMT", "Sat, 31 Aug 2024 01:02:03 GMT",
        "Mon, 30 Sep 2024 01:02:03 GMT", "Thu, 31 Oct 2024 01:02:03 GMT", "Sat, 30 Nov 2024 01:02:03 GMT",
        "Tue, 31 Dec 2024 01:02:03 GMT", "Sat, 01 Jan 0000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"})
    EXPECT_EQ(read(text), text);
}

TEST(HttpDate, TakesAnyNameOfADayForTheDate) {
  EXPECT_EQ(parse_http_date("Sat, 06 Nov 1994 08:49:37 GMT", noon_2024), example);
  EXPECT_EQ(parse_http_date("Monday, 06-Nov-94 08:49:37 GMT", noon_2024), example);
}

TEST(HttpDate, TakesALeapSecondAtTheEndOfADayOnly) {
  EXPECT_EQ(read("Sat, 31 Dec 2016 23:59:60 GMT"), "Sun, 01 Jan 2017 00:00:00 GMT");
  EXPECT_EQ(read("Sat, 31 Dec 2016 23:58:60 GMT"), "none");
  EXPECT_EQ(read("Sat, 31 Dec 2016 22:59:60 GMT"), "none");
  EXPECT_EQ(read("Sat, 31 Dec 2016 23:59:61 GMT"), "none");
}

TEST(HttpDate, IsNothingElse) {
  for (const std::string text : {"",
                                 "0",
                                 "-1",
                                 "now",
                                 "784111777",
                                 "Sun, 06 Nov 1994 08:49:37",
                                 "Sun, 06 Nov 1994 08:49:37 UTC",
                                 "Sun, 06 Nov 1994 08:49:37 GMT ",
                                 " Sun, 06 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:37 gmt",
                                 "sun, 06 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 nov 1994 08:49:37 GMT",
                                 "Sun, 06 NOV 1994 08:49:37 GMT",
                                 "Sun, 6 Nov 1994 08:49:37 GMT",
                                 "Sun,  6 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 94 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 8:49:37 GMT",
                                 "Sun, 06 Nov 1994 08:49 GMT",
                                 "Sun, 06 Nov 1994 08:49:37 +0000",
                                 "Sun, 06 Nov 1994 24:00:00 GMT",
                                 "Sun, 06 Nov 1994 08:60:37 GMT",
                                 "Sun, 00 Nov 1994 08:49:37 GMT",
                                 "Sun, 31 Nov 1994 08:49:37 GMT",
                                 "Wed, 29 Feb 2023 08:49:37 GMT",
                                 "Sun, 29 Feb 1900 08:49:37 GMT",
                                 "Sun 06 Nov 1994 08:49:37 GMT",
                                 "Sunday, 06 Nov 1994 08:49:37 GMT",
                                 "Sun, 06-Nov-94 08:49:37 GMT",
                                 "Sunday, 06-Nov-1994 08:49:37 GMT",
                                 "Sun Nov 6 08:49:37 1994",
                                 "Sun Nov 06 08:49:37 94",
                                 "Sun Nov   6 08:49:37 1994",
                                 "Sun Nov  6 08:49:37 1994 GMT",
                                 "Sun, +6 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov -994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:3\xb7 GMT"})
    EXPECT_EQ(read(text), "none") << text;
}

// RFC 9110 section 5.6.7: one that seems to lie more than 50 years ahead is in the past.
TEST(HttpDate, HasTheLastYearOfTwoDigitsThatIsNotMoreThanFiftyYearsAhead) {
  const auto year_of = [](std::string_view digits, sys_seconds now) {
    return read("Monday, 15-Jun-" + std::string(digits) + " 12:00:00 GMT", now).substr(12, 4);
  };
  EXPECT_EQ(year_of("24", noon_2024), "2024");
  EXPECT_EQ(year_of("25", noon_2024), "2025");
  EXPECT_EQ(year_of("73", noon_2024), "2073");
  EXPECT_EQ(year_of("74", noon_2024), "2074"); // fifty years to the second
  EXPECT_EQ(year_of("74", noon_2024 - 1s), "1974");
  EXPECT_EQ(year_of("75", noon_2024), "1975");
  EXPECT_EQ(year_of("99", noon_2024), "1999");
  EXPECT_EQ(year_of("00", noon_2024), "2000");
  // Over the turn of a century.
  EXPECT_EQ(year_of("01", sys_days{year{1999} / 6 / 15}), "2001");
  EXPECT_EQ(year_of("99", sys_days{year{2000} / 6 / 15}), "1999");
  EXPECT_EQ(year_of("00", sys_days{year{2099} / 6 / 15}), "2100");
}

TEST(HttpDate, WritesTheNearestThatCanBeWritten) {
  EXPECT_EQ(http_date(example), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(sys_seconds{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(sys_seconds{-1s}), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(http_date(sys_seconds::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(http_date(sys_seconds::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(HttpDate, RandomTimesComeBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> seconds(-62'167'219'200, 253'402'300'799); // the years 0 to 9999
  for (int round = 0; round < 5'000; ++round) {
    const sys_seconds when{std::chrono::seconds{seconds(random)}};
    ASSERT_EQ(parse_http_date(http_date(when), noon_2024), when) << http_date(when);
  }
}

} // namespace
} // namespace greenroom::http::internal::dates_test
