#include <greenroom/runtime/detail/frame_pool.hpp>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::detail::frame_pool_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// True where frame_allocate() is operator new, so that reuse cannot be seen.
#if defined(GREENROOM_POOLED_FRAMES)
constexpr bool pooled = true;
#elif defined(GREENROOM_PLAIN_FRAMES)
constexpr bool pooled = false;
#else
constexpr bool pooled = !sanitized;
#endif

struct block {
  unsigned char* memory;
  std::size_t bytes;
  unsigned char mark;
};

block make_block(std::size_t bytes, unsigned char mark) {
  block b{static_cast<unsigned char*>(frame_allocate(bytes)), bytes, mark};
  std::memset(b.memory, mark, bytes);
  return b;
}

// Frees a block; returns whether nobody else has written to it.
bool check_and_free(const block& b) {
  bool intact = true;
  for (std::size_t i = 0; i != b.bytes; ++i) intact = intact && b.memory[i] == b.mark;
  frame_free(b.memory, b.bytes);
  return intact;
}

TEST(FramePool, EverySizeIsAlignedAndWritableToItsEnd) {
  std::vector<block> blocks;
  for (std::size_t bytes = 0; bytes != 2'200; ++bytes) {
    for (int copy = 0; copy != 3; ++copy) blocks.push_back(make_block(bytes, static_cast<unsigned char>(bytes + 1)));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back().memory) % 16, 0u) << bytes << " bytes";
  }
  for (const block& b : blocks) ASSERT_TRUE(check_and_free(b)) << b.bytes << " bytes";
}

TEST(FramePool, LastFreedIsFirstReused) {
  if (!pooled) GTEST_SKIP() << "frames come from operator new in this build";
  void* const first = frame_allocate(200);
  frame_free(first, 200);
  void* const second = frame_allocate(193); // the same class: 193 to 208 bytes
  EXPECT_EQ(first, second);
  frame_free(second, 193);
}

TEST(FramePool, ReusesAllThatAnEndedThreadFreed) {
  if (!pooled) GTEST_SKIP() << "frames come from operator new in this build";
  constexpr std::size_t bytes = 976; // a class that no other test leaves objects in
  const auto round = [] {
    std::set<void*> seen;
    std::thread([&] {
      for (int i = 0; i != 1'000; ++i) seen.insert(frame_allocate(bytes));
      for (void* memory : seen) frame_free(memory, bytes);
    }).join();
    return seen;
  };
  std::set<void*> seen = round();
  const std::size_t once = seen.size();
  EXPECT_EQ(once, 1'000u);
  for (int i = 0; i != 20; ++i) seen.merge(round());
  EXPECT_LE(seen.size(), once + 32); // at most the batch that was carved last
}

TEST(FramePool, RandomSizesNeverOverlap) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::vector<block> live;
  for (int i = 0; i != 200'000; ++i) {
    if (live.empty() || (live.size() < 3'000 && random() % 100 < 52)) {
      live.push_back(make_block(random() % 2'200, static_cast<unsigned char>(random())));
    } else {
      std::swap(live[random() % live.size()], live.back());
      ASSERT_TRUE(check_and_free(live.back()));
      live.pop_back();
    }
  }
  for (const block& b : live) ASSERT_TRUE(check_and_free(b));
}

TEST(FramePool, ThreadsMayFreeWhatOthersAllocated) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mutex m;
  std::vector<block> shared;
  int damaged = 0;
  for (unsigned generation = 0; generation != 3; ++generation) { // later threads inherit what the earlier left
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t != 4; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed + 4 * generation + t);
        for (int i = 0; i != 300; ++i) {
          std::vector<block> made;
          for (auto n = random() % 100; n != 0; --n) {
            made.push_back(make_block(1 + random() % 300, static_cast<unsigned char>(random())));
          }
          {
            std::lock_guard guard(m);
            shared.swap(made);
          }
          int bad = 0;
          for (const block& b : made) bad += !check_and_free(b);
          std::lock_guard guard(m);
          damaged += bad;
        }
      });
    }
  }
  for (const block& b : shared) damaged += !check_and_free(b);
  EXPECT_EQ(damaged, 0);
}

// Made before the thread's magazines, hence destroyed after them.
struct late_user {
  block kept{};
  ~late_user() {
    if (kept.memory == nullptr) return;
    check_and_free(kept);
    std::vector<block> blocks;
    for (int i = 0; i != 100; ++i) blocks.push_back(make_block(40, static_cast<unsigned char>(i)));
    for (const block& b : blocks) EXPECT_TRUE(check_and_free(b));
  }
};

TEST(FramePool, WorksInDestructorsAfterTheThreadsMagazinesAreGone) {
  std::thread([] {
    thread_local late_user user;
    user.kept = make_block(40, 1);
  }).join();
  std::thread([] {
    thread_local late_user user;
    user.kept = make_block(40, 2);
  }).join();
}

TEST(FramePool, ImpossibleSizesThrow) {
  if (sanitized) GTEST_SKIP() << "sanitizers abort instead of throwing";
  std::size_t bytes = PTRDIFF_MAX;
  EXPECT_THROW(frame_free(frame_allocate(bytes), bytes), std::bad_alloc);
}

} // namespace
} // namespace greenroom::detail::frame_pool_test
