#include <greenroom/http/middleware.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::middleware_test {
namespace {

using namespace test;

/// Marks the answer on its way back, so that the order shows.
task<response> mark(request r, next on, std::string with) {
  auto answer = co_await on(std::move(r));
  const std::string so_far(answer.header("X-Marks").value_or(""));
  response marked(answer.status(), "text/plain", answer.body());
  marked.header("X-Marks", so_far + with);
  co_return marked;
}

task<response> only_members(request r, next on) {
  if (r.header("Authorization") != "member") co_return text("who are you?\n", 401);
  co_return co_await on(std::move(r));
}

response hello() { return text("hello"); }
task<response> later(request) {
  co_await sleep_for(10ms);
  co_return text("later");
}
task<response> read_body(request, body_reader body) {
  auto all = co_await body.read_all(100);
  co_return text(all.value());
}

TEST(Middleware, GoesRoundTheHandlerInTheOrderInWhichItWasGiven) {
  rig r;
  r.front.use(mark, "a").use(mark, "b").get("/hello", hello).get("/later", later).post("/body", read_body);
  r.start();
  EXPECT_EQ(r.ask(get("/hello")).field("X-Marks"), "ba");
  EXPECT_EQ(r.ask(get("/hello")).body, "hello");
  EXPECT_EQ(r.ask(post("/body", "some")).body, "some");
  auto c = r.connect();
  r.say(c, get("/later"));
  r.settle();
  r.advance(11ms);
  EXPECT_EQ(r.hear(c).field("X-Marks"), "ba");
}

TEST(Middleware, IsNotRoundRoutesThatWereAddedBefore) {
  rig r;
  r.front.get("/before", hello).use(mark, "a").get("/behind", hello);
  r.start();
  EXPECT_EQ(r.ask(get("/before")).field("X-Marks"), "none");
  EXPECT_EQ(r.ask(get("/behind")).field("X-Marks"), "a");
}

TEST(Middleware, MayAnswerInPlaceOfTheHandler) {
  rig r;
  int calls = 0;
  r.front.use(only_members)
      .get(
          "/secret", [](int* n) { return ++*n, text("secret"); }, &calls);
  r.start();
  EXPECT_EQ(r.ask(get("/secret")).status, 401);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(r.ask(get("/secret", "Authorization: member\r\n")).body, "secret");
  EXPECT_EQ(calls, 1);
}

TEST(Middleware, IsRoundPathsWithoutARouteToo) {
  rig r;
  r.front.use(mark, "a").get("/hello", hello);
  r.start();
  const auto lost = r.ask(get("/nowhere"));
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.field("X-Marks"), "a");
  const auto wrong = r.ask(post("/hello", ""));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.field("X-Marks"), "a");
}

TEST(Middleware, SeesWhatTheHandlerThrows) {
  rig r;
  r.front
      .use([](request q, next on) -> task<response> {
        std::string why;
        try {
          co_return co_await on(std::move(q));
        } catch (const std::runtime_error& e) {
          why = e.what();
        }
        co_return text(why, 502);
      })
      .get("/bad", []() -> response { throw std::runtime_error("no database"); });
  r.start();
  const auto answer = r.ask(get("/bad"));
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.body, "no database");
}

TEST(Middleware, RunsUnderTheTimeLimitOfTheRoute) {
  rig r;
  bool unwound = false;
  struct guard {
    bool* seen;
    ~guard() { *seen = true; }
  };
  r.front
      .use(
          [](request q, next on, bool* seen) -> task<response> {
            const guard g{seen};
            co_await sleep_for(1h);
            co_return co_await on(std::move(q));
          },
          &unwound)
      .get("/slow", supervised(2s, hello));
  r.start();
  auto c = r.connect();
  r.say(c, get("/slow"));
  r.settle();
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
  EXPECT_TRUE(unwound);
}

// A value of a type of its own, as a middleware would give one.
struct who_asks {
  std::string name;
};

