#include <greenroom/runtime/semaphore.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::semaphore_test {
namespace {

using namespace std::chrono_literals;
using namespace sync_kit;

task<> take(semaphore* s, std::int64_t count, std::vector<std::int64_t>* order) {
  auto got = co_await s->acquire(count);
  EXPECT_EQ(got.count(), count);
  order->push_back(count);
  co_await yield();
}

// -- succeeds ---------------------------------------------------------------------------------------

struct shared_load {
  semaphore s{5};
  std::atomic<std::int64_t> in_use{0};
};

task<> load(shared_load* shared, std::int64_t count) {
  for (int i = 0; i < 300; ++i) {
    auto got = co_await shared->s.acquire(count);
    EXPECT_LE(shared->in_use += count, 5);
    co_await yield();
    shared->in_use -= count;
  }
}

task<> load_from_many(shared_load* shared) {
  std::vector<actor> all;
  for (int i = 0; i < 10; ++i) all.push_back(spawn(load, shared, std::int64_t{1 + i % 5}));
  co_await join_all(&all);
}

TEST(Semaphore, NeverMoreThanItsCapacityIsInUse) {
  for (const std::size_t workers : {1U, 4U}) {
    shared_load shared;
    run_on(workers, load_from_many, &shared);
    EXPECT_EQ(shared.s.available_approx(), 5);
  }
}

task<> mix_sizes(semaphore* s, std::vector<std::int64_t>* order) {
  auto held = co_await s->acquire(2);
  std::vector<actor> all;
  for (const std::int64_t count : {3, 1, 2}) {
    all.push_back(spawn(take, s, count, order));
    co_await until_waiting(all.back(), wait_kind::semaphore);
  }
  EXPECT_EQ(s->available_approx(), 1);
  EXPECT_FALSE(s->try_acquire().has_value()) << "1 is free, but others wait";
  held.release();
  co_await join_all(&all);
}

TEST(Semaphore, SmallRequestsDoNotOvertakeABigOne) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, mix_sizes, &s, &order);
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order.front(), 3);
}

TEST(Semaphore, PermitsGoBackWhenTheyAreDroppedReleasedOrMovedFrom) {
  semaphore s(4);
  EXPECT_EQ(s.capacity(), 4);
  auto a = *s.try_acquire(3);
  EXPECT_FALSE(s.try_acquire(2).has_value());
  auto b = *s.try_acquire();
  EXPECT_EQ(s.available_approx(), 0);
  a = std::move(b);
  EXPECT_EQ(s.available_approx(), 3);
  EXPECT_EQ(a.count(), 1);
  a.release();
  a.release(); // again: fine
  EXPECT_FALSE(a);
  EXPECT_EQ(a.count(), 0);
  EXPECT_EQ(s.available_approx(), 4);
}

// -- errors -----------------------------------------------------------------------------------------

TEST(Semaphore, RefusesWhatCouldNeverBeServed) {
  EXPECT_THROW(semaphore(0), usage_error);
  semaphore s(3);
  EXPECT_THROW(static_cast<void>(s.try_acquire(0)), usage_error);
  EXPECT_THROW(static_cast<void>(s.try_acquire(-1)), usage_error);
  EXPECT_THROW(static_cast<void>(s.acquire(4)), usage_error);
  try {
    static_cast<void>(s.acquire_until(never, 4));
    ADD_FAILURE();
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(),
                 "semaphore: 1 to 3 permits can be acquired at once, not 4: more than there are would wait for "
                 "ever");
  }
}

// -- times out, is cancelled, is killed: who waited behind goes on --------------------------------------

task<> time_out(semaphore* s, std::vector<std::int64_t>* order) {
  auto held = co_await s->acquire(2);
  auto late = co_await s->acquire_for(1ms, 2);
  EXPECT_TRUE(!late && late.error().is(errc::timed_out));
  auto got = co_await s->acquire_for(1ms, 1);
  EXPECT_TRUE(got.has_value());
  got = errc::empty;
  EXPECT_EQ(s->available_approx(), 1);
  static_cast<void>(order);
}

TEST(Semaphore, AcquireForTimesOutOnlyWhileTooLittleIsFree) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, time_out, &s, &order);
  EXPECT_EQ(s.available_approx(), 3);
}

task<> give_up_soon(semaphore* s, bool* timed_out) {
  auto got = co_await s->acquire_for(5ms, 3);
  *timed_out = !got;
}

