#include <greenroom/runtime/blocking.hpp>

#include <atomic>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::blocking_test {
namespace {

using namespace test;

/// A door that a test opens while a function stands blocked before it.
struct door {
  std::atomic<int> waiting = 0;
  std::counting_semaphore<> open{0};
  void pass() {
    ++waiting;
    open.acquire();
  }
};

TEST(Blocking, GivesTheValueOfTheFunction) {
  one_worker sys;
  const auto got = sys.run([]() -> task<int> {
    const auto worker = std::this_thread::get_id();
    const auto elsewhere = co_await blocking([] { return std::this_thread::get_id(); });
    EXPECT_NE(elsewhere, worker);
    auto made = co_await blocking([] { return std::make_unique<int>(5); });
    co_await blocking([] {});
    const auto sum =
        co_await blocking([](int a, std::unique_ptr<int> b) { return a + *b; }, 2, std::make_unique<int>(3));
    EXPECT_EQ(sum, 5);
    co_return *made;
  });
  EXPECT_EQ(got.value(), 5);
}

TEST(Blocking, ThrowsWhatTheFunctionThrows) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> { co_await blocking([] { throw std::runtime_error("disk"); }); });
  EXPECT_EQ(got.error().message(), "std::runtime_error: disk");
}

TEST(Blocking, LetsTheWorkerGoOn) {
  one_worker sys;
  door d;
  const auto a = sys.spawn([](door* at) -> task<> { co_await blocking([at] { at->pass(); }); }, &d);
  await_wait(sys, a, "blocking");
  EXPECT_EQ(sys.run([]() -> task<int> { co_return 1; }).value(), 1);
  d.open.release();
  EXPECT_TRUE(a.wait().normal());
}

TEST(Blocking, CancelledBeforeDoesNotCall) {
  one_worker sys;
  bool called = false;
  const auto a = sys.spawn(
      [](bool* flag) -> task<> {
        this_actor::self().cancel();
        co_await blocking([flag] { *flag = true; });
      },
      &called);
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  EXPECT_FALSE(called);
}

TEST(Blocking, CancelledMeanwhileGivesItsValueFirst) {
  one_worker sys;
  door d;
  int got = 0;
  const auto a = sys.spawn(
      [](door* at, int* out) -> task<> {
        *out = co_await blocking([at] {
          at->pass();
          return 8;
        });
        co_await yield();
        *out = 0;
      },
      &d, &got);
  await_wait(sys, a, "blocking");
  a.cancel();
  (void)sys.run(settle);
  EXPECT_FALSE(a.finished());
  d.open.release();
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(got, 8);
}

// The function may refer to locals of the actor, so not even a kill destroys them while it runs.
TEST(Blocking, KilledKeepsItsFrameUntilTheFunctionHasReturned) {
  one_worker sys;
  door d;
  std::string seen;
  const auto a = sys.spawn(
      [](door* at, std::string* out) -> task<> {
        std::string local = "a text too long for the string itself";
        co_await blocking([at, out, &local] {
          at->pass();
          *out = local;
        });
        ADD_FAILURE() << "ran on after the kill";
      },
      &d, &seen);
  await_wait(sys, a, "blocking");
  a.kill();
  (void)sys.run(settle);
  EXPECT_FALSE(a.finished());
  d.open.release();
  EXPECT_EQ(a.wait().kind(), exit_kind::killed);
  EXPECT_EQ(seen, "a text too long for the string itself");
}

TEST(Blocking, KilledBeforeDoesNotCall) {
  one_worker sys;
  bool called = false;
  const auto a = sys.spawn(
      [](bool* flag) -> task<> {
        this_actor::self().kill();
        co_await blocking([flag] { *flag = true; });
        ADD_FAILURE() << "ran on after the kill";
      },
      &called);
  EXPECT_EQ(a.wait().kind(), exit_kind::killed);
  EXPECT_FALSE(called);
}

TEST(Blocking, StopNamesAnActorWhoseFunctionDoesNotReturn) {
  one_worker sys;
  door d;
  const auto a = sys.spawn(
      {.name = "reader"}, [](door* at) -> task<> { co_await blocking([at] { at->pass(); }); }, &d);
  await_wait(sys, a, "blocking");
  const auto report = sys.stop(1ms);
  ASSERT_EQ(report.not_stopped.size(), 1u);
  EXPECT_EQ(report.not_stopped[0].waits_for, "blocking");
  d.open.release();
  EXPECT_TRUE(sys.stop().complete());
}

TEST(Blocking, RunsAtMostSoManyAtOnceAndTheOthersInTurn) {
  auto o = quiet(1);
  o.blocking_threads = 2;
  actor_system sys(o);
  door d;
  std::atomic<int> passed = 0;
  std::vector<actor> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(sys.spawn(
        [](door* at, std::atomic<int>* n) -> task<> {
          co_await blocking([at, n] {
            at->pass();
            ++*n;
          });
        },
        &d, &passed));
    await_wait(sys, all.back(), "blocking");
  }
  while (d.waiting != 2) std::this_thread::yield();
  (void)sys.run(settle);
  EXPECT_EQ(d.waiting, 2);
  d.open.release(6);
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(passed, 6);
}

TEST(Blocking, DestroysTheFunctionWhenTheCallIsOver) {
  one_worker sys;
  auto shared = std::make_shared<int>(1);
  const auto ok = sys.run(
      [](std::shared_ptr<int>* s) -> task<> {
        for (int i = 0; i < 100; ++i) {
          co_await blocking([](const std::shared_ptr<int>&) {}, *s);
          auto named = [copy = *s] { return *copy; };
          EXPECT_EQ(co_await blocking(std::move(named)), 1);
        }
      },
      &shared);
  EXPECT_TRUE(ok);
  EXPECT_TRUE(sys.stop().complete());
  while (shared.use_count() != 1) std::this_thread::yield();
}

TEST(Blocking, ManyCallsFromManyActors) {
  auto o = quiet(2);
  o.blocking_threads = 4;
  o.blocking_idle = 1ms; // threads come and go
  actor_system sys(o);
  std::atomic<int> sum = 0;
  std::vector<actor> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(sys.spawn(
        [](std::atomic<int>* s) -> task<> {
          for (int n = 0; n < 100; ++n) {
            const int one = co_await blocking([] { return 1; });
            *s += one;
            if (n % 10 == 0) co_await sleep_for(1ms);
          }
        },
        &sum));
  }
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(sum, 2'000);
}

} // namespace
} // namespace greenroom::blocking_test
