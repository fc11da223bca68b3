#include <greenroom/runtime/detail/spin_lock.hpp>

#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::detail {
namespace {

TEST(SpinLock, TryLockFailsOnlyWhileHeld) {
  spin_lock lock;
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(SpinLock, FitsTheStandardGuards) {
  spin_lock lock;
  { std::lock_guard guard(lock); }
  std::unique_lock guard(lock, std::try_to_lock);
  EXPECT_TRUE(guard.owns_lock());
}

TEST(SpinLock, LosesNoIncrementOfFourThreads) {
  constexpr int rounds = 20'000;
  spin_lock lock;
  int guarded = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t != 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i != rounds; ++i) {
          std::lock_guard guard(lock);
          ++guarded;
        }
      });
    }
  }
  EXPECT_EQ(guarded, 4 * rounds);
}

TEST(SpinLock, WaiterGoesOnAfterAPreemptedHolderReturns) {
  spin_lock lock;
  lock.lock();
  bool written_by_holder = false;
  std::jthread waiter([&] {
    std::lock_guard guard(lock);
    EXPECT_TRUE(written_by_holder);
  });
  for (int i = 0; i != 1'000; ++i) std::this_thread::yield(); // lets the waiter reach its yielding phase
  written_by_holder = true;
  lock.unlock();
}

} // namespace
} // namespace greenroom::detail
