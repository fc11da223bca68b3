#include <greenroom/http/metrics.hpp>

#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace greenroom::http {
namespace {

std::string escaped_label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

/// Writes metrics whose series may have a label of their source in common.
class writer {
public:
  explicit writer(std::string common = {}) : common_(std::move(common)) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  }
  template <class Number>
  void series(Number value, std::string_view labels = {}) {
    const auto comma = common_.empty() || labels.empty() ? "" : ",";
    const bool any = !common_.empty() || !labels.empty();
    fmt::format_to(std::back_inserter(out_), "{}{}{}{}{}{} {}\n", name_, any ? "{" : "", common_, comma, labels,
                   any ? "}" : "", value);
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "counter", help);
    series(value);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "gauge", help);
    series(value);
  }
  std::string text() const { return fmt::to_string(out_); }

private:
  const std::string common_;
  std::string name_;
  fmt::memory_buffer out_;
};

void write_workers(writer& out, const std::vector<worker_stats>& workers) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    out.family(name, type, help);
    for (std::size_t i = 0; i < workers.size(); ++i) out.series(value(workers[i]), fmt::format("worker=\"{}\"", i));
  };
  if (workers.empty()) return;
  each("greenroom_worker_turns_total", "counter", "Turns that a worker has given to actors.",
       [](const worker_stats& w) { return w.turns; });
  each("greenroom_worker_steals_total", "counter", "How often a worker took what waited for another one.",
       [](const worker_stats& w) { return w.steals; });
  each("greenroom_worker_queue_length", "gauge", "Actors that are ready and wait for a worker.",
       [](const worker_stats& w) { return w.queued; });
  each("greenroom_worker_asleep", "gauge", "Whether a worker has nothing to do.",
       [](const worker_stats& w) { return w.asleep ? 1 : 0; });
  each("greenroom_worker_asleep_seconds_total", "counter", "How long a worker had nothing to do.",
       [](const worker_stats& w) { return std::chrono::duration<double>(w.slept).count(); });
}

/// Joins texts: each metric once, with its series together.
class joiner {
public:
  void add(std::string_view text) {
    std::string* family = nullptr;
    std::string_view of;
    bool known = false;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      const auto line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.empty()) continue;
      if (const auto name = described(line); !name.empty() && name != of) {
        of = name;
        known = families_.contains(name);
        if (!known) order_.emplace_back(name);
        family = &families_[std::string(name)];
      }
      const bool again = known && line.front() == '#';
      if (family == nullptr || again) continue; // what belongs to no metric has no place
      family->append(line).append("\n");
    }
  }
  std::string text() const {
    std::string all;
    for (const auto& name : order_) all += families_.find(name)->second;
    return all;
  }

private:
  /// Returns the name of the metric that a line is about, if it is a comment of one.
  static std::string_view described(std::string_view line) noexcept {
    if (!line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) return {};
    line.remove_prefix(7);
    return line.substr(0, line.find(' '));
  }

  std::map<std::string, std::string, std::less<>> families_;
  std::vector<std::string> order_;
};

} // namespace

std::string system_metrics(const actor_system& system) {
  const auto now = system.stats();
  writer out;
  out.gauge("greenroom_actors", "Actors that have not ended.", now.actors);
  out.counter("greenroom_actors_spawned_total", "Actors that were started.", now.spawned);
  out.counter("greenroom_actors_ended_total", "Actors that have ended.", now.ended());
  out.gauge("greenroom_timers", "Timers that are armed.", now.timers);
  out.gauge("greenroom_asks_pending", "Asks that wait for their answer.", now.asks.pending());
  out.family("greenroom_asks_total", "counter", "Asks by how they ended.");
  out.series(now.asks.answered, R"(became="answered")");
  out.series(now.asks.failed, R"(became="failed")");
  out.series(now.asks.timed_out, R"(became="timed_out")");
  out.series(now.asks.cancelled, R"(became="cancelled")");
  out.counter("greenroom_asks_answered_late_total", "Answers that came when their ask had ended.", now.asks.late);
  write_workers(out, now.workers);
  return out.text();
}

std::string server_metrics(const server& of, std::string_view name) {
  const auto now = of.stats();
  writer out(name.empty() ? std::string() : fmt::format("server=\"{}\"", escaped_label(name)));
  out.gauge("greenroom_http_connections_open", "Connections that are open.", now.connections_open);
  out.counter("greenroom_http_connections_accepted_total", "Connections taken in.", now.connections_accepted);
  out.counter("greenroom_http_connections_turned_away_total", "Connections beyond the limit.",
              now.connections_turned_away);
  out.gauge("greenroom_http_requests_in_flight", "Request actors that have not ended.", now.in_flight);
  out.counter("greenroom_http_requests_total", "Request actors started.", now.requests);
  out.counter("greenroom_http_requests_timed_out_total", "Requests whose limit passed first.", now.timed_out);
  out.counter("greenroom_http_requests_abandoned_total", "Requests whose client left first.", now.abandoned);
  out.counter("greenroom_http_requests_failed_total", "Requests whose handler threw.", now.failed);
  out.counter("greenroom_http_requests_shed_total", "Requests refused under overload.", now.shed);
  out.counter("greenroom_http_requests_refused_total", "Malformed, beyond a limit, or too slow in coming.",
              now.refused);
  out.family("greenroom_http_responses_total", "counter", "Responses by the class of their status.");
  out.series(now.answered_2xx, R"(class="2xx")");
  out.series(now.answered_3xx, R"(class="3xx")");
  out.series(now.answered_4xx, R"(class="4xx")");
  out.series(now.answered_5xx, R"(class="5xx")");
  return out.text();
}

std::string exporter_metrics(const otlp_exporter& of) {
  const auto now = of.stats();
  writer out;
  out.family("greenroom_spans_total", "counter", "Spans by what became of them.");
  out.series(now.exported, R"(became="exported")");
  out.series(now.dropped, R"(became="dropped")");
  out.series(now.failed, R"(became="failed")");
  out.gauge("greenroom_spans_waiting", "Spans that are not sent yet.", now.waiting);
  out.counter("greenroom_span_requests_total", "Requests to the collector.", now.requests);
  return out.text();
}

struct metrics::sources {
  std::vector<std::function<std::string()>> all;
};

metrics::metrics() : sources_(std::make_shared<sources>()) {}
metrics::metrics(const actor_system& system) : metrics() { add(system); }

metrics& metrics::add(std::function<std::string()> text) {
  sources_->all.push_back(std::move(text));
  return *this;
}
metrics& metrics::add(const actor_system& system) {
  return add([of = &system] { return system_metrics(*of); });
}
metrics& metrics::add(const server& of, std::string name) {
  return add([from = &of, as = std::move(name)] { return server_metrics(*from, as); });
}
metrics& metrics::add(const request_metrics& of) {
  return add([of] { return of.to_prometheus(); });
}
metrics& metrics::add(const otlp_exporter& of) {
  return add([from = &of] { return exporter_metrics(*from); });
}

std::string metrics::text() const {
  joiner page;
  for (const auto& source : sources_->all) page.add(source());
  return page.text();
}

response metrics::operator()(request) const { return {200, "text/plain; version=0.0.4; charset=utf-8", text()}; }

} // namespace greenroom::http
