// What a host keeps for itself stays as it is while Greenroom runs in its process, and no thread or descriptor is left behind it.
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <greenroom/runtime/internal/caf_version.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/runtime/tls.hpp>
#include <greenroom/tests/embedding/one_life.hpp>
#include <greenroom/tests/embedding/process.hpp>

namespace greenroom::host_state_test {
namespace {

using namespace test;

std::filesystem::path new_ledger() {
  std::string name = testing::TempDir() + "greenroom_ledger_XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder " << name;
  return std::filesystem::path(name) / "ledger.db";
}

TEST(HostState, IsAsItWasDuringAndAfterALife) {
  const auto file = new_ledger();
  live_once({}, file); // what libraries below make once, on first use
  std::filesystem::remove_all(file.parent_path());
  const auto second = new_ledger();
  const auto before = host_state();
  const auto threads_before = threads_at_last(1);
  const auto descriptors_before = descriptors();
  {
    actor_system sys(quiet());
    http::server front(sys, {.port = 0});
    front.get("/", [] { return http::text("here"); });
    ASSERT_TRUE(front.start());
    (void)tls_server::make({.certificate_pem = "none", .key_pem = "none"}); // starts OpenSSL, if there is one
    EXPECT_EQ(difference(before, host_state()), "");
  }
  live_once({}, second);
  EXPECT_EQ(difference(before, host_state()), "");
  EXPECT_EQ(threads_at_last(threads_before), threads_before);
  EXPECT_EQ(descriptors(), descriptors_before);
  std::filesystem::remove_all(second.parent_path());
}

TEST(HostState, TheFirstLifeInAProcessChangesNothingEither) {
  // Each test has a process of its own under ctest, so this is the first one.
  const auto before = host_state();
  live_once();
  EXPECT_EQ(difference(before, host_state()), "");
}

TEST(HostState, ThreadsAreThoseOfTheOptions) {
  const auto before = threads_at_last(1);
  actor_system sys(quiet(3));
  EXPECT_TRUE(sys.run([]() -> task<> { co_return; }));
  // Three workers, the watch, and of CAF a clock and the actors that print and spawn for it; where CAF has workers, they are as many.
  EXPECT_LE(threads() - before, 3u + 1u + 3u + (internal::caf_has_own_threads ? 3u : 0u));
  sys.stop();
}

std::atomic<int> handled = 0;
extern "C" void note_signal(int) { ++handled; }

TEST(HostState, SignalsAndTheLoggerOfTheHostAreTheHosts) {
  struct sigaction own {};
  struct sigaction former {};
  own.sa_handler = note_signal;
  ::sigaction(SIGTERM, &own, &former);
  std::ostringstream text;
  const auto log = std::make_shared<spdlog::logger>("host", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  const auto former_log = spdlog::default_logger();
  spdlog::set_default_logger(log);
  {
    environment env;
    env.log = use_logger(log);
    auto opts = quiet();
    opts.log_level = "info";
    actor_system sys(opts, env);
    sys.log().info("from the system");
    std::raise(SIGTERM);
    EXPECT_EQ(handled, 1);
    EXPECT_FALSE(sys.stopping());
    EXPECT_EQ(spdlog::default_logger(), log);
  }
  EXPECT_NE(text.str().find("from the system"), std::string::npos) << text.str();
  spdlog::set_default_logger(former_log);
  ::sigaction(SIGTERM, &former, nullptr);
}

TEST(HostState, StopSignalAsksForTwoSignalsAndGivesThemBack) {
  const auto before = host_state();
  {
    stop_signal asked;
    const auto changed = difference(before, host_state());
    EXPECT_NE(changed.find("handler of signal 2 changed"), std::string::npos) << changed;
    EXPECT_NE(changed.find("handler of signal 15 changed"), std::string::npos) << changed;
  }
  EXPECT_EQ(difference(before, host_state()), "");
}

} // namespace
} // namespace greenroom::host_state_test
