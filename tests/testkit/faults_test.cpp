// Connections that go wrong in a simulation. Disks and crashes: fault_bugs_test.cpp.
#include <greenroom/testkit/faults.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::testkit::faults_test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t message_size = 64;

bool mention(const std::vector<std::string>& faults, std::string_view what) {
  return std::any_of(faults.begin(), faults.end(),
                     [what](const std::string& each) { return each.find(what) != std::string::npos; });
}

// -- connections --------------------------------------------------------------------------------------------

/// What a client and a server saw.
struct seen {
  std::optional<errc> client_error;
  std::optional<errc> server_error;
  bool refused = false;
  int rounds = 0; // messages that came back whole
  std::size_t largest_read = 0;
  duration took{};
};
using shared_seen = std::shared_ptr<seen>;

task<> echo(std::unique_ptr<listener> at, shared_seen s) {
  auto io = co_await at->accept();
  at.reset();
  std::array<std::byte, 256> room;
  for (;;) {
    const auto got = co_await (*io)->read_some(room);
    if (!got) s->server_error = got.error().code();
    if (!got || *got == 0) co_return;
    s->largest_read = std::max(s->largest_read, *got);
    const auto put = co_await (*io)->write_all(std::span(room).first(*got));
    if (!put) s->server_error = put.error().code();
    if (!put) co_return;
  }
}
task<> echo_for_a_minute(std::unique_ptr<listener> at, shared_seen s) {
  const auto ended = co_await with_timeout(1min, echo(std::move(at), s));
  if (!ended) s->server_error = ended.error().code();
}

/// Sends messages and reads them back, until something fails.
task<result<void>> talk(std::uint16_t port, int rounds, shared_seen s) {
  auto io = co_await this_actor::system().net().connect({"here", port});
  s->refused = !io;
  if (!io) co_return io.error();
  for (; s->rounds < rounds; ++s->rounds) {
    const std::string sent(message_size, static_cast<char>('a' + s->rounds % 26));
    const auto put = co_await (*io)->write_all(std::as_bytes(std::span(sent)));
    if (!put) co_return put;
    std::string got;
    while (got.size() < sent.size()) {
      std::array<char, 256> room;
      const auto n = co_await (*io)->read_some(std::as_writable_bytes(std::span(room)));
      if (!n) co_return n.error();
      require(*n != 0, "the echo ended too early");
      got.append(room.data(), *n);
    }
    require(got == sent, "the echo is another message: " + got);
  }
  co_return result<void>();
}

task<> tick(int times) {
  for (int i = 0; i < times; ++i) co_await sleep_for(1ms);
}

task<> talk_to_an_echo(int rounds, shared_seen s) {
  auto at = this_actor::system().net().listen({"here", 0}).value();
  const auto port = at->port();
  const auto server = spawn(echo_for_a_minute, std::move(at), s);
  const auto begun = this_actor::system().now();
  const auto done = co_await with_timeout(10s, talk(port, rounds, s));
  s->took = this_actor::system().now() - begun;
  if (!done) s->client_error = done.error().code();
  if (s->refused) server.cancel();
}

task<> talk_beside_a_ticker(shared_seen s) {
  const auto ticker = spawn(tick, 500);
  auto talking = talk_to_an_echo(5, s);
  co_await std::move(talking);
  co_await ticker.join();
}

run_report talk_once(const fault_plan& plan, std::uint64_t seed, int rounds, shared_seen s) {
  simulation world({.faults = plan});
  random_schedule by(seed);
  auto r = world.run(by, talk_to_an_echo, rounds, s);
  EXPECT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
  return r;
}

struct kind {
  const char* name;
  double network_faults::*odds;
  const char* sentence;
  friend void PrintTo(const kind& k, std::ostream* out) { *out << k.name; }
};
const kind kinds[] = {
    {"Refused", &network_faults::refused, " to here:49152 refused"},
    {"Reset", &network_faults::reset, "connection 1 to here:49152 reset"},
    {"Silent", &network_faults::silent, "connection 1 to here:49152 went silent"},
    {"Delayed", &network_faults::delayed, "connection 1 to here:49152 is delayed, by at most 100000 us"},
    {"Slow", &network_faults::slow, "connection 1 to here:49152 is slow: at most 7 byte(s) in a call"},
};

class ConnectionFault : public testing::TestWithParam<kind> {};
INSTANTIATE_TEST_SUITE_P(, ConnectionFault, testing::ValuesIn(kinds),
                         [](const auto& at) { return std::string(at.param.name); });

