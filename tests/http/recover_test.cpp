#include <greenroom/http/recover.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/trace.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/http/log_kit.hpp>

namespace greenroom::http::recover_test {
namespace {

using namespace test;

response throws() { throw std::runtime_error("no database at db-7\nforged line"); }
response throws_odd() { throw 42; }

TEST(Recover, AnswersForAHandlerThatThrowsAndLogsWhy) {
  kept_log kept;
  rig r({}, kept.log);
  r.front.use(trace_requests()).use(recover()).get("/bad/{id}", throws).get("/odd", throws_odd);
  r.start();
  const auto answer = r.ask(get("/bad/7", "X-Request-Id: order-17\r\n"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, "the server failed to answer this request\n");
  EXPECT_EQ(answer.field("X-Request-Id"), "order-17") << "the answer goes back through the middlewares";
  const auto lines = kept.lines->take();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("error: "), std::string::npos);
  EXPECT_NE(lines[0].find("] GET /bad/{id}: the handler failed: request order-17: std::runtime_error: no database at "
                          "db-7\\nforged line"),
            std::string::npos)
      << lines[0];
  EXPECT_EQ(r.ask(get("/odd")).status, 500);
  EXPECT_EQ(kept.lines->take().size(), 1u);
  EXPECT_EQ(r.front.stats().failed, 0u);
  EXPECT_EQ(r.front.stats().answered_5xx, 2u);
}

TEST(Recover, AnswersWithADocumentIfAsked) {
  rig r;
  r.front.use(recover({.problem_document = true})).get("/bad", throws);
  r.start();
  const auto answer = r.ask(get("/bad"));
  EXPECT_EQ(answer.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.body, problem(500, "the server failed to answer this request").body());
}

TEST(Recover, LetsTheProgramAnswerForWhatItKnows) {
  kept_log kept;
  rig r({}, kept.log);
  r.front
      .use(recover({.known = [](const std::exception& e) -> std::optional<response> {
        if (dynamic_cast<const std::out_of_range*>(&e) != nullptr) return problem(404, e.what());
        if (dynamic_cast<const std::length_error*>(&e) != nullptr) throw std::logic_error("confused");
        return std::nullopt;
      }}))
      .get("/known", []() -> response { throw std::out_of_range("no such order"); })
      .get("/confused", []() -> response { throw std::length_error("x"); })
      .get("/bad", throws)
      .get("/odd", throws_odd);
  r.start();
  const auto known = r.ask(get("/known"));
  EXPECT_EQ(known.status, 404);
  EXPECT_NE(known.body.find("no such order"), std::string::npos);
  EXPECT_TRUE(kept.lines->take().empty()) << "that is expected";
  EXPECT_EQ(r.ask(get("/bad")).status, 500);
  EXPECT_EQ(r.ask(get("/odd")).status, 500);
  EXPECT_EQ(kept.lines->take().size(), 2u);
  EXPECT_EQ(r.ask(get("/confused")).status, 500);
  EXPECT_NE(kept.lines->take().at(0).find("confused"), std::string::npos);
}

TEST(Recover, LetsACancellationPass) {
  kept_log kept;
  rig r({}, kept.log);
  r.front.use(recover()).get("/slow", supervised(2s, [](request) -> task<response> {
                               co_await sleep_for(1h);
                               co_return text("never");
                             }));
  r.start();
  auto c = r.connect();
  r.say(c, get("/slow"));
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
  EXPECT_EQ(r.front.stats().timed_out, 1u);
  auto left = r.connect();
  r.say(left, get("/slow"));
  r.settle();
  left.leave();
  r.settle();
  EXPECT_EQ(r.front.stats().abandoned, 1u);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  for (const auto& line : kept.lines->take()) EXPECT_NE(line.find("the answer is late"), line.npos) << line;
}

TEST(Recover, ChangesNothingOfAnAnswer) {
  rig r;
  r.front.use(recover()).get("/fine", [] { return text("fine", 201); });
  r.start();
  const auto answer = r.ask(get("/fine"));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "fine");
}

} // namespace
} // namespace greenroom::http::recover_test
