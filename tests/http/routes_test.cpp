#include <greenroom/http/routes.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::routes_test {
namespace {

using namespace test;

/// Marks the answer on its way back, so that the order shows.
task<response> mark(request r, next on, std::string with) {
  auto answer = co_await on(std::move(r));
  response marked(answer.status(), "text/plain", answer.body());
  marked.header("X-Marks", std::string(answer.header("X-Marks").value_or("")) + with);
  co_return marked;
}

response say(std::string what) { return text(std::move(what)); }
response show(request r, std::string_view name) { return text(std::string(r.parameter(name))); }

template <class F>
std::string fault(F call) {
  try {
    call();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "none";
}

TEST(Routes, AreServedBehindTheirPrefixOnly) {
  rig r;
  routes api;
  api.get("/users/{id:int}", show, "id").get("", say, "all").get("/", say, "slash").post("/users", say, "made");
  r.front.mount("/api/v1", std::move(api)).get("/users/{id}", say, "other");
  r.start();
  EXPECT_EQ(r.ask(get("/api/v1/users/7")).body, "7");
  EXPECT_EQ(r.ask(get("/api/v1/users/x")).status, 404);
  EXPECT_EQ(r.ask(get("/api/v1")).body, "all");
  EXPECT_EQ(r.ask(get("/api/v1/")).body, "slash");
  EXPECT_EQ(r.ask(post("/api/v1/users", "")).body, "made");
  EXPECT_EQ(r.ask(get("/users/7")).body, "other");
  EXPECT_EQ(r.ask(get("/api/v1/nowhere")).status, 404);
}

TEST(Routes, MountInOneAnotherAndMoreThanOnce) {
  rig r;
  routes items;
  items.get("/items/{item:uint}",
            [](request q) { return text(std::string(q.parameter("shop")).append(q.parameter("item"))); });
  routes shops;
  shops.mount("/shops/{shop:slug}", items).get("/shops", say, "shops");
  r.front.mount("/v1", shops).mount("/v2", shops).mount("/", shops);
  r.start();
  for (const std::string prefix : {"/v1", "/v2", ""}) {
    EXPECT_EQ(r.ask(get(prefix + "/shops/a-b/items/7")).body, "a-b7") << prefix;
    EXPECT_EQ(r.ask(get(prefix + "/shops")).body, "shops") << prefix;
  }
  EXPECT_EQ(r.ask(get("/items/7")).status, 404);
}

TEST(Routes, HaveTheirMiddlewareInsideOfThatOfWhatTheyAreMountedIn) {
  rig r;
  routes inner;
  inner.get("/before", say, "").use(mark, "c").get("/x", say, "");
  routes outer;
  outer.get("/bare", say, "").use(mark, "b").mount("/inner", inner).get("/y", say, "");
  r.front.use(mark, "a").mount("/outer", outer).use(mark, "z").get("/z", say, "");
  r.start();
  EXPECT_EQ(r.ask(get("/outer/inner/x")).field("X-Marks"), "cba");
  EXPECT_EQ(r.ask(get("/outer/inner/before")).field("X-Marks"), "ba");
  EXPECT_EQ(r.ask(get("/outer/y")).field("X-Marks"), "ba");
  EXPECT_EQ(r.ask(get("/outer/bare")).field("X-Marks"), "a");
  EXPECT_EQ(r.ask(get("/z")).field("X-Marks"), "za");
}

TEST(Routes, LeaveWhatHasNoRouteToTheMiddlewareOfTheServer) {
  rig r;
  routes api;
  api.use(mark, "b").get("/x", say, "");
  r.front.use(mark, "a").mount("/api", api);
  r.start();
  const auto lost = r.ask(get("/api/nowhere"));
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.field("X-Marks"), "a");
  const auto wrong = r.ask(post("/api/x", ""));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.field("X-Marks"), "a");
}

TEST(Routes, KeepTheLimitsOfTheirHandlers) {
  rig r;
  routes api;
  api.post("/small", handler(say, "taken").body_limit(3));
  api.get("/slow", supervised(2s, []() -> task<response> {
            co_await sleep_for(1h);
            co_return text("never");
          }));
  r.front.mount("/api", api);
  r.start();
  EXPECT_EQ(r.ask(post("/api/small", "1234")).status, 413);
  auto c = r.connect();
  r.say(c, get("/api/slow"));
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
}

TEST(Routes, RefuseAPrefixOrAPatternThatCannotBeAndNameTheWhole) {
  rig r;
  routes api;
  api.get("/users/{id}", say, "");
  routes whole;
  whole.mount("/a", api);
  EXPECT_EQ(fault([&] { r.front.mount("api", api); }),
            "http route 'api/users/{id}': the prefix 'api' must begin with '/'");
  EXPECT_EQ(
      fault([&] { r.front.mount("/api/", whole); }),
      "http route '/api//a/users/{id}': the prefix '/api/' must not end with '/', since what comes behind it begins "
      "with one");
  EXPECT_NE(fault([&] { r.front.mount("", api); }).find("the prefix '' must begin"), std::string::npos);
  EXPECT_EQ(fault([&] { whole.mount("/x/{id}", api); }),
            "http route '/x/{id}/users/{id}': it has two parameters called 'id'");
  EXPECT_NE(fault([&] { whole.mount("/x/{all...}", routes()); }).find("must be its last segment"), std::string::npos);
  EXPECT_EQ(fault([&] { api.get("/{id:float}", say, ""); }),
            "http route '/{id:float}': 'float' is no type of a parameter; there are int, uint, slug and uuid");
  EXPECT_NE(fault([&] { api.get("x", say, ""); }).find("must begin with '/'"), std::string::npos);
  EXPECT_NE(fault([&] { r.front.get("", say, ""); }).find("must begin with '/'"), std::string::npos);
}

TEST(Routes, AreAddedAllOrNone) {
  rig r;
  routes api;
  api.get("/new", say, "new").get("/taken", say, "new").get("/other", say, "new");
  r.front.get("/api/taken", say, "old");
  EXPECT_EQ(fault([&] { r.front.mount("/api", api); }),
            "http route '/api/taken': GET has a route for the same paths already: '/api/taken'");
  routes twice;
  twice.get("/{a}", say, "").get("/x", say, "").get("/{b}/c", say, "");
  EXPECT_EQ(
      fault([&] { r.front.mount("/twice", twice); }),
      "http route '/twice/{b}/c': it calls a parameter 'b' that '/twice/{a}' calls 'a' at the same place; use one "
      "name");
  r.start();
  EXPECT_EQ(r.ask(get("/api/new")).status, 404);
  EXPECT_EQ(r.ask(get("/api/other")).status, 404);
  EXPECT_EQ(r.ask(get("/twice/x")).status, 404);
  EXPECT_EQ(r.ask(get("/api/taken")).body, "old");
}

TEST(Routes, CannotBeMountedWhileTheServerRuns) {
  rig r;
  r.start();
  routes api;
  api.post("/users", say, "");
  EXPECT_EQ(
      fault([&] { r.front.mount("/api", api); }),
      "http::server: the route POST /api/users came after start(); routes are constant while the server runs: add "
      "them before");
}

} // namespace
} // namespace greenroom::http::routes_test
