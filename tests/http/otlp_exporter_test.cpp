// What arrives at a collector of traces, which is a server of the test's: one tree for each request, whatever else goes on.
#include <greenroom/http/otlp_exporter.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/http/access_log.hpp>
#include <greenroom/http/detail/json_value.hpp>
#include <greenroom/http/trace.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/http/log_kit.hpp>

namespace greenroom::http::otlp_exporter_test {
namespace {

using namespace test;

// -- a collector ------------------------------------------------------------------------------------------

const detail::json_value& member(const detail::json_value& of, std::string_view name) {
  for (const auto& m : std::get<detail::json_value::object>(of.is)) {
    if (m.name == name) return m.value;
  }
  throw std::out_of_range(std::string(name));
}
const detail::json_value::array& items(const detail::json_value& of) {
  return std::get<detail::json_value::array>(of.is);
}
std::string string_at(const detail::json_value& of, std::string_view name) {
  for (const auto& m : std::get<detail::json_value::object>(of.is)) {
    if (m.name == name) return std::get<std::string>(m.value.is);
  }
  return "";
}

struct seen_span {
  std::string trace, id, parent, name, began, ended;
  std::int64_t kind = 0;
  bool failed = false;
  std::map<std::string, std::string> attributes;
};

seen_span read_span(const detail::json_value& from) {
  seen_span s{string_at(from, "traceId"),
              string_at(from, "spanId"),
              string_at(from, "parentSpanId"),
              string_at(from, "name"),
              string_at(from, "startTimeUnixNano"),
              string_at(from, "endTimeUnixNano"),
              0,
              false,
              {}};
  s.kind = std::get<std::int64_t>(member(from, "kind").is);
  s.failed = !std::get<detail::json_value::object>(member(from, "status").is).empty();
  for (const auto& a : items(member(from, "attributes"))) {
    const auto& value = std::get<detail::json_value::object>(member(a, "value").is).at(0);
    s.attributes[string_at(a, "key")] = std::get<std::string>(value.value.is);
  }
  return s;
}

/// Takes traces in as a collector does, and answers as it is told.
struct collector {
  std::vector<seen_span> spans;
  std::vector<std::string> services;
  std::vector<std::size_t> sizes;
  std::vector<response> answers; // the next ones, from behind; then 200
  bool silent = false;           // answers nothing

