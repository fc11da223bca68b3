// The middlewares of this library together, in the order that README.md names.
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <greenroom/http/access_log.hpp>
#include <greenroom/http/auth.hpp>
#include <greenroom/http/compress.hpp>
#include <greenroom/http/cors.hpp>
#include <greenroom/http/idempotency.hpp>
#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/http/rate_limit.hpp>
#include <greenroom/http/recover.hpp>
#include <greenroom/http/request_metrics.hpp>
#include <greenroom/http/trace.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/http/log_kit.hpp>

namespace greenroom::http::middleware_stack_test {
namespace {

using namespace test;

std::optional<principal> known_user(const credentials& c) {
  if (c.secret != "ann" && c.secret != "bob") return std::nullopt;
  return principal{c.secret};
}

response buy(const request& r, int* bought) {
  if (r.query() == "broken") throw std::runtime_error("no stock keeper");
  const std::string receipt(r.query() == "receipt" ? 10'000 : 0, '.');
  return text(principal_of()->name + " bought " + std::to_string(++*bought) + " as " +
              std::string(current_request_id()) + receipt);
}

struct service : testing::Test {
  service() {
    r.front.use(trace_requests())
        .use(cors({.origins = {"https://app.example"}}))
        .use(recover())
        .use(compress_answers())
        .use(rate_limit({.requests = 60, .burst = 20}))
        .use(authenticate(auth_scheme::bearer, "shop", known_user))
        .use(idempotency_keys([](const request&) { return principal_of()->name; }))
        .post("/buy", buy, &bought)
        .post("/slow", supervised(2s, [](request) -> task<response> {
                co_await sleep_for(1h);
                co_return text("never");
              }));
    r.start();
  }
  static std::string buying(const std::string& who, const std::string& more = "", const std::string& target = "/buy") {
    return post(target, "",
                "X-Request-Id: id-1\r\nOrigin: https://app.example\r\nAuthorization: Bearer " + who + "\r\n" + more);
  }
  static server_options observed(kept_log& log, const request_metrics& metrics) {
    server_options how;
    how.on_answer = [line = access_log(log.log), metrics](const answered& a) { line(a), metrics(a); };
    return how;
  }
  kept_log kept;
  request_metrics metrics;
  int bought = 0;
  rig r{observed(kept, metrics), kept.log};
};

using MiddlewareStack = service;

TEST_F(MiddlewareStack, AnswersAKnownUserOncePerKey) {
  const auto key = "Idempotency-Key: k\r\n";
  EXPECT_EQ(r.ask(buying("ann", key)).body, "ann bought 1 as id-1");
  EXPECT_EQ(r.ask(buying("ann", key)).body, "ann bought 1 as id-1");
  EXPECT_EQ(r.ask(buying("bob", key)).body, "bob bought 2 as id-1") << "keys of others are others";
  EXPECT_EQ(bought, 2);
}

TEST_F(MiddlewareStack, GivesAnAnswerAgainToWhoeverCanReadLess) {
  if (!internal::available(internal::coding::gzip)) GTEST_SKIP() << "built without zlib";
  const auto key = std::string("Idempotency-Key: k\r\n");
  const auto receipt = "ann bought 1 as id-1" + std::string(10'000, '.');
  const auto first = r.ask(buying("ann", key + "Accept-Encoding: gzip\r\n", "/buy?receipt"));
  EXPECT_EQ(first.field("Content-Encoding"), "gzip");
  EXPECT_LT(first.body.size(), receipt.size());
  const auto again = r.ask(buying("ann", key, "/buy?receipt"));
  EXPECT_EQ(again.field("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.field("Content-Encoding"), "none");
  EXPECT_EQ(again.body, receipt);
  EXPECT_EQ(r.ask(buying("ann", key + "Accept-Encoding: gzip\r\n", "/buy?receipt")).field("Content-Encoding"), "gzip");
  EXPECT_EQ(bought, 1);
}

TEST_F(MiddlewareStack, AnswersPreflightsWithoutCredentials) {
  const auto answer = r.ask("OPTIONS /buy HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n"
                            "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_NE(answer.field("X-Request-Id"), "none");
}

TEST_F(MiddlewareStack, MarksEachRefusalForThePageAndTheLog) {
  const auto is_marked = [this](const reply& answer, int status) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.field("X-Request-Id"), "id-1");
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.example");
    const auto lines = kept.lines->take();
    ASSERT_FALSE(lines.empty());
    EXPECT_NE(lines.back().find("status=" + std::to_string(status)), std::string::npos) << lines.back();
    EXPECT_TRUE(lines.back().ends_with("request_id=id-1")) << lines.back();
  };
  is_marked(r.ask(buying("eve")), 401);
  is_marked(r.ask(buying("ann", "", "/buy?broken")), 500);
  is_marked(r.ask(buying("ann", "", "/nowhere")), 404);
  is_marked(r.ask(buying("ann", "Idempotency-Key: \"\r\n")), 400);
  for (int i = 0; i < 16; ++i) r.ask(buying("ann"));
  is_marked(r.ask(buying("ann")), 429);
  EXPECT_NE(metrics.to_prometheus().find("http_requests_total{method=\"POST\",route=\"/buy\",status=\"2xx\"} 16\n"),
            std::string::npos)
      << metrics.to_prometheus();
}

TEST_F(MiddlewareStack, MarksAnswersThatTheServerGivesInItsPlace) {
  auto c = r.connect();
  r.say(c, buying("ann", "", "/slow"));
  r.settle();
  r.advance(2001ms);
  const auto answer = r.hear(c);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("X-Request-Id"), "id-1");
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_TRUE(kept.lines->take().back().ends_with("request_id=id-1"));
}

TEST_F(MiddlewareStack, LogsClientsThatLeaveBeforeTheirAnswer) {
  auto c = r.connect();
  r.say(c, buying("ann", "", "/slow"));
  r.settle();
  c.leave();
  r.settle();
  const auto lines = kept.lines->take();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines.back().find("target=/slow route=/slow status=499 bytes=0"), std::string::npos) << lines.back();
  EXPECT_NE(lines.back().find("cut_off=true"), std::string::npos) << lines.back();
  EXPECT_TRUE(lines.back().ends_with("request_id=id-1")) << lines.back();
}

} // namespace
} // namespace greenroom::http::middleware_stack_test
