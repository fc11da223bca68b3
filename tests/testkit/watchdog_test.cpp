#include <greenroom/testkit/watchdog.hpp>

#include <semaphore>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/mutex.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::testkit::watchdog_test {
namespace {

using namespace std::chrono_literals;

/// Keeps what a watchdog says, and lets a test wait for it.
struct listener_to_dogs {
  std::binary_semaphore heard{0};
  std::string report;

  watchdog::handler handler() {
    return [this](const std::string& text) {
      report = text;
      heard.release();
    };
  }
};

task<> wait_on(mailbox<int> in) {
  const auto item = co_await in.receive();
  (void)item;
}
task<> lock_and_wait(mutex* mine, mutex* other, mailbox<int> go) {
  const auto first = co_await mine->lock();
  const auto both_hold = co_await go.receive();
  (void)both_hold;
  const auto second = co_await other->lock();
}

TEST(Watchdog, NamesEveryLivingActorAndWhatItWaitsForOnceTimeIsOver) {
  actor_system sys(test::quiet(1));
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto quiet = sys.spawn({.name = "listens"}, wait_on, in);
  test::await_wait(sys, quiet, "receive");
  listener_to_dogs ears;
  testing::internal::CaptureStderr();
  {
    watchdog dog(sys, 1ms, ears.handler());
    ears.heard.acquire();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), ears.report) << "what is printed is what the handler gets";
  EXPECT_TRUE(ears.report.starts_with(
      "watchdog: the test has not ended within 1 ms\n1 actor(s), 0 timer(s), 0 pending request(s)\n  actor "));
  EXPECT_NE(ears.report.find("'listens', spawned at "), std::string::npos) << ears.report;
  EXPECT_NE(ears.report.find("watchdog_test.cpp:"), std::string::npos) << ears.report;
  EXPECT_NE(ears.report.find(", waits for receive since "), std::string::npos) << ears.report;
  EXPECT_NE(ears.report.find("no deadlock among 1 waiting actor(s)"), std::string::npos) << ears.report;
  out.close();
  (void)quiet.wait();
}

TEST(Watchdog, NamesADeadlock) {
  actor_system sys(test::quiet(1));
  mutex left;
  mutex right;
  auto [in, out] = make_mailbox<int>(bounded(2));
  const auto one = sys.spawn({.name = "one"}, lock_and_wait, &left, &right, in);
  const auto two = sys.spawn({.name = "two"}, lock_and_wait, &right, &left, in);
  test::await_wait(sys, one, "receive");
  test::await_wait(sys, two, "receive");
  EXPECT_TRUE(out.try_send(1) && out.try_send(2));
  test::await_wait(sys, one, "lock");
  test::await_wait(sys, two, "lock");
  const auto text = describe_actors(sys);
  EXPECT_NE(text.find("deadlock: 2 actors wait for each other"), std::string::npos) << text;
  one.cancel();
  two.cancel();
  (void)one.wait();
  (void)two.wait();
}

TEST(Watchdog, SaysNothingWhenItEndsInTime) {
  actor_system sys(test::quiet(1));
  listener_to_dogs ears;
  { const watchdog dog(sys, 1h, ears.handler()); }
  { const watchdog patient(sys, std::chrono::milliseconds::max(), ears.handler()); }
  EXPECT_FALSE(ears.heard.try_acquire());
}

void hang() {
  actor_system sys(test::quiet(1));
  const watchdog dog(sys, 1ms);
  std::binary_semaphore never_comes(0);
  never_comes.acquire();
}

TEST(WatchdogDeathTest, AbortsAHangingTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(hang(), "watchdog: the test has not ended within 1 ms");
}

} // namespace
} // namespace greenroom::testkit::watchdog_test
