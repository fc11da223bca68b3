#include <greenroom/runtime/condition.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::condition_test {
namespace {

using namespace std::chrono_literals;
using namespace sync_kit;

struct scene {
  mutex m;
  condition changed;
  bool open = false;      // guarded by m, as are the following
  std::vector<int> woken; // who was notified, in that order
  std::vector<int> ended; // who was cancelled
};

task<> wait_once(scene* s, int who) {
  auto guard = co_await s->m.lock();
  try {
    co_await s->changed.wait(guard);
    s->woken.push_back(who);
  } catch (const cancelled&) {
    EXPECT_TRUE(guard) << "the mutex is held again";
    EXPECT_FALSE(s->m.try_lock().has_value());
    s->ended.push_back(who);
    throw;
  }
  EXPECT_TRUE(guard);
}

task<> line_up(scene* s, int count, std::vector<actor>* all) {
  for (int i = 0; i < count; ++i) {
    all->push_back(spawn(wait_once, s, i));
    co_await until_waiting(all->back(), wait_kind::condition);
  }
}

/// Returns how many have been woken once nobody has anything to do any more. Requires: one worker.
task<std::size_t> settled(scene* s) {
  for (int i = 0; i < 20; ++i) co_await yield();
  auto guard = co_await s->m.lock();
  co_return s->woken.size();
}

// -- succeeds ---------------------------------------------------------------------------------------

task<> notify_singly(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 5, &all);
  for (std::size_t n = 1; n <= 5; ++n) {
    s->changed.notify_one();
    const auto woken = co_await settled(s);
    EXPECT_EQ(woken, n);
  }
  s->changed.notify_one(); // nobody waits: no effect later
  all.push_back(spawn(wait_once, s, 5));
  co_await until_waiting(all.back(), wait_kind::condition);
  const auto woken = co_await settled(s);
  EXPECT_EQ(woken, 5U);
  s->changed.notify_one();
  co_await join_all(&all);
}

TEST(Condition, NotifyOneWakesExactlyOne) {
  scene s;
  run_on(1, notify_singly, &s);
}

task<> notify_in_turn(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 30, &all);
  for (auto& a : all) {
    s->changed.notify_one();
    co_await expect_end(a, exit_kind::normal);
  }
}

TEST(Condition, NotifyOneWakesInTheOrderOfWaiting) {
  for (const std::size_t workers : {1U, 4U}) {
    scene s;
    run_on(workers, notify_in_turn, &s);
    std::vector<int> expected(30);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(s.woken, expected);
  }
}

task<> notify_everybody(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 20, &all);
  s->changed.notify_all();
  co_await join_all(&all);
}

TEST(Condition, NotifyAllWakesAll) {
  for (const std::size_t workers : {1U, 4U}) {
    scene s;
    run_on(workers, notify_everybody, &s);
    EXPECT_EQ(s.woken.size(), 20U);
  }
}

task<> wait_until_open(scene* s) {
  auto guard = co_await s->m.lock();
  co_await s->changed.wait(guard, [s] { return s->open; });
}
task<> notify_all_now(scene* s) {
  s->changed.notify_all();
  co_return;
}

/// An actor waits; a broadcast and a second waiter race. The broadcast must reach the first, however the race ends.
task<> race_for_the_notification(scene* s) {
  for (int i = 0; i < 100; ++i) {
    s->open = false;
    auto first = spawn(wait_once, s, i);
    co_await until_waiting(first, wait_kind::condition);
    auto notifier = spawn(notify_all_now, s);
    auto second = spawn(wait_until_open, s);
    co_await expect_end(first, exit_kind::normal);
    {
      auto guard = co_await s->m.lock();
      s->open = true;
    }
    s->changed.notify_all();
    co_await expect_end(second, exit_kind::normal);
    co_await expect_end(notifier, exit_kind::normal);
  }
}

TEST(Condition, LaterWaiterCannotStealANotification) {
  for (const std::size_t workers : {1U, 4U}) {
    scene s;
    run_on(workers, race_for_the_notification, &s);
  }
}

struct signal_and_answer {
  mutex m;
  condition changed;
  int signal = 0; // guarded by m
  std::atomic<int> answer{0};
};

task<> answer_signals(signal_and_answer* s, int rounds) {
  auto guard = co_await s->m.lock();
  for (int i = 1; i <= rounds; ++i) {
    co_await s->changed.wait(guard, [s, i] { return s->signal == i; });
    s->answer = i;
  }
}

