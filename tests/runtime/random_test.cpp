#include <greenroom/runtime/random.hpp>

#include <array>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::random_test {
namespace {

static_assert(std::uniform_random_bit_generator<xoshiro>);

/// Gives numbers from a list, to reach the branch that chance almost never takes.
class scripted final : public random_source {
public:
  explicit scripted(std::vector<std::uint64_t> numbers) : numbers_{std::move(numbers)} {}
  std::uint64_t next() noexcept override { return numbers_.at(used_++); }
  std::size_t used() const { return used_; }

private:
  std::vector<std::uint64_t> numbers_;
  std::size_t used_ = 0;
};

TEST(Xoshiro, FollowsThePublishedAlgorithm) {
  // The first numbers for state words splitmix64(0): computed with an independent implementation.
  xoshiro from_zero{0};
  EXPECT_EQ(from_zero.next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(from_zero.next(), 0xbf6e1f784956452au);
  EXPECT_EQ(from_zero.next(), 0x1a5f849d4933e6e0u);
}

TEST(Xoshiro, SameSeedSameSequence) {
  xoshiro first{42}, second{42};
  for (int i = 0; i < 100; ++i) ASSERT_EQ(first.next(), second.next());
}

TEST(Xoshiro, NearSeedsGiveUnrelatedSequences) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) seen.insert(xoshiro{seed}.next() >> 32);
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Xoshiro, CopyContinuesFromTheSamePlace) {
  xoshiro original{7};
  original.next();
  xoshiro copy = original;
  EXPECT_EQ(original.next(), copy.next());
}

TEST(Xoshiro, BelowStaysBelowAndReachesEveryNumber) {
  xoshiro generator{1};
  for (const std::uint64_t limit : {1u, 2u, 3u, 10u}) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(generator.below(limit));
    EXPECT_EQ(seen.size(), limit);
    EXPECT_EQ(*seen.rbegin(), limit - 1);
  }
}

TEST(Xoshiro, BelowFavoursNoNumber) {
  xoshiro generator{2};
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[generator.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500); // five standard deviations are 456
}

TEST(RandomBelow, DrawsAgainWhereSmallNumbersWouldBeFavoured) {
  // 2^64 mod 3 is 1, so of all draws only 0 has to be thrown away.
  scripted source{{0, 0, ~std::uint64_t{0}}};
  EXPECT_EQ(random_below(source, 3), 2u);
  EXPECT_EQ(source.used(), 3u);
}

TEST(RandomBelow, PowersOfTwoNeverDrawTwice) {
  scripted source{{0}};
  EXPECT_EQ(random_below(source, 8), 0u);
}

TEST(RandomBelow, WorksOnTheInterface) {
  xoshiro generator{3};
  random_source& source = generator;
  EXPECT_LT(random_below(source, 5), 5u);
}

TEST(RandomSeed, DiffersFromCallToCallAndIsNeverZero) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 8; ++i) seen.insert(random_seed());
  EXPECT_EQ(seen.size(), 8u);
  EXPECT_FALSE(seen.contains(0));
}

} // namespace
} // namespace greenroom::random_test
