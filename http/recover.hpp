// recover: turns what a handler throws into an answer, with a line in the log.
//
//   front.use(http::trace_requests()).use(http::recover());
//
// Without it the server answers 500 as well, and logs why. With it the answer goes back through the middlewares that are further out, which
// add their fields (an X-Request-Id, those of CORS), and may be a problem document.
// Thread safety: calls come from any worker. Lifetime: as the server.
#pragma once

#include <exception>
#include <functional>
#include <optional>

#include <greenroom/http/middleware.hpp>
#include <greenroom/http/problem.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// How what is thrown is answered. Thread safety: as a value.
struct recover_options {
  /// Whether the answer is a problem document (problem.hpp), rather than plain text.
  bool problem_document = false;
  /// Gives the answer for exceptions that it knows, as 409 for a conflict; nothing for the others, which get 500 and are logged. What it throws
  /// itself is one of those.
  std::function<std::optional<response>(const std::exception&)> known{};
};

/// Makes a middleware that answers with 500 where what comes behind it throws. The client learns nothing of the reason; the log line has it, with
/// route, identifier of the request, type and text. A cancellation passes, and so does what is thrown while a body is streamed, as its
/// head is sent by then. server_stats counts such a request as answered, not as failed.
GREENROOM_EXPORT middleware recover(recover_options how = {});

} // namespace greenroom::http