/// Waits for the moment in which the actor gives the mutex up, to notify as near to its wait as can be.
void send_signals(signal_and_answer& s, int rounds) {
  for (int i = 1; i <= rounds; ++i) {
    auto guard = s.m.try_lock();
    while (!guard) guard = s.m.try_lock();
    s.signal = i;
    guard->unlock();
    s.changed.notify_one();
    while (s.answer != i) std::this_thread::yield();
  }
}

TEST(Condition, NotificationBetweenUnlockingAndWaitingIsNotLost) {
  constexpr int rounds = 2'000;
  signal_and_answer s;
  actor_system sys(options{.workers = 1});
  auto answering = sys.spawn(answer_signals, &s, rounds);
  std::jthread([&s] { send_signals(s, rounds); }).join(); // hangs if one is lost
  EXPECT_TRUE(answering.wait().normal());
}

struct bounded_buffer {
  mutex m;
  condition not_empty;
  condition not_full;
  std::deque<int> items;
  long sum = 0;
};

task<> produce(bounded_buffer* b, int count) {
  for (int i = 1; i <= count; ++i) {
    auto guard = co_await b->m.lock();
    co_await b->not_full.wait(guard, [b] { return b->items.size() < 2; });
    b->items.push_back(i);
    b->not_empty.notify_one();
  }
}
task<> consume(bounded_buffer* b, int count) {
  for (int i = 0; i < count; ++i) {
    auto guard = co_await b->m.lock();
    co_await b->not_empty.wait(guard, [b] { return !b->items.empty(); });
    b->sum += b->items.front();
    b->items.pop_front();
    guard.unlock();
    b->not_full.notify_one(); // without the mutex: as good
  }
}

task<> produce_and_consume(bounded_buffer* b) {
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(spawn(produce, b, 400));
    all.push_back(spawn(consume, b, 400));
  }
  co_await join_all(&all);
}

TEST(Condition, BoundedBufferDeliversAllItemsOfManyProducers) {
  for (const std::size_t workers : {1U, 4U}) {
    bounded_buffer b;
    run_on(workers, produce_and_consume, &b);
    EXPECT_EQ(b.sum, 4L * 400 * 401 / 2);
    EXPECT_TRUE(b.items.empty());
  }
}

// -- times out --------------------------------------------------------------------------------------

task<> time_out(scene* s) {
  auto guard = co_await s->m.lock();
  bool met = co_await s->changed.wait_for(guard, 2ms, [s] { return s->open; });
  EXPECT_FALSE(met);
  EXPECT_TRUE(guard);
  EXPECT_FALSE(s->m.try_lock().has_value());
  met = co_await s->changed.wait_until(guard, time_point::min(), [s] { return s->open; });
  EXPECT_FALSE(met);
  EXPECT_TRUE(guard);
  s->open = true;
  met = co_await s->changed.wait_for(guard, 0s, [s] { return s->open; });
  EXPECT_TRUE(met);
}

TEST(Condition, WaitForTimesOutWithTheMutexHeld) {
  scene s;
  run_on(1, time_out, &s);
}

task<> wait_within_an_hour(scene* s, bool* met) {
  auto guard = co_await s->m.lock();
  *met = co_await s->changed.wait_for(guard, 1h, [s] { return s->open; });
}

task<> open_in_time(scene* s, bool* met) {
  auto waiting = spawn(wait_within_an_hour, s, met);
  co_await until_waiting(waiting, wait_kind::condition);
  s->changed.notify_one(); // not yet met: it waits on
  co_await until_waiting(waiting, wait_kind::condition);
  {
    auto guard = co_await s->m.lock();
    s->open = true;
  }
  s->changed.notify_one();
  co_await expect_end(waiting, exit_kind::normal);
}

TEST(Condition, WaitForReturnsTrueWhenThePredicateIsMetInTime) {
  scene s;
  bool met = false;
  run_on(1, open_in_time, &s, &met);
  EXPECT_TRUE(met);
}

// -- is cancelled -----------------------------------------------------------------------------------

task<> cancel_under_the_mutex(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 2, &all);
  auto guard = co_await s->m.lock();
  all[0].cancel();
  co_await until_waiting(all[0], wait_kind::lock); // it was cancelled, and waits for the mutex first
  all[0].cancel();
  for (int i = 0; i < 5; ++i) co_await yield();
  EXPECT_FALSE(all[0].finished()) << "taking the mutex again was interrupted";
  guard.unlock();
  co_await expect_end(all[0], exit_kind::cancelled);
  s->changed.notify_one(); // not for the cancelled one
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(Condition, CancelledWaiterTakesTheMutexBeforeItUnwinds) {
  scene s;
  run_on(1, cancel_under_the_mutex, &s);
  EXPECT_EQ(s.ended, (std::vector{0}));
  EXPECT_EQ(s.woken, (std::vector{1}));
}

