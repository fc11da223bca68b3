#include <greenroom/runtime/internal/run_queue.hpp>

#include <gtest/gtest.h>

namespace greenroom::internal::run_queue_test {
namespace {

job numbered(std::uintptr_t n) { return job(n << 1); }

TEST(RunQueue, TakesTheWokenThenTheNewestSpawnedThenThoseThatLetOthersGoFirst) {
  run_queue q;
  q.push_last(numbered(1));
  q.push_spawned(numbered(2));
  q.push_spawned(numbered(3));
  q.push_woken(numbered(4));
  q.push_woken(numbered(5));
  for (const std::uintptr_t expected : {4u, 5u, 3u, 2u, 1u}) EXPECT_EQ(q.pop(false).bits(), numbered(expected).bits());
  EXPECT_FALSE(q.pop(false));
}

TEST(RunQueue, CountsAsSpawnedOnlyWhatHasNotRunYet) {
  run_queue q;
  q.push_spawned(numbered(1));
  q.push_woken(numbered(2));
  q.push_last(numbered(3)); // it used up its turn, as actors of busy mailboxes do all the time
  EXPECT_EQ(q.size_approx(), 3U);
  EXPECT_EQ(q.spawned_approx(), 1U);
}

TEST(RunQueue, GivesAThiefHalfOfEachKindTheOldestFirst) {
  run_queue q, thief;
  for (std::uintptr_t n = 1; n <= 3; ++n) q.push_woken(numbered(n));
  for (std::uintptr_t n = 4; n <= 5; ++n) q.push_spawned(numbered(n));
  EXPECT_TRUE(q.steal_half(thief));
  EXPECT_EQ(q.size_approx(), 2U);
  for (const std::uintptr_t expected : {1u, 2u, 4u}) EXPECT_EQ(thief.pop(false).bits(), numbered(expected).bits());
  EXPECT_FALSE(run_queue().steal_half(thief));
}

} // namespace
} // namespace greenroom::internal::run_queue_test
