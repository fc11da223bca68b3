// Turns responses into bytes.
// Thread safety: any thread; the cached date is each thread's own.
#pragma once

#include <chrono>
#include <string_view>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/frame_allocator.hpp>

namespace greenroom::http::internal {

/// What the request asks of the form of its answer.
struct answer_form {
  bool without_body = false;   // HEAD
  bool close = false;          // the connection ends behind it
  bool old_keep_alive = false; // HTTP/1.0 that asked to be kept: it must be told
  bool chunked = false;        // a streamed body of unknown length goes in chunks; else until the connection ends
};

/// Returns whether an answer with that status has content, if its request was not HEAD.
bool may_have_body(int status) noexcept;

/// Appends the answer as it goes over the wire; of one that goes on its head. Source: RFC 9110 sections 8.6 (Content-Length), 6.6.1 (Date), RFC 9112 section 9.6.
void write_response(greenroom::detail::pooled_string& out, const response& answer, answer_form form,
                    std::chrono::sys_seconds now);

/// Appends a part of a chunked body. Requires: it is not empty, which would be the end.
void append_chunk(greenroom::detail::pooled_string& out, std::string_view part);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

} // namespace greenroom::http::internal