task<> time_out_before_others(semaphore* s, std::vector<std::int64_t>* order) {
  auto held = co_await s->acquire(2);
  bool timed_out = false;
  auto big = spawn(give_up_soon, s, &timed_out);
  co_await until_waiting(big, wait_kind::semaphore);
  auto small = spawn(take, s, std::int64_t{1}, order); // served when `big` has left, with nothing given back
  co_await expect_end(big, exit_kind::normal);
  EXPECT_TRUE(timed_out);
  co_await expect_end(small, exit_kind::normal);
}

TEST(Semaphore, TimedOutRequestLetsThoseBehindGoOn) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, time_out_before_others, &s, &order);
}

task<> strike_the_first(semaphore* s, std::vector<std::int64_t>* order, void (*strike)(actor), exit_kind expected) {
  auto held = co_await s->acquire(2);
  auto big = spawn(take, s, std::int64_t{3}, order);
  co_await until_waiting(big, wait_kind::semaphore);
  auto small = spawn(take, s, std::int64_t{1}, order);
  co_await until_waiting(small, wait_kind::semaphore);
  strike(big);
  co_await expect_end(big, expected);
  co_await expect_end(small, exit_kind::normal);
}

void cancel_it(actor a) { a.cancel(); }
void kill_it(actor a) { a.kill(); }

TEST(Semaphore, CancelledRequestLetsThoseBehindGoOn) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, strike_the_first, &s, &order, &cancel_it, exit_kind::cancelled);
  EXPECT_EQ(order, (std::vector<std::int64_t>{1}));
}

TEST(Semaphore, KilledRequestLetsThoseBehindGoOn) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, strike_the_first, &s, &order, &kill_it, exit_kind::killed);
  EXPECT_EQ(order, (std::vector<std::int64_t>{1}));
}

task<> kill_after_the_grant(semaphore* s, std::vector<std::int64_t>* order) {
  auto held = co_await s->acquire(2);
  auto first = spawn(take, s, std::int64_t{3}, order);
  co_await until_waiting(first, wait_kind::semaphore);
  auto second = spawn(take, s, std::int64_t{2}, order);
  co_await until_waiting(second, wait_kind::semaphore);
  held.release(); // serves the first
  first.kill();
  co_await expect_end(first, exit_kind::killed);
  co_await expect_end(second, exit_kind::normal);
}

TEST(Semaphore, PermitsOfAnActorThatIsKilledAtThatMomentGoBack) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, kill_after_the_grant, &s, &order);
  EXPECT_EQ(order, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(s.available_approx(), 3);
}

task<> acquire_again_and_again(semaphore* s, std::int64_t count) {
  for (;;) {
    auto got = co_await s->acquire_for(100us, count);
    co_await yield();
  }
}

task<> strike_hammer(semaphore* s) {
  for (int round = 0; round < 60; ++round) {
    std::vector<actor> all;
    for (int i = 0; i < 5; ++i) all.push_back(spawn(acquire_again_and_again, s, std::int64_t{1 + i % 3}));
    for (int i = 0; i < round % 17; ++i) co_await yield();
    for (std::size_t i = 0; i < all.size(); ++i) i % 2 == 0 ? all[i].cancel() : all[i].kill();
    for (auto& a : all) co_await a.join();
    auto everything = co_await s->acquire(3); // hangs if one of them took a permit along
  }
}

TEST(Semaphore, TimeOutsCancelsAndKillsThatRaceLoseNoPermit) {
  for (const std::size_t workers : {1U, 4U}) {
    semaphore s(3);
    run_on(workers, strike_hammer, &s);
    EXPECT_EQ(s.available_approx(), 3);
  }
}

// -- select -----------------------------------------------------------------------------------------

task<> select_big(semaphore* s, int* index) {
  const auto won = co_await select(s->acquire(3), after(5ms));
  *index = static_cast<int>(won.index());
}

task<> lose_a_select(semaphore* s, std::vector<std::int64_t>* order) {
  auto held = co_await s->acquire(2);
  int index = -1;
  auto selecting = spawn(select_big, s, &index);
  co_await until_waiting(selecting, wait_kind::select);
  auto small = spawn(take, s, std::int64_t{1}, order);
  co_await expect_end(selecting, exit_kind::normal);
  EXPECT_EQ(index, 1);
  co_await expect_end(small, exit_kind::normal);
  held.release();
  auto won = co_await select(s->acquire(3), otherwise());
  EXPECT_EQ(won.index(), 0U);
  EXPECT_EQ(s->available_approx(), 0);
}

TEST(Semaphore, LosingSelectCaseHasTakenNothingAndLetsThoseBehindGoOn) {
  semaphore s(3);
  std::vector<std::int64_t> order;
  run_on(1, lose_a_select, &s, &order);
  EXPECT_EQ(s.available_approx(), 3);
}

} // namespace
} // namespace greenroom::semaphore_test