TEST_P(ConnectionFault, HappensForSomeSeedsAndNotForOthers) {
  fault_plan plan;
  plan.network.*GetParam().odds = 0.5;
  int happened = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto r = talk_once(plan, seed, 3, std::make_shared<seen>());
    happened += mention(r.faults, GetParam().sentence) ? 1 : 0;
  }
  EXPECT_GT(happened, 5);
  EXPECT_LT(happened, 95);
}

TEST_P(ConnectionFault, NeverHappensWithProbabilityZeroWhateverElseDoes) {
  fault_plan plan{.network = {.refused = 0.1, .reset = 0.5, .silent = 0.3, .delayed = 0.5, .slow = 0.5}};
  plan.network.*GetParam().odds = 0;
  int others = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto r = talk_once(plan, seed, 3, std::make_shared<seen>());
    EXPECT_FALSE(mention(r.faults, GetParam().sentence)) << "seed " << seed;
    others += static_cast<int>(r.faults.size());
  }
  EXPECT_GT(others, 50);
}

TEST_P(ConnectionFault, EqualSeedsGiveEqualRunsAndEqualFaults) {
  fault_plan plan{.network = {.refused = 0.1, .reset = 0.3, .silent = 0.2, .delayed = 0.5, .slow = 0.5}};
  plan.network.*GetParam().odds = 1;
  std::size_t faults = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto one = talk_once(plan, seed, 3, std::make_shared<seen>());
    const auto two = talk_once(plan, seed, 3, std::make_shared<seen>());
    EXPECT_EQ(one.trace_hash, two.trace_hash) << "seed " << seed;
    EXPECT_EQ(one.faults, two.faults) << "seed " << seed;
    faults += one.faults.size();
  }
  EXPECT_GT(faults, 10u);
}

TEST(ConnectionFaults, ARunDoesNotHangOnThoseBeforeIt) {
  const fault_plan plan{.network = {.refused = 0.1, .reset = 0.3, .silent = 0.2, .delayed = 0.5, .slow = 0.5}};
  simulation used({.faults = plan});
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    simulation unused({.faults = plan});
    random_schedule by(seed), again(seed);
    const auto late = used.run(by, talk_beside_a_ticker, std::make_shared<seen>());
    const auto fresh = unused.run(again, talk_beside_a_ticker, std::make_shared<seen>());
    ASSERT_EQ(late.trace_hash, fresh.trace_hash) << "seed " << seed;
    ASSERT_EQ(late.faults, fresh.faults) << "seed " << seed;
  }
}

std::vector<std::string> without_steps(std::vector<std::string> faults) {
  for (auto& each : faults) each.erase(0, each.find(": ") + 2);
  return faults;
}

TEST(ConnectionFaults, AnotherScheduleOfOneSeedMeetsTheSame) {
  const fault_plan plan{.network = {.refused = 0.2, .reset = 0.3, .delayed = 0.5, .slow = 0.5, .latest_time = 0ns}};
  simulation world({.faults = plan});
  std::size_t met = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    random_schedule one(seed);
    path_schedule other(seed, {});
    const auto first = world.run(one, talk_to_an_echo, 50, std::make_shared<seen>());
    const auto second = world.run(other, talk_to_an_echo, 50, std::make_shared<seen>());
    EXPECT_EQ(without_steps(first.faults), without_steps(second.faults)) << "seed " << seed;
    met += first.faults.size();
  }
  EXPECT_GT(met, 40u);
}

TEST(ConnectionFaults, ARefusedConnectionFailsWithIo) {
  const auto s = std::make_shared<seen>();
  talk_once({.network = {.refused = 1}}, 1, 3, s);
  EXPECT_TRUE(s->refused);
  EXPECT_EQ(s->client_error, errc::io);
}

TEST(ConnectionFaults, AResetFailsBothEndsWithIoSoonerOrLater) {
  int soonest = 1'000'000;
  int latest = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto s = std::make_shared<seen>();
    const auto r = talk_once({.network = {.reset = 1, .delayed = 1}}, seed, 1'000'000, s); // delays: time passes
    EXPECT_EQ(s->client_error, errc::io) << "seed " << seed;
    EXPECT_EQ(s->server_error, errc::io) << "seed " << seed;
    EXPECT_TRUE(r.faults.back().starts_with("step ")) << r.faults.back();
    soonest = std::min(soonest, s->rounds);
    latest = std::max(latest, s->rounds);
  }
  EXPECT_EQ(soonest, 0);
  EXPECT_GT(latest, 5);
}

