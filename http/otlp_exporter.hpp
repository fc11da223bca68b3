// otlp_exporter: sends the spans of a system to a collector of OpenTelemetry: OTLP over HTTP, in JSON. None is sent unless a program makes one.
//
//   front.use(http::trace_requests({.sample = 0.01}));
//   http::otlp_exporter spans(sys, http::otlp_from_environment({.service = "shop"}).value());   // OTEL_EXPORTER_OTLP_ENDPOINT and others
//   ...
//   front.stop();
//   spans.stop();                                  // sends what is left; the destructor does it, too
//
// Spans go in batches, when there are enough of them or the oldest has waited long enough. The service never waits for the collector: what does
// not fit into the queue meanwhile is dropped and counted.
// Thread safety: any thread. Lifetime: the actor system outlives the exporter; one exporter a system at a time, the last one made.
// Source: OpenTelemetry Protocol 1.1: OTLP/HTTP, JSON Protobuf encoding, failures and retries.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/client.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

namespace internal {
class span_sender;
}

/// Where spans go, and how. Thread safety: as a value.
struct otlp_options {
  /// Where the spans go: a whole address.
  std::string address = "http://127.0.0.1:4318/v1/traces";
  /// The name of the service, in the attribute service.name.
  std::string service = "unknown_service";
  /// Further attributes of the resource, as {"deployment.environment", "test"}.
  std::vector<std::pair<std::string, std::string>> resource = {};
  /// Further fields of each request, such as one that authorises it.
  std::vector<std::pair<std::string, std::string>> headers = {};

  /// Most spans that wait, the batch on its way apart; what does not fit is dropped. From 1 to 1,000,000. Units: spans.
  std::size_t queue = 2'048;
  /// Most spans of one request, from 1 to `queue`; as soon as so many wait they are sent. Units: spans.
  std::size_t batch = 512;
  /// How long a span waits for others to go with.
  std::chrono::milliseconds every{5'000};
  /// For one request.
  std::chrono::milliseconds request_time{10'000};
  /// The longest pause before a batch is sent again, which doubles with each, up to 30 s; a Retry-After goes before. Sent again is what was answered by
  /// 429, 502, 503 or 504, and what had no answer.
  std::chrono::milliseconds retry_pause{1'000};
  /// How long a batch is sent again and again; then it is dropped.
  std::chrono::milliseconds retry_time{60'000};
  /// How long stop() may take.
  std::chrono::milliseconds stop_time{5'000};
  /// How the client connects: client_options::secure for https. Its limits of time and its retries are set by the exporter.
  client_options client = {};

  /// Finds the first option that is outside its allowed range. Errors: invalid_argument, naming option, value and range.
  GREENROOM_EXPORT result<void> check() const;
};

/// Returns `base` overlaid with OTEL_EXPORTER_OTLP_ENDPOINT (to which /v1/traces is added), OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (which goes before it,
/// as it is), OTEL_EXPORTER_OTLP_HEADERS ("name=value,name=value", percent-encoded) and OTEL_SERVICE_NAME, where they are set and not empty.
/// Errors: invalid_argument, naming the variable.
GREENROOM_EXPORT result<otlp_options> otlp_from_environment(otlp_options base = {});

/// What became of the spans. Once the exporter has stopped, all of them are in one of the first three. Units: spans.
struct otlp_stats {
  std::uint64_t exported = 0; ///< the collector has taken them
  std::uint64_t dropped = 0;  ///< there was no room, or no time left at the stop
  std::uint64_t failed = 0;   ///< refused or rejected by the collector, or sent in vain until retry_time was over
  std::uint64_t waiting = 0;  ///< in the queue, or on their way
  std::uint64_t requests = 0; ///< sent, retries included. Units: requests
};

/// Sends the spans of a system to a collector. Thread safety: any thread.
class GREENROOM_EXPORT otlp_exporter {
public:
  /// Begins to take the system's spans. Errors: usage_error with a sentence if an option is out of range, or a field cannot be
  /// sent.
  explicit otlp_exporter(actor_system& system, otlp_options options = {});
  /// Stops, with the time of the options. Waits: blocks the thread; in an actor it waits for nothing, and what is left is dropped: await stopped()
  /// first.
  ~otlp_exporter();
  otlp_exporter(const otlp_exporter&) = delete;
  otlp_exporter& operator=(const otlp_exporter&) = delete;

  /// Takes no more spans, and sends what is left, each batch once more at most. Waits: blocks the thread, for `limit` at most; then what is left is
  /// dropped. Errors: usage_error on a worker thread. Stopping twice is fine.
  otlp_stats stop(std::chrono::milliseconds limit);
  otlp_stats stop();
  /// The same for an actor. Waits: suspends the actor. Cancellation: throws `cancelled`; the stop goes on.
  task<otlp_stats> stopped(std::chrono::milliseconds limit);

  /// Returns what became of the spans.
  otlp_stats stats() const noexcept;

private:
  std::shared_ptr<internal::span_sender> sender_;
};

} // namespace greenroom::http
