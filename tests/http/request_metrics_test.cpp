#include <greenroom/http/request_metrics.hpp>

#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::request_metrics_test {
namespace {

using namespace test;

// -- a strict reader of the text format -------------------------------------------------------------------

using label_set = std::map<std::string, std::string>;
struct sample {
  std::string name;
  label_set labels;
  double value = 0;
};

/// Reads a page of the text format 0.0.4 and throws a sentence for whatever a strict reader would not take.
class exposition {
public:
  explicit exposition(std::string_view page) : left_(page) {
    if (!page.empty() && page.back() != '\n') fail("the last line has no end");
    while (!left_.empty()) read_line();
    for (const auto& [name, kind] : kinds)
      if (kind == "histogram") check_histogram(name);
  }
  double at(const std::string& name, const label_set& labels) const {
    for (const auto& s : samples)
      if (s.name == name && s.labels == labels) return s.value;
    return -1;
  }
  std::map<std::string, std::string> kinds;
  std::vector<sample> samples;

private:
  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error(why + ", at: " + std::string(left_.substr(0, 60)));
  }
  void expect(std::string_view text) {
    if (!left_.starts_with(text)) fail("expected " + std::string(text));
    left_.remove_prefix(text.size());
  }
  std::string name(bool colons) {
    std::size_t n = 0;
    while (n < left_.size() &&
           (std::isalpha(static_cast<unsigned char>(left_[n])) || left_[n] == '_' || (colons && left_[n] == ':') ||
            (n > 0 && std::isdigit(static_cast<unsigned char>(left_[n])))))
      ++n;
    if (n == 0) fail("expected a name");
    std::string found(left_.substr(0, n));
    left_.remove_prefix(n);
    return found;
  }
  std::string rest_of_line() {
    const auto end = left_.find('\n');
    std::string rest(left_.substr(0, end));
    left_.remove_prefix(end + 1);
    return rest;
  }
  std::string value_of_label() {
    std::string value;
    expect("\"");
    for (; !left_.starts_with('"'); left_.remove_prefix(1)) {
      if (left_.empty() || left_.front() == '\n') fail("a label without an end");
      if (left_.front() == '\\') {
        left_.remove_prefix(1);
        if (left_.empty() || std::string_view("\\\"n").find(left_.front()) == std::string_view::npos)
          fail("bad escape");
        value += left_.front() == 'n' ? '\n' : left_.front();
      } else {
        value += left_.front();
      }
    }
    expect("\"");
    return value;
  }
  void read_line() {
    if (left_.starts_with("# HELP ")) {
      expect("# HELP ");
      if (!helped_.insert(name(true)).second) fail("a second HELP");
      expect(" ");
      if (rest_of_line().empty()) fail("an empty HELP");
    } else if (left_.starts_with('#')) {
      expect("# TYPE ");
      const auto of = name(true);
      expect(" ");
      const auto kind = rest_of_line();
      if (kind != "counter" && kind != "histogram") fail("unknown type " + kind);
      if (!kinds.emplace(of, kind).second) fail("a second TYPE");
      if (!helped_.contains(of)) fail("TYPE without HELP");
      group_ = of;
    } else {
      read_sample();
    }
  }
  void read_sample() {
    sample s;
    s.name = name(true);
    if (left_.starts_with('{')) {
      do {
        left_.remove_prefix(1);
        const auto label = name(false);
        expect("=");
        if (!s.labels.emplace(label, value_of_label()).second) fail("a label twice");
      } while (left_.starts_with(','));
      expect("}");
    }
    expect(" ");
    const auto number = rest_of_line();
    if (number.starts_with(' ')) fail("two spaces");
    std::size_t used = 0;
    s.value = std::stod(number, &used);
    if (used != number.size()) fail("a value that is no number: " + number);
    check_group(s.name);
    if (!seen_.emplace(s.name, s.labels).second) fail("a sample twice");
    samples.push_back(std::move(s));
  }
  void check_group(std::string_view of) const {
    if (!of.starts_with(group_)) fail("a sample outside of its group: " + std::string(of));
    const auto suffix = of.substr(group_.size());
    const bool histogram = kinds.at(group_) == "histogram";
    if (histogram ? suffix != "_bucket" && suffix != "_sum" && suffix != "_count" : !suffix.empty())
      fail("a sample of the wrong type");
  }
  void check_histogram(const std::string& of) const {
    std::map<label_set, std::vector<std::pair<std::string, double>>> all;
    for (const auto& s : samples) {
      if (s.name != of + "_bucket") continue;
      auto labels = s.labels;
      const auto bound = labels.at("le");
      labels.erase("le");
      all[labels].emplace_back(bound, s.value);
    }
    for (const auto& [labels, buckets] : all) {
      if (buckets.back().first != "+Inf") fail("no bucket for +Inf");
      for (std::size_t i = 1; i < buckets.size(); ++i) {
        if (std::stod(buckets[i].first) <= std::stod(buckets[i - 1].first)) fail("bounds that do not rise");
        if (buckets[i].second < buckets[i - 1].second) fail("buckets that do not add up");
      }
      if (at(of + "_count", labels) != buckets.back().second) fail("a count that is not that of +Inf");
      if (at(of + "_sum", labels) < 0) fail("no sum");
    }
  }

