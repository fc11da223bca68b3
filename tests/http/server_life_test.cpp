#include <greenroom/http/server.hpp>

#include <string>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::server_life_test {
namespace {

using namespace test;

response hello() { return text("Hello, World!"); }
response echo(request r) { return {200, "application/octet-stream", r.take_body()}; }
task<response> slow_task(request r) {
  co_await sleep_for(std::chrono::milliseconds(std::atoi(r.query_value("ms").value_or("3000").c_str())));
  co_return text("Success: task completed\n");
}

TEST(ServerLife, StopFinishesWhatItHasBegunAndAnnouncesTheClose) {
  rig r;
  r.front.get("/task", slow_task).post("/echo", echo).get("/hello", hello);
  r.start();
  auto idle = r.connect();
  auto working = r.connect();
  auto sending = r.connect();
  auto half_a_head = r.connect();
  EXPECT_EQ(r.say_and_hear(idle, get("/hello")).status, 200);
  r.say(working, get("/task?ms=1000"));
  r.say(sending, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nda");
  r.say(half_a_head, "GET /hello HTT");
  r.settle();
  auto stop = r.sys.spawn(
      [](server* s) -> task<> {
        const auto report = co_await s->stopped(10s);
        EXPECT_TRUE(report.complete()) << report.to_string();
      },
      &r.front);
  r.advance(10ms);
  EXPECT_TRUE(r.front.stopping());
  EXPECT_EQ(r.hear_all(idle), "");
  EXPECT_EQ(r.hear_all(half_a_head), "");
  EXPECT_FALSE(r.try_connect(r.front)) << "nothing listens any more";
  r.say(sending, "ta");
  const auto echoed = r.hear(sending);
  EXPECT_EQ(echoed.body, "data");
  EXPECT_EQ(echoed.field("Connection"), "close");
  EXPECT_FALSE(stop.finished());
  r.advance(1s);
  const auto done = r.hear(working);
  EXPECT_EQ(done.body, "Success: task completed\n");
  EXPECT_EQ(done.field("Connection"), "close");
  working.leave();
  sending.leave();
  r.advance_until_end(stop);
  EXPECT_TRUE(stop.wait().normal());
  EXPECT_EQ(r.front.stats().connections_open, 0u);
}

task<> ask_and_stop(rig* r, std::vector<raw_client>* asking) {
  for (int i = 0; i < 3; ++i) {
    auto made = co_await r->net.connect({"127.0.0.1", r->front.port()});
    asking->emplace_back(*std::move(made));
    co_await asking->back().say(get("/hello"));
  }
  const auto report = co_await r->front.stopped(1s); // in the same turn: nobody was accepted yet
  EXPECT_TRUE(report.complete()) << report.to_string();
}

TEST(ServerLife, StopAnswersThoseThatWaitToBeAccepted) {
  rig r;
  r.front.get("/hello", hello);
  r.start();
  std::vector<raw_client> asking;
  auto stop = r.sys.spawn(ask_and_stop, &r, &asking);
  r.settle();
  ASSERT_EQ(asking.size(), 3u);
  for (auto& each : asking) {
    const auto answer = r.hear(each);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Connection"), "close");
    each.leave();
  }
  r.advance_until_end(stop);
  EXPECT_FALSE(r.try_connect(r.front));
}

TEST(ServerLife, StopGivesNoticeBeforeItRefusesAnybody) {
  rig r({.stop_notice = 5s});
  r.front.get("/hello", hello);
  EXPECT_FALSE(r.front.ready());
  r.start();
  EXPECT_TRUE(r.front.ready());
  auto stop = r.sys.spawn(
      [](server* s) -> task<> {
        const auto report = co_await s->stopped(1s);
        EXPECT_TRUE(report.complete());
      },
      &r.front);
  r.settle();
  r.advance(4s);
  EXPECT_FALSE(r.front.ready());
  EXPECT_TRUE(r.front.stopping());
  const auto answer = r.ask(get("/hello"));
  EXPECT_EQ(answer.status, 200) << "it still serves";
  EXPECT_EQ(answer.field("Connection"), "none");
  r.advance(1001ms);
  EXPECT_FALSE(r.try_connect(r.front));
  r.advance_until_end(stop);
}

TEST(ServerLife, StopGoesOnWhereItsNoticeIsCancelled) {
  rig r({.stop_notice = 1h});
  r.start();
  auto stop = r.sys.spawn([](server* s) -> task<> { co_await s->stopped(1s); }, &r.front);
  r.advance(1s);
  stop.cancel();
  r.settle();
  EXPECT_TRUE(stop.finished());
  EXPECT_FALSE(r.try_connect(r.front)) << "a stop that has begun is not taken back";
}

TEST(ServerLife, StopCutsOffWhatTakesTooLong) {
  rig r;
  r.front.get("/task", supervised(1h, slow_task));
  r.start();
  auto c = r.connect();
  r.say(c, get("/task?ms=600000"));
  r.settle();
  auto stop = r.sys.spawn(
      [](server* s) -> task<> {
        const auto report = co_await s->stopped(5s);
        EXPECT_EQ(report.cut_off, 1u);
        EXPECT_EQ(report.left, 0u);
        const auto& cut = report.requests.at(0);
        EXPECT_EQ(cut.route, "GET /task");
        EXPECT_EQ(report.to_string(), "1 request(s) were cut off when the time for the stop was over: GET /task of " +
                                          cut.peer + " after " + std::to_string(cut.age / 1ms) + " ms");
      },
      &r.front);
  r.advance_until_end(stop);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.hear_all(c), "");
}

TEST(ServerLife, StopCountsARequestWhoseBodyDidNotComeAsCutOff) {
  rig r;
  r.front.post("/echo", echo);
  r.start();
  auto c = r.connect();
  r.say(c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nda");
  r.settle();
  auto stop = r.sys.spawn(
      [](server* s) -> task<> {
        const auto report = co_await s->stopped(1s);
        EXPECT_EQ(report.cut_off, 1u);
      },
      &r.front);
  r.advance_until_end(stop);
  EXPECT_EQ(r.hear_all(c), "");
}

TEST(ServerLife, StartAfterAStopIsRefused) {
  rig r;
  EXPECT_TRUE(r.front.stop().complete());
  const auto started = r.front.start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().is(errc::stopped));
}

TEST(ServerLife, StopKillsARequestThatSwallowsItsCancellation) {
  rig r;
  r.front.get("/task", supervised(1h, [](request) -> task<response> {
                for (;;) {
                  try {
                    co_await sleep_for(1h);
                  } catch (const cancelled&) {}
                }
              }));
  r.start();
  auto c = r.connect();
  r.say(c, get("/task"));
  r.settle();
  auto stop = r.sys.spawn(
      [](server* s) -> task<> {
        const auto report = co_await s->stopped(0s);
        EXPECT_EQ(report.cut_off, 1u);
        EXPECT_EQ(report.left, 0u);
      },
      &r.front);
  r.advance_until_end(stop);
}

TEST(ServerLife, StartsAndStopsAThousandTimesWithoutALeak) {
  actor_system sys(quiet(2));
  const auto actors = sys.live_actors();
  for (int i = 0; i < 1'000; ++i) {
    server front(sys, {.port = 0});
    front.get("/hello", hello);
    ASSERT_TRUE(front.start()) << i;
    ASSERT_NE(front.port(), 0);
    const auto made = sys.run(
        [](std::uint16_t port) -> task<int> {
          auto io = (co_await this_actor::system().net().connect({"127.0.0.1", port})).value();
          raw_client c(std::move(io));
          co_await c.say(get("/hello"));
          const auto got = co_await c.hear();
          co_return got.status;
        },
        front.port());
    ASSERT_EQ(made.value(), 200);
    ASSERT_TRUE(front.stop().complete());
  }
  EXPECT_EQ(sys.live_actors(), actors);
  EXPECT_EQ(sys.live_timers(), 0u);
}

TEST(ServerLife, SeveralServeSideBySide) {
  rig r;
  server second(r.sys, {.port = 0});
  r.front.get("/", hello);
  second.get("/", [] { return text("second"); });
  r.start();
  ASSERT_TRUE(second.start());
  EXPECT_NE(second.port(), r.front.port());
  EXPECT_EQ(r.ask(get("/")).body, "Hello, World!");
  auto c = r.connect(second);
  EXPECT_EQ(r.say_and_hear(c, get("/")).body, "second");
}

TEST(ServerLife, SaysWhatIsWrongWithItsUse) {
  rig r;
  r.front.get("/hello", hello);
  EXPECT_THROW(r.front.get("/hello", hello), usage_error);
  EXPECT_THROW(r.front.get("hello", hello), usage_error);
  EXPECT_THROW(r.front.get("/a", supervised(0s, hello)), usage_error);
  EXPECT_THROW(server(r.sys, {.limits = {.request_line = 1}}), usage_error);
  EXPECT_THROW(server(r.sys, {.stop_time = -1s}), usage_error);
  r.start();
  EXPECT_THROW(r.front.get("/later", hello), usage_error);
  EXPECT_THROW((void)r.front.start(), usage_error);
  server same(r.sys, {.port = r.front.port()});
  const auto taken = same.start();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), errc::already_exists);
  EXPECT_NE(taken.error().message().find(std::to_string(r.front.port())), std::string_view::npos);
}

TEST(ServerLife, DestructorOutlivesTheStopOfItsSystem) {
  rig r;
  r.front.get("/task", supervised(1h, slow_task));
  r.start();
  auto c = r.connect();
  r.say(c, get("/task?ms=600000"));
  r.settle();
  EXPECT_TRUE(r.sys.stop().complete());
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
  EXPECT_TRUE(r.front.stop().complete());
}

} // namespace
} // namespace greenroom::http::server_life_test