task<response> naming(request r, next on) {
  auto rest = on(std::move(r));
  auto known = within(this_actor::context().with_value(who_asks{"ann"}), std::move(rest));
  auto answer = co_await std::move(known);
  co_return *std::move(answer);
}

std::string name_here() {
  const auto* who = this_actor::context().value<who_asks>();
  return who != nullptr ? who->name : "nobody";
}

task<> write_name(body_writer out) {
  co_await sleep_for(1h); // beyond the deadline of the request, and long after the middleware has returned
  auto sent = co_await out.write(name_here());
  (void)sent;
}

TEST(Middleware, GivesValuesThatAStreamedAnswerStillSees) {
  rig r;
  r.front.use(naming).get("/name", [](request) { return streamed("text/plain", write_name); });
  r.start();
  auto c = r.connect();
  r.say(c, get("/name"));
  r.settle();
  r.advance(1h + 1ms);
  const auto all = r.hear_until(c, "0\r\n\r\n");
  EXPECT_TRUE(all.ends_with("3\r\nann\r\n0\r\n\r\n")) << all;
}

TEST(Middleware, StreamsWhatWasMadeOutsideOfAnyActor) {
  rig r;
  r.front.use(naming).get(
      "/name", [](const response& made) { return made; }, streamed("text/plain", [](body_writer out) -> task<> {
        auto sent = co_await out.write(name_here());
        (void)sent;
      }));
  r.start();
  auto c = r.connect();
  r.say(c, get("/name"));
  EXPECT_TRUE(r.hear_until(c, "0\r\n\r\n").ends_with("6\r\nnobody\r\n0\r\n\r\n"));
}

TEST(Middleware, CannotBeAddedWhileTheServerRuns) {
  rig r;
  r.start();
  EXPECT_THROW(r.front.use(only_members), usage_error);
}

// -- what sees all answers --------------------------------------------------------------------------------

TEST(OnAnswer, SeesEachAnswerWithItsRequest) {
  std::vector<std::string> lines;
  server_options how;
  how.on_answer = [&lines](const answered& a) {
    lines.push_back(std::string(a.method) + ' ' + std::string(a.target) + ' ' + std::string(a.route) + ' ' +
                    std::to_string(a.answer.status()) + ' ' + std::to_string(a.body_bytes) + ' ' +
                    std::to_string(a.took / 1ms));
  };
  rig r(how);
  r.front.get("/users/{id}", hello)
      .get("/later", later)
      .get("/slow", supervised(2s,
                               []() -> task<response> {
                                 co_await sleep_for(1h);
                                 co_return text("never");
                               }))
      .get("/rows", [] {
        return streamed("text/csv", [](body_writer out) -> task<> {
          co_await sleep_for(5ms);
          auto sent = co_await out.write("12345");
          (void)sent;
        });
      });
  r.start();
  auto c = r.connect();
  r.say_and_hear(c, get("/users/7?x=1"));
  r.say_and_hear(c, get("/nowhere"));
  r.say(c, get("/later"));
  r.settle();
  r.advance(11ms);
  r.hear(c);
  r.say(c, get("/slow"));
  r.settle();
  r.advance(2001ms);
  r.hear(c);
  r.say(c, get("/rows"));
  r.settle();
  r.advance(6ms);
  r.hear_until(c, "0\r\n\r\n");
  r.say(c, "HEAD /users/7 HTTP/1.1\r\nHost: x\r\n\r\n");
  r.hear(c, true);
  r.say(c, "HEAD /rows HTTP/1.1\r\nHost: x\r\n\r\n");
  r.hear(c, true);
  r.say_and_hear(c, "bad\r\n\r\n");
  const std::vector<std::string> expected{
      "GET /users/7?x=1 /users/{id} 200 5 0",
      "GET /nowhere  404 30 0",
      "GET /later /later 200 5 11",
      "GET /slow /slow 503 46 2001",
      "GET /rows /rows 200 5 6",
      "HEAD /users/7 /users/{id} 200 0 0",
      "HEAD /rows /rows 200 0 0",
      "   400 60 0",
  };
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i], expected[i]);
}

} // namespace
} // namespace greenroom::http::middleware_test
