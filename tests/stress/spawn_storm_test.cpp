// Actors are spawned and end in masses, from foreign threads and from actors at once. STRESS_ITEMS sets how many.
#include <atomic>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/context.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::spawn_storm_test {
namespace {

using namespace test;

const auto actors = from_environment("STRESS_ITEMS", 100'000);

task<> count(std::atomic<std::uint64_t>* ended) { co_return void(++*ended); }

task<> count_after_a_wait(std::atomic<std::uint64_t>* ended) {
  co_await yield();
  ++*ended;
}

/// A binary tree of actors; parents do not wait for their children.
task<> grow(int height, std::atomic<std::uint64_t>* ended) {
  if (height > 0) {
    spawn(grow, height - 1, ended);
    spawn(grow, height - 1, ended);
    if (height % 3 == 0) co_await yield();
  }
  ++*ended;
}

/// One after the other, each joined.
task<> one_by_one(std::uint64_t n, std::atomic<std::uint64_t>* ended) {
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto child = spawn(count_after_a_wait, ended);
    co_await child.join();
  }
  ++*ended;
}

class SpawnStorm : public testing::TestWithParam<std::size_t> {};

TEST_P(SpawnStorm, LeavesNothingBehind) {
  actor_system sys(quiet(GetParam()));
  std::atomic<std::uint64_t> ended = 0;
  std::atomic<std::uint64_t> started = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const auto mine = sys.context().with_cancel();
      for (std::uint64_t i = 0; i < actors / 8; ++i) {
        ++started;
        const auto a = t == 0   ? sys.spawn(count, &ended)
                       : t == 1 ? sys.spawn(spawn_options{.ctx = mine.ctx}, count_after_a_wait, &ended)
                                : sys.spawn(spawn_options{.made_name = "n" + std::to_string(i % 10)}, count, &ended);
        if (i % 64 == 0) a.wait();
      }
    });
  }
  int height = 0;
  while ((std::uint64_t{2} << (height + 1)) < actors / 2) ++height;
  for (int i = 0; i < 2; ++i) {
    started += (std::uint64_t{2} << height) - 1;
    (void)sys.spawn(grow, height, &ended);
    started += actors / 16 + 1;
    (void)sys.spawn(one_by_one, actors / 16, &ended);
  }
  for (auto& t : threads) t.join();
  while (sys.live_actors() != 0) std::this_thread::yield();
  EXPECT_EQ(ended, started);
  EXPECT_TRUE(sys.actors().empty());
}

TEST_P(SpawnStorm, MeetsTheStop) {
  for (int round = 0; round < 8; ++round) {
    actor_system sys(quiet(GetParam()));
    std::atomic<bool> over = false;
    std::atomic<std::uint64_t> ended = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        while (!over) (void)sys.spawn(grow, 4, &ended);
      });
    }
    while (ended < 1'000) std::this_thread::yield();
    EXPECT_TRUE(sys.stop().complete());
    EXPECT_EQ(sys.live_actors(), 0u);
    over = true;
    for (auto& t : threads) t.join();
    EXPECT_EQ(sys.live_actors(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, SpawnStorm, testing::Values(1u, 2u, 4u));

} // namespace
} // namespace greenroom::spawn_storm_test
