#include <greenroom/http/graph_page.hpp>

#include <string>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/http/auth.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::graph_page_test {
namespace {

using namespace test;

task<> take(mailbox<int> in) {
  while (const auto n = co_await in.receive()) continue;
}

struct graph_pages : testing::Test {
  rig r;

  service open(const std::string& name) {
    graph g(name);
    const auto sink = g.add("the sink", take);
    g.entry(sink.in<0>(), bounded(4), "way in");
    return run(r.sys, std::move(g)).value();
  }
};

TEST_F(graph_pages, ServeADocumentThatNeedsNothingElse) {
  r.front.mount("/", graph_page(open("shop")));
  r.start();
  const auto page = r.ask(get("/graph"));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.body.find("@S"), std::string::npos) << "a part was not put in";
  for (const auto* const elsewhere : {"http://", "https://", "src=", "@import", "url("}) {
    const auto at = page.body.find(elsewhere);
    EXPECT_TRUE(at == std::string::npos || page.body.substr(at, 26) == "http://www.w3.org/2000/svg") << elsewhere;
  }
  const auto policy = page.field("Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
}

TEST_F(graph_pages, AreNotSentTwiceToABrowserThatHasThem) {
  r.front.mount("/", graph_page(open("shop")));
  r.start();
  const auto tag = r.ask(get("/graph")).field("ETag");
  ASSERT_GT(tag.size(), 20U);
  const auto again = r.ask(get("/graph", "If-None-Match: " + tag + "\r\n"));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.field("ETag"), tag);
  EXPECT_EQ(r.ask(get("/graph", "If-None-Match: \"older\"\r\n")).status, 200);
}

TEST_F(graph_pages, ShowTheGraphInThreeLanguages) {
  r.front.mount("/debug", graph_page(open("shop")));
  r.start();
  const auto json = r.ask(get("/debug/graph.json"));
  EXPECT_EQ(json.field("Cache-Control"), "no-store");
  for (const auto* const said : {R"("name":"shop")", R"("name":"the sink")", R"("capacity":4)",
                                 R"("blocked_senders":0)", R"("state":"idle")", R"("doing":"waiting for input")"})
    EXPECT_NE(json.body.find(said), std::string::npos) << said << " in " << json.body;
  EXPECT_TRUE(r.ask(get("/debug/graph.dot")).body.starts_with("digraph \"shop\" {"));
  EXPECT_TRUE(r.ask(get("/debug/graph.mmd")).body.starts_with("flowchart LR"));
  EXPECT_EQ(r.ask(get("/graph.json")).status, 404);
}

TEST_F(graph_pages, ShowOneNodeByItsName) {
  r.front.mount("/", graph_page(open("shop")));
  r.start();
  const auto one = r.ask(get("/graph/actor.json?node=the%20sink"));
  EXPECT_EQ(one.status, 200);
  EXPECT_NE(one.body.find(R"("name":"the sink")"), std::string::npos) << one.body;
  EXPECT_NE(one.body.find(R"("flights":[{"now_ms":)"), std::string::npos) << one.body;
  EXPECT_NE(one.body.find(R"("what":"spawned")"), std::string::npos) << one.body;
  EXPECT_EQ(r.ask(get("/graph/actor.json?node=nobody")).status, 404);
  EXPECT_EQ(r.ask(get("/graph/actor.json")).status, 404);
}

TEST_F(graph_pages, TakeSeveralGraphsThatGoByTheirNames) {
  r.front.mount("/", graph_page({open("shop"), open("bank")}));
  r.start();
  EXPECT_EQ(r.ask(get("/graph/list.json")).body, "[\"shop\",\"bank\"]\n");
  EXPECT_NE(r.ask(get("/graph.json")).body.find(R"("name":"shop")"), std::string::npos);
  EXPECT_NE(r.ask(get("/graph.json?graph=bank")).body.find(R"("name":"bank")"), std::string::npos);
  EXPECT_EQ(r.ask(get("/graph.mmd?graph=mint")).status, 404);
  EXPECT_THROW(graph_page({open("shop"), open("shop")}), usage_error);
  EXPECT_THROW(graph_page(std::vector<service>()), usage_error);
}

response refuse() { return text("members only\n", 403); }
task<response> members_only(request, next) { co_return refuse(); }

TEST_F(graph_pages, AreBehindTheMiddlewaresOfWhoMountsThem) {
  routes inside;
  inside.use(members_only).mount("/", graph_page(open("shop")));
  r.front.mount("/", std::move(inside));
  r.start();
  for (const auto* const path :
       {"/graph", "/graph.json", "/graph.dot", "/graph.mmd", "/graph/list.json", "/graph/actor.json"})
    EXPECT_EQ(r.ask(get(path)).status, 403) << path;
}

TEST_F(graph_pages, TakeNoOtherMethods) {
  r.front.mount("/", graph_page(open("shop")));
  r.start();
  EXPECT_EQ(r.ask(post("/graph", "")).status, 405);
  EXPECT_EQ(r.ask(post("/graph.json", "")).status, 405);
}

TEST_F(graph_pages, ShowAServiceThatHasEnded) {
  const auto s = open("shop");
  r.front.mount("/", graph_page(s));
  r.start();
  s.stop();
  (void)s.self().wait();
  EXPECT_NE(r.ask(get("/graph.json")).body.find(R"("doing":"ended")"), std::string::npos);
}

} // namespace
} // namespace greenroom::http::graph_page_test
