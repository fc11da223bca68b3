#include <greenroom/runtime/detail/ring.hpp>

#include <cstdlib>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace greenroom::detail::ring_test {
namespace {

// Move-only, without a default constructor, counted; too aligned for plain operator new, so that
// its allocation can be refused below without touching other tests' memory.
struct alignas(64) item {
  explicit item(int v) : value(v) { ++alive; }
  item(item&& other) noexcept : value(std::exchange(other.value, -1)) { ++alive; }
  item& operator=(item&&) = delete;
  ~item() { --alive; }

  int value;
  static inline int alive = 0;
};

bool refuse_aligned_memory = false;

} // namespace
} // namespace greenroom::detail::ring_test

// Replaces the aligned forms in the whole test program; the array forms call these.
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (greenroom::detail::ring_test::refuse_aligned_memory) return nullptr;
  const auto unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  if (void* const memory = operator new(bytes, alignment, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }

namespace greenroom::detail::ring_test {
namespace {

TEST(Ring, AllocatesNothingBeforeTheFirstPush) {
  ring<item> r;
  EXPECT_EQ(r.capacity(), 0u);
  EXPECT_TRUE(r.empty());
  r.push_back(item(1));
  EXPECT_EQ(r.capacity(), 4u);
  EXPECT_EQ(r.size(), 1u);
}

TEST(Ring, KeepsOrderWhileGrowingAroundItsEnd) {
  ring<item> r;
  for (int i = 0; i != 4; ++i) r.push_back(item(i));
  EXPECT_EQ(r.pop_front().value, 0);
  EXPECT_EQ(r.pop_front().value, 1);
  for (int i = 4; i != 20; ++i) r.push_back(item(i));
  EXPECT_EQ(r.front().value, 2);
  EXPECT_EQ(r.pop_back().value, 19);
  for (int i = 2; i != 19; ++i) EXPECT_EQ(r.pop_front().value, i);
  EXPECT_TRUE(r.empty());
}

TEST(Ring, RefusedMemoryLeavesItemAndRingUntouched) {
  ring<item> r;
  for (int i = 0; i != 4; ++i) r.push_back(item(i));
  item fifth(4);
  refuse_aligned_memory = true;
  EXPECT_THROW(r.push_back(std::move(fifth)), std::bad_alloc);
  refuse_aligned_memory = false;
  EXPECT_EQ(fifth.value, 4);
  EXPECT_EQ(r.size(), 4u);
  r.push_back(std::move(fifth));
  for (int i = 0; i != 5; ++i) EXPECT_EQ(r.pop_front().value, i);
}

TEST(Ring, FreesABurstsMemoryWhenEmptyAndKeepsSmallStorage) {
  ring<int> r;
  for (int i = 0; i != 65; ++i) r.push_back(i);
  for (int i = 0; i != 64; ++i) r.pop_front();
  EXPECT_EQ(r.capacity(), 128u);
  r.pop_front();
  EXPECT_EQ(r.capacity(), 0u);
  for (int i = 0; i != 64; ++i) r.push_back(i);
  while (!r.empty()) r.pop_back();
  EXPECT_EQ(r.capacity(), 64u);
}

TEST(Ring, TriesToPushAndPopWithinABound) {
  ring<std::unique_ptr<int>> r;
  std::optional<std::unique_ptr<int>> out;
  EXPECT_FALSE(r.try_pop_front(out));
  EXPECT_FALSE(out);
  EXPECT_TRUE(r.looks_empty());
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_TRUE(r.try_push_back(first, 1));
  EXPECT_FALSE(r.try_push_back(second, 1));
  EXPECT_EQ(*second, 2) << "it has not been moved from";
  EXPECT_FALSE(r.looks_empty());
  ASSERT_TRUE(r.try_pop_front(out));
  EXPECT_EQ(**out, 1);
  EXPECT_TRUE(r.looks_empty());
}

TEST(Ring, DestroysItsItems) {
  ASSERT_EQ(item::alive, 0);
  {
    ring<item> r;
    for (int i = 0; i != 100; ++i) r.push_back(item(i));
    EXPECT_EQ(item::alive, 100);
    r.clear();
    EXPECT_EQ(item::alive, 0);
    for (int i = 0; i != 7; ++i) r.push_back(item(i));
  }
  EXPECT_EQ(item::alive, 0);
}

TEST(Ring, MovesItsContentInOneStep) {
  ring<std::unique_ptr<int>> from;
  from.push_back(std::make_unique<int>(7));
  const int* const address = from.front().get();
  ring<std::unique_ptr<int>> to;
  to.push_back(std::make_unique<int>(1));
  to = std::move(from);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(to.size(), 1u);
  EXPECT_EQ(to.pop_front().get(), address);
}

TEST(Ring, CopiesAnElementOfItselfWhileGrowing) {
  ring<std::string> r;
  for (int i = 0; i != 4; ++i) r.push_back(std::string(100, static_cast<char>('a' + i)));
  r.push_back(std::as_const(r.front()));
  EXPECT_EQ(r.pop_back(), std::string(100, 'a'));
}

TEST(Ring, BehavesAsADequeUnderRandomOperations) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  ring<std::unique_ptr<int>> r;
  std::deque<int> model;
  for (int i = 0; i != 200'000; ++i) {
    const bool growing = i / 1'000 % 2 == 0;
    if (model.empty() || random() % 10 < (growing ? 6u : 4u)) {
      if (random() % 4 == 0) {
        r.push_front(std::make_unique<int>(i));
        model.push_front(i);
      } else {
        r.push_back(std::make_unique<int>(i));
        model.push_back(i);
      }
    } else if (random() % 3 == 0) {
      ASSERT_EQ(*r.pop_back(), model.back());
      model.pop_back();
    } else {
      ASSERT_EQ(*r.front(), model.front());
      ASSERT_EQ(*r.pop_front(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(r.size(), model.size());
  }
}

} // namespace
} // namespace greenroom::detail::ring_test
