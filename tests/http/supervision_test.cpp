#include <greenroom/http/server.hpp>

#include <atomic>
#include <stdexcept>
#include <string>

#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::supervision_test {
namespace {

using namespace test;

response hello() { return text("Hello, World!"); }
task<response> slow_task(request r) {
  co_await sleep_for(std::chrono::milliseconds(std::atoi(r.query_value("ms").value_or("3000").c_str())));
  co_return text("Success: task completed\n");
}

TEST(Supervision, AnswersForASupervisedHandlerWhenItsTimeIsOver) {
  rig r;
  r.front.get("/plain", supervised(2s, slow_task));
  r.front.get("/task", supervised(2s, slow_task, text("Request canceled: context deadline exceeded\n", 408)));
  r.start();
  auto c = r.connect();
  auto d = r.connect();
  r.say(c, get("/task"));
  r.say(d, get("/plain"));
  r.settle();
  EXPECT_EQ(r.front.stats().in_flight, 2u);
  r.advance(1'999ms);
  EXPECT_EQ(r.front.stats().in_flight, 2u);
  r.advance(2ms);
  const auto late = r.hear(c);
  EXPECT_EQ(late.status, 408);
  EXPECT_EQ(late.body, "Request canceled: context deadline exceeded\n");
  const auto plain = r.hear(d);
  EXPECT_EQ(plain.status, 503);
  EXPECT_EQ(plain.body, "the request took longer than its limit of 2 s\n");
  EXPECT_EQ(r.front.stats().in_flight, 0u) << "nothing survives it";
  EXPECT_EQ(r.front.stats().timed_out, 2u);
  EXPECT_EQ(r.say_and_hear(c, get("/task?ms=0")).status, 200) << "the connection is still good";
}

task<response> slow_length(request r, std::string unit) {
  co_await sleep_for(std::chrono::milliseconds(std::atoi(r.query_value("ms").value_or("0").c_str())));
  co_return text(std::to_string(r.body().size()) + unit);
}

TEST(Supervision, GoesWithALimitOfTheBodyInEitherOrder) {
  rig r;
  r.front.post("/within", supervised(2s, handler(slow_length, " bytes").body_limit(10)));
  r.front.post("/around", handler(supervised(2s, slow_length), " bytes").body_limit(10));
  r.start();
  for (const std::string path : {"/within", "/around"}) {
    EXPECT_EQ(r.ask(post(path, "0123456789")).body, "10 bytes") << path;
    EXPECT_EQ(r.ask(post(path, "0123456789a")).status, 413) << path;
    auto c = r.connect();
    r.say(c, post(path + "?ms=3000", "x"));
    r.advance(2001ms);
    EXPECT_EQ(r.hear(c).status, 503) << path;
  }
}

TEST(Supervision, EndsWhatTheRequestHasStartedWithIt) {
  rig r;
  std::atomic<int> ended{0};
  r.front.get("/task",
              supervised(2s,
                         [](request, std::atomic<int>* count) -> task<response> {
                           struct at_end {
                             std::atomic<int>* n;
                             ~at_end() { ++*n; }
                           };
                           (void)co_await with_scope(
                               [](scope& s, std::atomic<int>* n) -> task<> {
                                 for (int i = 0; i < 3; ++i) {
                                   s.spawn(
                                       [](std::atomic<int>* k) -> task<> {
                                         const at_end here{k};
                                         co_await sleep_for(1h);
                                       },
                                       n);
                                 }
                                 co_await sleep_for(1h);
                               },
                               count);
                           co_return text("never");
                         }),
              &ended);
  r.start();
  auto c = r.connect();
  r.say(c, get("/task"));
  r.settle();
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
  r.settle();
  EXPECT_EQ(ended, 3);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST(Supervision, HandlerSeesItsDeadlineInItsContext) {
  rig r;
  r.front.get("/task", supervised(2s, [](request) -> task<response> {
                const auto left = this_actor::context().remaining();
                auto done = co_await with_timeout(5s, []() -> task<> { co_await sleep_for(1h); }()); // longer than ours
                co_return text(std::to_string(left / 1s) + (done ? "" : std::string(done.error().message())));
              }));
  r.start();
  auto c = r.connect();
  r.say(c, get("/task"));
  r.settle();
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
  r.settle();
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.sys.live_timers(), 1u) << "that of the idle connection";
}

task<response> by_reference(const request& r, const std::string& greeting) {
  co_await sleep_for(10ms);
  co_return text(greeting + " " + std::string(r.parameter("name")));
}

TEST(Supervision, HandlersMayTakeRequestAndArgumentsByReference) {
  rig r;
  r.front.get("/people/{name}", by_reference,
              std::string("a greeting that is longer than what a string holds in place"));
  r.start();
  auto c = r.connect();
  r.say(c, get("/people/one"));
  r.settle();
  r.advance(11ms);
  EXPECT_EQ(r.hear(c).body, "a greeting that is longer than what a string holds in place one");
}

TEST(Supervision, WhatAHandlerHasStartedUnderItsContextEndsWithItsAnswer) {
  rig r;
  r.front.get("/task", supervised(1h, [](request) -> task<response> {
                spawn_options under_ours;
                under_ours.ctx = this_actor::context();
                spawn(under_ours, []() -> task<> { co_await sleep_for(24h); });
                co_return text("done");
              }));
  r.start();
  const auto before = r.sys.live_actors();
  auto c = r.connect();
  EXPECT_EQ(r.say_and_hear(c, get("/task")).body, "done");
  c.leave();
  r.settle();
  EXPECT_EQ(r.sys.live_actors(), before);
}

TEST(Supervision, AnswersOnTimeForAHandlerThatDoesNotUnwind) {
  rig r;
  r.front.get("/stubborn", supervised(2s, [](request) -> task<response> {
                co_await shielded(10s, []() -> task<> { co_await sleep_for(5s); }());
                co_return text("too late");
              }));
  r.start();
  auto c = r.connect();
  r.say(c, get("/stubborn"));
  r.settle();
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
  EXPECT_EQ(r.front.stats().in_flight, 1u) << "it cleans up, and is counted until it has";
  r.advance(3s);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST(Supervision, CancelsTheWorkWhenTheClientLeaves) {
  rig r;
  std::string cause;
  r.front.get("/task",
              supervised(1h,
                         [](request, std::string* why) -> task<response> {
                           try {
                             co_await sleep_for(30min);
                           } catch (const cancelled& c) {
                             *why = c.cause.message();
                             throw;
                           }
                           co_return text("never");
                         }),
              &cause);
  r.start();
  auto c = r.connect();
  r.say(c, get("/task"));
  r.settle();
  EXPECT_EQ(r.front.stats().in_flight, 1u);
  c.leave();
  r.settle();
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.front.stats().abandoned, 1u);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
  EXPECT_EQ(cause, "the client has left");
}

TEST(Supervision, CancelsTheWorkWhenAClientLeavesThatHasSentMoreThanIsReadAhead) {
  for (const bool by_reset : {false, true}) {
    rig r;
    r.front.get("/task", supervised(1h, slow_task)).get("/hello", [] { return text("hello"); });
    r.start();
    auto c = r.connect();
    std::string all = get("/task");
    while (all.size() < 100'000) all += get("/hello");
    r.say(c, all);
    r.settle();
    EXPECT_EQ(r.front.stats().in_flight, 1u);
    if (by_reset)
      c.reset();
    else
      c.leave();
    r.settle();
    r.advance(300ms);
    EXPECT_EQ(r.front.stats().in_flight, 0u);
    EXPECT_EQ(r.front.stats().abandoned, 1u);
    EXPECT_EQ(r.front.stats().requests, 1u) << "nobody waits for the others";
    EXPECT_EQ(r.front.stats().connections_open, 0u);
  }
}

TEST(Supervision, HandlersWithoutALimitHaveThatOfTheServer) {
  rig r({.limits = {.handler_time = 7s}});
  r.front.get("/task", slow_task);
  r.start();
  auto c = r.connect();
  r.say(c, get("/task?ms=8000"));
  r.settle();
  r.advance(7001ms);
  EXPECT_EQ(r.hear(c).body, "the request took longer than its limit of 7 s\n");
}

TEST(Supervision, FailingHandlersHurtNoOther) {
  rig r;
  r.front.get("/throws", []() -> response { throw std::runtime_error("secret of the house"); });
  r.front.get("/hungry", [] { return text(std::string(std::string().max_size(), 'x')); });
  r.front.get("/odd", []() -> response { throw 42; });
  r.front.get("/hello", hello);
  r.start();
  auto c = r.connect();
  for (const auto* path : {"/throws", "/hungry", "/odd"}) {
    const auto got = r.say_and_hear(c, get(path));
    EXPECT_EQ(got.status, 500) << path;
    EXPECT_EQ(got.body, "the server failed to answer this request\n") << "the reason is for the log only";
    EXPECT_EQ(r.say_and_hear(c, get("/hello")).status, 200) << path;
  }
  EXPECT_EQ(r.front.stats().failed, 3u);
}

} // namespace
} // namespace greenroom::http::supervision_test
