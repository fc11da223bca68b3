#include <greenroom/tools/greenroom/load_schedule.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace load {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// When all threads together have something due.
std::vector<nanoseconds> all_of(const load_shape& shape, std::uint64_t threads = 1, std::uint64_t seed = 1) {
  std::vector<nanoseconds> all;
  for (std::uint64_t i = 0; i < threads; ++i) {
    load_schedule one(shape, i, threads, seed);
    auto last = -1ns;
    while (const auto at = one.next()) {
      EXPECT_GE(*at, last);
      last = *at;
      all.push_back(*at);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::ptrdiff_t count_between(const std::vector<nanoseconds>& all, nanoseconds from, nanoseconds to) {
  return std::count_if(all.begin(), all.end(), [&](auto t) { return t >= from && t < to; });
}

TEST(LoadSchedule, OfASteadyRateHasEqualDistancesAndTheExactCount) {
  const auto all = all_of({.from = 100, .to = 100, .warm_up = 2s, .measured = 10s});
  ASSERT_EQ(all.size(), 1'200U);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_LE(std::abs((all[i] - static_cast<std::int64_t>(i) * 10ms).count()), 2) << i;
  EXPECT_EQ(count_between(all, 2s, 12s), 1'000);
}

TEST(LoadSchedule, OfSeveralThreadsIsTogetherThatOfOne) {
  for (const auto& shape : {load_shape{.from = 333, .to = 333, .measured = 3s},
                            load_shape{.from = 10, .to = 900, .warm_up = 1s, .measured = 3s}}) {
    const auto one = all_of(shape);
    for (const std::uint64_t threads : {2U, 3U, 7U}) EXPECT_EQ(all_of(shape, threads), one) << threads;
  }
}

TEST(LoadSchedule, OfARampHasInEachSecondWhatItsRateSays) {
  const auto up = all_of({.from = 100, .to = 1'100, .warm_up = 1s, .measured = 10s});
  const auto down = all_of({.from = 1'100, .to = 100, .warm_up = 1s, .measured = 10s});
  EXPECT_NEAR(static_cast<double>(count_between(up, 0s, 1s)), 100, 1);
  EXPECT_NEAR(static_cast<double>(count_between(down, 0s, 1s)), 1'100, 1);
  for (int s = 0; s < 10; ++s) { // in second s the rate goes from 100 + 100 s to 200 + 100 s
    EXPECT_NEAR(static_cast<double>(count_between(up, 1s + s * 1s, 2s + s * 1s)), 150 + 100 * s, 1.01) << s;
    EXPECT_NEAR(static_cast<double>(count_between(down, 1s + s * 1s, 2s + s * 1s)), 1'050 - 100 * s, 1.01) << s;
  }
}

TEST(LoadSchedule, DoesNotEndBeforeItsTimeWhereTheRateFallsToAlmostNothing) {
  const auto all = all_of({.from = 1'000, .to = 0.01, .measured = 10s});
  EXPECT_NEAR(static_cast<double>(all.size()), 5'000, 2);
  EXPECT_LT(all.back(), 10s);
}

TEST(LoadSchedule, ByChanceHasTheRateAndTheSpreadOfPoissonArrivals) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const std::uint64_t threads : {1U, 4U}) {
      const auto all = all_of({.from = 1'000, .to = 1'000, .measured = 20s, .by_chance = true}, threads, seed);
      const double n = static_cast<double>(all.size());
      EXPECT_NEAR(n, 20'000, 5 * std::sqrt(20'000.0)) << "seed " << seed;
      double sum = 0, squares = 0; // of exponential distances the deviation equals the mean
      for (std::size_t i = 1; i < all.size(); ++i) {
        const auto gap = static_cast<double>((all[i] - all[i - 1]).count());
        sum += gap;
        squares += gap * gap;
      }
      const double mean = sum / n;
      const double deviation = std::sqrt(squares / n - mean * mean);
      EXPECT_NEAR(deviation / mean, 1, 0.05) << "seed " << seed << ", " << threads << " threads";
    }
  }
}

TEST(LoadSchedule, ByChanceIsTheSameForTheSameSeed) {
  const load_shape shape{.from = 50, .to = 500, .measured = 2s, .by_chance = true};
  EXPECT_EQ(all_of(shape, 2, 7), all_of(shape, 2, 7));
  EXPECT_NE(all_of(shape, 2, 7), all_of(shape, 2, 8));
}

} // namespace
} // namespace load