  std::string_view left_;
  std::string group_;
  std::set<std::string> helped_;
  std::set<std::pair<std::string, label_set>> seen_;
};

TEST(Exposition, IsReadStrictly) { // a check that finds nothing is worth nothing
  const std::string head = "# HELP a_total x\n# TYPE a_total counter\n";
  EXPECT_EQ(exposition(head + "a_total{x=\"1\\\"\\\\\\n\"} 5\n").at("a_total", {{"x", "1\"\\\n"}}), 5);
  for (const std::string bad : {"a_total 5", "a_total{x=1} 5\n", "a_total{x=\"1} 5\n", "a_total{x=\"\\t\"} 5\n",
                                "b 5\n", "a_total five\n", "a_total 5\na_total 5\n", "a_total{x=\"1\",x=\"2\"} 5\n",
                                "a_total  5\n", "# TYPE a_total counter\n", "a_total{1x=\"1\"} 5\n"})
    EXPECT_THROW(exposition(head + bad), std::exception) << bad;
  const std::string histogram = "# HELP h x\n# TYPE h histogram\n";
  EXPECT_NO_THROW(exposition(histogram + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"));
  EXPECT_THROW(exposition(histogram + "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
               std::exception);
  EXPECT_THROW(exposition(histogram + "h_bucket{le=\"1\"} 1\nh_sum 3\nh_count 1\n"), std::exception);
}

// -- the metrics ------------------------------------------------------------------------------------------

void give(const request_metrics& to, std::string_view route, std::string_view method, int status, duration took,
          std::uint64_t bytes = 0) {
  const response answer(status);
  to({.method = method,
      .target = "/secret-of-a-client",
      .route = route,
      .peer = "127.0.0.1:1",
      .answer = answer,
      .body_bytes = bytes,
      .took = took});
}

TEST(RequestMetrics, CountByRouteMethodAndClassOfStatus) {
  const request_metrics m;
  give(m, "/users/{id}", "GET", 200, 3ms, 5);
  give(m, "/users/{id}", "GET", 204, 4ms, 7);
  give(m, "/users/{id}", "GET", 404, 1ms);
  give(m, "/users/{id}", "PUT", 200, 1ms);
  const auto all = m.collect();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].route, "/users/{id}");
  EXPECT_EQ(all[0].method, "GET");
  EXPECT_EQ(all[0].status_class, 2);
  EXPECT_EQ(all[0].count, 2u);
  EXPECT_EQ(all[0].body_bytes, 12u);
  EXPECT_EQ(all[0].took, 7ms);
  EXPECT_EQ(all[1].status_class, 4);
  EXPECT_EQ(all[2].method, "PUT");
}

TEST(RequestMetrics, CountADurationOnABoundBelowIt) {
  const request_metrics m({.buckets = {1ms, 2ms}});
  give(m, "/", "GET", 200, 0ns);
  give(m, "/", "GET", 200, 1ms);
  give(m, "/", "GET", 200, 1ms + 1ns);
  give(m, "/", "GET", 200, 2ms);
  give(m, "/", "GET", 200, 2ms + 1ns);
  give(m, "/", "GET", 200, 1h);
  EXPECT_EQ(m.collect().at(0).buckets, (std::vector<std::uint64_t>{2, 2, 2}));
}

TEST(RequestMetrics, GiveAPageThatAStrictReaderTakes) {
  const request_metrics m;
  EXPECT_TRUE(exposition(m.to_prometheus()).samples.empty());
  give(m, "/users/{id}", "GET", 200, 3ms, 5);
  give(m, "/users/{id}", "GET", 200, 3s, 5);
  give(m, "/odd\"\\\npattern", "POST", 500, 1h);
  give(m, "", "", 400, 0ns);
  const exposition page(m.to_prometheus());
  const label_set good{{"method", "GET"}, {"route", "/users/{id}"}, {"status", "2xx"}};
  const auto with = [](label_set labels, const std::string& bound) { return labels["le"] = bound, labels; };
  EXPECT_EQ(page.kinds.at("http_requests_total"), "counter");
  EXPECT_EQ(page.kinds.at("http_request_duration_seconds"), "histogram");
  EXPECT_EQ(page.at("http_requests_total", good), 2);
  EXPECT_EQ(page.at("http_response_body_bytes_total", good), 10);
  EXPECT_EQ(page.at("http_request_duration_seconds_bucket", with(good, "0.0025")), 0);
  EXPECT_EQ(page.at("http_request_duration_seconds_bucket", with(good, "0.005")), 1);
  EXPECT_EQ(page.at("http_request_duration_seconds_bucket", with(good, "+Inf")), 2);
  EXPECT_DOUBLE_EQ(page.at("http_request_duration_seconds_sum", good), 3.003);
  EXPECT_EQ(page.at("http_requests_total", {{"method", "POST"}, {"route", "/odd\"\\\npattern"}, {"status", "5xx"}}), 1);
  EXPECT_EQ(page.at("http_requests_total", {{"method", ""}, {"route", ""}, {"status", "4xx"}}), 1);
}

TEST(RequestMetrics, HaveNoSeriesThatAClientMakes) {
  const request_metrics metrics;
  server_options how;
  how.on_answer = metrics;
  rig r(how);
  r.front.get("/users/{id}", [] { return text("hello"); })
      .get(
          "/metrics", [](request_metrics m) { return m.page(); }, metrics);
  r.start();
  for (int i = 0; i < 50; ++i) {
    r.ask(get("/users/" + std::to_string(i)));
    r.ask(get("/nothing/" + std::to_string(i)));
    r.ask("M" + std::to_string(i) + " / HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  const auto answer = r.ask(get("/metrics"));
  EXPECT_EQ(answer.field("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  const exposition page(answer.body);
  std::size_t series = 0;
  for (const auto& s : page.samples) series += s.name == "http_requests_total";
  EXPECT_EQ(series, 3u) << answer.body;
  EXPECT_EQ(page.at("http_requests_total", {{"method", "GET"}, {"route", "/users/{id}"}, {"status", "2xx"}}), 50);
  EXPECT_EQ(page.at("http_requests_total", {{"method", "GET"}, {"route", ""}, {"status", "4xx"}}), 50);
}

TEST(RequestMetrics, LoseNothingOfManyThreads) {
  const request_metrics m({.prefix = "shop"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([copy = m] {
      for (int i = 0; i < 2'000; ++i) give(copy, i % 2 == 0 ? "/a" : "/b", "GET", 200, 1ms, 1);
    });
  }
  for (auto& t : threads) t.join();
  const exposition page(m.to_prometheus());
  const label_set a{{"method", "GET"}, {"route", "/a"}, {"status", "2xx"}};
  EXPECT_EQ(page.at("shop_requests_total", a), 8'000);
  EXPECT_EQ(page.at("shop_request_duration_seconds_count", a), 8'000);
  EXPECT_DOUBLE_EQ(page.at("shop_request_duration_seconds_sum", a), 8);
}

TEST(RequestMetrics, RefuseOptionsThatAreOutOfRange) {
  using options = request_metrics_options;
  for (const auto& bad : {options{.prefix = ""}, options{.prefix = "1a"}, options{.prefix = "a-b"},
                          options{.buckets = {}}, options{.buckets = {0ns}}, options{.buckets = {2ms, 1ms}},
                          options{.buckets = {1ms, 1ms}}, options{.buckets = std::vector<duration>(65, 1ms)}})
    EXPECT_THROW(request_metrics{bad}, usage_error);
}

} // namespace
} // namespace greenroom::http::request_metrics_test
