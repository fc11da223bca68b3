// The spans that HTTP makes: of a request that came, and of a call of another service. Names are those of OpenTelemetry.
// Thread safety: any thread. Source: OpenTelemetry semantic conventions for HTTP spans, 1.23.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <greenroom/http/message.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/span.hpp>

namespace greenroom::http::internal {

/// Reports a request that was answered. Requires: its trace is sampled.
void report_request(actor_system& system, const answered& what, time_point since) noexcept;

/// A call under way: reports its span when it is over, however that comes about.
/// Thread safety: owner only. Lifetime: the system outlives it.
class call_span {
public:
  /// Begins one below the running actor's trace, if that is sampled and the system has a sink.
  call_span(actor_system& system, method how, std::string address);
  call_span(const call_span&) = delete;
  call_span& operator=(const call_span&) = delete;
  ~call_span();

  /// Returns its place; an empty one if there is no span.
  trace_context place() const noexcept { return span_ ? span_->place : trace_context(); }
  void answered(int status) noexcept { status_ = status; }
  /// Gives the error on.
  const error& failed(const error& why);

private:
  actor_system& system_;
  std::optional<span> span_;
  int status_ = 0;
};

} // namespace greenroom::http::internal
