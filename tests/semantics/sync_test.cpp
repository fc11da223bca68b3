// Go's cases for what actors share: mutex, shared_mutex, condition, wait_group, once, guarded. Source: go/src/sync, as facts.
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/condition.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/once.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/shared_mutex.hpp>
#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>
#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::sync_test {
namespace {

using namespace go_kit;
using namespace sync_kit;

// -- mutex and semaphore ----------------------------------------------------------------------------

struct hammered {
  mutex m;
  semaphore s{1};
  int inside = 0; // guarded by whichever of them is hammered
  int total = 0;

  void use() {
    EXPECT_EQ(++inside, 1);
    ++total;
    --inside;
  }
};

task<> hammer_mutex(hammered* h, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    if (i % 3 == 0) {
      if (const auto guard = h->m.try_lock()) h->use();
      continue;
    }
    const auto guard = co_await h->m.lock();
    h->use();
    if (i % 16 == 1) co_await yield(); // holds it across a wait
  }
}
task<> hammer_semaphore(hammered* h, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const auto permit = co_await h->s.acquire();
    h->use();
    if (i % 16 == 1) co_await yield();
  }
}

task<> spawn_ten(task<> (*what)(hammered*, int), hammered* h) {
  std::vector<actor> all;
  for (int i = 0; i < 10; ++i) all.push_back(spawn(what, h, 1'000));
  co_await join_all(&all);
}

// Go: sync TestMutex, TestSemaphore
TEST(GoSync, TenActorsThatHammerAMutexOrASemaphoreExcludeEachOther) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    hammered h;
    run_on(workers, spawn_ten, hammer_semaphore, &h);
    EXPECT_EQ(h.total, 10'000);
    run_on(workers, spawn_ten, hammer_mutex, &h);
    EXPECT_GE(h.total, 10'000 + 6'660) << "a lock was not got, or a try_lock counted twice";
  }
}

// Go: sync TestMutex
TEST(GoSync, TryLockFailsExactlyWhileItIsLocked) {
  mutex m;
  auto guard = m.try_lock();
  EXPECT_TRUE(guard.has_value());
  EXPECT_FALSE(m.try_lock().has_value());
  guard->unlock();
  EXPECT_TRUE(m.try_lock().has_value());
}

// Go: sync TestMutexMisuse
// Differs: unlocking what is not locked ends the process in Go. Here only a guard unlocks, and only what it holds: once.
TEST(GoSync, UnlockingTwiceUnlocksNobodyElse) {
  mutex m;
  auto first = m.try_lock();
  first->unlock();
  const auto second = m.try_lock();
  first->unlock();
  EXPECT_FALSE(m.try_lock().has_value()) << "it unlocked the second holder's mutex";

  shared_mutex s;
  auto reader = s.try_lock_shared();
  reader->unlock();
  const auto writer = s.try_lock();
  reader->unlock();
  EXPECT_FALSE(s.try_lock_shared().has_value());
}

task<> lock_greedily(mutex* m, const bool* enough, int* times) {
  while (!*enough) {
    const auto guard = co_await m->lock();
    ++*times;
    co_await yield();
  }
}
task<> lock_ten_times(mutex* m) {
  bool enough = false;
  int greedy_times = 0;
  const auto greedy = spawn(lock_greedily, m, &enough, &greedy_times);
  for (int i = 0; i < 10; ++i) {
    co_await yield();
    const int when_asked = greedy_times;
    const auto guard = co_await m->lock();
    EXPECT_LE(greedy_times - when_asked, 1) << "only who stood in line before may come first";
  }
  enough = true;
  co_await expect_end(greedy, exit_kind::normal);
}

// Go: sync TestMutexFairness
TEST(GoSync, GreedyHolderGetsItAtMostOnceWhileAnotherWaits) {
  mutex m;
  run_on(1, lock_ten_times, &m);
}

// -- shared_mutex -----------------------------------------------------------------------------------

task<> read_together(shared_mutex* m, wait_group* here) {
  const auto guard = co_await m->lock_shared();
  here->done();
  co_await here->wait(); // for ever, if readers excluded each other
}
task<> start_readers(shared_mutex* m, wait_group* here, int readers) {
  here->add(readers);
  std::vector<actor> all;
  for (int i = 0; i < readers; ++i) all.push_back(spawn(read_together, m, here));
  co_await join_all(&all);
}

// Go: sync TestParallelReaders
TEST(GoSync, ReadersHoldASharedMutexAtTheSameTime) {
  for (const auto& [readers, workers] : {std::pair(1, 4U), std::pair(3, 4U), std::pair(4, 2U)}) {
    shared_mutex m;
    wait_group here;
    run_on(workers, start_readers, &m, &here, readers);
  }
}

struct table {
  shared_mutex m;
  std::atomic<int> activity{0}; // readers inside, and 10,000 for a writer
};
task<> read_often(table* t, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const auto guard = co_await t->m.lock_shared();
    const int inside = ++t->activity;
    EXPECT_TRUE(inside >= 1 && inside < 10'000) << inside;
    if (i % 8 == 0) co_await yield();
    --t->activity;
  }
}
task<> write_often(table* t, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const auto guard = co_await t->m.lock();
    EXPECT_EQ(t->activity += 10'000, 10'000);
    if (i % 8 == 0) co_await yield();
    t->activity -= 10'000;
  }
}
task<> hammer_table(table* t, int readers) {
  std::vector<actor> all{spawn(write_often, t, 1'000)};
  for (int i = 0; i < readers / 2; ++i) all.push_back(spawn(read_often, t, 1'000));
  all.push_back(spawn(write_often, t, 1'000));
  for (int i = readers / 2; i < readers; ++i) all.push_back(spawn(read_often, t, 1'000));
  co_await join_all(&all);
}

// Go: sync TestRWMutex
TEST(GoSync, WriterIsAloneWhateverTheNumberOfReadersAndWorkers) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    for (const int readers : {1, 3, 5, 10}) {
      table t;
      run_on(workers, hammer_table, &t, readers);
      EXPECT_EQ(t.activity, 0);
    }
  }
}

// Go: sync TestRWMutex
TEST(GoSync, TryLocksOfASharedMutexFollowItsHolders) {
  shared_mutex m;
  auto writer = m.try_lock();
  EXPECT_TRUE(writer.has_value());
  EXPECT_FALSE(m.try_lock().has_value());
  EXPECT_FALSE(m.try_lock_shared().has_value());
  writer->unlock();
  auto one = m.try_lock_shared();
  auto two = m.try_lock_shared();
  EXPECT_TRUE(one && two);
  EXPECT_FALSE(m.try_lock().has_value());
  one->unlock();
  EXPECT_FALSE(m.try_lock().has_value());
  two->unlock();
  EXPECT_TRUE(m.try_lock().has_value());
}

task<> read_twice_then_write(shared_mutex* m, address<shared_guard> reads, address<exclusive_guard> writes) {
  for (int i = 0; i < 10; ++i) {
    auto one = co_await m->lock_shared();
    auto two = co_await m->lock_shared();
    EXPECT_TRUE(co_await reads.send(std::move(one)));
    EXPECT_TRUE(co_await reads.send(std::move(two)));
    auto write = co_await m->lock();
    EXPECT_TRUE(co_await writes.send(std::move(write)));
  }
}
task<> give_up_for_it(shared_mutex* m) {
  auto reads = make_mailbox<shared_guard>(bounded(2));
  auto writes = make_mailbox<exclusive_guard>(bounded(1));
  spawn(read_twice_then_write, m, reads.out, writes.out);
  for (int i = 0; i < 10; ++i) {
    auto one = co_await reads.in.receive();
    auto two = co_await reads.in.receive();
    one->unlock();
    co_await settle();
    EXPECT_FALSE(writes.in.try_receive()) << "a reader is left";
    two->unlock();
    auto write = co_await writes.in.receive();
    co_await settle();
    EXPECT_FALSE(reads.in.try_receive());
    write->unlock();
  }
}

// Go: sync TestRLocker
TEST(GoSync, WriterWaitsForEveryReadLockWhoeverGivesItUp) {
  shared_mutex m;
  run_on(1, give_up_for_it, &m);
}

// -- condition --------------------------------------------------------------------------------------

struct scene {
  mutex m;
  condition changed;
  std::vector<int> woken; // guarded by m, as are the following
  bool exit = false;
  int x = 0;
};

task<> wait_once(scene* s, int me) {
  auto guard = co_await s->m.lock();
  co_await s->changed.wait(guard);
  s->woken.push_back(me);
}
task<> wake_one_at_a_time(scene* s, int count) {
  std::vector<actor> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(spawn(wait_once, s, i));
    co_await until_waiting(all.back(), wait_kind::condition);
  }
  for (std::size_t n = 1; n <= all.size(); ++n) {
    s->changed.notify_one();
    co_await settle();
    EXPECT_EQ(s->woken.size(), n);
  }
  s->changed.notify_one(); // nobody is left: it has no effect later
  co_await join_all(&all);
}

// Go: sync TestCondSignal, TestCondSignalGenerations
TEST(GoSync, EachSignalWakesExactlyTheOneThatHasWaitedLongest) {
  scene s;
  run_on(1, wake_one_at_a_time, &s, 100);
  EXPECT_TRUE(std::is_sorted(s.woken.begin(), s.woken.end()));
  EXPECT_EQ(s.woken.size(), 100U);
}

task<> wait_until_the_exit(scene* s, int me) {
  auto guard = co_await s->m.lock();
  while (!s->exit) {
    s->woken.push_back(me);
    co_await s->changed.wait(guard);
  }
}
task<> broadcast_twice(scene* s, int count) {
  std::vector<actor> all;
  for (int i = 0; i < count; ++i) all.push_back(spawn(wait_until_the_exit, s, i));
  for (auto& a : all) co_await until_waiting(a, wait_kind::condition);
  EXPECT_EQ(s->woken.size(), all.size());
  s->changed.notify_all();
  while (true) {
    auto guard = co_await s->m.lock();
    if (s->woken.size() == 2 * all.size()) break; // each came round once, and may be about to wait again
    guard.unlock();
    co_await yield();
  }
  {
    const auto guard = co_await s->m.lock();
    s->exit = true;
  }
  s->changed.notify_all();
  co_await join_all(&all);
}

// Go: sync TestCondBroadcast
TEST(GoSync, BroadcastWakesAllWhoWaitEveryTime) {
  for (const std::size_t workers : {1U, 4U}) {
    scene s;
    run_on(workers, broadcast_twice, &s, 200);
    std::sort(s.woken.begin(), s.woken.end());
    for (std::size_t i = 0; i < s.woken.size(); ++i) EXPECT_EQ(s.woken[i], static_cast<int>(i / 2));
  }
}

task<> one_to_three(scene* s) {
  auto guard = co_await s->m.lock();
  s->x = 1;
  co_await s->changed.wait(guard);
  EXPECT_EQ(s->x, 2);
  s->x = 3;
  s->changed.notify_one();
}
task<> one_to_two(scene* s) {
  for (;;) {
    {
      const auto guard = co_await s->m.lock();
      if (s->x == 1) {
        s->x = 2;
        s->changed.notify_one();
        co_return;
      }
    }
    co_await yield();
  }
}
task<> two_to_three(scene* s) {
  for (;;) {
    {
      auto guard = co_await s->m.lock();
      if (s->x == 2) {
        co_await s->changed.wait(guard);
        EXPECT_EQ(s->x, 3);
        co_return;
      }
      if (s->x == 3) co_return;
    }
    co_await yield();
  }
}
task<> race_three(scene* s) {
  std::vector<actor> all{spawn(one_to_three, s), spawn(one_to_two, s), spawn(two_to_three, s)};
  co_await join_all(&all);
}

// Go: sync TestRace
TEST(GoSync, ThreeActorsThatStepAValueOnBySignalsLoseNone) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    for (int i = 0; i < 10; ++i) {
      scene s;
      run_on(workers, race_three, &s);
      EXPECT_EQ(s.x, 3);
    }
  }
}

task<> notify_all_now(scene* s) { co_return s->changed.notify_all(); }
task<> race_for_the_broadcast(scene* s) {
  for (int i = 0; i < 1'000; ++i) {
    s->exit = false;
    const auto first = spawn(wait_once, s, i);
    co_await until_waiting(first, wait_kind::condition);
    const auto notifier = spawn(notify_all_now, s);
    const auto later = spawn(wait_until_the_exit, s, -1);
    co_await expect_end(first, exit_kind::normal); // whoever else came meanwhile
    {
      const auto guard = co_await s->m.lock();
      s->exit = true;
    }
    s->changed.notify_all();
    co_await expect_end(later, exit_kind::normal);
    co_await expect_end(notifier, exit_kind::normal);
  }
}

// Go: sync TestCondSignalStealing
TEST(GoSync, BroadcastReachesWhoWaitedBeforeItWhoeverComesLater) {
  for (const std::size_t workers : {1U, 4U}) {
    scene s;
    run_on(workers, race_for_the_broadcast, &s);
  }
}

// Go: sync TestCondCopy
// Differs: Go finds a copy when it is used; here a copy does not compile.
TEST(GoSync, WhatActorsWaitInCannotBeCopiedOrMoved) {
  const auto fixed = []<class T>(const T*) {
    return !std::is_copy_constructible_v<T> && !std::is_move_constructible_v<T>;
  };
  EXPECT_TRUE(fixed(static_cast<condition*>(nullptr)) && fixed(static_cast<mutex*>(nullptr)) &&
              fixed(static_cast<shared_mutex*>(nullptr)) && fixed(static_cast<wait_group*>(nullptr)) &&
              fixed(static_cast<once*>(nullptr)) && fixed(static_cast<semaphore*>(nullptr)));
}

} // namespace
} // namespace greenroom::sync_test
