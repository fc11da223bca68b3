#include <greenroom/runtime/internal/watch.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::watch_test {
namespace {

using namespace test;

/// Keeps all lines that are logged, for any thread to read.
class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  std::size_t count(const std::string& part) {
    std::lock_guard guard(mutex_);
    std::size_t n = 0;
    for (auto at = lines_.find(part); at != std::string::npos; at = lines_.find(part, at + 1)) ++n;
    return n;
  }
  void wait_for(const std::string& part) {
    while (count(part) == 0) std::this_thread::yield();
  }

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    lines_.append(line.payload.data(), line.payload.size()).push_back('\n');
  }
  void flush_() override {}
  std::string lines_; // guarded by mutex_
};

struct watched : testing::Test {
  std::shared_ptr<line_sink> lines = std::make_shared<line_sink>();
  options how = [] {
    options o;
    o.workers = 1;
    o.stuck_limit = 20ms;
    o.deadlock_check = 10ms;
    return o;
  }();

  environment logging() {
    environment e;
    e.log = use_logger(std::make_shared<spdlog::logger>("test", lines));
    return e;
  }
};

task<> computes_until(std::atomic<bool>* done) {
  while (!*done) detail::cpu_pause();
  co_return;
}

using Watch = watched;

TEST_F(Watch, NamesAnActorThatKeepsItsWorkerAndSaysWhenItReturns) {
  actor_system sys(how, logging());
  std::atomic<bool> done{false};
  EXPECT_TRUE(sys.stuck_actors().empty());
  const auto busy = sys.spawn({.name = "busy"}, computes_until, &done);
  while (sys.stuck_actors().empty())
    std::this_thread::yield(); // the only worker is busy: nobody but the watch can tell
  const auto all = sys.stuck_actors();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].actor.name, "busy");
  EXPECT_EQ(all[0].actor.id, busy.id());
  EXPECT_TRUE(all[0].actor.spawned_at.starts_with("watch_test.cpp:"));
  EXPECT_GE(all[0].for_at_least, how.stuck_limit);
  lines->wait_for("'busy', spawned at watch_test.cpp:"); // it is logged just after
  done = true;
  busy.wait();
  lines->wait_for("'busy' has returned to its worker after");
  while (!sys.stuck_actors().empty()) std::this_thread::yield();
}

task<> waits_for_itself(mailbox<int> in) {
  const auto self = in.address();
  (void)co_await in.receive();
}

TEST_F(Watch, LogsADeadlockOnceHoweverLongItStands) {
  actor_system sys(how, logging());
  sys.spawn({.name = "first"}, waits_for_itself, mailbox<int>(bounded(1)));
  lines->wait_for("'first' waits for what only itself could do");
  sys.spawn({.name = "second"}, waits_for_itself, mailbox<int>(bounded(1)));
  lines->wait_for("'second' waits for what only itself could do");
  EXPECT_EQ(lines->count("'first' waits for what only itself could do"), 1U);
}

TEST_F(Watch, IsSwitchedOffByZeros) {
  how.stuck_limit = how.deadlock_check = 0ms;
  actor_system sys(how, logging());
  const auto lonely = sys.spawn({.name = "lonely"}, waits_for_itself, mailbox<int>(bounded(1)));
  await_wait(sys, lonely, "receive");
  EXPECT_EQ(sys.deadlocks().found.size(), 1U); // by asking it is found all the same
  EXPECT_EQ(lines->count("lonely"), 0U);
}

} // namespace
} // namespace greenroom::watch_test
