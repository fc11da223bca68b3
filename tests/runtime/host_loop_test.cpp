#include <greenroom/runtime/host_loop.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/hand_loop.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::host_loop_test {
namespace {

using namespace test;

/// What only the loop's thread may touch.
struct window {
  hand_loop& of;
  std::vector<std::string> lines{};
  std::size_t show(std::string line) {
    EXPECT_TRUE(of.is_here());
    lines.push_back(std::move(line));
    return lines.size();
  }
};

task<> wait_for_ever() { co_await sleep_until(never); }

// -- call -----------------------------------------------------------------------------------------------------

TEST(HostLoop, CallsOnTheLoopsThreadAndGivesTheValue) {
  one_worker sys;
  hand_loop loop;
  window w{loop};
  const auto a = sys.spawn(
      [](host_loop host, window* to) -> task<> {
        for (std::size_t i = 1; i <= 3; ++i) {
          std::string line = "line " + std::to_string(i);
          auto calling = host.call(&window::show, to, std::move(line));
          const auto shown = co_await std::move(calling);
          EXPECT_EQ(shown.value(), i);
        }
        const auto done = co_await host.call([to] { to->of.quit(); });
        EXPECT_TRUE(done);
      },
      loop.seen_by_actors(), &w);
  loop.run();
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(w.lines, (std::vector<std::string>{"line 1", "line 2", "line 3"}));
}

TEST(HostLoop, CallGivesAResultAsItIsAndAnExceptionAsItsText) {
  one_worker sys;
  hand_loop loop;
  const auto a = sys.spawn(
      [](host_loop host) -> task<> {
        const result<int> refused = co_await host.call([]() -> result<int> { return errc::limit; });
        EXPECT_EQ(refused.error().code(), errc::limit);
        const result<void> thrown = co_await host.call([] { throw std::runtime_error("no such widget"); });
        EXPECT_EQ(thrown.error().code(), errc::failed);
        EXPECT_EQ(thrown.error().message(), "std::runtime_error: no such widget");
      },
      loop.seen_by_actors());
  loop.run_one();
  loop.run_one();
  EXPECT_TRUE(a.wait().normal());
}

TEST(HostLoop, ACallThatTheLoopDropsHasNoReply) {
  one_worker sys;
  hand_loop loop;
  const auto a = sys.spawn(
      [](host_loop host) -> task<> {
        const auto got = co_await host.call([] { return 1; });
        EXPECT_EQ(got.error().code(), errc::no_reply);
        EXPECT_NE(got.error().message().find("the loop has dropped the call"), std::string::npos);
      },
      loop.seen_by_actors());
  loop.await_post();
  loop.drop();
  EXPECT_TRUE(a.wait().normal());
}

TEST(HostLoop, ACancelledCallIsNotMade) {
  one_worker sys;
  hand_loop loop;
  bool called = false;
  const auto a =
      sys.spawn([](host_loop host, bool* flag) -> task<> { (void)co_await host.call([flag] { *flag = true; }); },
                loop.seen_by_actors(), &called);
  loop.await_post();
  a.cancel();
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
  loop.run_one();
  EXPECT_FALSE(called);
}

TEST(HostLoop, ATimeLimitHoldsForACall) {
  timed_system timed;
  hand_loop loop;
  const auto a = timed.sys.spawn(
      [](host_loop host) -> task<> {
        auto calling = host.call([] { return 1; });
        const auto got = co_await with_timeout(1s, std::move(calling));
        EXPECT_EQ(got.error().code(), errc::timed_out);
      },
      loop.seen_by_actors());
  loop.await_post();
  timed.advance(2s);
  EXPECT_TRUE(a.wait().normal());
  loop.run_one();
}

TEST(HostLoop, AnActorThatWaitsForTheLoopIsInNoDeadlock) {
  actor_system sys(quiet(2));
  hand_loop loop;
  const auto a = sys.spawn([](host_loop host) -> task<> { (void)co_await host.call([] {}); }, loop.seen_by_actors());
  await_wait(sys, a, "receive");
  EXPECT_TRUE(sys.deadlocks().found.empty());
  loop.run_one();
  EXPECT_TRUE(a.wait().normal());
}

// -- start ----------------------------------------------------------------------------------------------------

task<int> product(int a, std::unique_ptr<int> b) {
  co_await yield();
  co_return a** b;
}
task<result<int>> refusal() { co_return errc::limit; }
task<int> failure() {
  throw std::runtime_error("no luck");
  co_return 0;
}

/// Keeps what came, and sees where.
template <class T>
struct keeper {
  hand_loop& loop;
  std::vector<result<T>>& kept;
  void operator()(result<T> got) {
    EXPECT_TRUE(loop.is_here());
    kept.push_back(std::move(got));
  }
};

struct start_rig {
  hand_loop loop;
  std::vector<result<int>> got;
  one_worker sys;
  template <class... Args>
  actor start(Args... args) {
    return loop.seen_by_actors().start(sys, keeper<int>{loop, got}, std::move(args)...);
  }
  errc run_to_error() {
    loop.run_one();
    return got.back() ? errc{} : got.back().error().code();
  }
};

TEST(HostLoop, StartBringsTheValueIntoTheLoop) {
  start_rig rig;
  rig.start(product, 6, std::make_unique<int>(7));
  EXPECT_TRUE(rig.got.empty()); // not before the loop turns
  rig.loop.run_one();
  EXPECT_EQ(rig.got.at(0).value(), 42);
}

TEST(HostLoop, StartBringsAnEndWithoutAValue) {
  one_worker sys;
  hand_loop loop;
  std::vector<result<void>> got;
  loop.seen_by_actors().start(sys, keeper<void>{loop, got}, []() -> task<> { co_await yield(); });
  loop.run_one();
  EXPECT_TRUE(got.at(0));
}

TEST(HostLoop, StartSaysHowTheActorEndedOtherwise) {
  start_rig rig;
  rig.start(refusal);
  EXPECT_EQ(rig.run_to_error(), errc::limit);
  rig.start(failure);
  EXPECT_EQ(rig.run_to_error(), errc::failed);
  EXPECT_EQ(rig.got.back().error().message(), "std::runtime_error: no luck");
  const auto endless = []() -> task<int> {
    co_await wait_for_ever();
    co_return 0;
  };
  rig.start(endless).cancel({errc::unavailable, "the window was closed"});
  EXPECT_EQ(rig.run_to_error(), errc::unavailable);
  rig.start(endless).kill();
  EXPECT_EQ(rig.run_to_error(), errc::killed);
  rig.sys.stop();
  rig.start(endless);
  EXPECT_EQ(rig.run_to_error(), errc::stopped);
  EXPECT_EQ(rig.loop.queued(), 0u); // each was told once
}

TEST(HostLoop, WhatTheContinuationHoldsEndsInTheLoop) {
  one_worker sys;
  hand_loop loop;
  struct widget {
    hand_loop& of;
    bool& gone;
    ~widget() {
      EXPECT_TRUE(of.is_here());
      gone = true;
    }
  };
  bool gone = false;
  auto held = std::make_shared<widget>(loop, gone);
  const auto a = loop.seen_by_actors().start(
      sys, [held = std::move(held)](const result<int>&) {}, product, 2, std::make_unique<int>(3));
  (void)a.wait();
  EXPECT_FALSE(gone);
  loop.run_one();
  EXPECT_TRUE(gone);
}

TEST(HostLoop, WhatIsDroppedWithTheLoopTellsNobody) {
  start_rig rig;
  const auto a = rig.start(product, 1, std::make_unique<int>(1));
  rig.loop.await_post();
  rig.loop.drop();
  EXPECT_TRUE(a.wait().normal());
  EXPECT_TRUE(rig.got.empty());
}

// -- both ways ------------------------------------------------------------------------------------------------

/// Answers each number that the loop sends by a call into the loop, until the mailbox closes.
task<> echo(mailbox<int> in, host_loop loop, std::vector<int>* seen) {
  while (const auto n = co_await in.receive()) {
    const auto done = co_await loop.call([seen, n = *n] { seen->push_back(n); });
    EXPECT_TRUE(done);
  }
}

TEST(HostLoop, ItemsOfTheLoopComeBackInOrder) {
  actor_system sys(quiet(2));
  hand_loop loop;
  std::vector<int> seen;
  auto [in, out] = make_mailbox<int>(bounded(1'000));
  const auto a = sys.spawn(echo, std::move(in), loop.seen_by_actors(), &seen);
  std::vector<int> sent;
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(out.try_send(i));
    sent.push_back(i);
  }
  out = {};
  while (seen.size() < sent.size()) loop.run_one();
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(seen, sent);
}

} // namespace
} // namespace greenroom::host_loop_test
