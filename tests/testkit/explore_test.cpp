#include <greenroom/testkit/explore.hpp>

#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>

namespace greenroom::testkit {
namespace {

struct account {
  mutex lock;
  int balance = 0;
};

task<> deposit(std::shared_ptr<account> to, bool locked) {
  mutex_guard guard;
  if (locked) guard = co_await to->lock.lock();
  const int read = to->balance;
  co_await yield();
  to->balance = read + 1;
}
task<> deposits(scope& s, std::shared_ptr<account> to, int n, bool locked) {
  for (int i = 0; i < n; ++i) s.spawn(deposit, to, locked);
  co_return;
}
task<> deposit_side_by_side(int n, bool locked) {
  auto to = std::make_shared<account>();
  const auto ended = co_await with_scope(deposits, to, n, locked);
  require(ended.has_value(), "a deposit failed");
  require(to->balance == n, "the balance is " + std::to_string(to->balance));
}
task<> two_with_a_lock() { return deposit_side_by_side(2, true); }
task<> two_without() { return deposit_side_by_side(2, false); }

using strategy = exploration::strategy;

TEST(Explore, TriesEverySmallScheduleAndSaysThatItDid) {
  const auto tried = explore({.how = strategy::all, .runs = 1'000'000}, two_with_a_lock);
  EXPECT_TRUE(tried.nothing()) << tried.to_string();
  EXPECT_TRUE(tried.complete);
  EXPECT_GE(tried.runs, 6u) << "each of the two may come to the lock at three moments of the other";
  EXPECT_NE(tried.to_string().find("which are all there are"), std::string::npos);
}

TEST(Explore, EachStrategyFindsALostUpdate) {
  for (const auto how : {strategy::random, strategy::pct, strategy::all}) {
    const auto found = explore({.how = how, .runs = 10'000}, two_without);
    ASSERT_FALSE(found.nothing());
    EXPECT_FALSE(found.complete);
    EXPECT_NE(found.failure.why.find("the balance is 1"), std::string::npos) << found.to_string();
  }
}

TEST(Explore, EqualExplorationsHaveEqualHashes) {
  for (const auto how : {strategy::random, strategy::pct}) {
    const auto one = explore({.how = how, .runs = 300}, two_with_a_lock);
    const auto two = explore({.how = how, .runs = 300}, two_with_a_lock);
    EXPECT_EQ(one.trace_hash, two.trace_hash);
    EXPECT_NE(one.trace_hash, explore({.how = how, .runs = 300, .first_seed = 1'000}, two_with_a_lock).trace_hash);
  }
}

TEST(Explore, ShrinksTheScheduleThatFails) {
  const auto found = explore({.runs = 10'000}, [] { return deposit_side_by_side(5, false); });
  ASSERT_FALSE(found.nothing());
  EXPECT_LT(found.shortest.size(), 60u) << found.to_string();
}

TEST(Explore, GivesTheProgramTheSeedOfTheRun) {
  std::uint64_t sum = 0;
  const auto tried = explore({.runs = 4, .first_seed = 10}, [&sum](std::uint64_t seed) {
    sum += seed;
    return two_with_a_lock();
  });
  EXPECT_TRUE(tried.nothing());
  EXPECT_EQ(sum, 10u + 11 + 12 + 13);
}

TEST(Explore, SaysWhatIsWrongWithAReplay) {
  for (const auto* text : {"", "random", "random:", "random:x", "walk:1", "path:1:2,x"}) {
    ::setenv("TESTKIT_REPLAY", text, 1);
    EXPECT_THROW((void)explore({}, two_with_a_lock), usage_error) << text;
  }
  ::unsetenv("TESTKIT_REPLAY");
}

} // namespace
} // namespace greenroom::testkit
