// The routes over a network in memory and in virtual time: two seconds pass at once.
#include "routes.hpp"

#include <string>

#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/testkit/explore.hpp>
#include <greenroom/testkit/http_client.hpp>

namespace my_service {
namespace {

using namespace greenroom;
using namespace std::chrono_literals;
using testkit::http_client;
using testkit::require;

const std::string json = "application/json";

void expect(const result<testkit::http_reply>& got, int status, const std::string& body) {
  require(got.has_value(), got ? "" : std::string(got.error().message()));
  require(got->status == status && got->body.find(body) != std::string::npos,
          std::to_string(got->status) + " " + got->body);
}

task<> place_orders() {
  const auto desk = co_await open_desk();
  http::server front(this_actor::system(), {.port = 0});
  front.mount("/v1", api(*desk, 2s));
  require(front.start().has_value(), "it does not start");
  http_client client(this_actor::system().net(), {"127.0.0.1", front.port()});

  const std::string tea = R"({"item":"tea","pieces":2})", gold = R"({"item":"gold"})",
                    none = R"({"item":"tea","pieces":0})";
  expect(co_await client.post("/v1/orders", tea, json), 200, R"({"number":1,"cents":500})");
  expect(co_await client.post("/v1/orders", gold, json), 422, "there is no item 'gold'");
  expect(co_await client.post("/v1/orders", none, json), 422, "/pieces");
  expect(co_await client.get("/v1/totals"), 200, R"({"orders":1,"cents":500})");

  const auto stopped = co_await front.stopped(1s);
  const auto drained = co_await desk->running.drain(1s);
  require(stopped.complete() && drained.has_value(), "something is left");
}

TEST(Routes, AnswerOrdersInJson) {
  const auto found = testkit::explore({.runs = 50}, place_orders);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

/// Takes orders and never answers, as a node that hangs.
task<> ask_in_vain() {
  const auto desk = co_await open_desk();
  const mailbox<request<order>> nobody(bounded(1));
  http::server front(this_actor::system(), {.port = 0});
  front.mount("/v1", api({desk->running, nobody.address(), desk->questions}, 2s));
  require(front.start().has_value(), "it does not start");
  http_client client(this_actor::system().net(), {"127.0.0.1", front.port()});

  const auto begun = this_actor::system().now();
  const std::string tea = R"({"item":"tea"})";
  expect(co_await client.post("/v1/orders", tea, json), 503, "");
  require(this_actor::system().now() - begun >= 2s && this_actor::system().now() - begun < 3s, "not at its deadline");
  const auto stopped = co_await front.stopped(1s);
  const auto drained = co_await desk->running.drain(1s);
  require(stopped.complete() && drained.has_value(), "something is left");
}

TEST(Routes, AnswerAtTheDeadlineWhenTheGraphHangs) {
  const auto found = testkit::explore({.runs = 20}, ask_in_vain);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

} // namespace
} // namespace my_service
