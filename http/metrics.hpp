// metrics: what a service tells Prometheus, on one page: of its system, servers, requests and graphs.
//
//   http::request_metrics requests;
//   http::server front{sys, {.on_answer = requests}};
//   http::metrics page(sys);
//   page.add(front).add(requests).add([shop] { return shop.look().to_metrics(); });
//   front.get("/metrics", page);
//
//   greenroom_actors 17
//   greenroom_actors_spawned_total 4711
//   greenroom_worker_turns_total{worker="0"} 94321
//
// Who may ask for it learns the routes and the load: it belongs behind authentication, or on a server of its own.
// Thread safety: sources are added by one thread before the page is asked for; the rest any thread. Lifetime: what is added by reference
// outlives the page and its copies, which share their sources.
// Source: the Prometheus documentation, "Exposition formats", text format 0.0.4.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <greenroom/http/message.hpp>
#include <greenroom/http/otlp_exporter.hpp>
#include <greenroom/http/request_metrics.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Returns the numbers of a system: its actors, timers, asks and workers.
GREENROOM_EXPORT std::string system_metrics(const actor_system& system);
/// Returns the numbers of a server: connections, requests and responses; with the label server="..." if it has a name.
GREENROOM_EXPORT std::string server_metrics(const server& of, std::string_view name = {});
/// Returns the numbers of an exporter: what became of the spans.
GREENROOM_EXPORT std::string exporter_metrics(const otlp_exporter& of);

/// A page of numbers for Prometheus. Thread safety: see the file comment.
class GREENROOM_EXPORT metrics {
public:
  /// A page of nothing.
  metrics();
  /// A page of a system.
  explicit metrics(const actor_system& system);

  /// Adds what `text` returns whenever the page is asked for: in the text format, with HELP and TYPE for each metric.
  metrics& add(std::function<std::string()> text);
  metrics& add(const actor_system& system);
  /// Several servers need names.
  metrics& add(const server& of, std::string name = {});
  metrics& add(const request_metrics& of);
  metrics& add(const otlp_exporter& of);

  /// Returns the page. A metric that several sources have stands there once, with the series of all. Cost: as the sources.
  std::string text() const;
  /// Answers with it: the page is a handler.
  response operator()(request r) const;

private:
  struct sources;
  std::shared_ptr<sources> sources_;
};

} // namespace greenroom::http
