// The page for Prometheus: that its numbers are those of the program, and that Prometheus can read it.
#include <greenroom/http/metrics.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/graph_service.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::metrics_test {
namespace {

using namespace test;

/// Returns the value of a series as it is written, or "none".
std::string value_of(const std::string& page, const std::string& series) {
  const auto at = ("\n" + page).find("\n" + series + " ");
  if (at == std::string::npos) return "none";
  const auto begin = at + series.size() + 1;
  return page.substr(begin, page.find('\n', begin) - begin);
}
int count_of(const std::string& page, const std::string& text) {
  int n = 0;
  for (auto at = page.find(text); at != page.npos; at = page.find(text, at + 1)) ++n;
  return n;
}

task<> does_nothing() { co_return; }

TEST(Metrics, CountsTheActorsThatWereStartedAndHaveEnded) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto stays = sys.spawn([](mailbox<int> from) -> task<> { (void)co_await from.receive(); }, std::move(in));
  for (int i = 0; i < 9; ++i) (void)sys.spawn(does_nothing).wait();
  await_wait(sys, stays, "receive"); // runs actors, too
  const auto now = sys.stats();
  EXPECT_EQ(now.actors, 1u);
  EXPECT_EQ(now.ended(), now.spawned - 1);
  EXPECT_GE(now.spawned, 10u);
  const auto page = metrics(sys).text();
  EXPECT_EQ(value_of(page, "greenroom_actors"), "1");
  EXPECT_EQ(value_of(page, "greenroom_actors_spawned_total"), std::to_string(now.spawned));
  EXPECT_EQ(value_of(page, "greenroom_actors_ended_total"), std::to_string(now.spawned - 1));
  EXPECT_GE(std::atoi(value_of(page, "greenroom_worker_turns_total{worker=\"0\"}").c_str()), 10);
  EXPECT_EQ(value_of(page, "greenroom_worker_turns_total{worker=\"1\"}"), "none");
}

struct question {
  using reply = int;
};

TEST(Metrics, CountsAsksByHowTheyEnded) {
  one_worker sys;
  auto [in, out] = make_mailbox<greenroom::request<question>>(bounded(4));
  const auto server_of = [](mailbox<greenroom::request<question>> from) -> task<> {
    auto first = co_await from.receive();
    (void)first->reply(1);
    auto second = co_await from.receive(); // dropped
  };
  (void)sys.spawn(server_of, std::move(in));
  const auto asks = [](address<greenroom::request<question>> to) -> task<> {
    for (int i = 0; i < 2; ++i) {
      const auto answer = co_await ask(to, question(), 1h);
      EXPECT_EQ(answer.has_value(), i == 0);
    }
  };
  (void)sys.spawn(asks, std::move(out)).wait();
  const auto page = metrics(sys).text();
  EXPECT_EQ(value_of(page, "greenroom_asks_total{became=\"answered\"}"), "1");
  EXPECT_EQ(value_of(page, "greenroom_asks_total{became=\"failed\"}"), "1");
  EXPECT_EQ(value_of(page, "greenroom_asks_pending"), "0");
}

// -- one page of many sources -----------------------------------------------------------------------------

TEST(Metrics, HasEachMetricOnceWithTheSeriesOfAllItsSources) {
  metrics page;
  page.add(
      [] { return std::string("# HELP a A.\n# TYPE a gauge\na{of=\"1\"} 1\n# HELP b B.\n# TYPE b gauge\nb 2\n"); });
  page.add([] { return std::string("# HELP a A.\n# TYPE a gauge\na{of=\"2\"} 3"); });
  EXPECT_EQ(page.text(),
            "# HELP a A.\n# TYPE a gauge\na{of=\"1\"} 1\na{of=\"2\"} 3\n# HELP b B.\n# TYPE b gauge\nb 2\n");
}

TEST(Metrics, TellsServersApartByTheirNames) {
  rig r;
  server other(r.sys, {.port = 0});
  metrics page;
  page.add(r.front, "front").add(other, "a \"b\"");
  r.front.get("/metrics", page);
  r.start();
  const auto answer = r.ask(get("/metrics"));
  EXPECT_EQ(answer.field("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(value_of(answer.body, "greenroom_http_requests_total{server=\"front\"}"), "1");
  EXPECT_EQ(value_of(answer.body, "greenroom_http_requests_total{server=\"a \\\"b\\\"\"}"), "0");
  EXPECT_EQ(value_of(answer.body, "greenroom_http_responses_total{server=\"front\",class=\"2xx\"}"), "0");
  EXPECT_EQ(count_of(answer.body, "# TYPE greenroom_http_requests_total "), 1);
}

// -- what Prometheus says to it ---------------------------------------------------------------------------

task<> numbers(address<int> out) { (void)co_await out.send(1); }
task<> take_numbers(mailbox<int> in) {
  while (const auto n = co_await in.receive()) (void)*n;
}
service small_graph(actor_system& sys, const char* name) {
  graph g(name);
  const auto source = g.add("source", numbers);
  const auto sink = g.add("sink", take_numbers);
  g.connect(source, sink, bounded(4));
  return run(sys, std::move(g)).value();
}

TEST(Metrics, PromtoolFindsNothingToComplainOf) {
  if (std::system("promtool --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is missing";
  http::request_metrics requests;
  rig r({.on_answer = requests});
  r.front.get("/", [](http::request) { return text("here\n"); });
  r.start();
  (void)r.ask(get("/"));
  otlp_exporter spans(r.sys);
  const auto one = small_graph(r.sys, "one");
  const auto two = small_graph(r.sys, "two");
  metrics page(r.sys);
  page.add(r.front).add(requests).add(spans);
  page.add([one] { return one.look().to_metrics(); }).add([two] { return two.look().to_metrics(); });
  const std::string file = testing::TempDir() + "greenroom_metrics.txt";
  std::ofstream(file) << page.text();
  EXPECT_EQ(std::system(("promtool check metrics < " + file + " 2>&1").c_str()), 0) << page.text();
  std::remove(file.c_str());
}

} // namespace
} // namespace greenroom::http::metrics_test
