#include <greenroom/runtime/guarded.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::guarded_test {
namespace {

using namespace std::chrono_literals;
using namespace sync_kit;

task<> append(guarded<std::string>* text, char c) {
  for (int i = 0; i < 200; ++i) {
    auto value = co_await text->lock();
    value->push_back(c);
    if (i % 8 == 0) co_await yield();
    (*value).push_back(c);
  }
}

task<> append_all(guarded<std::string>* text) {
  std::vector<actor> all;
  for (const char c : {'a', 'b', 'c', 'd'}) all.push_back(spawn(append, text, c));
  co_await join_all(&all);
}

TEST(Guarded, OneActorAtATimeReachesTheValue) {
  guarded<std::string> text("xx");
  run_on(4, append_all, &text);
  auto value = text.try_lock();
  ASSERT_TRUE(value.has_value());
  ASSERT_EQ((*value)->size(), 2U + 4 * 200 * 2);
  for (std::size_t i = 0; i < (*value)->size(); i += 2) ASSERT_EQ((**value)[i], (**value)[i + 1]);
}

task<> time_out(guarded<int>* number) {
  auto value = co_await number->lock();
  *value = 7;
  auto late = co_await number->lock_for(1ms);
  EXPECT_TRUE(!late && late.error().is(errc::timed_out));
  EXPECT_FALSE(number->try_lock().has_value());
  auto chosen = co_await select(number->lock(), otherwise());
  EXPECT_EQ(chosen.index(), 1U);
  value.unlock();
  auto again = co_await number->lock_for(1h);
  EXPECT_EQ(**again, 7);
}

TEST(Guarded, LockForTimesOutWhileAnotherHoldsTheValue) {
  guarded<int> number(1);
  run_on(1, time_out, &number);
}

task<> take(guarded<int>* number) {
  auto value = co_await number->lock();
  ++*value;
}

task<> strike_waiters(guarded<int>* number) {
  auto value = co_await number->lock();
  auto cancelled = spawn(take, number);
  co_await until_waiting(cancelled, wait_kind::lock);
  auto killed = spawn(take, number);
  co_await until_waiting(killed, wait_kind::lock);
  cancelled.cancel();
  co_await expect_end(cancelled, exit_kind::cancelled);
  value.unlock(); // hands it to the one that is killed now
  killed.kill();
  co_await expect_end(killed, exit_kind::killed);
}

TEST(Guarded, CancelledAndKilledWaitersLeaveItUnlocked) {
  guarded<int> number(1);
  run_on(1, strike_waiters, &number);
  auto value = number.try_lock();
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(**value, 1);
}

} // namespace
} // namespace greenroom::guarded_test
