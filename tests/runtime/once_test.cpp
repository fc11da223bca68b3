#include <greenroom/runtime/once.hpp>

#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>

namespace greenroom::once_test {
namespace {

using namespace sync_kit;

struct opening {
  once o;
  wait_group gate; // the work waits for it
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
};

task<> open_slowly(opening* it) {
  ++it->begun;
  co_await it->gate.wait();
  ++it->ended;
}

/// A function object, so that the work can be given its object without a capturing coroutine.
struct opener {
  opening* it;
  task<> operator()() const { return open_slowly(it); }
};

task<> call(opening* it) {
  co_await it->o.call(opener{it});
  EXPECT_EQ(it->ended, 1) << "the call returned before the work had ended";
}

// -- succeeds ---------------------------------------------------------------------------------------

task<> call_from_many(opening* it) {
  it->gate.add();
  std::vector<actor> all;
  for (int i = 0; i < 20; ++i) all.push_back(spawn(call, it));
  co_await until_waiting(all.back(), wait_kind::wait_group);
  EXPECT_FALSE(it->o.done());
  it->gate.done();
  co_await join_all(&all);
  EXPECT_TRUE(it->o.done());
  co_await call(it);
}

TEST(Once, RunsTheWorkExactlyOnceAndTheOthersWaitForIt) {
  for (const std::size_t workers : {1U, 4U}) {
    for (int i = 0; i < 50; ++i) {
      opening it;
      run_on(workers, call_from_many, &it);
      EXPECT_EQ(it.begun, 1);
      EXPECT_EQ(it.ended, 1);
    }
  }
}

int plain_calls = 0;
void plain() { ++plain_calls; }

task<> call_plain(once* o) {
  co_await o->call(plain);
  co_await o->call([] { ++plain_calls; });
}

TEST(Once, TakesPlainFunctionsAndIgnoresTheSecond) {
  once o;
  plain_calls = 0;
  run_on(1, call_plain, &o);
  EXPECT_EQ(plain_calls, 1);
}

// -- the work fails ---------------------------------------------------------------------------------

task<> fail() {
  co_await yield();
  throw std::runtime_error("no such host");
}

task<> call_failing(once* o, int* failures) {
  try {
    co_await o->call(fail);
  } catch (const std::runtime_error&) {
    ++*failures;
  }
}

task<> fail_once(once* o, int* failures) {
  for (int i = 0; i < 3; ++i) co_await call_failing(o, failures);
}

TEST(Once, WorkThatThrowsIsDoneAndOnlyItsOwnCallThrows) {
  once o;
  int failures = 0;
  run_on(1, fail_once, &o, &failures);
  EXPECT_EQ(failures, 1);
  EXPECT_TRUE(o.done());
}

task<> strike_the_runner(opening* it, void (*strike)(actor), exit_kind expected) {
  it->gate.add();
  auto runner = spawn(call, it);
  co_await until_waiting(runner, wait_kind::wait_group);
  auto other = spawn(&once::call<opener>, &it->o, opener{it});
  co_await until_waiting(other, wait_kind::wait_group);
  strike(runner);
  co_await expect_end(runner, expected);
  co_await expect_end(other, exit_kind::normal);
  EXPECT_TRUE(it->o.done());
  EXPECT_EQ(it->begun, 1);
  it->gate.done();
}

TEST(Once, WorkThatIsCancelledIsDone) {
  opening it;
  run_on(
      1, strike_the_runner, &it, +[](actor a) { a.cancel(); }, exit_kind::cancelled);
}

TEST(Once, WorkThatIsKilledIsDone) {
  opening it;
  run_on(
      1, strike_the_runner, &it, +[](actor a) { a.kill(); }, exit_kind::killed);
}

// -- waiting for another's work -----------------------------------------------------------------------

task<> strike_a_waiter(opening* it, void (*strike)(actor), exit_kind expected) {
  it->gate.add();
  auto runner = spawn(call, it);
  co_await until_waiting(runner, wait_kind::wait_group);
  auto other = spawn(call, it);
  co_await until_waiting(other, wait_kind::wait_group);
  strike(other);
  co_await expect_end(other, expected);
  EXPECT_FALSE(it->o.done());
  it->gate.done();
  co_await expect_end(runner, exit_kind::normal);
}

TEST(Once, CancelledWaiterLeavesTheWorkRunning) {
  opening it;
  run_on(
      1, strike_a_waiter, &it, +[](actor a) { a.cancel(); }, exit_kind::cancelled);
  EXPECT_EQ(it.ended, 1);
}

TEST(Once, KilledWaiterLeavesTheWorkRunning) {
  opening it;
  run_on(
      1, strike_a_waiter, &it, +[](actor a) { a.kill(); }, exit_kind::killed);
  EXPECT_EQ(it.ended, 1);
}

} // namespace
} // namespace greenroom::once_test
