#include <greenroom/runtime/stop_signal.hpp>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include <greenroom/runtime/error.hpp>

namespace greenroom::stop_signal_test {
namespace {

volatile std::sig_atomic_t seen_by_host = 0;
extern "C" void host_handler(int) { seen_by_host = 1; }

TEST(StopSignal, WaitGivesTheSignalThatCame) {
  for (const int number : {SIGINT, SIGTERM}) {
    stop_signal asked;
    EXPECT_FALSE(asked.came());
    std::raise(number);
    EXPECT_TRUE(asked.came());
    EXPECT_EQ(asked.wait(), number);
  }
}

TEST(StopSignal, WaitEndsWhenAnotherThreadGetsTheSignal) {
  stop_signal asked;
  std::thread waiting([&asked] { EXPECT_EQ(asked.wait(), SIGTERM); });
  std::raise(SIGTERM);
  waiting.join();
}

TEST(StopSignal, StopEndsTheWaitWithoutASignal) {
  stop_signal asked;
  std::thread stopping([&asked] { asked.stop(); });
  EXPECT_EQ(asked.wait(), 0);
  stopping.join();
}

TEST(StopSignal, TheSecondSignalGoesToWhoeverHandledItBefore) {
  struct sigaction host {};
  struct sigaction former {};
  host.sa_handler = host_handler;
  ASSERT_EQ(::sigaction(SIGTERM, &host, &former), 0);
  {
    stop_signal asked;
    std::raise(SIGTERM);
    EXPECT_EQ(seen_by_host, 0);
    std::raise(SIGTERM); // although nobody has waited yet
    EXPECT_EQ(seen_by_host, 1);
  }
  seen_by_host = 0;
  std::raise(SIGTERM);
  EXPECT_EQ(seen_by_host, 1) << "nor does the destructor take it back";
  ::sigaction(SIGTERM, &former, nullptr);
}

TEST(StopSignal, ThereIsOneAtATime) {
  stop_signal asked;
  EXPECT_THROW(stop_signal(), usage_error);
}

TEST(StopSignal, ASignalOfAFormerOneIsForgotten) {
  {
    stop_signal asked;
    std::raise(SIGINT);
  }
  stop_signal asked;
  EXPECT_FALSE(asked.came());
  asked.stop();
  EXPECT_EQ(asked.wait(), 0);
}

} // namespace
} // namespace greenroom::stop_signal_test
