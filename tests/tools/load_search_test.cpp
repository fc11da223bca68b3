#include <greenroom/tools/greenroom/load_search.hpp>

#include <gtest/gtest.h>

namespace load {
namespace {

/// Looks for `truth`, and gives the number of trials.
int trials_for(double truth, rate_search& s) {
  int trials = 0;
  while (const auto rate = s.next()) {
    s.tell(*rate <= truth);
    if (++trials == 100) break;
  }
  return trials;
}

TEST(RateSearch, FindsTheHighestRateToATwentieth) {
  for (const double first : {0.5, 100.0, 70'000.0}) {
    for (double truth = 1; truth < 1e6; truth *= 1.37) {
      rate_search s(first, 0.01, 1e7);
      EXPECT_LE(trials_for(truth, s), 30) << truth;
      ASSERT_TRUE(s.kept()) << truth;
      EXPECT_TRUE(s.is_exact());
      EXPECT_LE(*s.kept(), truth);
      EXPECT_GT(*s.kept() * 1.05, truth);
    }
  }
}

TEST(RateSearch, EndsWhereNoRateKeepsOrAllDo) {
  rate_search none(100, 1, 1'000);
  EXPECT_EQ(trials_for(0, none), 7);
  EXPECT_FALSE(none.kept());
  rate_search all(100, 1, 1'000);
  EXPECT_EQ(trials_for(1e9, all), 4);
  EXPECT_EQ(all.kept(), 800);
  EXPECT_FALSE(all.is_exact());
}

} // namespace
} // namespace load
