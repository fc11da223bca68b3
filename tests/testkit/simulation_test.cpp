#include <greenroom/testkit/simulation.hpp>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::testkit::simulation_test {
namespace {

using namespace std::chrono_literals;

run_report run_once(simulation& world, std::uint64_t seed, std::function<task<>()> program) {
  random_schedule by(seed);
  return world.run(by, std::move(program));
}

using trace = std::vector<int>;

task<> note_twice(int who, trace* all) {
  all->push_back(who);
  co_await yield();
  all->push_back(who);
}

task<> three_side_by_side(trace* all) {
  for (int i = 0; i < 3; ++i) spawn(note_twice, i, all);
  co_return;
}

TEST(Simulation, RunsAProgramAndAllThatItStarts) {
  simulation world;
  trace all;
  const auto r = run_once(world, 1, [&all] { return three_side_by_side(&all); });
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_EQ(all.size(), 6u);
  EXPECT_EQ(world.system().live_actors(), 0u);
}

TEST(Simulation, EqualSeedsGiveEqualRunsAndOthersDiffer) {
  simulation world;
  simulation another;
  trace first, again, other;
  const auto one = run_once(world, 7, [&first] { return three_side_by_side(&first); });
  const auto two = run_once(another, 7, [&again] { return three_side_by_side(&again); });
  EXPECT_EQ(first, again);
  EXPECT_EQ(one.trace_hash, two.trace_hash);
  bool differs = false;
  for (std::uint64_t seed = 8; seed < 20; ++seed) {
    other.clear();
    differs |= run_once(world, seed, [&other] { return three_side_by_side(&other); }).trace_hash != one.trace_hash;
  }
  EXPECT_TRUE(differs);
}

task<> sleep_in_steps(trace* all) {
  spawn(
      [](trace* to) -> task<> {
        co_await sleep_for(2h);
        to->push_back(2);
      },
      all);
  co_await sleep_for(1h);
  all->push_back(1);
  co_await sleep_for(2h);
  all->push_back(3);
}

TEST(Simulation, TimeJumpsWhenAllWait) {
  simulation world;
  trace all;
  const auto begun = world.now();
  const auto r = run_once(world, 1, [&all] { return sleep_in_steps(&all); });
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_EQ(all, (trace{1, 2, 3}));
  EXPECT_GE(world.now() - begun, 3h);
  EXPECT_LT(world.now() - begun, 3h + 1s);
}

task<> wait_on(mailbox<int> in) {
  const auto item = co_await in.receive();
  require(item.has_value(), "closed");
}

task<> wait_for_each_other(mailbox<int>* kept) {
  auto [in, out] = make_mailbox<int>(bounded(1)); // `out` is held until they have ended, so it never closes
  *kept = in;
  const auto first = spawn({.name = "first"}, wait_on, in);
  spawn({.name = "second"}, wait_on, in);
  co_await first.join();
}

TEST(Simulation, ReportsADeadlockWithEachActorThatWaits) {
  simulation world;
  mailbox<int> kept;
  const auto r = run_once(world, 3, [&kept] { return wait_for_each_other(&kept); });
  EXPECT_EQ(r.how, verdict::deadlocked);
  EXPECT_NE(r.why.find("3 actor(s) wait, and nothing will ever end that:"), std::string::npos) << r.why;
  EXPECT_NE(r.why.find("waits for receive"), std::string::npos) << r.why;
  EXPECT_NE(r.why.find("simulation_test.cpp:"), std::string::npos) << r.why;
}

task<> leave_one_behind(address<int>* kept) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  *kept = out;
  spawn({.name = "forgotten"}, wait_on, in);
  co_return;
}

TEST(Simulation, WhatAProgramLeavesBehindIsAFault) {
  simulation world;
  address<int> kept;
  const auto r = run_once(world, 1, [&kept] { return leave_one_behind(&kept); });
  EXPECT_EQ(r.how, verdict::deadlocked);
  EXPECT_NE(r.why.find("'forgotten'"), std::string::npos) << r.why;
}

TEST(Simulation, ARequirementFailsTheRunWithItsSentence) {
  simulation world;
  const auto r = run_once(world, 1, []() -> task<> {
    co_await yield();
    require(1 + 1 == 3, "the sum is wrong");
  });
  EXPECT_EQ(r.how, verdict::failed);
  EXPECT_NE(r.why.find("the sum is wrong"), std::string::npos) << r.why;
  EXPECT_TRUE(run_once(world, 1, []() -> task<> { co_await yield(); }).passed()) << "the next run is not touched by it";
}

TEST(Simulation, GivesUpARunThatDoesNotEnd) {
  simulation world({.most_steps = 1'000});
  const auto r = run_once(world, 1, []() -> task<> {
    for (;;) co_await yield();
  });
  EXPECT_EQ(r.how, verdict::ran_too_long);
  EXPECT_NE(r.why.find("within 1000 steps"), std::string::npos) << r.why;
}

TEST(Simulation, BlockingCallsRunOnTheSpot) {
  simulation world;
  int answer = 0;
  const auto r = run_once(
      world, 1, [&answer]() { return [](int* to) -> task<> { *to = co_await blocking([] { return 42; }); }(&answer); });
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_EQ(answer, 42);
}

http::response hello() { return http::text("Hello, World!"); }
task<http::response> slow() {
  co_await sleep_for(3s);
  co_return http::text("too late");
}

/// A server and two clients, one of which asks for too much time.
task<> serve_and_ask(http::server* front) {
  for (const auto* path : {"/hello", "/task"}) {
    const bool hurried = std::string_view(path) == "/task";
    auto io = (co_await this_actor::system().net().connect({"here", front->port()})).value();
    http::test::raw_client c(std::move(io));
    co_await c.say(http::test::get(path));
    const auto got = co_await c.hear();
    require(got.status == (hurried ? 503 : 200), "status " + std::to_string(got.status));
  }
  const auto report = co_await front->stopped(10s);
  require(report.complete(), report.to_string());
}

/// The server is the program's own; a client is in the middle of a request when it goes.
task<> own_server(bool fails) {
  http::server front(this_actor::system(), {.host = "here", .port = 0});
  front.get("/hello", hello).get("/task", supervised(1h, slow));
  require(front.start().has_value(), "it does not listen");
  auto io = (co_await this_actor::system().net().connect({"here", front.port()})).value();
  http::test::raw_client c(std::move(io));
  co_await c.say(http::test::get("/hello"));
  const auto got = co_await c.hear();
  require(got.status == 200, "status " + std::to_string(got.status));
  co_await c.say(http::test::get("/task"));
  co_await sleep_for(1s);
  require(!fails, "as planned");
}

TEST(Simulation, AServerOfTheProgramGoesWithItHoweverItEnds) {
  simulation world;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto good = run_once(world, seed, [] { return own_server(false); });
    ASSERT_TRUE(good.passed()) << "seed " << seed << ": " << good.why;
    const auto bad = run_once(world, seed, [] { return own_server(true); });
    ASSERT_EQ(bad.how, verdict::failed) << "seed " << seed;
    EXPECT_NE(bad.why.find("as planned"), std::string::npos) << bad.why;
  }
}

TEST(Simulation, AnHttpServerRunsInItUnderManySchedules) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    simulation world;
    http::server front(world.system(), {.host = "here", .port = 0});
    front.get("/hello", hello).get("/task", supervised(2s, slow));
    ASSERT_TRUE(front.start());
    const auto r = run_once(world, seed, [&front] { return serve_and_ask(&front); });
    ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
  }
}

} // namespace
} // namespace greenroom::testkit::simulation_test
