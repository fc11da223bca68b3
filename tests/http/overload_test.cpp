// What a server does when there is more than it can do: limits::in_flight, queue_age, connections_per_address.
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::overload_test {
namespace {

using namespace test;

task<response> wait_for_it(mailbox<int> go) {
  co_await go.receive();
  co_return text("done");
}

TEST(Overload, BeyondTheRequestsInFlightIsToldToTryAgain) {
  server_options how;
  how.limits.in_flight = 2;
  rig r(how);
  auto [go, release] = make_mailbox<int>(bounded(10));
  r.front.get("/wait", wait_for_it, go)
      .get("/hello", [] { return text("hello"); })
      .post("/up", [](request, body_reader body) -> task<response> {
        auto all = co_await body.read_all(100);
        co_return text(all.value());
      });
  r.start();
  std::vector<raw_client> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(r.connect());
    r.say(waiting.back(), get("/wait"));
    r.settle();
  }
  auto third = r.connect();
  const auto refused = r.say_and_hear(third, get("/wait"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(refused.body, "the server is overloaded; try again later\n");
  auto sending = r.connect();
  const auto unread = r.say_and_hear(sending, post("/up", "some"));
  EXPECT_EQ(unread.status, 503);
  EXPECT_EQ(unread.field("Connection"), "close");
  EXPECT_EQ(r.front.stats().shed, 2u);
  EXPECT_EQ(r.front.stats().requests, 2u) << "no actor is started for what is refused";
  EXPECT_TRUE(release.try_send(1));
  EXPECT_TRUE(release.try_send(2));
  for (auto& each : waiting) EXPECT_EQ(r.hear(each).body, "done");
  EXPECT_EQ(r.say_and_hear(third, get("/hello")).body, "hello") << "it recovers by itself, on the same connection";
}

TEST(Overload, OfOneAddressLeavesRoomForTheOthers) {
  server_options how;
  how.limits.connections_per_address = 2;
  rig r(how);
  r.front.get("/hello", [] { return text("hello"); });
  r.start();
  auto a = r.connect();
  auto b = r.connect();
  EXPECT_EQ(r.say_and_hear(a, get("/hello")).status, 200);
  EXPECT_EQ(r.say_and_hear(b, get("/hello")).status, 200);
  auto third = r.connect();
  const auto refused = r.hear(third);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, "this address has 2 connections already, its limit; try again later\n");
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(r.front.stats().connections_turned_away, 1u);
  a.leave();
  r.settle();
  EXPECT_EQ(r.ask(get("/hello")).status, 200) << "the place is free again";
}

TEST(Overload, TakesBackWhatHasWaitedTooLongForAWorker) {
  rig r;
  int calls = 0;
  r.front.get(
      "/compute",
      [](manual_clock* time, int* n) {
        ++*n;
        time->advance(50ms); // as a handler that computes does to those that wait for its worker
        return text("done");
      },
      &r.time, &calls);
  r.start();
  std::vector<raw_client> asking;
  for (int i = 0; i < 40; ++i) asking.push_back(r.connect());
  (void)r.sys.run(
      [](std::vector<raw_client>* all) -> task<> {
        for (auto& each : *all) co_await each.say(get("/compute")); // all in one turn of the worker
      },
      &asking);
  int done = 0;
  int refused = 0;
  for (auto& each : asking) {
    const auto answer = r.hear(each);
    done += answer.status == 200 ? 1 : 0;
    if (answer.status == 200) continue;
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("Retry-After"), "1");
    ++refused;
  }
  EXPECT_EQ(done, calls) << "what is refused is not worked on";
  EXPECT_GE(done, 2);
  EXPECT_GE(refused, 1);
  EXPECT_EQ(r.front.stats().shed, static_cast<std::uint64_t>(refused));
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.say_and_hear(asking.front(), get("/compute")).body, "done") << "it recovers by itself";
}

TEST(Overload, IsNoHiccupOfTheMachine) {
  rig r;
  bool stalled = false;
  r.front.get(
      "/stall",
      [](manual_clock* time, bool* once) {
        if (!std::exchange(*once, true)) time->advance(1s); // as a machine that stops for a moment does to all
        return text("done");
      },
      &r.time, &stalled);
  r.start();
  std::vector<raw_client> asking;
  for (int i = 0; i < 8; ++i) asking.push_back(r.connect());
  (void)r.sys.run(
      [](std::vector<raw_client>* all) -> task<> {
        for (auto& each : *all) co_await each.say(get("/stall"));
      },
      &asking);
  for (auto& each : asking) EXPECT_EQ(r.hear(each).status, 200);
  EXPECT_EQ(r.front.stats().shed, 0u);
}

} // namespace
} // namespace greenroom::http::overload_test
