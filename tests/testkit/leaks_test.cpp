#include <greenroom/testkit/leaks.hpp>

#include <atomic>
#include <chrono>

#include <gtest/gtest.h>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/explore.hpp>

namespace greenroom::testkit::leaks_test {
namespace {

using namespace std::chrono_literals;

options quiet() {
  options o;
  o.workers = 2;
  o.log_level = "off";
  return o;
}

task<> waits(mailbox<int> in) { (void)co_await in.receive(); }

TEST(LeftBehind, IsNothingOnceTheLastActorHasEnded) {
  actor_system sys(quiet());
  auto [in, out] = make_mailbox<int>(bounded(1));
  sys.spawn(waits, std::move(in));
  EXPECT_TRUE(out.try_send(1));
  EXPECT_EQ(left_behind(sys), "");
}

TEST(LeftBehind, NamesAnActorThatWaitsOn) {
  actor_system sys(quiet());
  auto [in, out] = make_mailbox<int>(bounded(1));
  sys.spawn({.name = "forgotten"}, waits, std::move(in));
  const auto left = left_behind(sys, 0ms);
  EXPECT_TRUE(left.starts_with("1 actor(s), 0 timer(s), 0 pending request(s)")) << left;
  EXPECT_NE(left.find("'forgotten', spawned at leaks_test.cpp:"), left.npos) << left;
}

TEST(LeftBehind, CountsTheTimerOfAContext) {
  actor_system sys(quiet());
  const auto held = sys.context().with_timeout(1h);
  EXPECT_TRUE(left_behind(sys, 0ms).starts_with("0 actor(s), 1 timer(s)"));
}

TEST(LeftBehind, RefusesToBlockAWorker) {
  actor_system sys(quiet());
  const auto why = sys.run([]() -> task<> {
    (void)left_behind(this_actor::system());
    co_return;
  });
  ASSERT_FALSE(why);
  EXPECT_NE(why.error().message().find("left_behind"), std::string_view::npos) << why.error().message();
}

task<> takes_both(mailbox<int> in, address<int> out) {
  (void)co_await in.receive();
  (void)co_await out.send(1);
}

TEST(Simulation, SaysWhoWaitsForWhomInADeadlock) {
  const auto found = explore({.runs = 1, .shrink = false}, []() -> task<> {
    auto [a_in, a_out] = make_mailbox<int>(bounded(1));
    auto [b_in, b_out] = make_mailbox<int>(bounded(1));
    spawn({.name = "left"}, takes_both, std::move(a_in), std::move(b_out));
    spawn({.name = "right"}, takes_both, std::move(b_in), std::move(a_out));
    co_return;
  });
  EXPECT_EQ(found.failure.how, verdict::deadlocked);
  EXPECT_NE(found.failure.why.find("deadlock: 2 actors wait for each other"), std::string::npos) << found.failure.why;
  EXPECT_NE(found.failure.why.find("held up by actor"), std::string::npos) << found.failure.why;
}

} // namespace
} // namespace greenroom::testkit::leaks_test
