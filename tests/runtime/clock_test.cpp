#include <greenroom/runtime/clock.hpp>

#include <limits>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::clock_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr time_point at(std::int64_t count) { return time_point{nanoseconds{count}}; }

using double_seconds = std::chrono::duration<double>;

TEST(Clock, MonotonicTimeDoesNotGoBack) {
  const time_point first = real_clock().now();
  EXPECT_LE(first, real_clock().now());
  EXPECT_LT(real_clock().now(), never);
}

TEST(Clock, WallTimeIsTheSystemDate) {
  const auto before = std::chrono::system_clock::now();
  const auto read = real_clock().wall_now();
  EXPECT_GE(read, before - 1min);
  EXPECT_LE(read, before + 1min);
}

TEST(Clock, TheSecondOfTheWallIsThatOfTheDate) {
  const auto before = std::chrono::floor<std::chrono::seconds>(real_clock().wall_now() - 1s);
  const auto second = real_clock().wall_second();
  EXPECT_GE(second, before);
  EXPECT_LE(second, std::chrono::floor<std::chrono::seconds>(real_clock().wall_now()));
}

TEST(Clock, CoarseTimeIsNeverAheadAndGoesOn) {
  const auto first = real_clock().coarse_now();
  EXPECT_LE(first, real_clock().now());
  auto later = first;
  while (later == first) later = real_clock().coarse_now(); // some milliseconds
  EXPECT_GT(later, first);
  EXPECT_LE(later, real_clock().now());
  const test::manual_clock set;
  EXPECT_EQ(set.coarse_now(), set.now()) << "one that is set by hand has no ticks";
}

TEST(Clock, RealClockIsOneObject) { EXPECT_EQ(&real_clock(), &real_clock()); }

TEST(SaturatingAdd, AddsWhatFits) {
  static_assert(saturating_add(at(5), 3ns) == at(8));
  EXPECT_EQ(saturating_add(at(5), 2us), at(2005));
  EXPECT_EQ(saturating_add(at(5), 1h), at(3'600'000'000'005));
  EXPECT_EQ(saturating_add(at(0), double_seconds{0.5}), at(500'000'000));
  EXPECT_EQ(saturating_add(at(0), std::chrono::duration<int, std::pico>{2500}), at(2));
}

TEST(SaturatingAdd, NegativeSpansGiveThePast) {
  EXPECT_EQ(saturating_add(at(5), -8ns), at(-3));
  EXPECT_EQ(saturating_add(at(5), -1us), at(-995));
  EXPECT_EQ(saturating_add(at(0), double_seconds{-0.5}), at(-500'000'000));
}

TEST(SaturatingAdd, TooLateIsNever) {
  EXPECT_EQ(saturating_add(at(1), nanoseconds::max()), never);
  EXPECT_EQ(saturating_add(at(1), std::chrono::hours::max()), never);
  EXPECT_EQ(saturating_add(at(-1), std::chrono::hours::max()), never);
  EXPECT_EQ(saturating_add(at(1), std::chrono::milliseconds::max()), never);
  EXPECT_EQ(saturating_add(at(1), double_seconds{1e300}), never);
  EXPECT_EQ(saturating_add(at(1), double_seconds{std::numeric_limits<double>::infinity()}), never);
  EXPECT_EQ(saturating_add(at(1), double_seconds{std::numeric_limits<double>::quiet_NaN()}), never);
  EXPECT_EQ(saturating_add(at(1), std::chrono::duration<std::uint64_t>{~std::uint64_t{0}}), never);
}

TEST(SaturatingAdd, TooEarlyIsTheEarliestPoint) {
  EXPECT_EQ(saturating_add(at(-1), nanoseconds::min()), time_point::min());
  EXPECT_EQ(saturating_add(at(-1), std::chrono::hours::min()), time_point::min());
  EXPECT_EQ(saturating_add(at(-1), double_seconds{-1e300}), time_point::min());
}

TEST(SaturatingAdd, NeverStaysNever) {
  EXPECT_EQ(saturating_add(never, 0ns), never);
  EXPECT_EQ(saturating_add(never, -1h), never);
  EXPECT_EQ(saturating_add(never, 1h), never);
}

} // namespace
} // namespace greenroom::clock_test
