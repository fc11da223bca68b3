#include <greenroom/runtime/wait_group.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::wait_group_test {
namespace {

using namespace std::chrono_literals;
using namespace sync_kit;

task<> wait_and_count(wait_group* group, std::atomic<int>* through) {
  co_await group->wait();
  ++*through;
}

// -- succeeds ---------------------------------------------------------------------------------------

task<> release_three(wait_group* group, std::atomic<int>* through) {
  group->add(2);
  std::vector<actor> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(spawn(wait_and_count, group, through));
    co_await until_waiting(all.back(), wait_kind::wait_group);
  }
  group->done();
  co_await yield();
  EXPECT_EQ(*through, 0);
  EXPECT_EQ(group->count(), 1);
  group->done();
  co_await join_all(&all);
  EXPECT_EQ(*through, 3);
  co_await group->wait(); // zero: at once
}

TEST(WaitGroup, ZeroLetsAllWhoWaitGoOn) {
  wait_group group;
  std::atomic<int> through{0};
  run_on(1, release_three, &group, &through);
}

task<> be_done(wait_group* group) {
  co_await yield();
  group->done();
}

task<> own_a_group(int works) {
  wait_group group; // gone as soon as the last one is done
  for (int i = 0; i < works; ++i) {
    group.add();
    static_cast<void>(spawn(be_done, &group));
  }
  co_await group.wait();
  EXPECT_EQ(group.count(), 0);
}

task<> own_groups(int rounds) {
  for (int i = 0; i < rounds; ++i) co_await own_a_group(1 + i % 5);
}

task<> own_groups_everywhere(int rounds) {
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) all.push_back(spawn(own_groups, rounds));
  co_await join_all(&all);
}

TEST(WaitGroup, MayBeDestroyedByItsWaiterAtOnce) {
  for (const std::size_t workers : {1U, 4U}) run_on(workers, own_groups_everywhere, 300);
}

task<> use_again(wait_group* group, std::atomic<int>* through) {
  for (int round = 1; round <= 50; ++round) {
    group->add(3);
    std::vector<actor> all;
    for (int i = 0; i < 4; ++i) all.push_back(spawn(wait_and_count, group, through));
    for (int i = 0; i < 3; ++i) all.push_back(spawn(be_done, group));
    co_await join_all(&all);
    EXPECT_EQ(*through, 4 * round);
  }
}

TEST(WaitGroup, CanBeUsedAgainAfterZero) {
  for (const std::size_t workers : {1U, 4U}) {
    wait_group group;
    std::atomic<int> through{0};
    run_on(workers, use_again, &group, &through);
  }
}

TEST(WaitGroup, IsDoneFromAThreadThatIsNoWorker) {
  wait_group group;
  std::atomic<int> through{0};
  group.add();
  actor_system sys(options{.workers = 2});
  auto waiting = sys.spawn(wait_and_count, &group, &through);
  std::jthread([&group] { group.done(); }).join();
  EXPECT_TRUE(waiting.wait().normal());
  EXPECT_EQ(through, 1);
}

// -- errors -----------------------------------------------------------------------------------------

std::string error_of_add(wait_group& group, std::int64_t n) {
  try {
    group.add(n);
  } catch (const usage_error& e) {
    return e.what();
  }
  return "none";
}

TEST(WaitGroup, NegativeCountIsAnErrorThatChangesNothing) {
  wait_group group;
  EXPECT_THROW(group.done(), usage_error);
  group.add(2);
  EXPECT_EQ(error_of_add(group, -3),
            "wait_group: the count cannot go below zero or out of range: it is 2, and -3 was to "
            "be added; call done() once for each thing added");
  EXPECT_NE(error_of_add(group, INT64_MAX), "none");
  EXPECT_EQ(group.count(), 2);
  group.add(-2);
  EXPECT_EQ(group.count(), 0);
}

// -- times out, is cancelled, is killed ---------------------------------------------------------------

task<> time_out(wait_group* group) {
  EXPECT_TRUE((co_await group->wait_for(0s)).has_value());
  group->add();
  const auto late = co_await group->wait_for(2ms);
  EXPECT_TRUE(!late && late.error().is(errc::timed_out));
  const auto chosen = co_await select(group->wait(), after(1ms));
  EXPECT_EQ(chosen.index(), 1U);
  group->done();
  EXPECT_TRUE((co_await group->wait_until(time_point::min())).has_value());
  const auto now = co_await select(group->wait(), after(1h));
  EXPECT_EQ(now.index(), 0U);
}

TEST(WaitGroup, WaitForTimesOutOnlyAboveZero) {
  wait_group group;
  run_on(1, time_out, &group);
}

task<> strike_waiters(wait_group* group, std::atomic<int>* through) {
  group->add();
  std::vector<actor> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(spawn(wait_and_count, group, through));
    co_await until_waiting(all.back(), wait_kind::wait_group);
  }
  all[0].cancel();
  all[1].kill();
  co_await expect_end(all[0], exit_kind::cancelled);
  co_await expect_end(all[1], exit_kind::killed);
  EXPECT_EQ(*through, 0);
  group->done();
  co_await expect_end(all[2], exit_kind::normal);
  EXPECT_EQ(*through, 1);
}

TEST(WaitGroup, CancelledAndKilledWaitersLeaveTheOthersWaiting) {
  wait_group group;
  std::atomic<int> through{0};
  run_on(1, strike_waiters, &group, &through);
}

#ifndef NDEBUG
task<> wait_in(wait_group* group) { co_await group->wait(); }

task<> destroy_under_a_waiter() {
  actor waiting;
  {
    wait_group group;
    group.add();
    waiting = spawn(wait_in, &group);
    co_await until_waiting(waiting, wait_kind::wait_group);
  }
}

TEST(WaitGroup, DestroyingItUnderAWaiterIsAsserted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_on(1, destroy_under_a_waiter), "destroyed while an actor waits for it");
}
#endif

} // namespace
} // namespace greenroom::wait_group_test
