#include <greenroom/runtime/internal/run_queue.hpp>

#include <thread>

#include <gtest/gtest.h>

namespace greenroom::internal::run_queue_test {
namespace {

job numbered(std::uintptr_t n) { return job(n << 1); }

TEST(RunQueue, TakesTheWokenThenTheNewestSpawnedThenThoseThatLetOthersGoFirst) {
  run_queue q(true);
  q.push_last(numbered(1));
  q.push_spawned(numbered(2));
  q.push_spawned(numbered(3));
  q.push_woken(numbered(4));
  q.push_woken(numbered(5));
  for (const std::uintptr_t expected : {4u, 5u, 3u, 2u, 1u}) EXPECT_EQ(q.pop(false).bits(), numbered(expected).bits());
  EXPECT_FALSE(q.pop(false));
}

TEST(RunQueue, CountsAsSpawnedOnlyWhatHasNotRunYet) {
  run_queue q(true);
  q.push_spawned(numbered(1));
  q.push_woken(numbered(2));
  q.push_last(numbered(3)); // it used up its turn, as actors of busy mailboxes do all the time
  EXPECT_EQ(q.size_approx(), 3U);
  EXPECT_EQ(q.spawned_approx(), 1U);
}

TEST(RunQueue, GivesAThiefHalfOfEachKindTheOldestFirst) {
  run_queue q(true), thief(true);
  for (std::uintptr_t n = 1; n <= 3; ++n) q.push_woken(numbered(n));
  for (std::uintptr_t n = 4; n <= 5; ++n) q.push_spawned(numbered(n));
  EXPECT_TRUE(q.steal_half(thief));
  EXPECT_EQ(q.size_approx(), 2U);
  for (const std::uintptr_t expected : {1u, 2u, 4u}) EXPECT_EQ(thief.pop(false).bits(), numbered(expected).bits());
  EXPECT_FALSE(run_queue(true).steal_half(thief));
}

TEST(RunQueue, HandsOutWhatWasSubmittedInTurnsWithTheWokenIfNobodyShares) {
  run_queue q(false);
  for (std::uintptr_t n = 1; n <= 3; ++n) q.push_woken(numbered(n));
  for (std::uintptr_t n = 4; n <= 6; ++n) q.submit(numbered(n));
  q.push_spawned(numbered(7));
  EXPECT_EQ(q.size_approx(), 7U);
  for (const std::uintptr_t expected : {4u, 1u, 5u, 2u, 6u, 3u, 7u})
    EXPECT_EQ(q.pop(false).bits(), numbered(expected).bits());
  EXPECT_EQ(q.size_approx(), 0U);
}

TEST(RunQueue, TakesWhatWasSubmittedAsWokenIfOthersShare) {
  run_queue q(true), thief(true);
  q.push_woken(numbered(1));
  q.submit(numbered(2));
  q.push_woken(numbered(3));
  EXPECT_TRUE(q.steal_half(thief));
  for (const std::uintptr_t expected : {1u, 2u}) EXPECT_EQ(thief.pop(false).bits(), numbered(expected).bits());
  EXPECT_EQ(q.pop(false).bits(), numbered(3).bits());
}

// Under the thread sanitizer this shows that the owner's part needs no lock.
TEST(RunQueue, LosesNothingThatIsSubmittedWhileTheOwnerPushesAndTakes) {
  constexpr std::uintptr_t each = 20'000;
  run_queue q(false);
  std::thread other([&q] {
    for (std::uintptr_t n = 1; n <= each; ++n) q.submit(numbered(2 * n));
  });
  std::uintptr_t last_own = 0;
  std::uintptr_t last_submitted = 0;
  std::uintptr_t taken = 0;
  for (std::uintptr_t n = 0; taken < 2 * each;) {
    if (n < each) q.push_woken(numbered(2 * ++n + 1));
    const auto got = q.pop(false).bits() >> 1;
    if (got == 0) continue;
    ++taken;
    auto& last = got % 2 == 0 ? last_submitted : last_own;
    EXPECT_GT(got, last);
    last = got;
  }
  other.join();
  EXPECT_EQ(last_submitted, 2 * each);
  EXPECT_FALSE(q.pop(false));
}

} // namespace
} // namespace greenroom::internal::run_queue_test
