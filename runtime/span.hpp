// span: one piece of work of a trace that is over: a request, a call, the handling of an item. Where a system has a span_sink it is given
// the spans of all traces that are sampled; none has one by itself. http/otlp_exporter.hpp sends them to a collector.
//
//   send_spans_to(sys, std::make_shared<my_sink>());    // my_sink::ended(span s) is called for each
//
// Thread safety: calls of a sink come from any thread. Lifetime: a system keeps its sinks until it is destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom {

/// What a span is about, as OpenTelemetry has it.
enum class span_kind : std::uint8_t {
  internal = 1,
  server = 2, ///< a request that came
  client = 3, ///< a call of another service
  producer = 4,
  consumer = 5 ///< the handling of an item
};

/// A piece of work that is over. Thread safety: as a value.
struct span {
  trace_context place;                  ///< in its trace
  std::string name;                     ///< method and route of a request, name of an actor, method of a call
  span_kind kind = span_kind::internal; ///< what it is about
  time_point began;                     ///< by the clock of the system
  time_point ended;                     ///< by the same clock
  bool failed = false;                  ///< it ended by an error
  std::string why = {};                 ///< it failed

  /// What an attribute may be.
  using value = std::variant<std::string, std::int64_t>;
  std::vector<std::pair<std::string_view, value>> attributes = {}; ///< names are literals
};

/// Takes spans. A sink must be quick, must not wait, and belongs to no trace itself.
class GREENROOM_EXPORT span_sink {
public:
  virtual ~span_sink();
  /// Takes one span. Waits: never. Thread safety: calls come from any thread.
  virtual void ended(span what) noexcept = 0;
};

/// Has a system give the spans of its sampled traces to `sink` from now on; null: to nobody. A call under way may still reach the one before.
/// Errors: std::bad_alloc.
GREENROOM_EXPORT void send_spans_to(actor_system& system, std::shared_ptr<span_sink> sink);

/// Takes a sink away again; does nothing if the system has another one by now. A call under way may still reach it.
GREENROOM_EXPORT void end_spans_to(actor_system& system, const span_sink& sink) noexcept;

/// Returns whether a system has a sink.
GREENROOM_EXPORT bool takes_spans(const actor_system& system) noexcept;

/// Gives a span to the sink of a system, if it has one and the span's trace is sampled. Waits: never.
GREENROOM_EXPORT void report_span(actor_system& system, span what) noexcept;

/// Keeps the running actor out of its trace for as long as this object lives: what it sends and starts meanwhile belongs to none. For what
/// serves many. Requires: no wait meanwhile. Thread safety: owner only.
class GREENROOM_EXPORT untraced {
public:
  untraced() noexcept;
  untraced(const untraced&) = delete;
  untraced& operator=(const untraced&) = delete;
  ~untraced();

private:
  std::uint8_t before_ = 0;
};

} // namespace greenroom
