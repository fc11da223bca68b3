#include <greenroom/http/access_log.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/trace.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/http/log_kit.hpp>

namespace greenroom::http::access_log_test {
namespace {

using namespace test;

/// An answer that need not have been given by any server.
struct made {
  std::string method = "GET";
  std::string target = "/users/7?x=1";
  std::string route = "/users/{id}";
  std::string peer = "127.0.0.1:4123";
  response answer = text("hello").header("X-Request-Id", "id-1");
  std::uint64_t bytes = 5;
  duration took = 1'234'567ns;

  answered view() const {
    return {.method = method,
            .target = target,
            .route = route,
            .peer = peer,
            .answer = answer,
            .body_bytes = bytes,
            .took = took};
  }
};

TEST(AccessLog, WritesItsFieldsInTheirOrder) {
  EXPECT_EQ(access_line(made().view()),
            "http method=GET target=/users/7?x=1 route=/users/{id} status=200 bytes=5 ms=1.235 peer=127.0.0.1:4123 "
            "request_id=id-1");
  made refused{.method = "", .target = "", .route = "", .answer = text("", 400), .bytes = 0, .took = 0ns};
  EXPECT_EQ(access_line(refused.view()),
            "http method=- target=- route=- status=400 bytes=0 ms=0.000 peer=127.0.0.1:4123 request_id=-");
}

TEST(AccessLog, LetsNoClientForgeAFieldOrALine) {
  const auto target_of = [](std::string target) {
    made m{.target = std::move(target)};
    const auto line = access_line(m.view());
    const auto from = line.find("target=");
    return line.substr(from, line.find(" route=/users") - from);
  };
  EXPECT_EQ(target_of("/a status=500"), "target=\"/a status=500\"");
  EXPECT_EQ(target_of("/a\" status=500 b=\""), "target=\"/a\\\" status=500 b=\\\"\"");
  EXPECT_EQ(target_of("/a\\"), "target=\"/a\\\\\"");
  EXPECT_EQ(target_of("/a\r\nhttp method=GET"), "target=\"/a\\x0d\\x0ahttp method=GET\"");
  EXPECT_EQ(target_of(std::string("/a\0b\x7f\xc3\xa9\x1b[31m", 12)), "target=\"/a\\x00b\\x7f\\xc3\\xa9\\x1b[31m\"");
  EXPECT_EQ(target_of("-"), "target=\"-\"") << "this is no empty one";
  made m{.answer = text("").header("X-Request-Id", "a status=200 x=\"" + std::string(1'000, 'y'))};
  const auto line = access_line(m.view());
  EXPECT_NE(line.find(" request_id=\"a status=200 x=\\\"yyy"), line.npos) << line;
  EXPECT_LT(line.size(), 400u);
}

TEST(AccessLog, CutsLongTargets) {
  made m{.target = "/" + std::string(300, 'a')};
  EXPECT_NE(access_line(m.view()).find("target=/" + std::string(255, 'a') + "... route="), std::string::npos);
  m.target = "/" + std::string(255, 'a');
  EXPECT_NE(access_line(m.view()).find("target=/" + std::string(255, 'a') + " route="), std::string::npos);
}

TEST(AccessLog, LeavesQueriesOutWhereTheyAreSecret) {
  EXPECT_NE(access_line(made().view(), {.queries = false}).find("target=/users/7 route="), std::string::npos);
}

TEST(AccessLog, WritesAtTheLevelOfTheStatus) {
  kept_log kept;
  const auto log = access_log(kept.log, {.client_error = log_level::off});
  for (const int status : {200, 301, 404, 503}) {
    made m{.answer = response(status)};
    log(m.view());
  }
  const auto lines = kept.lines->take();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("info: [-] http method=GET ")) << lines[0];
  EXPECT_NE(lines[1].find("status=301"), std::string::npos);
  EXPECT_TRUE(lines[2].starts_with("warning: [-] http ")) << lines[2];
}

TEST(AccessLog, KeepsAShareOfWhatIsGoodAndAllElse) {
  kept_log kept;
  const auto log = access_log(kept.log, {.keep_one_in = 10, .slow = 2s});
  for (int i = 0; i < 10'000; ++i) log(made().view());
  const auto share = kept.lines->take();
  EXPECT_GT(share.size(), 700u);
  EXPECT_LT(share.size(), 1'300u);
  EXPECT_TRUE(share.front().ends_with(" kept=1/10")) << share.front();
  for (int i = 0; i < 100; ++i) {
    made failed{.answer = response(404)};
    log(failed.view());
    made slow{.took = 2'001ms};
    log(slow.view());
  }
  const auto all = kept.lines->take();
  EXPECT_EQ(all.size(), 200u);
  EXPECT_EQ(all.front().find("kept"), std::string::npos);
}

TEST(AccessLog, SeesWhatTheServerAnswers) {
  kept_log kept;
  server_options how;
  how.on_answer = access_log(kept.log);
  rig r(how);
  r.front.use(trace_requests()).get("/users/{id}", [] { return text("hello"); });
  r.start();
  r.ask(get("/users/7", "X-Request-Id: order-17\r\n"));
  r.ask("no request\r\n\r\n");
  const auto lines = kept.lines->take();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("] http method=GET target=/users/7 route=/users/{id} status=200 bytes=5 ms=0.000 peer="),
            std::string::npos)
      << lines[0];
  EXPECT_TRUE(lines[0].ends_with(" request_id=order-17")) << lines[0];
  EXPECT_NE(lines[1].find("http method=- target=- route=- status=400"), std::string::npos) << lines[1];
}

TEST(AccessLog, RefusesOptionsThatAreOutOfRange) {
  EXPECT_THROW(access_log(logger(), {.keep_one_in = 0}), usage_error);
  EXPECT_THROW(access_log(logger(), {.slow = -1ns}), usage_error);
  EXPECT_THROW(access_log(logger(), {.target = 15}), usage_error);
  EXPECT_THROW(access_log(logger(), {.target = 8'193}), usage_error);
}

} // namespace
} // namespace greenroom::http::access_log_test
