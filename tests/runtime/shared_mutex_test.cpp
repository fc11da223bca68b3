#include <greenroom/runtime/shared_mutex.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::shared_mutex_test {
namespace {

using namespace std::chrono_literals;
using namespace sync_kit;

task<> read(shared_mutex* m, std::string* order, char who) {
  auto guard = co_await m->lock_shared();
  order->push_back(who);
}
task<> write(shared_mutex* m, std::string* order, char who) {
  auto guard = co_await m->lock();
  order->push_back(who);
}

/// Starts readers (small letters) and writers (capitals) and sees each one wait.
task<> line_up(shared_mutex* m, std::string* order, std::string names, std::vector<actor>* all) {
  for (const char c : names) {
    all->push_back(c >= 'a' ? spawn(read, m, order, c) : spawn(write, m, order, c));
    co_await until_waiting(all->back(), wait_kind::lock);
  }
}

// -- succeeds ---------------------------------------------------------------------------------------

task<> read_together(shared_mutex* m, wait_group* here) {
  auto guard = co_await m->lock_shared();
  here->done();
  co_await here->wait(); // for ever, if readers excluded each other
}

task<> start_readers(shared_mutex* m, wait_group* here) {
  std::vector<actor> all;
  here->add(10);
  for (int i = 0; i < 10; ++i) all.push_back(spawn(read_together, m, here));
  co_await join_all(&all);
}

TEST(SharedMutex, ReadersHoldItTogether) {
  for (const std::size_t workers : {1U, 4U}) {
    shared_mutex m;
    wait_group here;
    run_on(workers, start_readers, &m, &here);
  }
}

struct shared_table {
  shared_mutex m;
  std::atomic<int> readers{0};
  std::atomic<int> writers{0};
  int value = 0;
};

task<> read_often(shared_table* t) {
  for (int i = 0; i < 400; ++i) {
    auto guard = co_await t->m.lock_shared();
    ++t->readers;
    EXPECT_EQ(t->writers, 0);
    const int before = t->value;
    if (i % 4 == 0) co_await yield();
    EXPECT_EQ(t->value, before);
    --t->readers;
  }
}

task<> write_often(shared_table* t) {
  for (int i = 0; i < 200; ++i) {
    auto guard = co_await t->m.lock();
    EXPECT_EQ(++t->writers, 1);
    EXPECT_EQ(t->readers, 0);
    if (i % 4 == 0) co_await yield();
    ++t->value;
    --t->writers;
  }
}

task<> hammer(shared_table* t) {
  std::vector<actor> all;
  for (int i = 0; i < 6; ++i) all.push_back(spawn(read_often, t));
  for (int i = 0; i < 3; ++i) all.push_back(spawn(write_often, t));
  co_await join_all(&all);
}

TEST(SharedMutex, WriterExcludesAllOthers) {
  for (const std::size_t workers : {1U, 4U}) {
    shared_table t;
    run_on(workers, hammer, &t);
    EXPECT_EQ(t.value, 600);
  }
}

task<> serve_in_order(shared_mutex* m, std::string* order) {
  auto reading = co_await m->lock_shared();
  std::vector<actor> all;
  co_await line_up(m, order, "AbcDe", &all);
  EXPECT_FALSE(m->try_lock_shared().has_value()) << "a writer waits";
  reading.unlock();
  co_await join_all(&all);
}

TEST(SharedMutex, WaitingWriterHoldsOffLaterReaders) {
  shared_mutex m;
  std::string order;
  run_on(1, serve_in_order, &m, &order);
  ASSERT_EQ(order.size(), 5U);
  EXPECT_EQ(order[0], 'A');
  EXPECT_EQ(order[3], 'D') << order; // b and c together before it, in any order
  EXPECT_EQ(order[4], 'e');
}

TEST(SharedMutex, TryLockNeedsNoActor) {
  shared_mutex m;
  auto reading = m.try_lock_shared();
  ASSERT_TRUE(reading.has_value());
  EXPECT_TRUE(m.try_lock_shared().has_value());
  EXPECT_FALSE(m.try_lock().has_value());
  reading->unlock();
  auto writing = m.try_lock();
  ASSERT_TRUE(writing.has_value());
  EXPECT_FALSE(m.try_lock_shared().has_value());
  *writing = exclusive_guard();
  EXPECT_TRUE(m.try_lock_shared().has_value());
}

// -- times out, is cancelled, is killed: who waited behind goes on --------------------------------------

task<> time_out(shared_mutex* m) {
  auto reading = co_await m->lock_shared();
  auto late = co_await m->lock_for(1ms);
  EXPECT_TRUE(!late && late.error().is(errc::timed_out));
  auto more = co_await m->lock_shared_for(1ms);
  EXPECT_TRUE(more.has_value()) << "readers do not wait for a writer that has given up";
  reading.unlock();
  more->unlock();
  auto writing = co_await m->lock_until(time_point::min());
  EXPECT_TRUE(writing.has_value());
  more = co_await m->lock_shared_for(1ms);
  EXPECT_TRUE(!more && more.error().is(errc::timed_out));
}

TEST(SharedMutex, TimedLocksTimeOutOnlyWhileItIsHeld) {
  shared_mutex m;
  run_on(1, time_out, &m);
  EXPECT_TRUE(m.try_lock().has_value());
}

task<> write_soon(shared_mutex* m) {
  auto guard = co_await m->lock_for(5ms);
  EXPECT_FALSE(guard.has_value());
}

task<> time_out_before_readers(shared_mutex* m, std::string* order) {
  auto reading = co_await m->lock_shared();
  auto writer = spawn(write_soon, m);
  co_await until_waiting(writer, wait_kind::lock);
  auto reader = spawn(read, m, order, 'r');
  co_await expect_end(writer, exit_kind::normal);
  co_await expect_end(reader, exit_kind::normal);
}

TEST(SharedMutex, TimedOutWriterLetsReadersGoOn) {
  shared_mutex m;
  std::string order;
  run_on(1, time_out_before_readers, &m, &order);
}

task<> strike_the_writer(shared_mutex* m, std::string* order, void (*strike)(actor), exit_kind expected) {
  auto reading = co_await m->lock_shared();
  std::vector<actor> all;
  co_await line_up(m, order, "Wab", &all);
  strike(all[0]);
  co_await expect_end(all[0], expected);
  co_await expect_end(all[1], exit_kind::normal);
  co_await expect_end(all[2], exit_kind::normal);
}

void cancel_it(actor a) { a.cancel(); }
void kill_it(actor a) { a.kill(); }

TEST(SharedMutex, CancelledWriterLetsReadersGoOn) {
  shared_mutex m;
  std::string order;
  run_on(1, strike_the_writer, &m, &order, &cancel_it, exit_kind::cancelled);
  EXPECT_EQ(order.size(), 2U);
}

TEST(SharedMutex, KilledWriterLetsReadersGoOn) {
  shared_mutex m;
  std::string order;
  run_on(1, strike_the_writer, &m, &order, &kill_it, exit_kind::killed);
  EXPECT_EQ(order.size(), 2U);
}

task<> strike_the_reader(shared_mutex* m, std::string* order, void (*strike)(actor), exit_kind expected) {
  auto writing = co_await m->lock();
  std::vector<actor> all;
  co_await line_up(m, order, "aW", &all);
  strike(all[0]);
  co_await expect_end(all[0], expected);
  writing.unlock();
  co_await expect_end(all[1], exit_kind::normal);
}

TEST(SharedMutex, CancelledAndKilledReadersLeaveTheLine) {
  shared_mutex m;
  std::string order;
  run_on(1, strike_the_reader, &m, &order, &cancel_it, exit_kind::cancelled);
  run_on(1, strike_the_reader, &m, &order, &kill_it, exit_kind::killed);
  EXPECT_EQ(order, "WW");
}

template <class Guard>
task<> hold_for_ever(shared_mutex* m) {
  if constexpr (std::is_same_v<Guard, exclusive_guard>) {
    auto guard = co_await m->lock();
    co_await this_actor::context().done();
  } else {
    auto guard = co_await m->lock_shared();
    co_await this_actor::context().done();
  }
}

task<> kill_the_holders(shared_mutex* m, std::string* order) {
  std::vector<actor> holders;
  for (int i = 0; i < 2; ++i) {
    holders.push_back(spawn(hold_for_ever<shared_guard>, m));
    co_await until_waiting(holders.back(), wait_kind::context);
  }
  auto writer = spawn(hold_for_ever<exclusive_guard>, m);
  co_await until_waiting(writer, wait_kind::lock);
  for (auto& h : holders) h.kill();
  co_await until_waiting(writer, wait_kind::context); // it has the lock
  auto reader = spawn(read, m, order, 'r');
  co_await until_waiting(reader, wait_kind::lock);
  writer.kill();
  co_await expect_end(reader, exit_kind::normal);
}

TEST(SharedMutex, KilledHoldersUnlock) {
  shared_mutex m;
  std::string order;
  run_on(1, kill_the_holders, &m, &order);
  EXPECT_EQ(order, "r");
  EXPECT_TRUE(m.try_lock().has_value());
}

// -- select -----------------------------------------------------------------------------------------

task<> select_locks(shared_mutex* m) {
  auto reading = co_await m->lock_shared();
  {
    auto won = co_await select(m->lock(), m->lock_shared());
    EXPECT_EQ(won.index(), 1U);
  }
  auto late = co_await select(m->lock(), after(1ms));
  EXPECT_EQ(late.index(), 1U);
  EXPECT_TRUE(m->try_lock_shared().has_value());
  reading.unlock();
  EXPECT_TRUE(m->try_lock().has_value());
}

TEST(SharedMutex, LosingSelectCaseHasTakenNothing) {
  shared_mutex m;
  run_on(1, select_locks, &m);
}

} // namespace
} // namespace greenroom::shared_mutex_test
