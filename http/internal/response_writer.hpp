// Turns responses into bytes.
// Thread safety: any thread; the cached date is each thread's own.
#pragma once

#include <chrono>
#include <string>

#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

/// What the request asks of the form of its answer.
struct answer_form {
  bool without_body = false;   // HEAD
  bool close = false;          // the connection ends behind it
  bool old_keep_alive = false; // HTTP/1.0 that asked to be kept: it must be told
};

/// Appends the answer as it goes over the wire. Source: RFC 9110 sections 8.6 (Content-Length), 6.6.1 (Date), RFC 9112 section 9.6.
void write_response(std::string& out, const response& answer, answer_form form,
                    std::chrono::system_clock::time_point now);

} // namespace greenroom::http::internal
