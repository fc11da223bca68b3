#include <greenroom/http/cors.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/recover.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::cors_test {
namespace {

using namespace test;

constexpr std::string_view app = "Origin: https://app.example\r\n";
constexpr std::string_view other = "Origin: https://evil.example\r\n";
constexpr std::string_view to_put = "Access-Control-Request-Method: PUT\r\n";

std::string preflight(std::string_view target, std::string_view origin, std::string_view more = to_put) {
  return "OPTIONS " + std::string(target) + " HTTP/1.1\r\nHost: here\r\n" + std::string(origin) + std::string(more) +
         "\r\n";
}

cors_options usual() {
  return {.origins = {"https://app.example", "http://localhost:3000"},
          .methods = {method::get, method::put},
          .headers = {"Content-Type", "Authorization"},
          .exposed = {"X-Request-Id"},
          .credentials = true};
}

struct served : rig {
  explicit served(cors_options with) {
    front.use(cors(std::move(with))).get("/", [this] { return ++calls, text("hello"); });
    front.get("/kept", [] { return text("hello").header("Vary", "Accept"); });
    start();
  }
  int calls = 0;
};

std::string fields_of_cors(const reply& r) {
  std::string all;
  for (const std::string name :
       {"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Expose-Headers", "Max-Age"}) {
    const auto value = r.field("Access-Control-" + name);
    if (value != "none") all += name + '=' + value + ';';
  }
  return all;
}

TEST(Cors, AnswersPreflightsByItself) {
  served r(usual());
  const auto answer = r.ask(preflight("/", app));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(
      fields_of_cors(answer),
      "Allow-Origin=https://app.example;Allow-Credentials=true;Allow-Methods=GET, PUT;Allow-Headers=Content-Type, "
      "Authorization;Max-Age=600;");
  EXPECT_EQ(answer.field("Vary"), "Origin");
  EXPECT_EQ(r.ask(preflight("/nowhere", app)).status, 204) << "a path without a route";
  EXPECT_EQ(r.calls, 0);
}

TEST(Cors, RefusesPreflightsOfOtherOrigins) {
  served r(usual());
  for (const std::string origin :
       {"https://evil.example", "null", "https://app.example:444", "http://app.example", "https://APP.example",
        "https://app.example.evil.example", "https://app.example/", "*", ""}) {
    const auto answer = r.ask(preflight("/", "Origin: " + origin + "\r\n"));
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_EQ(fields_of_cors(answer), "") << origin;
    EXPECT_EQ(answer.field("Vary"), "Origin") << origin;
  }
  EXPECT_EQ(r.ask(preflight("/", std::string(app) + std::string(other))).status, 403) << "two origins";
  EXPECT_EQ(r.ask(preflight("/", std::string(app) + std::string(app))).status, 403);
}

TEST(Cors, LeavesOtherOptionsToTheServer) {
  served r(usual());
  const auto bare = r.ask(preflight("/", ""));
  EXPECT_EQ(bare.status, 204);
  EXPECT_NE(bare.field("Allow"), "none");
  EXPECT_EQ(bare.field("Access-Control-Allow-Methods"), "none");
  const auto no_preflight = r.ask(preflight("/", app, ""));
  EXPECT_NE(no_preflight.field("Allow"), "none");
  EXPECT_EQ(no_preflight.field("Access-Control-Allow-Origin"), "https://app.example");
}

TEST(Cors, MarksAnswersToThoseWhoMayCall) {
  served r(usual());
  const auto answer = r.ask(get("/", app));
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(fields_of_cors(answer),
            "Allow-Origin=https://app.example;Allow-Credentials=true;Expose-Headers=X-Request-Id;");
  EXPECT_EQ(fields_of_cors(r.ask(get("/nowhere", app))), fields_of_cors(answer)) << "a page may see that it is a 404";
  EXPECT_EQ(r.ask(get("/", "Origin: http://localhost:3000\r\n")).field("Access-Control-Allow-Origin"),
            "http://localhost:3000");
}

TEST(Cors, SaysThatTheAnswerDependsOnTheOriginEvenWithoutOne) {
  served r(usual());
  const auto plain = r.ask(get("/"));
  EXPECT_EQ(plain.body, "hello");
  EXPECT_EQ(fields_of_cors(plain), "");
  EXPECT_EQ(plain.field("Vary"), "Origin") << "or a cache would give it to a page of the app";
  const auto denied = r.ask(get("/", other));
  EXPECT_EQ(denied.status, 200) << "CORS hides the answer, and prevents nothing";
  EXPECT_EQ(fields_of_cors(denied), "");
  EXPECT_EQ(denied.field("Vary"), "Origin");
  const auto kept = r.ask(get("/kept", app)).head;
  EXPECT_NE(kept.find("\r\nVary: Accept\r\n"), kept.npos);
  EXPECT_NE(kept.find("\r\nVary: Origin\r\n"), kept.npos);
}

TEST(Cors, OpensToAnyOriginWithoutDependingOnIt) {
  served r({.origins = {"*"}, .headers = {"*"}, .exposed = {"*"}, .max_age = std::chrono::seconds(0)});
  const auto answer = r.ask(get("/", other));
  EXPECT_EQ(fields_of_cors(answer), "Allow-Origin=*;Expose-Headers=*;");
  EXPECT_EQ(answer.field("Vary"), "none");
  EXPECT_EQ(r.ask(get("/")).field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(fields_of_cors(r.ask(preflight("/", "Origin: null\r\n"))),
            "Allow-Origin=*;Allow-Methods=GET, HEAD, POST;Allow-Headers=*;Max-Age=0;");
}

TEST(Cors, MarksWhatRecoverAnswers) {
  rig r;
  r.front.use(cors(usual())).use(recover()).get("/bad", []() -> response { throw std::runtime_error("x"); });
  r.start();
  const auto answer = r.ask(get("/bad", app));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.example");
}

TEST(Cors, RefusesCredentialsForAnyOrigin) {
  try {
    (void)cors({.origins = {"*"}, .credentials = true});
    FAIL() << "each page of the world could act as the user";
  } catch (const usage_error& e) {
    EXPECT_NE(std::string_view(e.what()).find("credentials do not go with \"*\""), std::string_view::npos);
  }
  EXPECT_THROW(cors({.origins = {"https://a.example"}, .headers = {"*"}, .credentials = true}), usage_error);
  EXPECT_THROW(cors({.origins = {"https://a.example"}, .exposed = {"*"}, .credentials = true}), usage_error);
}

TEST(Cors, RefusesOptionsThatNoBrowserTakes) {
  EXPECT_THROW(cors({}), usage_error);
  for (const std::string bad :
       {"app.example", "https://", "https://App.example", "https://app.example/", "https://app.example:443",
        "http://app.example:80", "https://app.example:0443", "https://app.example:", "https://a b", "null", "",
        "https://user@app.example", "https://*.app.example", "HTTPS://app.example", "https://[::1", "://app.example",
        "https://app.example\r\nX: y"})
    EXPECT_THROW(cors({.origins = {bad}}), usage_error) << bad;
  for (const std::string good : {"https://app.example", "http://localhost:3000", "https://[::1]:8443",
                                 "https://[2001:db8::1]", "http://app.example:443", "moz-extension://0f3a-9c"})
    EXPECT_NO_THROW(cors({.origins = {good}})) << good;
  EXPECT_THROW(cors({.origins = {"*", "https://app.example"}}), usage_error);
  EXPECT_THROW(cors({.origins = {"*"}, .headers = {"a b"}}), usage_error);
  EXPECT_THROW(cors({.origins = {"*"}, .headers = {"X-A", "*"}}), usage_error);
  EXPECT_THROW(cors({.origins = {"*"}, .exposed = {""}}), usage_error);
  EXPECT_THROW(cors({.origins = {"*"}, .max_age = std::chrono::seconds(-1)}), usage_error);
  EXPECT_THROW(cors({.origins = {"*"}, .max_age = std::chrono::seconds(86'401)}), usage_error);
}

} // namespace
} // namespace greenroom::http::cors_test
