// Go's cases for wait_group, once and shared values. Source: go/src/sync and go/src/sync/atomic, as facts.
#include <array>
#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/once.hpp>
#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/tests/runtime/sync_kit.hpp>
#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::sync_group_test {
namespace {

using namespace go_kit;
using namespace sync_kit;

// -- wait_group -------------------------------------------------------------------------------------

struct barrier {
  wait_group arrived;
  wait_group released;
  std::atomic<int> gone{0};
};
task<> pass(barrier* b) {
  b->arrived.done();
  co_await b->released.wait();
  ++b->gone;
}
task<> use_a_barrier(barrier* b, int rounds) {
  constexpr int count = 16;
  for (int round = 0; round < rounds; ++round) {
    b->gone = 0;
    b->arrived.add(count);
    b->released.add(count);
    std::vector<actor> all;
    for (int i = 0; i < count; ++i) all.push_back(spawn(pass, b));
    co_await b->arrived.wait();
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(b->gone, 0) << "somebody was let go too soon";
      b->released.done();
    }
    co_await join_all(&all);
    EXPECT_EQ(b->gone, count);
  }
}

// Go: sync TestWaitGroup
TEST(GoSync, WaitGroupLetsAllGoAtZeroAndCanBeUsedAgain) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    barrier b;
    run_on(workers, use_a_barrier, &b, 8);
  }
}

// Go: sync TestWaitGroupMisuse
TEST(GoSync, MoreDoneThanAddedIsAUsageErrorThatChangesNothing) {
  wait_group group;
  group.add();
  group.done();
  EXPECT_THROW(group.done(), usage_error);
  EXPECT_EQ(group.count(), 0);
}

task<> add_one(std::atomic<int>* n, wait_group* group) {
  ++*n;
  group->done();
  co_return;
}
task<> add_two_often(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    wait_group group;
    std::atomic<int> n{0};
    for (int j = 0; j < 2; ++j) {
      group.add();
      spawn(add_one, &n, &group);
    }
    co_await group.wait();
    EXPECT_EQ(n, 2); // and both are through with the group: it goes at once
  }
}

// Go: sync TestWaitGroupRace
TEST(GoSync, WaitSeesAllThatWasAddedBeforeItAndMayEndTheGroup) {
  for (const std::size_t workers : {1U, 2U, 4U}) run_on(workers, add_two_often, 1'000);
}

task<> add_now(wait_group* group) { co_return group->add(); }
task<> wait_now(wait_group* group) { co_await group->wait(); }
task<> race_add_and_wait(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    wait_group group;
    const auto waiter = spawn(wait_now, &group);
    std::vector<actor> adder{spawn(add_now, &group)};
    co_await join_all(&adder);
    group.done();
    co_await expect_end(waiter, exit_kind::normal); // it found zero before, or it waited until then
  }
}

// Go: sync WaitGroup "Add called concurrently with Wait"
// Differs: Go reports such a race when it sees one. Here it is no error: a wait that finds zero is over, another one waits.
TEST(GoSync, AddThatRacesWithAWaitLeavesNobodyWaiting) {
  for (const std::size_t workers : {1U, 2U, 4U}) run_on(workers, race_add_and_wait, 1'000);
}

// -- once -------------------------------------------------------------------------------------------

struct counted_once {
  once o;
  std::atomic<int> calls{0};
  std::atomic<int> failures{0};
};
struct count_call {
  counted_once* c;
  void operator()() const { ++c->calls; }
};
struct count_and_throw {
  counted_once* c;
  void operator()() const {
    ++c->calls;
    throw std::runtime_error("the first call fails");
  }
};

task<> call_once(counted_once* c) {
  const count_call work{c};
  co_await c->o.call(work);
  EXPECT_EQ(c->calls, 1) << "it returned before the work had been done";
}
task<> call_ten_times(counted_once* c) {
  std::vector<actor> all;
  for (int i = 0; i < 10; ++i) all.push_back(spawn(call_once, c));
  co_await join_all(&all);
}

// Go: sync TestOnce
TEST(GoSync, OnceRunsItsWorkOnceAndNobodyReturnsBefore) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    counted_once c;
    run_on(workers, call_ten_times, &c);
    EXPECT_EQ(c.calls, 1);
  }
}

task<> call_and_catch(counted_once* c) {
  const count_and_throw work{c};
  try {
    co_await c->o.call(work);
  } catch (const std::runtime_error&) {
    ++c->failures;
  }
}
task<> fail_then_call_again(counted_once* c) {
  co_await call_and_catch(c);
  co_await call_and_catch(c);
  co_await call_once(c);
}

// Go: sync TestOncePanic
TEST(GoSync, OnceThatThrewIsDoneAndThrowsOnlyOnce) {
  counted_once c;
  run_on(1, fail_then_call_again, &c);
  EXPECT_EQ(c.calls, 1);
  EXPECT_EQ(c.failures, 1);
  EXPECT_TRUE(c.o.done());
}

// -- atomic.Value: guarded --------------------------------------------------------------------------

using wide = std::array<int, 64>;

task<> store_often(guarded<wide>* value, int me) {
  for (int i = 0; i < 1'000; ++i) {
    const auto v = co_await value->lock();
    for (std::size_t j = 0; j < v->size(); ++j) {
      (*v)[j] = me;
      if (j == 32 && i % 64 == 0) co_await yield(); // half written, for as long as it takes
    }
  }
}
task<> load_often(guarded<wide>* value) {
  for (int i = 0; i < 1'000; ++i) {
    const auto v = co_await value->lock();
    for (const int part : *v) EXPECT_EQ(part, v->front());
  }
}
task<> store_and_load(guarded<wide>* value) {
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(spawn(store_often, value, i));
    all.push_back(spawn(load_often, value));
  }
  co_await join_all(&all);
}

// Go: sync/atomic TestValueConcurrent
// Differs: there is no atomic.Value; std::atomic and guarded<T> have one type by construction.
TEST(GoSync, GuardedValueIsNeverSeenHalfWritten) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    guarded<wide> value;
    {
      auto v = value.try_lock();
      (*v)->fill(0);
    }
    run_on(workers, store_and_load, &value);
  }
}

task<> step_on(guarded<int>* value, int first, int step, int end) {
  for (int expected = first; expected < end;) {
    {
      const auto v = co_await value->lock();
      if (*v == expected) { // compare and swap
        *v = expected + 1;
        expected += step;
      }
    }
    co_await yield();
  }
}
task<> step_in_turns(guarded<int>* value) {
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) all.push_back(spawn(step_on, value, i, 4, 400));
  co_await join_all(&all);
}

// Go: sync/atomic TestValueCompareAndSwapConcurrent, TestValueSwapConcurrent
TEST(GoSync, CompareAndSwapOfAGuardedValueHappensOncePerValue) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    guarded<int> value(0);
    run_on(workers, step_in_turns, &value);
    EXPECT_EQ(**value.try_lock(), 400);
  }
}

} // namespace
} // namespace greenroom::sync_group_test
