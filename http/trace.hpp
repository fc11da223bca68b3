// trace: identifiers that follow a request: its own, for log lines and the client (X-Request-Id), and that of the trace it belongs to, which
// may span many services (traceparent, tracestate).
//
//   front.use(http::trace_requests());                                // outermost: it is around all that comes after it
//   ...
//   this_actor::system().log().info("{}: sold out", http::current_request_id());      // anywhere in the handler, and in what it starts
//   client_options.traceparent = http::traceparent_of;                                // calls to other services carry the trace on
//
// Thread safety: as values; the middleware any thread. Lifetime: a context keeps its values, and so do actors that run under it.
// Source: W3C Trace Context, level 1, a Recommendation of November 2021.
#pragma once

#include <string>
#include <string_view>

#include <greenroom/http/middleware.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom::http {

/// What a request is called in logs, here and at the client: a value of its context.
struct request_id {
  std::string text; ///< as it stands in X-Request-Id
};

/// Returns whether that may be the identifier of a request: from 1 to 128 characters of a token (RFC 9110 section 5.6.2), so that it may
/// stand in fields, log lines and addresses as it is.
GREENROOM_EXPORT bool is_request_id(std::string_view text) noexcept;

/// Returns the identifier of the request for which the running actor works; "" if there is none, and outside of actors.
/// Lifetime: as the context of the actor.
GREENROOM_EXPORT std::string_view current_request_id();

/// The place of some work in a trace; see runtime/trace.hpp for how it travels.
using greenroom::trace_context;

/// Returns the field traceparent for calls that are made under `under`: that of the running actor's trace, or else of the context's; "" outside
/// of a trace.
GREENROOM_EXPORT std::string traceparent_of(const context& under);

/// What is taken over of clients' identifiers, and what is recorded. Thread safety: as a value.
struct trace_options {
  /// Whether a client's X-Request-Id is taken over, where it is one. Not so at an edge where clients must not choose it: then each
  /// request has a new one.
  bool take_request_id = true;
  /// The same for traceparent and tracestate.
  bool take_trace = true;
  /// Which part of the traces that begin here are marked as recorded, from 0 to 1.
  double sample = 0;
};

/// Makes a middleware that gives the rest of the way a request_id and a trace_context as values of its context, those of the request or new
/// ones, and the answer the field X-Request-Id if it has none. The trace goes on with the items that the request's actor sends. New ones are random (128 bits), but no secrets; a system with a seed
/// repeats them. Errors: usage_error if an option is out of range. Cost: two nodes of a context for each request.
GREENROOM_EXPORT middleware trace_requests(trace_options how = {});

} // namespace greenroom::http

namespace greenroom {
template <>
inline constexpr bool owns_what_it_names<http::request_id> = true;
} // namespace greenroom