task<> wait_shielded(scene* s) {
  auto guard = co_await s->m.lock();
  co_await shielded(2ms, s->changed.wait(guard));
  EXPECT_TRUE(guard);
  s->woken.push_back(0);
}

task<> outlast_the_shield(scene* s) {
  auto waiting = spawn(wait_shielded, s);
  co_await until_waiting(waiting, wait_kind::condition);
  auto guard = co_await s->m.lock();
  s->changed.notify_one();
  co_await until_waiting(waiting, wait_kind::lock);
  waiting.cancel();
  while ((waiting.cell()->word.load() & detail::actor_cell::masked) != 0) co_await yield(); // the shield's time is over
  for (int i = 0; i < 5; ++i) co_await yield();
  EXPECT_EQ(detail::kind_of(waiting.cell()->waits_for.load()), wait_kind::lock);
  guard.unlock();
  co_await expect_end(waiting, exit_kind::normal);
}

TEST(Condition, EndOfAShieldDoesNotInterruptTakingTheMutexAgain) {
  scene s;
  run_on(1, outlast_the_shield, &s);
  EXPECT_EQ(s.woken.size(), 1U);
}

task<> wait_after_a_cancel(scene* s) {
  auto guard = co_await s->m.lock();
  this_actor::self().cancel();
  try {
    co_await s->changed.wait(guard);
    ADD_FAILURE();
  } catch (const cancelled&) {
    EXPECT_TRUE(guard) << "the mutex was not even given up";
    throw;
  }
}

task<> start_cancelled(scene* s) { co_await expect_end(spawn(wait_after_a_cancel, s), exit_kind::cancelled); }

TEST(Condition, CancelledActorDoesNotBeginToWait) {
  scene s;
  run_on(1, start_cancelled, &s);
}

task<> cancel_then_notify(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 2, &all);
  all[0].cancel(); // it is still in the queue until it has run
  s->changed.notify_one();
  co_await expect_end(all[0], exit_kind::cancelled);
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(Condition, NotificationThatMeetsACancelledWaiterGoesToTheNext) {
  scene s;
  run_on(1, cancel_then_notify, &s);
}

task<> notify_now(scene* s) {
  s->changed.notify_one();
  co_return;
}
task<> cancel_now(actor who) {
  who.cancel();
  co_return;
}

/// One notification and the cancellation of the first waiter race: exactly one of the two waiters is notified.
task<> race_with_a_cancel(scene* s, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    s->woken.clear();
    std::vector<actor> all;
    co_await line_up(s, 2, &all);
    std::vector<actor> racers{spawn(notify_now, s), spawn(cancel_now, all[0])};
    co_await join_all(&racers);
    const auto first = co_await all[0].join();
    if (first.normal()) all[1].cancel();
    const auto second = co_await all[1].join();
    EXPECT_NE(first.normal(), second.normal());
    EXPECT_EQ(s->woken.size(), 1U);
  }
}

TEST(Condition, RaceOfANotificationAndACancelLeavesExactlyOneNotified) {
  for (const std::size_t workers : {1U, 4U}) {
    scene s;
    run_on(workers, race_with_a_cancel, &s, 200);
  }
}

// -- is killed --------------------------------------------------------------------------------------

task<> kill_while_waiting(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 2, &all);
  all[0].kill();
  co_await expect_end(all[0], exit_kind::killed);
  s->changed.notify_one();
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(Condition, KilledWaiterIsNotNotified) {
  scene s;
  run_on(1, kill_while_waiting, &s);
}

task<> kill_while_relocking(scene* s) {
  std::vector<actor> all;
  co_await line_up(s, 2, &all);
  auto guard = co_await s->m.lock();
  s->changed.notify_one();
  co_await until_waiting(all[0], wait_kind::lock);
  all[0].kill(); // notified, but without the mutex yet
  co_await expect_end(all[0], exit_kind::killed);
  guard.unlock();
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(Condition, NotificationOfAnActorKilledBeforeItHasTheMutexGoesToTheNext) {
  scene s;
  run_on(1, kill_while_relocking, &s);
  EXPECT_TRUE(s.m.try_lock().has_value());
}

// -- errors -----------------------------------------------------------------------------------------

task<> wait_without_mutex(scene* s, bool* refused) {
  mutex_guard none;
  try {
    co_await s->changed.wait(none);
  } catch (const usage_error&) {
    *refused = true;
  }
}

TEST(Condition, WaitNeedsAGuardThatHoldsAMutex) {
  scene s;
  bool refused = false;
  run_on(1, wait_without_mutex, &s, &refused);
  EXPECT_TRUE(refused);
}

} // namespace
} // namespace greenroom::condition_test
