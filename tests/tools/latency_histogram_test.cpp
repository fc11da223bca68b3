#include <greenroom/tools/greenroom/latency_histogram.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace load {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// What a histogram should say, from all the values.
class oracle {
public:
  explicit oracle(std::vector<std::int64_t> values) : sorted_(std::move(values)) {
    std::sort(sorted_.begin(), sorted_.end());
  }
  std::int64_t quantile(std::uint64_t millionths) const {
    const auto rank = std::max<std::uint64_t>((sorted_.size() * millionths + 999'999) / 1'000'000, 1);
    return sorted_[rank - 1];
  }
  const std::vector<std::int64_t>& sorted() const { return sorted_; }

private:
  std::vector<std::int64_t> sorted_;
};

/// Values of many magnitudes: some small, some of one width, some as of a lognormal law.
std::vector<std::int64_t> some_values(std::mt19937_64& draw) {
  std::vector<std::int64_t> all(1 + draw() % 3'000);
  const auto kind = draw() % 4;
  std::lognormal_distribution<double> usual(13, 2);
  for (auto& v : all) {
    switch (kind) {
    case 0: v = static_cast<std::int64_t>(draw() % 600); break;
    case 1: v = static_cast<std::int64_t>(1'000'000 + draw() % 1'000'000); break;
    case 2: v = static_cast<std::int64_t>(usual(draw)); break;
    default: v = static_cast<std::int64_t>(draw() >> (1 + draw() % 63)); break;
    }
  }
  return all;
}

constexpr std::uint64_t shares[] = {0, 1, 10'000, 500'000, 900'000, 990'000, 999'000, 999'900, 999'999, 1'000'000};

void expect_as(const oracle& right, const latency_histogram& h) {
  for (const auto millionths : shares) {
    const auto exact = right.quantile(millionths);
    const auto said = h.quantile(static_cast<double>(millionths) / 1e6).count();
    EXPECT_GE(said, exact) << millionths;
    EXPECT_LE(said - exact, exact / 256) << millionths;
  }
  const auto& all = right.sorted();
  EXPECT_EQ(h.count(), all.size());
  EXPECT_EQ(h.least().count(), all.front());
  EXPECT_EQ(h.most().count(), all.back());
}

TEST(LatencyHistogram, KnowsEachQuantileOfRandomValuesToAPartIn256) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 draw(seed);
    const auto values = some_values(draw);
    latency_histogram h;
    for (const auto v : values) h.record(nanoseconds(v));
    expect_as(oracle(values), h);
  }
}

TEST(LatencyHistogram, MergedSaysWhatOneOfAllWouldSay) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 draw(seed);
    auto values = some_values(draw);
    const auto more = some_values(draw);
    latency_histogram first, second, none;
    for (const auto v : values) first.record(nanoseconds(v));
    for (const auto v : more) second.record(nanoseconds(v));
    first.merge(none);
    none.merge(first);
    none.merge(second);
    values.insert(values.end(), more.begin(), more.end());
    expect_as(oracle(values), none);
    double sum = 0;
    for (const auto v : values) sum += static_cast<double>(v);
    EXPECT_NEAR(static_cast<double>(none.mean().count()), sum / static_cast<double>(values.size()),
                sum / static_cast<double>(values.size()) * 1e-9 + 1);
  }
}

TEST(LatencyHistogram, CountsUpToALimit) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 draw(seed);
    const oracle right(some_values(draw));
    latency_histogram h;
    for (const auto v : right.sorted()) h.record(nanoseconds(v));
    const auto& all = right.sorted();
    const auto limit = all[draw() % all.size()];
    const auto counted = h.count_up_to(nanoseconds(limit));
    const auto least = std::upper_bound(all.begin(), all.end(), limit) - all.begin();
    const auto most = std::upper_bound(all.begin(), all.end(), limit + limit / 256) - all.begin();
    EXPECT_GE(counted, static_cast<std::uint64_t>(least));
    EXPECT_LE(counted, static_cast<std::uint64_t>(most));
  }
}

TEST(LatencyHistogram, IsExactBelow512AndAtTheEndsOfItsRange) {
  latency_histogram h;
  for (std::int64_t v = 12; v < 512; ++v) h.record(nanoseconds(v));
  for (std::int64_t i = 1; i <= 500; ++i) EXPECT_EQ(h.quantile(static_cast<double>(i) / 500).count(), 11 + i);
  h.record(nanoseconds::max());
  EXPECT_EQ(h.quantile(1), nanoseconds::max());
  h.record(-5ns);
  EXPECT_EQ(h.least(), 0ns);
}

TEST(LatencyHistogram, CountsAValueSeveralTimesAndOfNothingSaysZero) {
  latency_histogram h;
  EXPECT_EQ(h.quantile(0.99), 0ns);
  EXPECT_EQ(h.mean(), 0ns);
  h.record(10ms, 99);
  h.record(1s, 1);
  h.record(5s, 0);
  EXPECT_EQ(h.count(), 100U);
  EXPECT_LE(h.quantile(0.99), 10ms + nanoseconds(10ms) / 256);
  EXPECT_EQ(h.quantile(0.991), 1s);
  EXPECT_EQ(h.mean(), (99 * nanoseconds(10ms) + 1s) / 100);
}

} // namespace
} // namespace load
