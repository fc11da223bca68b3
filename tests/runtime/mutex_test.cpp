#include <greenroom/runtime/mutex.hpp>

#include <chrono>
#include <numeric>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::mutex_test {
namespace {

using namespace std::chrono_literals;
using namespace sync_kit;

task<> note_turn(mutex* m, std::vector<int>* order, int who) {
  auto guard = co_await m->lock();
  order->push_back(who);
}

actor start_noting(mutex& m, std::vector<int>& order, int who) { return spawn(note_turn, &m, &order, who); }

// -- succeeds ---------------------------------------------------------------------------------------

struct shared_count {
  mutex m;
  int inside = 0;
  int total = 0;
};

task<> count_up(shared_count* shared, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    auto guard = co_await shared->m.lock();
    EXPECT_EQ(++shared->inside, 1);
    if (i % 8 == 0) co_await yield(); // holds it across a wait
    ++shared->total;
    --shared->inside;
  }
}

task<> hammer(shared_count* shared, int actors, int rounds) {
  std::vector<actor> all;
  for (int i = 0; i < actors; ++i) all.push_back(spawn(count_up, shared, rounds));
  co_await join_all(&all);
}

TEST(Mutex, HoldersExcludeEachOtherOnAnyNumberOfWorkers) {
  for (const std::size_t workers : {1U, 4U}) {
    shared_count shared;
    run_on(workers, hammer, &shared, 8, 1'000);
    EXPECT_EQ(shared.total, 8'000);
  }
}

task<> line_up(mutex* m, std::vector<int>* order) {
  auto guard = co_await m->lock();
  std::vector<actor> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(start_noting(*m, *order, i));
    co_await until_waiting(all.back(), wait_kind::lock);
  }
  guard.unlock();
  co_await join_all(&all);
}

TEST(Mutex, IsHandedOverInTheOrderOfArrival) {
  for (const std::size_t workers : {1U, 4U}) {
    mutex m;
    std::vector<int> order;
    run_on(workers, line_up, &m, &order);
    std::vector<int> expected(10);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
  }
}

task<> overtake(mutex* m, std::vector<int>* order) {
  auto guard = co_await m->lock();
  auto waiting = start_noting(*m, *order, 1);
  co_await until_waiting(waiting, wait_kind::lock);
  guard.unlock();
  EXPECT_FALSE(m->try_lock().has_value());
  guard = co_await m->lock();
  order->push_back(2);
  co_await expect_end(waiting, exit_kind::normal);
}

TEST(Mutex, UnlockingHolderCannotTakeItBeforeTheWaiter) {
  mutex m;
  std::vector<int> order;
  run_on(1, overtake, &m, &order);
  EXPECT_EQ(order, (std::vector{1, 2}));
}

task<> be_greedy(mutex* m, bool* enough) {
  for (;;) {
    auto guard = co_await m->lock();
    if (*enough) co_return;
    co_await yield();
  }
}

task<> compete(mutex* m, bool* enough) {
  auto greedy = spawn(be_greedy, m, enough);
  for (int i = 0; i < 10; ++i) {
    auto guard = co_await m->lock();
    co_await yield();
    *enough = i == 9;
  }
  co_await expect_end(greedy, exit_kind::normal);
}

TEST(Mutex, GreedyHolderCannotKeepAnotherOut) {
  for (const std::size_t workers : {1U, 4U}) {
    mutex m;
    bool enough = false;
    run_on(workers, compete, &m, &enough);
    EXPECT_TRUE(enough);
  }
}

TEST(Mutex, TryLockNeedsNoActorAndFailsOnlyWhileHeld) {
  mutex m;
  auto guard = m.try_lock();
  ASSERT_TRUE(guard.has_value());
  EXPECT_TRUE(*guard);
  EXPECT_FALSE(m.try_lock().has_value());
  guard->unlock();
  EXPECT_FALSE(*guard);
  guard->unlock(); // again: fine
  EXPECT_TRUE(m.try_lock().has_value());
  EXPECT_TRUE(m.try_lock().has_value()) << "the guard before was dropped";
}

TEST(Mutex, MovedGuardHoldsInPlaceOfTheOldOne) {
  mutex a;
  mutex b;
  auto first = *a.try_lock();
  auto second = *b.try_lock();
  second = std::move(first);
  EXPECT_TRUE(b.try_lock().has_value());
  EXPECT_FALSE(a.try_lock().has_value());
  second = mutex_guard();
  EXPECT_TRUE(a.try_lock().has_value());
}

task<> unlock_received(mailbox<mutex_guard> in) {
  while (auto guard = co_await in.receive()) guard->unlock();
}

task<> give_guards_away(mutex* m) {
  auto [in, out] = make_mailbox<mutex_guard>(bounded(1));
  auto other = spawn(unlock_received, std::move(in));
  for (int i = 0; i < 500; ++i) {
    auto guard = co_await m->lock();
    EXPECT_TRUE((co_await out.send(std::move(guard))).has_value());
  }
  out = {};
  co_await expect_end(other, exit_kind::normal);
}

TEST(Mutex, GuardMayBeGivenUpByAnotherActor) {
  mutex m;
  run_on(4, give_guards_away, &m);
}

// -- times out --------------------------------------------------------------------------------------

task<> time_out(mutex* m) {
  auto guard = co_await m->lock();
  auto late = co_await m->lock_for(2ms);
  EXPECT_FALSE(late.has_value());
  EXPECT_TRUE(late.error().is(errc::timed_out));
  late = co_await m->lock_until(time_point::min());
  EXPECT_TRUE(late.error().is(errc::timed_out));
  guard.unlock();
  late = co_await m->lock_until(time_point::min()); // free: no time is needed
  EXPECT_TRUE(late.has_value() && *late);
}

TEST(Mutex, LockForTimesOutOnlyWhileItIsHeld) {
  mutex m;
  run_on(1, time_out, &m);
  EXPECT_TRUE(m.try_lock().has_value());
}

task<> lock_within_an_hour(mutex* m, bool* got) {
  auto guard = co_await m->lock_for(1h);
  *got = guard.has_value();
}

task<> free_in_time(mutex* m, bool* got) {
  auto guard = co_await m->lock();
  auto waiting = spawn(lock_within_an_hour, m, got);
  co_await until_waiting(waiting, wait_kind::lock);
  guard.unlock();
  co_await expect_end(waiting, exit_kind::normal);
}

TEST(Mutex, LockForGetsAMutexThatIsUnlockedInTime) {
  mutex m;
  bool got = false;
  run_on(1, free_in_time, &m, &got);
  EXPECT_TRUE(got);
}

task<> race_time_outs(mutex* m, int* got) {
  for (int i = 0; i < 200; ++i) {
    auto guard = co_await m->lock_for(std::chrono::microseconds(i % 7 * 50));
    if (!guard) continue;
    ++*got;
    co_await yield();
  }
}

task<> time_out_hammer(mutex* m, int* got) {
  std::vector<actor> all;
  for (int i = 0; i < 6; ++i) all.push_back(spawn(race_time_outs, m, got));
  co_await join_all(&all);
}

TEST(Mutex, TimeOutsThatRaceWithUnlocksLoseNoLock) {
  mutex m;
  int got = 0;
  run_on(4, time_out_hammer, &m, &got);
  EXPECT_GT(got, 0);
  EXPECT_TRUE(m.try_lock().has_value());
}

// -- is cancelled or killed -------------------------------------------------------------------------

/// Three in line, of whom the middle one is taken out by `strike`.
task<> strike_the_second(mutex* m, std::vector<int>* order, void (*strike)(actor), exit_kind expected) {
  auto guard = co_await m->lock();
  std::vector<actor> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(start_noting(*m, *order, i));
    co_await until_waiting(all.back(), wait_kind::lock);
  }
  strike(all[1]);
  co_await expect_end(all[1], expected);
  guard.unlock();
  co_await expect_end(all[0], exit_kind::normal);
  co_await expect_end(all[2], exit_kind::normal);
}

