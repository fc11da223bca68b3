#include <greenroom/http/internal/lateness.hpp>

#include <gtest/gtest.h>

namespace greenroom::http::internal::lateness_test {
namespace {

using namespace std::chrono_literals;

/// Requests may wait for 30 ms; half of that is prompt.
struct Lateness : testing::Test {
  /// A late first turn every millisecond, for so long.
  void late_for(duration span) {
    for (const auto end = now + span; now < end; now += 1ms) late.note(40ms, now);
  }
  void prompt() { late.note(14ms, now); }
  bool refuses() const { return late.too_long(31ms, now); }

  time_point now{1h};
  lateness late{30ms};
};

TEST_F(Lateness, RefusesOnceItHasLastedForLongerThanAHiccup) {
  late_for(100ms);
  EXPECT_FALSE(refuses());
  late_for(2ms);
  EXPECT_TRUE(refuses());
  EXPECT_FALSE(late.too_long(30ms, now)) << "who has not waited for too long is served";
}

TEST_F(Lateness, EndsWithATurnThatIsPrompt) {
  late_for(200ms);
  prompt();
  EXPECT_FALSE(refuses());
}

TEST_F(Lateness, ComesBackAtOnceSoonAfterAnOverload) {
  late_for(200ms);
  for (int i = 0; i < 3; ++i) {
    prompt();
    now += lateness::lull - 1ms;
    EXPECT_FALSE(refuses());
    late_for(1ms);
    EXPECT_TRUE(refuses()) << "time " << i;
  }
}

TEST_F(Lateness, BeginsAnewLongAfterAnOverload) {
  late_for(200ms);
  prompt();
  now += lateness::lull;
  late_for(100ms);
  EXPECT_FALSE(refuses());
  late_for(2ms);
  EXPECT_TRUE(refuses());
}

TEST_F(Lateness, OfHiccupsIsNoneHoweverSoonTheyFollow) {
  for (int i = 0; i < 20; ++i) {
    late_for(99ms);
    EXPECT_FALSE(refuses()) << "hiccup " << i;
    prompt();
    now += 1ms;
  }
}

TEST_F(Lateness, IsNotThereInTheFirstMomentsOfAClockThatBeginsAtZero) {
  now = time_point(1ms);
  late_for(100ms);
  EXPECT_FALSE(refuses());
}

} // namespace
} // namespace greenroom::http::internal::lateness_test