  std::map<std::string, std::vector<seen_span>> traces() const {
    std::map<std::string, std::vector<seen_span>> by_id;
    for (const auto& s : spans) by_id[s.trace].push_back(s);
    return by_id;
  }
};

task<response> collect(request r, collector* into) {
  if (into->silent) co_await sleep_for(1h);
  EXPECT_EQ(r.header("Content-Type"), "application/json");
  if (!into->answers.empty()) {
    auto answer = std::move(into->answers.back());
    into->answers.pop_back();
    co_return answer;
  }
  const auto document = detail::parse_json(r.body(), 32);
  if (!document) {
    ADD_FAILURE() << document.error().message();
    co_return response(400);
  }
  const auto& resource = items(member(*document, "resourceSpans")).at(0);
  const auto& service = items(member(member(resource, "resource"), "attributes")).at(0);
  into->services.push_back(string_at(member(service, "value"), "stringValue"));
  const auto& scope = items(member(resource, "scopeSpans")).at(0);
  const auto& all = items(member(scope, "spans"));
  for (const auto& one : all) into->spans.push_back(read_span(one));
  into->sizes.push_back(all.size());
  co_return json("{}");
}

// -- a service of five actors -----------------------------------------------------------------------------

struct job {
  int number;
  using reply = std::string;
};
using jobs = mailbox<greenroom::request<job>>;
using to_jobs = address<greenroom::request<job>>;

task<> hand_on(jobs in, to_jobs next) {
  while (auto r = co_await in.receive()) {
    this_actor::system().log().info("job {}", r->message.number);
    job same{r->message.number};
    auto answer = co_await ask(next, same, 1h);
    (void)r->reply(std::move(answer));
  }
}
task<> finish(jobs in) {
  while (auto r = co_await in.receive()) {
    this_actor::system().log().info("job {}", r->message.number);
    co_await yield();
    (void)r->reply(current_trace().traceparent());
  }
}

task<response> take_job(http::request r, to_jobs first) {
  job asked{std::atoi(std::string(r.parameter("n")).c_str())};
  this_actor::system().log().info("job {}", asked.number);
  auto answer = co_await ask(first, asked, 1h);
  co_return text(answer ? *answer : std::string(answer.error().message()));
}

task<response> fail_a_job(http::request) {
  co_await yield();
  throw std::runtime_error("it broke");
}

class OtlpExporter : public testing::Test {
protected:
  void SetUp() override {
    if (!detail::can_parse_json()) GTEST_SKIP() << "built without nlohmann-json, which reads what the collector gets";
  }
};

struct traced_rig {
  explicit traced_rig(otlp_options how = {}, bool collects = true)
      : r({.on_answer = access_log(kept.log)}, kept.log), backend(r.sys, {.port = 0}) {
    backend.post("/v1/traces", collect, &got);
    if (collects) backend.start().value();
    auto [in, next] = make_mailbox<greenroom::request<job>>(bounded(4));
    (void)r.sys.spawn({.name = "e"}, finish, std::move(in));
    spawn_before("d", next);
    spawn_before("c", next);
    spawn_before("b", next);
    spawn_before("a", next);
    r.front.use(trace_requests());
    r.front.get("/jobs/{n}", take_job, std::move(next)).get("/broken", fail_a_job);
    r.start();
    how.service = "shop";
    how.address = collects ? backend.url() + "/v1/traces" : "http://127.0.0.1:9/v1/traces";
    exporter.emplace(r.sys, std::move(how));
  }
  void spawn_before(const char* name, to_jobs& next) {
    auto [in, out] = make_mailbox<greenroom::request<job>>(bounded(4));
    (void)r.sys.spawn({.made_name = name}, hand_on, std::move(in), std::move(next));
    next = std::move(out);
  }
  reply get_job(int n, std::string_view parent, char flags = '1') {
    return r.ask(get("/jobs/" + std::to_string(n), "X-Request-Id: order-" + std::to_string(n) + "\r\ntraceparent: 00-" +
                                                       trace_of(n) + "-" + std::string(parent) + "-0" + flags +
                                                       "\r\n"));
  }
  static std::string trace_of(int n) { return "4bf92f3577b34da6a3ce929d0e0" + std::to_string(10'000 + n); }

  kept_log kept;
  collector got;
  rig r;
  server backend;
  std::optional<otlp_exporter> exporter;
};

constexpr std::string_view caller = "00f067aa0ba902b7";

/// Checks that the spans of one job are one tree: the request, and below it the five actors in a row.
void expect_tree(const std::vector<seen_span>& spans, std::string_view parent) {
  std::map<std::string, seen_span> by_name;
  for (const auto& s : spans) by_name[s.name] = s;
  ASSERT_EQ(by_name.size(), 6u);
  ASSERT_EQ(spans.size(), 6u);
  std::string above(parent);
  for (const auto* const name : {"GET /jobs/{n}", "a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(by_name.contains(name)) << name;
    EXPECT_EQ(by_name[name].parent, above) << name;
    EXPECT_FALSE(by_name[name].failed) << name;
    above = by_name[name].id;
  }
}

TEST_F(OtlpExporter, TraceOfARequestAcrossFiveActorsArrivesAsOneTree) {
  traced_rig t;
  EXPECT_EQ(t.get_job(7, caller).status, 200);
  const auto stats = t.exporter->stop();
  EXPECT_EQ(stats.exported, 6u);
  EXPECT_EQ(stats.waiting + stats.dropped + stats.failed, 0u);
  const auto traces = t.got.traces();
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces.begin()->first, traced_rig::trace_of(7));
  expect_tree(traces.begin()->second, caller);
  EXPECT_EQ(t.got.services, std::vector<std::string>{"shop"});
  for (const auto& s : t.got.spans) {
    if (s.name != "GET /jobs/{n}") {
      EXPECT_EQ(s.kind, 5);
      EXPECT_TRUE(s.attributes.contains("greenroom.item.type"));
      continue;
    }
    EXPECT_EQ(s.kind, 2);
    EXPECT_EQ(s.attributes.at("http.request.method"), "GET");
    EXPECT_EQ(s.attributes.at("http.route"), "/jobs/{n}");
    EXPECT_EQ(s.attributes.at("http.response.status_code"), "200");
    EXPECT_EQ(s.attributes.at("greenroom.request.id"), "order-7");
  }
}

TEST_F(OtlpExporter, LogLinesOfTheRequestCarryTheIdsOfTheSpans) {
  traced_rig t;
  (void)t.get_job(7, caller);
  (void)t.exporter->stop();
  std::set<std::string> spans;
  for (const auto& s : t.got.spans) spans.insert(s.id);
  std::set<std::string> in_lines;
  int access_lines = 0;
  for (const auto& line : t.kept.lines->take()) {
    if (line.find("job 7") == line.npos && line.find("target=/jobs/7") == line.npos) continue;
    access_lines += line.find("http method=GET") != line.npos ? 1 : 0;
    EXPECT_NE(line.find("trace_id=" + traced_rig::trace_of(7) + " "), line.npos) << line;
    EXPECT_NE(line.find("request_id=order-7"), line.npos) << line;
    const auto at = line.find("span_id=");
    ASSERT_NE(at, line.npos) << line;
    in_lines.insert(line.substr(at + 8, 16));
  }
  EXPECT_EQ(access_lines, 1);
  EXPECT_EQ(in_lines, spans);
}

TEST_F(OtlpExporter, LinesOnTheEndOfAHandlerThatThrewCarryTheIdsOfItsRequest) {
  traced_rig t;
  EXPECT_EQ(t.r.ask(get("/broken", "X-Request-Id: order-7\r\ntraceparent: 00-" + traced_rig::trace_of(7) + "-" +
                                       std::string(caller) + "-01\r\n"))
                .status,
            500);
  int told = 0;
  for (const auto& line : t.kept.lines->take()) {
    if (line.find("it broke") == line.npos && line.find("before that it") == line.npos) continue;
    ++told;
    EXPECT_NE(line.find(traced_rig::trace_of(7)), line.npos) << line;
    EXPECT_NE(line.find("order-7"), line.npos) << line;
  }
  EXPECT_GE(told, 1);
}

TEST_F(OtlpExporter, RequestsInFlightTogetherDoNotMix) {
  traced_rig t;
  constexpr int requests = 60;
  std::vector<test::raw_client> clients;
  for (int i = 0; i < requests; ++i) {
    clients.push_back(t.r.connect());
    t.r.say(clients.back(), get("/jobs/" + std::to_string(i),
                                "traceparent: 00-" + traced_rig::trace_of(i) + "-" + std::string(caller) + "-01\r\n"));
  }
  for (int i = 0; i < requests; ++i) EXPECT_EQ(t.r.hear(clients[static_cast<std::size_t>(i)]).status, 200);
  (void)t.exporter->stop();
  const auto traces = t.got.traces();
  EXPECT_EQ(traces.size(), static_cast<std::size_t>(requests));
  for (const auto& [id, spans] : traces) expect_tree(spans, caller);
  int lines = 0;
  for (const auto& line : t.kept.lines->take()) {
    const auto at = line.find("] job ");
    if (at == line.npos) continue;
    ++lines;
    const auto n = std::atoi(line.c_str() + at + 6);
    EXPECT_NE(line.find("trace_id=" + traced_rig::trace_of(n) + " "), line.npos) << line;
  }
  EXPECT_EQ(lines, requests * 6);
}

TEST_F(OtlpExporter, TraceThatIsNotSampledIsCarriedButNotExported) {
  traced_rig t;
  const auto answer = t.get_job(3, caller, '0');
  EXPECT_EQ(answer.body.substr(3, 32), traced_rig::trace_of(3));
  EXPECT_EQ(answer.body.substr(53), "00");
  EXPECT_EQ(t.exporter->stop().exported, 0u);
  EXPECT_TRUE(t.got.spans.empty());
}

TEST_F(OtlpExporter, SpansGoWhenTheyHaveWaitedLongEnough) {
  traced_rig t;
  (void)t.get_job(1, caller);
  t.r.settle();
  EXPECT_TRUE(t.got.spans.empty());
  t.r.advance(6s);
  EXPECT_EQ(t.got.spans.size(), 6u);
}

TEST_F(OtlpExporter, SpansGoWhenABatchIsComplete) {
  traced_rig t({.queue = 100, .batch = 4});
  (void)t.get_job(1, caller);
  t.r.settle();
  ASSERT_FALSE(t.got.sizes.empty());
  EXPECT_EQ(t.got.sizes[0], 4u);
}

// -- a collector that does not take them ------------------------------------------------------------------

TEST_F(OtlpExporter, ServiceGoesOnWithoutACollectorAndWhatDoesNotFitIsCounted) {
  traced_rig t({.queue = 10, .batch = 5}, false);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(t.get_job(i, caller).status, 200);
  const auto stats = t.exporter->stop();
  EXPECT_EQ(stats.exported, 0u);
  EXPECT_GE(stats.dropped, 100u);
  EXPECT_EQ(stats.dropped + stats.failed, 120u);
  int told = 0;
  for (const auto& line : t.kept.lines->take()) told += line.find("spans are not exported") != line.npos ? 1 : 0;
  EXPECT_EQ(told, 1) << "in the log, once";
}

TEST_F(OtlpExporter, SendsAgainWhatIsAnsweredByAPassingStatus) {
  for (const int status : {429, 502, 503, 504}) {
    traced_rig t({.every = 1s, .retry_pause = 100ms});
    t.got.answers.emplace_back(status).header("Retry-After", "3");
    (void)t.get_job(1, caller);
    t.r.advance(1100ms);
    EXPECT_EQ(t.exporter->stats().requests, 1u);
    t.r.advance(2s);
    EXPECT_EQ(t.exporter->stats().requests, 1u) << "before Retry-After";
    t.r.advance(1100ms);
    EXPECT_EQ(t.exporter->stats().requests, 2u);
    EXPECT_EQ(t.exporter->stats().exported, 6u);
    expect_tree(t.got.spans, caller);
  }
}

TEST_F(OtlpExporter, DoesNotSendAgainWhatIsRefused) {
  for (const int status : {400, 404, 500}) {
    traced_rig t({.every = 1s});
    t.got.answers.emplace_back(status);
    (void)t.get_job(1, caller);
    t.r.advance(1100ms);
    t.r.advance(60s);
    EXPECT_EQ(t.exporter->stats().requests, 1u);
    EXPECT_EQ(t.exporter->stats().failed, 6u);
  }
}

TEST_F(OtlpExporter, CountsWhatTheCollectorRejectsOfABatchThatItTakes) {
  struct answered {
    const char* body;
    std::uint64_t rejected;
  };
  for (const auto& [body, rejected] :
       {answered{R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}})", 2},
        answered{R"({"partialSuccess":{"rejectedSpans":4}})", 4},
        answered{R"({"partialSuccess":{"rejectedSpans":99}})", 6},
        answered{R"({"partialSuccess":{"rejectedSpans":-1}})", 0}, answered{R"({"partialSuccess":{}})", 0},
        answered{R"({"partialSuccess":3})", 0}, answered{"", 0}, answered{"fine", 0}}) {
    traced_rig t({.every = 1s});
    t.got.answers.push_back(json(body));
    (void)t.get_job(1, caller);
    t.r.advance(1100ms);
    EXPECT_EQ(t.exporter->stats().failed, rejected) << body;
    EXPECT_EQ(t.exporter->stats().exported, 6u - rejected) << body;
    int told = 0;
    for (const auto& line : t.kept.lines->take()) told += line.find("spans were rejected by") != line.npos ? 1 : 0;
    EXPECT_EQ(told, rejected != 0 ? 1 : 0) << body;
  }
}

TEST_F(OtlpExporter, GivesUpABatchWhenItsTimeIsOver) {
  traced_rig t({.every = 1s, .retry_pause = 1s, .retry_time = 10s}, false);
  (void)t.get_job(1, caller);
  for (int i = 0; i < 20; ++i) t.r.advance(1s);
  const auto stats = t.exporter->stats();
  EXPECT_EQ(stats.failed, 6u);
  EXPECT_GT(stats.requests, 2u);
  EXPECT_EQ(stats.waiting, 0u);
}

TEST_F(OtlpExporter, StopWaitsNoLongerThanItsLimit) {
  traced_rig t;
  t.got.silent = true;
  (void)t.get_job(1, caller);
  std::optional<otlp_stats> ended;
  const auto stopping = t.r.sys.spawn(
      [](otlp_exporter* of, std::optional<otlp_stats>* to) -> task<> {
        auto stop = of->stopped(2s);
        *to = co_await std::move(stop);
      },
      &*t.exporter, &ended);
  t.r.advance(1900ms);
  EXPECT_FALSE(ended);
  t.r.advance(200ms);
  (void)stopping.wait();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->dropped, 6u);
}

// -- calls ------------------------------------------------------------------------------------------------

TEST_F(OtlpExporter, CallOfAnotherServiceIsASpanThatTheOtherOneSeesAsItsParent) {
  traced_rig t;
  http::client web(t.r.sys, {.traceparent = traceparent_of});
  server other(t.r.sys, {.port = 0});
  other.get("/", [](http::request q) { return text(std::string(q.header("traceparent").value_or("none"))); });
  ASSERT_TRUE(other.start());
  server proxy(t.r.sys, {.port = 0});
  proxy.use(trace_requests());
  proxy.get(
      "/",
      [](http::request, http::client* through, std::string to) -> task<response> {
        auto getting = through->get(std::move(to));
        auto got = co_await std::move(getting);
        co_return text(got ? std::string(got->body()) : std::string(got.error().message()));
      },
      &web, other.url() + "/?secret=1");
  ASSERT_TRUE(proxy.start());
  auto c = t.r.connect(proxy);
  const auto answer = t.r.say_and_hear(
      c, get("/", "traceparent: 00-" + traced_rig::trace_of(5) + "-" + std::string(caller) + "-01\r\n"));
  (void)t.exporter->stop();
  ASSERT_EQ(t.got.spans.size(), 2u);
  const auto& call = t.got.spans[0];
  EXPECT_EQ(call.name, "GET");
  EXPECT_EQ(call.kind, 3);
  EXPECT_EQ(call.attributes.at("url.full"), other.url() + "/");
  EXPECT_EQ(call.parent, t.got.spans[1].id);
  EXPECT_EQ(answer.body, "00-" + traced_rig::trace_of(5) + "-" + call.id + "-01");
}

// -- options ----------------------------------------------------------------------------------------------

TEST_F(OtlpExporter, ReadsTheVariablesOfOpenTelemetry) {
  setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/", 1);
  setenv("OTEL_SERVICE_NAME", "till", 1);
  setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=y", 1);
  const auto read = otlp_from_environment().value();
  EXPECT_EQ(read.address, "http://collector:4318/v1/traces");
  EXPECT_EQ(read.service, "till");
  EXPECT_EQ(read.headers, (std::vector<std::pair<std::string, std::string>>{{"api-key", "a b"}, {"x", "y"}}));
  setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/all", 1);
  EXPECT_EQ(otlp_from_environment().value().address, "http://traces:1/all");
  setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", 1);
  const auto wrong = otlp_from_environment();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message().find("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), std::string::npos);
  for (const auto* const name : {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                 "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_HEADERS"})
    unsetenv(name);
  EXPECT_EQ(otlp_from_environment({.service = "kept"}).value().service, "kept");
}

TEST_F(OtlpExporter, NamesAnOptionThatIsOutOfRange) {
  EXPECT_NE(otlp_options{.queue = 0}.check().error().message().find("queue"), std::string::npos);
  EXPECT_NE((otlp_options{.queue = 4, .batch = 5}).check().error().message().find("batch"), std::string::npos);
  EXPECT_NE(otlp_options{.address = "here"}.check().error().message().find("'here'"), std::string::npos);
}

} // namespace
} // namespace greenroom::http::otlp_exporter_test
