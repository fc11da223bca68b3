#include <greenroom/testkit/explore.hpp>

#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>

namespace greenroom::testkit::explore_test {
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

task<> append(std::string* to, char c) {
  to->push_back(c);
  co_return;
}

/// Fails in each schedule: in the one of first choices by another fault.
task<> two_faults() {
  std::string order;
  const auto run_all = [](scope& children, std::string* to) -> task<> {
    for (const char c : {'a', 'b', 'c'}) children.spawn(append, to, c);
    co_return;
  };
  (void)co_await with_scope(run_all, &order);
  require(order != "abc", "the nearer fault in run 1");
  require(false, "the fault with the order " + order);
}

TEST(Explore, ShrinksToTheSameFaultAndNotToANearerOne) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto found = explore({.runs = 1, .first_seed = seed}, two_faults);
    ASSERT_FALSE(found.nothing());
    ::setenv("TESTKIT_REPLAY", found.shortest.c_str(), 1);
    const auto again = explore({}, two_faults);
    ::unsetenv("TESTKIT_REPLAY");
    EXPECT_EQ(again.failure.why.find("nearer") == std::string::npos,
              found.failure.why.find("nearer") == std::string::npos)
        << found.to_string() << "\nshows " << again.failure.why;
  }
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
  for (const auto* text : {"random", "random:", "random:x", "walk:1", "path:1:2,x"}) {
    ::setenv("TESTKIT_REPLAY", text, 1);
    EXPECT_THROW((void)explore({}, two_with_a_lock), usage_error) << text;
  }
  ::setenv("TESTKIT_REPLAY", "", 1); // as if it were not set
  EXPECT_EQ(explore({.runs = 3}, two_with_a_lock).runs, 3u);
  ::unsetenv("TESTKIT_REPLAY");
}

} // namespace
} // namespace greenroom::testkit::explore_test
