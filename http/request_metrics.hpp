// request_metrics: how many answers there were and how long they took, for each route, method and class of status; for server_options::on_answer,
// and for Prometheus to fetch.
//
//   http::request_metrics metrics;
//   http::server front{sys, {.on_answer = metrics}};
//   front.get("/metrics", [](http::request_metrics m) { return m.page(); }, metrics);
//
//   http_requests_total{method="GET",route="/users/{id}",status="2xx"} 17
//   http_response_body_bytes_total{...} 85
//   http_request_duration_seconds_bucket{...,le="0.005"} 16
//
// A route is its pattern, or "" for what has none, and never what a client sent: no client can make a series. A method is one of those that the
// server knows, or "" where the header section could not be read.
// Thread safety: any thread; workers count in parts of their own. Lifetime: copies share the numbers.
// Source: the Prometheus documentation, "Exposition formats", text format 0.0.4.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Names and buckets of the metrics. Thread safety: as a value.
struct request_metrics_options {
  /// What the names of the metrics begin with: a letter or an underscore, then those and digits. Programs with several servers tell them apart
  /// by it.
  std::string prefix = "http";
  /// The upper bounds of the buckets of durations, from 1 to 64, rising. An answer that takes exactly as long counts there. The default spans
  /// 0.25 ms to 10 s.
  std::vector<duration> buckets = default_buckets();

  /// Returns 0.25 ms, 0.5 ms and so on, up to 10 s.
  GREENROOM_EXPORT static std::vector<duration> default_buckets();
};

/// Counts answers and how long they took. Thread safety: any thread.
class GREENROOM_EXPORT request_metrics {
public:
  /// Errors: usage_error if an option is out of range.
  explicit request_metrics(request_metrics_options how = {});

  /// Counts one answer. Waits: never. Cost: a lock that other workers hardly ever take, and a search by the name of the route.
  void operator()(const answered& what) const;

  /// What was counted for one route, method and class of status.
  struct series {
    std::string route;            ///< its pattern; "" for what has none
    std::string_view method;      ///< "" where the header section could not be read
    int status_class = 0;         ///< 2 for 200 to 299, and so on
    std::uint64_t count = 0;      ///< answers
    std::uint64_t body_bytes = 0; ///< sent, all together. Units: bytes
    duration took{};              ///< all together
    std::vector<std::uint64_t>
        buckets; ///< answers up to each bound but above the one before; the last is for those above all
  };
  /// Returns all series that have counted something, by route, method and status. Taken while the server works, the numbers may be of slightly
  /// different moments. Cost: visits all parts.
  std::vector<series> collect() const;

  /// Returns the numbers as Prometheus reads them.
  std::string to_prometheus() const;
  /// Answers with them. Who may ask for it learns the routes and the load: it belongs behind authentication, or on a server of its own.
  response page() const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace greenroom::http