TEST(ConnectionFaults, AResetEndsTheWaitsOfBothEndsAlthoughNoTimePasses) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto s = std::make_shared<seen>();
    talk_once({.network = {.reset = 1, .latest_time = 0ns}}, seed, 1'000'000, s);
    EXPECT_EQ(s->client_error, errc::io) << "seed " << seed;
    EXPECT_EQ(s->server_error, errc::io) << "seed " << seed;
    EXPECT_EQ(s->took, duration::zero()) << "seed " << seed;
  }
}

using shared_stream = std::shared_ptr<stream>;

task<> read_a_part(shared_stream io) {
  std::array<std::byte, 8> room;
  const auto got = co_await io->read_some(room);
  (void)got; // or the reset
}
task<> write_a_part(shared_stream io) {
  const std::string text = "eight ch";
  const auto put = co_await io->write_all(std::as_bytes(std::span(text)));
  (void)put;
}
/// Both streams are held all the time, so that only the reset can end what waits.
task<> wait_on_both_ends() {
  auto at = this_actor::system().net().listen({"here", 0}).value();
  const shared_stream mine = (co_await this_actor::system().net().connect({"here", at->port()})).value();
  const shared_stream theirs = (co_await at->accept()).value();
  const auto waits_for_an_answer = spawn(read_a_part, mine);
  for (int i = 0; i < 2; ++i) {
    const auto reader = spawn(read_a_part, theirs);
    const auto writer = spawn(write_a_part, mine);
    co_await writer.join();
    co_await reader.join();
  }
  co_await waits_for_an_answer.join();
}

TEST(ConnectionFaults, AResetEndsWaitsWhateverTheOtherEndDoes) {
  simulation world({.faults = {.network = {.reset = 1, .latest_byte = 15, .latest_time = 0ns}}});
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    random_schedule by(seed);
    const auto r = world.run(by, wait_on_both_ends);
    ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
  }
}

task<> leave_input_unread() {
  auto at = this_actor::system().net().listen({"here", 0}).value();
  auto mine = (co_await this_actor::system().net().connect({"here", at->port()})).value();
  auto theirs = (co_await at->accept()).value();
  const std::string text = "not read";
  const auto put = co_await mine->write_all(std::as_bytes(std::span(text)));
  require(put.has_value(), "not written");
  theirs->close();
  std::array<std::byte, 8> room;
  const auto got = co_await mine->read_some(room);
  require(!got && got.error().is(errc::io), "an orderly end, although what was sent was not read");
}
task<> end_in_good_order() {
  auto at = this_actor::system().net().listen({"here", 0}).value();
  auto mine = (co_await this_actor::system().net().connect({"here", at->port()})).value();
  auto theirs = (co_await at->accept()).value();
  const std::string text = "the last words";
  const auto put = co_await mine->write_all(std::as_bytes(std::span(text)));
  require(put.has_value(), "not written");
  mine->close();
  std::array<char, 32> room;
  std::string all;
  for (;;) {
    const auto got = co_await theirs->read_some(std::as_writable_bytes(std::span(room)));
    require(got.has_value(), "an error, although the end was orderly");
    if (*got == 0) break;
    all.append(room.data(), *got);
  }
  require(all == text, "came: " + all);
}

TEST(ConnectionFaults, ADelayedAndSlowConnectionEndsAsOthersDo) {
  for (const auto& plan : {fault_plan{}, fault_plan{.network = {.delayed = 1, .slow = 1}}}) {
    for (const auto program : {leave_input_unread, end_in_good_order}) {
      simulation world({.faults = plan});
      random_schedule by(1);
      const auto r = world.run(by, program);
      EXPECT_TRUE(r.passed()) << r.why;
    }
  }
}

TEST(ConnectionFaults, WhoTalksToASilentConnectionHearsNothingUntilItsLimit) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto s = std::make_shared<seen>();
    talk_once({.network = {.silent = 1, .delayed = 1}}, seed, 1'000'000, s);
    EXPECT_EQ(s->client_error, errc::timed_out) << "seed " << seed;
    EXPECT_EQ(s->server_error, errc::timed_out) << "seed " << seed << ": not even the end is heard";
  }
}

TEST(ConnectionFaults, DelayedBytesComeInOrderAndWithinTheirBound) {
  duration longest{};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto s = std::make_shared<seen>();
    const fault_plan plan{.network = {.delayed = 1, .slow = 0.5, .longest_delay = 20ms}};
    talk_once(plan, seed, 10, s); // talk() requires that each message comes back as it was
    EXPECT_EQ(s->rounds, 10);
    EXPECT_GT(s->took, duration::zero()) << "seed " << seed;
    EXPECT_LE(s->took, 10 * 2 * 20ms) << "seed " << seed;
    longest = std::max(longest, s->took);
  }
  EXPECT_GT(longest, 100ms);
}

