#include <greenroom/http/request_metrics.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/share.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

namespace greenroom::http {
namespace {

constexpr std::size_t parts = 16;
constexpr std::size_t most_buckets = 64;

double in_seconds(duration d) noexcept { return std::chrono::duration<double>(d).count(); }

bool is_metric_name(std::string_view name) noexcept {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') && std::all_of(name.begin(), name.end(), fits);
}

/// The texts of the common methods are constant, so that their views may be kept.
std::string_view constant_method(std::string_view name) noexcept {
  const auto known = method_of(name);
  if (known) return to_string(*known);
  return name.empty() ? "" : "other";
}

std::string escaped_label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += "\\n";
    } else {
      if (c == '\\' || c == '"') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

} // namespace

struct request_metrics::state {
  /// Compares with views of a route, so that counting allocates only the first time.
  struct by_name {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return view(a) < view(b);
    }
    template <class K>
    static std::tuple<std::string_view, std::string_view, int> view(const K& key) noexcept {
      return {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
    }
  };
  using key = std::tuple<std::string, std::string_view, int>;
  struct numbers {
    std::uint64_t count = 0;
    std::uint64_t body_bytes = 0;
    duration took{};
    std::vector<std::uint64_t> buckets;
  };
  using table = std::map<key, numbers, by_name>;
  struct alignas(64) part {
    greenroom::detail::spin_lock lock;
    table counted; // guarded by lock
  };

  request_metrics_options how;
  std::array<part, parts> shares{};
};

std::vector<duration> request_metrics_options::default_buckets() {
  using namespace std::chrono_literals;
  return {250us, 500us, 1ms, 2500us, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2500ms, 5s, 10s};
}

request_metrics::request_metrics(request_metrics_options how) : state_(std::make_shared<state>()) {
  const auto& bounds = how.buckets;
  if (!is_metric_name(how.prefix)) {
    throw usage_error(fmt::format("http::request_metrics: the prefix must be letters, digits and underscores, with no "
                                  "digit at the front, not '{}'",
                                  how.prefix));
  }
  if (bounds.empty() || bounds.size() > most_buckets) {
    throw usage_error(
        fmt::format("http::request_metrics: there must be from 1 to {} buckets, not {}", most_buckets, bounds.size()));
  }
  if (bounds.front() <= duration::zero() ||
      std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) != bounds.end()) {
    throw usage_error("http::request_metrics: the bounds of the buckets must be positive and rise");
  }
  state_->how = std::move(how);
}

void request_metrics::operator()(const answered& what) const {
  const auto& bounds = state_->how.buckets;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), what.took) - bounds.begin();
  const std::tuple name(what.route, constant_method(what.method), what.answer.status() / 100);
  auto& mine = state_->shares[internal::share_here() % parts];
  std::lock_guard guard(mine.lock);
  auto it = mine.counted.find(name);
  if (it == mine.counted.end()) {
    it = mine.counted.emplace(state::key(what.route, std::get<1>(name), std::get<2>(name)), state::numbers()).first;
    it->second.buckets.resize(bounds.size() + 1);
  }
  auto& of = it->second;
  ++of.count;
  of.body_bytes += what.body_bytes;
  of.took += what.took;
  ++of.buckets[static_cast<std::size_t>(bucket)];
}

std::vector<request_metrics::series> request_metrics::collect() const {
  state::table all;
  for (auto& each : state_->shares) {
    std::lock_guard guard(each.lock);
    for (const auto& [name, of] : each.counted) {
      auto& sum = all[name];
      sum.count += of.count;
      sum.body_bytes += of.body_bytes;
      sum.took += of.took;
      sum.buckets.resize(of.buckets.size());
      for (std::size_t i = 0; i < of.buckets.size(); ++i) sum.buckets[i] += of.buckets[i];
    }
  }
  std::vector<series> list;
  list.reserve(all.size());
  for (auto& [name, of] : all) {
    const auto& [route, method, status] = name;
    list.push_back({route, method, status, of.count, of.body_bytes, of.took, std::move(of.buckets)});
  }
  return list;
}

std::string request_metrics::to_prometheus() const {
  const auto all = collect();
  const auto& how = state_->how;
  std::vector<std::string> labels;
  for (const auto& s : all) {
    labels.push_back(
        fmt::format("method=\"{}\",route=\"{}\",status=\"{}xx\"", s.method, escaped_label(s.route), s.status_class));
  }
  std::string page;
  auto out = std::back_inserter(page);
  const auto begin = [&](std::string_view name, std::string_view kind, std::string_view help) {
    fmt::format_to(out, "# HELP {0}_{1} {2}\n# TYPE {0}_{1} {3}\n", how.prefix, name, help, kind);
  };
  begin("requests_total", "counter", "Answers given, refusals included.");
  for (std::size_t i = 0; i < all.size(); ++i)
    fmt::format_to(out, "{}_requests_total{{{}}} {}\n", how.prefix, labels[i], all[i].count);
  begin("response_body_bytes_total", "counter", "Bytes of bodies of answers, without the framing.");
  for (std::size_t i = 0; i < all.size(); ++i)
    fmt::format_to(out, "{}_response_body_bytes_total{{{}}} {}\n", how.prefix, labels[i], all[i].body_bytes);
  begin("request_duration_seconds", "histogram", "Time from the end of a request to the end of its answer.");
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::uint64_t up_to = 0;
    for (std::size_t b = 0; b <= how.buckets.size(); ++b) {
      up_to += all[i].buckets[b];
      const auto bound = b < how.buckets.size() ? fmt::format("{}", in_seconds(how.buckets[b])) : std::string("+Inf");
      fmt::format_to(out, "{}_request_duration_seconds_bucket{{{},le=\"{}\"}} {}\n", how.prefix, labels[i], bound,
                     up_to);
    }
    fmt::format_to(out, "{0}_request_duration_seconds_sum{{{1}}} {2}\n{0}_request_duration_seconds_count{{{1}}} {3}\n",
                   how.prefix, labels[i], in_seconds(all[i].took), all[i].count);
  }
  return page;
}

response request_metrics::page() const { return {200, "text/plain; version=0.0.4; charset=utf-8", to_prometheus()}; }

} // namespace greenroom::http
