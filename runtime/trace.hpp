// trace: the place of some work in a trace, which may span many actors and services. It travels by itself: with the context of an actor, with
// each item that the actor sends, and to the actors that it starts; so what one request causes can be told from all else.
//
//   const auto here = current_trace();                                 // of the item in hand, or else of the context
//   if (here) count(here.trace_id());                                  // log lines have it already: see log.hpp
//   auto under = this_actor::context().with_value(begin_trace(true));  // begins one; http::trace_requests() does it for requests
//
// An actor works for the trace of the item that it took last, until it asks the same mailbox for the next one; with no item in hand for that of
// its context. An item that belongs to no trace ends that of the one before. Span by span it can be seen with a span_sink, see span.hpp.
// Thread safety: as values. Lifetime: counted; copies share what they name.
// Source: W3C Trace Context, level 1, a Recommendation of November 2021.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>
#include <greenroom/runtime/detail/refers_to_nothing.hpp>

namespace greenroom {
namespace detail {

/// What all places in one trace share.
struct trace_root {
  std::array<char, 32> trace;
  bool sampled = false;
  std::string state = {};
  std::string request_id = {};
};

/// One place. Constant once it is shared.
struct trace_record {
  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { frame_free(p, bytes); }

  std::atomic<std::uint32_t> refs{1};
  bool has_parent = false;
  std::array<char, 16> span{};
  std::array<char, 16> parent{};
  std::shared_ptr<const trace_root> root;
  time_point sent = never; // when the item was sent whose handling this is; never: it is no such thing
};

} // namespace detail

/// The place of some work in a trace. Default-constructed: in none.
/// Cost: a pointer; a copy counts.
class GREENROOM_EXPORT trace_context {
public:
  /// Digits of a span.
  using digits_16 = std::array<char, 16>;
  /// Digits of a trace.
  using digits_32 = std::array<char, 32>;

  trace_context() noexcept = default;
  trace_context(const trace_context& other) noexcept : it_(other.it_) {
    if (it_ != nullptr) it_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  trace_context(trace_context&& other) noexcept : it_(std::exchange(other.it_, nullptr)) {}
  trace_context& operator=(trace_context other) noexcept { return std::swap(it_, other.it_), *this; }
  ~trace_context() {
    if (it_ != nullptr) drop();
  }
  /// Begins a trace. Requires: lower-case hexadecimal digits, not all zero.
  trace_context(const digits_32& trace, const digits_16& span, bool sampled);

  /// Reads a traceparent field, of this version or, as far as it is known, a later one; nothing if it is malformed: then a new trace
  /// begins. `tracestate` is kept if it is well-formed, with 32 members at most, as far as it fits 512 characters: longer members
  /// than 128 characters go first, then those at the end.
  static std::optional<trace_context> parse(std::string_view traceparent, std::string_view tracestate = {});

  /// Returns whether it is in a trace. What follows is empty or false if it is not.
  explicit operator bool() const noexcept { return it_ != nullptr; }
  /// Returns 32 hexadecimal digits, in lower case.
  std::string_view trace_id() const noexcept;
  /// Returns 16 digits: of the work itself, here and on the wire.
  std::string_view span_id() const noexcept;
  /// Returns 16 digits: of the work that asked for it; "" where the trace began.
  std::string_view parent_id() const noexcept;
  /// Returns whether somebody up the trace records it.
  bool sampled() const noexcept { return it_ != nullptr && it_->root->sampled; }
  /// Returns the field tracestate, for other services; "" if there is none.
  const std::string& state() const noexcept;
  /// Returns the identifier of the request that it belongs to; "" if there is none.
  std::string_view request_id() const noexcept;
  /// Returns the field traceparent, for other services.
  std::string traceparent() const;

  /// Returns the place of a part of this work. Requires: as above; a trace.
  trace_context child(const digits_16& span) const;
  /// The same, with digits drawn at random: from the choices of the running actor's system, so that a seed repeats them.
  trace_context child() const;
  /// Returns the same place in a trace whose work is all done for that request. Requires: a trace.
  trace_context for_request(std::string id) const;

  friend bool operator==(const trace_context&, const trace_context&) noexcept = default;

  /// For the runtime: the handling of an item that is sent now.
  trace_context hop(time_point now) const;
  /// The same of an item that has been handled before, and comes again now.
  trace_context again(time_point now) const;
  /// Returns when the item was sent whose handling this is; `never` if it is no such thing.
  time_point sent() const noexcept { return it_ == nullptr ? never : it_->sent; }

private:
  explicit trace_context(detail::trace_record* counted) noexcept : it_(counted) {}
  void drop() noexcept;

  detail::trace_record* it_ = nullptr;
};

/// Begins a trace with digits drawn at random, as child() does.
GREENROOM_EXPORT trace_context begin_trace(bool sampled);

/// Returns the trace that the running actor works for; an empty one if there is none, and outside of actors.
GREENROOM_EXPORT trace_context current_trace() noexcept;

template <>
inline constexpr bool owns_what_it_names<trace_context> = true;

} // namespace greenroom
