#include <greenroom/runtime/internal/keep_rule.hpp>

#include <gtest/gtest.h>

namespace greenroom::internal::keep_rule_test {
namespace {

using namespace std::chrono_literals;

/// A worker that looks every 50 us.
struct KeepRule : testing::Test {
  static constexpr duration look = 50us;
  /// Loses so much of each look for so long.
  void pass(duration length, duration lost) {
    for (const auto end = now + length; now < end;) {
      now += look;
      rule.note(now, look, lost);
    }
  }
  /// Returns how long the rule holds from now on, while nothing is lost.
  duration kept() {
    const auto begin = now;
    while (rule.keeps()) pass(look, 0us);
    return now - begin;
  }
  time_point now{1h};
  keep_rule rule;
};

TEST_F(KeepRule, SharesUntilMoreThanAQuarterIsLost) {
  EXPECT_FALSE(rule.keeps());
  pass(10ms, look / 4);
  EXPECT_FALSE(rule.keeps());
  pass(look, look / 4 + 1ns);
  EXPECT_TRUE(rule.keeps());
}

TEST_F(KeepRule, KeepsTwiceAsLongEachTimeUpToALimit) {
  for (auto expected : {1ms, 2ms, 4ms, 8ms, 16ms, 32ms, 32ms}) {
    pass(look, look);
    EXPECT_EQ(kept(), expected);
  }
}

TEST_F(KeepRule, TakesNoLossForItsOwnWhileItKeeps) {
  pass(look, look);
  pass(1ms - look, look); // somebody else's lock: what is kept is not shared
  EXPECT_EQ(kept(), look);
}

TEST_F(KeepRule, ForgetsStepByStepInCompanyWithoutLoss) {
  for (int i = 0; i != 3; ++i) {
    pass(look, look);
    kept();
  }
  pass(4ms + 2ms + 1ms, 0us); // as long as the last time, then half of it, and half of that
  pass(look, look);
  EXPECT_EQ(kept(), 1ms);
}

} // namespace
} // namespace greenroom::internal::keep_rule_test
