// access_log: one line in the log for each answer, for server_options::on_answer.
//
//   how.on_answer = http::access_log(sys.log());
//   how.on_answer = [log = http::access_log(sys.log()), metrics](const http::answered& a) { log(a), metrics(a); };       // with others
//
//   http method=GET target=/users/7?x=1 route=/users/{id} status=200 bytes=5 ms=0.412 peer=127.0.0.1:41234 request_id=3f9a...
//
// Each line begins with "http" and has these fields in this order: method, target, route, status, bytes, ms, cut_off=true where the client has not
// got all of it, peer, trace_id and span_id where there is a trace (the same as in the lines of the handler, see log.hpp), request_id; then `kept` where only a share of the lines is written. A client that left before its answer has status 499. What is empty is written as `-`. A value with other characters than visible ASCII, or with a quotation
// mark, backslash or equals sign in it, is quoted as a C string, so that no client can forge a field or a line.
// Thread safety: calls come from any worker. Lifetime: as the logger.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/log.hpp>

namespace greenroom::http {

/// Which answers get a line, and what stands in it. Thread safety: as a value.
struct access_log_options {
  /// At which level lines are written, by the class of the status: 1xx to 3xx; 4xx; 5xx. `off` writes none.
  log_level good = log_level::info;
  /// Of 4xx.
  log_level client_error = log_level::info;
  /// Of 5xx.
  log_level server_error = log_level::warn;
  /// One of so many good answers is written, drawn at random, with `kept=1/n`; at least 1. Errors and slow answers are written always.
  std::uint32_t keep_one_in = 1;
  /// What takes longer is slow.
  duration slow = std::chrono::seconds(1);
  /// Whether a target is written with its query, which may hold what belongs in no log.
  bool queries = true;
  /// Longest target that is written whole; of a longer one so much and "...". From 16 to 8,192. Units: bytes.
  std::size_t target = 256;
};

/// Makes the consumer. Errors: usage_error if an option is out of range. Cost: formats the line and writes it; blocks the worker for as long as the
/// sinks of the logger do.
GREENROOM_EXPORT std::function<void(const answered&)> access_log(logger to, access_log_options how = {});

/// Returns the line for one answer, without the kept field: for logs of another kind.
GREENROOM_EXPORT std::string access_line(const answered& what, const access_log_options& how = {});

} // namespace greenroom::http
