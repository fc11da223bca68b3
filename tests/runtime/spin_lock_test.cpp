#include <greenroom/runtime/detail/spin_lock.hpp>

#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::detail::spin_lock_test {
namespace {

template <class Lock>
struct SpinLock : testing::Test {};
struct names {
  template <class Lock>
  static std::string GetName(int) {
    return std::is_same_v<Lock, spin_lock> ? "Usual" : "Eager";
  }
};
using both = testing::Types<spin_lock, eager_spin_lock>;
TYPED_TEST_SUITE(SpinLock, both, names);

TYPED_TEST(SpinLock, TryLockFailsOnlyWhileHeld) {
  TypeParam lock;
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TYPED_TEST(SpinLock, FitsTheStandardGuards) {
  TypeParam lock;
  { std::lock_guard guard(lock); }
  std::unique_lock guard(lock, std::try_to_lock);
  EXPECT_TRUE(guard.owns_lock());
}

TYPED_TEST(SpinLock, LosesNoIncrementOfFourThreads) {
  constexpr int rounds = 20'000;
  TypeParam lock;
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

TYPED_TEST(SpinLock, CountsThePausesOfWhoWaitsForIt) {
  TypeParam lock;
  std::uint32_t waited = 0;
  pauses_before_locks = 0;
  for (int trial = 0; waited == 0 && trial != 1'000;
       ++trial) { // in one of them the waiter comes before the lock is free
    lock.lock();
    std::jthread waiter([&] {
      std::lock_guard guard(lock);
      waited = pauses_before_locks;
    });
    for (int i = 0; i != 1'000; ++i) std::this_thread::yield();
    lock.unlock();
  }
  EXPECT_GT(waited, 0U);
  EXPECT_EQ(pauses_before_locks, 0U); // of this thread, which never found it held
}

TYPED_TEST(SpinLock, WaiterGoesOnAfterAPreemptedHolderReturns) {
  TypeParam lock;
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
} // namespace greenroom::detail::spin_lock_test
