#include <greenroom/runtime/internal/process_fence.hpp>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace greenroom::internal::process_fence_test {
namespace {

// Dekker's: each of two threads writes its own word, then reads the other's. A processor may let both read what was there before, unless
// something orders the two; without the process's fence this fails in most runs.
TEST(ProcessFence, OfTwoThreadsThatWriteAndThenReadOneSeesTheOther) {
  if (!has_process_fence()) GTEST_SKIP() << "the kernel has no membarrier for processes";
  constexpr int rounds = 20'000;
  alignas(64) std::atomic<int> often{0};
  alignas(64) std::atomic<int> rare{0};
  alignas(64) std::atomic<int> arrived{0};
  int seen_by_often = 0;
  int both_missed = 0;
  const auto meet = [&arrived](int expected) {
    arrived.fetch_add(1);
    while (arrived.load() < expected) std::this_thread::yield();
  };
  std::thread other([&] {
    for (int round = 1; round <= rounds; ++round) {
      meet(4 * round - 2);
      often.store(round, std::memory_order_relaxed);
      light_fence();
      seen_by_often = rare.load(std::memory_order_relaxed);
      meet(4 * round);
    }
  });
  for (int round = 1; round <= rounds; ++round) {
    meet(4 * round - 2);
    rare.store(round, std::memory_order_relaxed);
    process_fence();
    const int seen = often.load(std::memory_order_relaxed);
    meet(4 * round);
    if (seen != round && seen_by_often != round) ++both_missed;
    // The other one writes seen_by_often again only after it has met us in the next round.
  }
  other.join();
  EXPECT_EQ(both_missed, 0);
}

} // namespace
} // namespace greenroom::internal::process_fence_test
