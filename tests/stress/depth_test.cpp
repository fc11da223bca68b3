// Chains of calls and of hand-overs of any length need no stack. STRESS_ITEMS sets the hand-overs; 10000000 for the full run.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <stdexcept>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::depth_test {
namespace {

using namespace test;

constexpr int deep = 1'000'000;

/// Sees how far the stack moves.
struct gauge {
  std::uintptr_t low = UINTPTR_MAX;
  std::uintptr_t high = 0;
  void look() noexcept {
    low = std::min(low, stack_here());
    high = std::max(high, stack_here());
  }
  std::uintptr_t drift() const noexcept { return high - low; }
};

task<int> count_down(int depth, gauge* g) {
  if (depth % 1'000 == 0) g->look();
  if (depth == 0) co_return 0;
  const int below = co_await count_down(depth - 1, g);
  if (depth % 1'000 == 0) g->look();
  co_return below + 1;
}

TEST(Depth, ChainOfAMillionCallsReturns) {
  one_worker sys;
  gauge g;
  EXPECT_EQ(sys.run(count_down, deep, &g).value(), deep);
  EXPECT_LT(g.drift(), 4'096u);
}

task<int> fall(int depth, gauge* g) {
  if (depth == 0) throw std::runtime_error("from below");
  const int below = co_await fall(depth - 1, g);
  co_return below;
}

TEST(Depth, ExceptionClimbsAMillionCalls) {
  one_worker sys;
  gauge g;
  const auto got = sys.run(fall, deep, &g);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message(), "std::runtime_error: from below");
}

struct tally {
  explicit tally(std::atomic<int>* n) : left(n) { ++*left; }
  tally(const tally&) = delete;
  tally& operator=(const tally&) = delete;
  ~tally() { --*left; }
  std::atomic<int>* left;
};

task<> hang(int depth, std::atomic<int>* alive) {
  const tally mine(alive);
  if (depth == 0) {
    co_await sleep_until(never);
  } else {
    co_await hang(depth - 1, alive);
  }
}

TEST(Depth, KilledAtTheBottomOfAMillionCallsDestroysThemAll) {
  one_worker sys;
  std::atomic<int> alive = 0;
  const auto a = sys.spawn(hang, deep, &alive);
  await_wait(sys, a, "sleep");
  EXPECT_EQ(alive, deep + 1);
  a.kill();
  EXPECT_EQ(a.wait().kind(), exit_kind::killed);
  EXPECT_EQ(alive, 0);
}

TEST(Depth, CancelledAtTheBottomOfAMillionCallsUnwindsThemAll) {
  one_worker sys;
  std::atomic<int> alive = 0;
  const auto a = sys.spawn(hang, deep, &alive);
  await_wait(sys, a, "sleep");
  a.cancel();
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(alive, 0);
}

task<> hand_over(mailbox<int> in, address<int> out, std::uint64_t times, gauge* g) {
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto ball = co_await in.receive();
    if (i % 1'000 == 0) g->look();
    const auto sent = co_await out.send(*ball);
    if (!sent) co_return;
  }
}

TEST(Depth, AMillionHandOversUseNoStack) {
  one_worker sys;
  const auto times = from_environment("STRESS_ITEMS", 1'000'000) / 2;
  auto one = make_mailbox<int>(rendezvous());
  auto two = make_mailbox<int>(rendezvous());
  gauge first;
  gauge second;
  const auto a = sys.spawn(hand_over, one.in, two.out, times, &first);
  const auto b = sys.spawn(hand_over, two.in, one.out, times, &second);
  one.in = {};
  two.in = {};
  two.out = {};
  while (!one.out.try_send(1)) std::this_thread::yield();
  one.out = {};
  EXPECT_TRUE(a.wait().normal());
  EXPECT_TRUE(b.wait().normal());
  EXPECT_LT(std::max(first.high, second.high) - std::min(first.low, second.low), 4'096u);
}

} // namespace
} // namespace greenroom::depth_test
