#include <greenroom/runtime/task.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::task_test {
namespace {

using namespace test;

task<int> answer() { co_return 42; }
task<int> failing() {
  throw std::runtime_error("no answer");
  co_return 0;
}

/// Writes down its end.
struct trace {
  trace(std::vector<int>* l, int n) : log(l), number(n) {}
  trace(trace&& other) noexcept : log(std::exchange(other.log, nullptr)), number(other.number) {}
  trace& operator=(trace&&) = delete;
  ~trace() {
    if (log != nullptr) log->push_back(number);
  }
  std::vector<int>* log;
  int number;
};

TEST(Task, GivesItsValueToTheAwaiter) {
  one_worker sys;
  const auto got = sys.run([]() -> task<int> {
    const int a = co_await answer();
    auto later = answer();
    const int b = co_await std::move(later);
    co_return a + b;
  });
  EXPECT_EQ(got.value(), 84);
}

TEST(Task, ThrowsWhereItIsAwaited) {
  one_worker sys;
  const auto got = sys.run([]() -> task<std::string> {
    std::string caught;
    try {
      co_await failing();
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    co_return caught;
  });
  EXPECT_EQ(got.value(), "no answer");
}

TEST(Task, CarriesAMoveOnlyValue) {
  one_worker sys;
  const auto got = sys.run([]() -> task<int> {
    auto made = co_await [](int n) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(n); }(7);
    co_return *made;
  });
  EXPECT_EQ(got.value(), 7);
}

TEST(Task, DoesNothingUntilAwaited) {
  one_worker sys;
  const auto ran = sys.run([]() -> task<bool> {
    bool started = false;
    {
      auto never = [](bool* flag) -> task<> {
        *flag = true;
        co_return;
      }(&started);
    }
    co_return started;
  });
  EXPECT_FALSE(ran.value());
}

TEST(Task, UnstartedDestroysItsParameters) {
  std::vector<int> log;
  {
    auto never = [](trace) -> task<> { co_return; }(trace(&log, 1));
    EXPECT_TRUE(log.empty());
  }
  EXPECT_EQ(log, std::vector<int>{1});
}

TEST(Task, DestroysItsFrameWhenTheCallIsOver) {
  std::vector<int> log;
  one_worker sys;
  const auto ok = sys.run(
      [](std::vector<int>* l) -> task<> {
        co_await [](trace) -> task<> { co_return; }(trace(l, 1));
        l->push_back(2);
        try {
          co_await [](trace) -> task<> {
            throw 5;
            co_return;
          }(trace(l, 3));
        } catch (int n) {
          l->push_back(n);
        }
      },
      &log);
  EXPECT_TRUE(ok);
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 5}));
}

task<> note_stack(int depth, std::vector<std::uintptr_t>* seen) {
  seen->push_back(stack_here());
  if (depth > 0) co_await note_stack(depth - 1, seen);
  seen->push_back(stack_here());
}

TEST(Task, ChainOfCallsUsesNoStack) {
  one_worker sys;
  std::vector<std::uintptr_t> seen;
  ASSERT_TRUE(sys.run(note_stack, 10'000, &seen));
  const auto [low, high] = std::minmax_element(seen.begin(), seen.end());
  EXPECT_LT(*high - *low, 4'096u);
}

TEST(Task, LoopOfCallsUsesNoStack) {
  one_worker sys;
  const auto drift = sys.run([]() -> task<std::uintptr_t> {
    const auto before = stack_here();
    for (int i = 0; i < 100'000; ++i) co_await answer();
    const auto after = stack_here();
    co_return after > before ? after - before : before - after;
  });
  EXPECT_LT(drift.value(), 4'096u);
}

task<int> fall(int depth) {
  if (depth == 0) throw std::runtime_error("from below");
  co_return co_await fall(depth - 1) + 1;
}

TEST(Task, ExceptionClimbsADeepChain) {
  one_worker sys;
  const auto got = sys.run(fall, 10'000);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::failed);
  EXPECT_NE(got.error().message().find("from below"), std::string_view::npos);
}

task<> hang(int depth, std::vector<int>* log) {
  trace end(log, depth);
  if (depth == 0) {
    co_await sleep_until(never);
  } else {
    co_await hang(depth - 1, log);
  }
}

TEST(Task, KilledChainIsDestroyedFromTheInnermostFrameOutwards) {
  one_worker sys;
  std::vector<int> log;
  const auto a = sys.spawn(hang, 1'000, &log);
  EXPECT_EQ(kill_in(sys, a, "sleep").kind(), exit_kind::killed);
  ASSERT_EQ(log.size(), 1'001u);
  for (int i = 0; i <= 1'000; ++i) EXPECT_EQ(log[static_cast<std::size_t>(i)], i);
}

TEST(Task, CancelledPassesAHandlerOfStandardExceptions) {
  one_worker sys;
  const auto a = sys.spawn([]() -> task<> {
    try {
      co_await sleep_until(never);
    } catch (const std::exception&) {
      ADD_FAILURE() << "cancelled was caught as a std::exception";
    }
  });
  EXPECT_EQ(cancel_in(sys, a, "sleep").kind(), exit_kind::cancelled);
}

TEST(Task, SwallowedCancellationComesAgain) {
  one_worker sys;
  int caught = 0;
  const auto a = sys.spawn(
      [](int* n) -> task<> {
        for (; *n < 3; ++*n) {
          try {
            co_await sleep_until(never);
          } catch (const cancelled&) {}
        }
        co_await yield();
      },
      &caught);
  EXPECT_EQ(cancel_in(sys, a, "sleep").kind(), exit_kind::cancelled);
  EXPECT_EQ(caught, 3);
}

TEST(Task, AKillTakesEffectAtTheNextWaitNotAtACall) {
  one_worker sys;
  std::vector<int> log;
  const auto a = sys.spawn(
      [](std::vector<int>* l) -> task<> {
        trace end(l, 1);
        this_actor::self().kill();
        co_await [](std::vector<int>* inner) -> task<> {
          trace done(inner, 2);
          co_return;
        }(l);
        l->push_back(3);
        co_await yield();
        ADD_FAILURE() << "ran after the wait";
      },
      &log);
  EXPECT_EQ(a.wait().kind(), exit_kind::killed);
  EXPECT_EQ(log, (std::vector<int>{2, 3, 1}));
}

} // namespace
} // namespace greenroom::task_test