void cancel_it(actor a) { a.cancel(); }
void kill_it(actor a) { a.kill(); }

TEST(Mutex, CancelledWaiterLeavesTheLine) {
  mutex m;
  std::vector<int> order;
  run_on(1, strike_the_second, &m, &order, &cancel_it, exit_kind::cancelled);
  EXPECT_EQ(order, (std::vector{0, 2}));
}

TEST(Mutex, KilledWaiterLeavesTheLine) {
  mutex m;
  std::vector<int> order;
  run_on(1, strike_the_second, &m, &order, &kill_it, exit_kind::killed);
  EXPECT_EQ(order, (std::vector{0, 2}));
}

task<> cancel_then_unlock(mutex* m, std::vector<int>* order) {
  auto guard = co_await m->lock();
  std::vector<actor> all;
  for (int i = 0; i < 2; ++i) {
    all.push_back(start_noting(*m, *order, i));
    co_await until_waiting(all.back(), wait_kind::lock);
  }
  all[0].cancel(); // it is still in the line until it has run
  guard.unlock();
  co_await expect_end(all[0], exit_kind::cancelled);
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(Mutex, UnlockThatMeetsACancelledWaiterGoesToTheNext) {
  mutex m;
  std::vector<int> order;
  run_on(1, cancel_then_unlock, &m, &order);
  EXPECT_EQ(order, (std::vector{1}));
}

task<> hold_for_ever(mutex* m) {
  auto guard = co_await m->lock();
  co_await this_actor::context().done();
}

task<> kill_the_holder(mutex* m) {
  auto holder = spawn(hold_for_ever, m);
  co_await until_waiting(holder, wait_kind::context);
  EXPECT_FALSE(m->try_lock().has_value());
  std::vector<int> order;
  auto waiting = start_noting(*m, order, 1);
  co_await until_waiting(waiting, wait_kind::lock);
  holder.kill();
  co_await expect_end(waiting, exit_kind::normal);
  co_await expect_end(holder, exit_kind::killed);
}

TEST(Mutex, KilledHolderUnlocks) {
  mutex m;
  run_on(1, kill_the_holder, &m);
  EXPECT_TRUE(m.try_lock().has_value());
}

/// The first in line is struck after the mutex was handed to it and before it could run.
task<> strike_after_the_grant(mutex* m, std::vector<int>* order, void (*strike)(actor), exit_kind expected) {
  auto guard = co_await m->lock();
  std::vector<actor> all;
  for (int i = 0; i < 2; ++i) {
    all.push_back(start_noting(*m, *order, i));
    co_await until_waiting(all.back(), wait_kind::lock);
  }
  guard.unlock();
  strike(all[0]);
  co_await expect_end(all[0], expected);
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(Mutex, HandedToAnActorThatIsKilledAtThatMomentItGoesToTheNext) {
  mutex m;
  std::vector<int> order;
  run_on(1, strike_after_the_grant, &m, &order, &kill_it, exit_kind::killed);
  EXPECT_EQ(order, (std::vector{1}));
  EXPECT_TRUE(m.try_lock().has_value());
}

TEST(Mutex, HandedToAnActorThatIsCancelledAtThatMomentItIsDeliveredFirst) {
  mutex m;
  std::vector<int> order;
  run_on(1, strike_after_the_grant, &m, &order, &cancel_it, exit_kind::normal);
  EXPECT_EQ(order, (std::vector{0, 1}));
}

task<> lock_again_and_again(mutex* m) {
  for (;;) {
    auto guard = co_await m->lock();
    co_await yield();
  }
}

task<> strike_hammer(mutex* m) {
  for (int round = 0; round < 100; ++round) {
    std::vector<actor> all;
    for (int i = 0; i < 4; ++i) all.push_back(spawn(lock_again_and_again, m));
    for (int i = 0; i < round % 13; ++i) co_await yield();
    for (std::size_t i = 0; i < all.size(); ++i) i % 2 == 0 ? all[i].cancel() : all[i].kill();
    for (auto& a : all) co_await a.join();
    auto guard = co_await m->lock(); // hangs if one of them took it along
  }
}

TEST(Mutex, CancelsAndKillsThatRaceWithUnlocksLoseNoLock) {
  for (const std::size_t workers : {1U, 4U}) {
    mutex m;
    run_on(workers, strike_hammer, &m);
  }
}

// -- select -----------------------------------------------------------------------------------------

task<> select_locks(mutex* a, mutex* b) {
  auto held = co_await a->lock();
  {
    auto won = co_await select(a->lock(), b->lock());
    EXPECT_EQ(won.index(), 1U);
    EXPECT_FALSE(b->try_lock().has_value());
  }
  EXPECT_TRUE(b->try_lock().has_value());
  auto late = co_await select(a->lock(), after(1ms));
  EXPECT_EQ(late.index(), 1U);
  held.unlock();
  EXPECT_TRUE(a->try_lock().has_value()) << "the losing case has taken nothing";
}

TEST(Mutex, LosingSelectCaseHasTakenNothing) {
  mutex a;
  mutex b;
  run_on(1, select_locks, &a, &b);
}

// -- misuse -----------------------------------------------------------------------------------------

#ifndef NDEBUG
void destroy_held_mutex() {
  std::optional<mutex_guard> guard;
  mutex m;
  guard = m.try_lock();
}

TEST(Mutex, DestroyingAHeldOneIsAsserted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(destroy_held_mutex(), "destroyed while it is held");
}
#endif

} // namespace
} // namespace greenroom::mutex_test
