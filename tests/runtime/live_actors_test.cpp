#include <greenroom/runtime/internal/live_actors.hpp>

#include <atomic>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::internal::live_actors_test {
namespace {

using detail::actor_cell;

/// An actor that `actors` has at the place `here`, and that the test has a handle to.
actor_cell& begun(live_actors& actors, std::size_t here) {
  auto* const cell = new actor_cell;
  detail::add_ref(*cell);
  EXPECT_TRUE(actors.add(*cell, here));
  return *cell;
}

std::size_t shown(const live_actors& actors) {
  std::size_t n = 0;
  actors.for_each([&n](actor_cell&) { ++n; });
  return n;
}

bool has_let_go(const actor_cell& cell) { return cell.refs.load() == 1; }

const std::size_t main_thread = 0, first = live_actors::place(0), second = live_actors::place(1);

TEST(LiveActors, OneThatEndsOnAnotherWorkerIsNeitherCountedNorShownFromThenOn) {
  live_actors actors(2);
  auto& stays = begun(actors, first);
  auto& ends = begun(actors, first);
  EXPECT_EQ(actors.count(), 2U);
  actors.end(ends, second);
  EXPECT_NE(ends.word.load() & actor_cell::finished, 0U);
  EXPECT_EQ(actors.count(), 1U);
  EXPECT_EQ(shown(actors), 1U);
  EXPECT_EQ(actors.added(), 2U);
  actors.let_go(ends, second);
  actors.let_go_all(second);
  EXPECT_EQ(shown(actors), 1U);
  actors.end(stays, first);
  actors.let_go(stays, first);
  EXPECT_EQ(actors.count(), 0U);
  EXPECT_TRUE(has_let_go(stays) && has_let_go(ends));
  release(stays);
  release(ends);
}

TEST(LiveActors, ThoseThatEndElsewhereAreLetGoOfTogetherOrWhenTheirWorkerLooks) {
  live_actors actors(2);
  std::vector<actor_cell*> all;
  for (int i = 0; i < 100; ++i) all.push_back(&begun(actors, i % 3 == 0 ? main_thread : first));
  for (auto* cell : all) {
    actors.end(*cell, second);
    actors.let_go(*cell, second);
  }
  std::size_t kept = 0;
  for (const auto* cell : all) kept += has_let_go(*cell) ? 0 : 1;
  EXPECT_LT(kept, 64U);
  EXPECT_GT(kept, 0U);
  actors.let_go_all(second);
  for (auto* cell : all) {
    EXPECT_TRUE(has_let_go(*cell));
    release(*cell);
  }
}

TEST(LiveActors, ALookThatThrowsLeavesNoLockBehind) {
  live_actors actors(2);
  auto& cell = begun(actors, first);
  EXPECT_THROW(actors.for_each([](actor_cell&) { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(shown(actors), 1U);
  actors.end(cell, second);
  actors.let_go(cell, second);
  actors.let_go_all(second);
  EXPECT_TRUE(has_let_go(cell));
  release(cell);
}

TEST(LiveActors, AfterItIsClosedNoneIsAddedAndTheOthersEndAsBefore) {
  live_actors actors(2);
  auto& cell = begun(actors, first);
  actors.close();
  actor_cell late;
  EXPECT_FALSE(actors.add(late, second));
  EXPECT_EQ(actors.count(), 1U);
  actors.end(late, second); // of no list
  EXPECT_EQ(actors.count(), 1U);
  actors.end(cell, second);
  actors.let_go(cell, second);
  EXPECT_EQ(actors.count(), 0U);
  EXPECT_TRUE(has_let_go(cell)) << "a worker that stops would not come to it";
  release(cell);
}

TEST(LiveActors, MoreWorkersThanListsShareTheOneOfOtherThreads) {
  live_actors actors(500);
  EXPECT_EQ(live_actors::place(400), main_thread);
  auto& cell = begun(actors, live_actors::place(61));
  actors.end(cell, live_actors::place(400));
  actors.let_go(cell, live_actors::place(400));
  EXPECT_TRUE(has_let_go(cell));
  release(cell);
}

TEST(LiveActors, CountsNeverMoreNorFewerThanLive) {
  live_actors actors(2);
  auto& stays = begun(actors, second);
  std::atomic<bool> done{false};
  std::thread others([&] { // one more at a time, which begins in one list and ends in the other
    for (int i = 0; i < 20'000; ++i) {
      auto* const cell = new actor_cell;
      EXPECT_TRUE(actors.add(*cell, first));
      actors.end(*cell, second);
      actors.let_go(*cell, second);
    }
    actors.let_go_all(second);
    done = true;
  });
  while (!done) {
    const auto n = actors.count();
    EXPECT_TRUE(n == 1 || n == 2) << n;
    std::this_thread::yield(); // or it would hold the locks nearly all the time
  }
  others.join();
  actors.end(stays, second);
  actors.let_go(stays, second);
  EXPECT_EQ(actors.count(), 0U);
  release(stays);
}

// What a report reads of an actor lives as long as that has not ended, which it therefore must not do under the report's eyes.
TEST(LiveActors, NoneEndsWhileSomebodyLooksAtIt) {
  live_actors actors(2);
  constexpr int rounds = 2'000;
  std::atomic<actor_cell*> handed{nullptr};
  std::atomic<bool> done{false};
  std::thread ender([&] {
    for (int i = 0; i < rounds; ++i) {
      actor_cell* cell = nullptr;
      while ((cell = handed.exchange(nullptr)) == nullptr) std::this_thread::yield();
      actors.end(*cell, second);
      delete static_cast<const int*>(cell->wait_object.load());
      actors.let_go(*cell, second);
    }
    actors.let_go_all(second);
  });
  std::thread looker([&] {
    while (!done.load()) {
      actors.for_each([](actor_cell& cell) { EXPECT_EQ(*static_cast<const int*>(cell.wait_object.load()), 7); });
      std::this_thread::yield(); // or it would hold the locks nearly all the time
    }
  });
  for (int i = 0; i < rounds; ++i) {
    auto* const cell = new actor_cell;
    cell->wait_object = new int(7);
    EXPECT_TRUE(actors.add(*cell, first));
    while (handed.load() != nullptr) std::this_thread::yield();
    handed = cell;
  }
  ender.join();
  done = true;
  looker.join();
  EXPECT_EQ(actors.count(), 0U);
  EXPECT_EQ(shown(actors), 0U);
}

} // namespace
} // namespace greenroom::internal::live_actors_test
