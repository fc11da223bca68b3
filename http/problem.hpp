// problem: answers that say what went wrong in a form that programs can read, `application/problem+json`.
//
//   return http::problem(404, "there is no order 7");
//   return http::problem(error(errc::limit, "the shop takes 10 orders a minute"));      // 429
//
// When to use: for the errors of what answers with JSON; json_handler() makes its own so, and from a result<T> that is an error.
// Thread safety: pure functions. Lifetime: what they return owns its bytes.
// Source: RFC 9457; `type` is left out, which means "about:blank": the status says all.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

/// What is wrong with one part of a document.
struct document_fault {
  std::string pointer; ///< its path, "/items/3/price"; "" is the whole. Source: RFC 6901
  std::string detail;  ///< what is wrong there, for people
};

/// Answers with a problem: its title is the phrase of the status, `detail` a sentence for the client, left out if it is "". Bytes in it that
/// are not UTF-8 become U+FFFD. Errors: usage_error unless the status is from 400 to 599.
GREENROOM_EXPORT response problem(int status, std::string_view detail = {},
                                  std::span<const document_fault> faults = {});

/// Returns the status that tells of an error:
///
/// | error | status |
/// |---|---|
/// | parse | 400 |
/// | not_found | 404 |
/// | already_exists | 409 |
/// | invalid_argument, type_mismatch | 422 |
/// | limit | 429 |
/// | unsupported | 501 |
/// | upstream | 502 |
/// | full, closed, stopped, unavailable, cancelled, no_reply | 503 |
/// | timed_out | 504 |
/// | io, failed, killed, empty, and any other | 500 |
GREENROOM_EXPORT int status_of(errc code) noexcept;

/// Answers with the problem of an error. Below 500 its detail is the error's message, so that must be one for the client. From 500 on it is a
/// fixed sentence: what has failed inside is not the client's business, and belongs into the log, where json_handler() writes it. 429 and
/// 503 say when to try again (`Retry-After: 1`).
GREENROOM_EXPORT response problem(const error& why);

} // namespace greenroom::http