TEST(ConnectionFaults, ASlowConnectionNeverMovesMoreThanItsFewBytes) {
  const auto s = std::make_shared<seen>();
  talk_once({.network = {.slow = 1, .most_bytes = 3}}, 1, 10, s);
  EXPECT_EQ(s->rounds, 10);
  EXPECT_EQ(s->largest_read, 3u);
}

TEST(ConnectionFaults, ConnectionsThatMeetNoneRunAsInAPlainWorld) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto plain = talk_once({}, seed, 3, std::make_shared<seen>());
    const auto spared = talk_once({.network = {.reset = 1e-300}}, seed, 3, std::make_shared<seen>());
    EXPECT_EQ(plain.trace_hash, spared.trace_hash) << "seed " << seed;
    EXPECT_EQ(plain.steps, spared.steps) << "seed " << seed;
    EXPECT_TRUE(plain.faults.empty());
    EXPECT_TRUE(spared.faults.empty());
  }
}

TEST(ConnectionFaults, TurnAwayWhoWaitsAtAListenerThatCloses) {
  simulation world({.faults = {.network = {.delayed = 1}}});
  random_schedule by(1);
  const auto r = world.run(by, []() -> task<> {
    auto at = this_actor::system().net().listen({"here", 0}).value();
    auto io = (co_await this_actor::system().net().connect({"here", at->port()})).value();
    at->close();
    std::array<std::byte, 8> room;
    const auto got = co_await io->read_some(room);
    require(!got && got.error().is(errc::io), "no error, although nobody will accept");
    const auto late = co_await this_actor::system().net().connect({"here", at->port()});
    require(!late && late.error().is(errc::io), "connected where nobody listens");
  });
  EXPECT_TRUE(r.passed()) << r.why;
}

TEST(FaultPlan, ANumberOutOfRangeIsNamed) {
  try {
    simulation world({.faults = {.network = {.reset = 1.5}}});
    FAIL() << "accepted";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(), "fault_plan: network.reset must be a probability from 0 to 1, not 1.5");
  }
  EXPECT_FALSE((fault_plan{.network = {.most_bytes = 0}}.check()));
  EXPECT_FALSE((fault_plan{.network = {.longest_delay = -1ns}}.check()));
  EXPECT_FALSE((fault_plan{.disk = {.sync = -0.1}}.check()));
  EXPECT_TRUE(fault_plan{}.check());
}

// -- a server and a client that do not give up ----------------------------------------------------------------

http::response hello() { return http::text("Hello, World!"); }
task<http::response> hello_later() {
  co_await sleep_for(300ms);
  co_return http::text("Hello, World!");
}

task<int> ask_once(std::uint16_t port, std::string path) {
  auto io = co_await this_actor::system().net().connect({"here", port});
  if (!io) co_return 0;
  http::test::raw_client c(*std::move(io));
  co_await c.say(http::test::get(path));
  const auto got = co_await c.hear();
  co_return got.status;
}

task<> ask_until_answered(http::server* front) {
  for (const auto* path : {"/hello", "/later", "/hello"}) {
    int status = 0;
    for (int tries = 0; status == 0; ++tries) {
      require(tries < 100, "no answer in 100 tries");
      const auto got = co_await with_timeout(5s, ask_once(front->port(), path));
      status = got ? *got : 0;
    }
    require(status == 200, "status " + std::to_string(status));
  }
  const auto report = co_await front->stopped(10s);
  require(report.complete(), report.to_string());
}

TEST(Faults, AServerAndAClientThatTriesAgainSurviveThemAndLeaveNothing) {
  const fault_plan plan{.network = {.refused = 0.1, .reset = 0.4, .silent = 0.1, .delayed = 0.5, .slow = 0.5}};
  std::size_t resets = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    simulation world({.faults = plan});
    http::server front(world.system(), {.host = "here", .port = 0});
    front.get("/hello", hello).get("/later", supervised(2s, hello_later));
    ASSERT_TRUE(front.start());
    random_schedule by(seed);
    const auto r = world.run(by, ask_until_answered, &front);
    ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
    EXPECT_EQ(world.system().live_actors(), 0u);
    EXPECT_EQ(front.stats().connections_open, 0u);
    resets += mention(r.faults, " reset") ? 1 : 0;
  }
  EXPECT_GT(resets, 100u);
}

} // namespace
} // namespace greenroom::testkit::faults_test
