// limits: what one HTTP server takes in and how long it waits, each with unit, default and reason. None is off by default: a limit
// that nobody thought of is the one that an attacker finds.
// Thread safety: as a value. Lifetime: copied by the server.
#pragma once

#include <chrono>
#include <cstddef>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

struct limits {
  // -- sizes; a request beyond one is answered with the status in brackets and the connection closed ------

  /// Longest request line, from 64 to 65,535 [414; 501 where the method alone is longer]. RFC 9112 section 3 asks for at least 8,000. Units: bytes.
  std::size_t request_line = 8'192;
  /// Longest header section, request line included, from 256 to 65,535 [431]. A connection that is being read holds as much.
  /// Units: bytes.
  std::size_t head = 32'768;
  /// Most header fields, from 1 to 1,000 [431]. More is no browser and no proxy. Units: fields.
  std::size_t fields = 100;
  /// Longest body, chunked or not [413]. A request's body is held in memory as a whole, so that all connections together may hold
  /// this times `connections`: lower one of them where memory is short. Units: bytes.
  std::size_t body = 1'048'576;
  /// Longest line of a chunk's size with its extensions, from 18 to 65,535 [400]. Extensions carry nothing that anybody uses, but
  /// cost as much as a body. Units: bytes.
  std::size_t chunk_line = 256;

  // -- times ----------------------------------------------------------------------------------------------

  /// From the first byte of a request to the end of its header section [408]: who sends slower keeps a place that others need.
  std::chrono::milliseconds head_time{10'000};
  /// From the end of the header section to the end of the body [408].
  std::chrono::milliseconds body_time{30'000};
  /// Between two requests of a connection; it is then closed without a word. Longer than the 60 s after which most proxies in
  /// front give up theirs, so that these do not send into a connection that closes.
  std::chrono::milliseconds idle_time{75'000};
  /// Without the client taking a byte of an answer; the connection is then closed.
  std::chrono::milliseconds write_time{30'000};
  /// For a handler that is not supervised() with a limit of its own [503].
  std::chrono::milliseconds handler_time{30'000};

  // -- numbers --------------------------------------------------------------------------------------------

  /// Most connections at a time, at least 1; the next one is answered with 503 and closed. Each idle one costs about 1 KiB
  /// and a descriptor: keep it below `ulimit -n`. Units: connections.
  std::size_t connections = 16'384;

  /// Finds the first limit that is outside its allowed range. Errors: invalid_argument, naming limit, value and range.
  GREENROOM_EXPORT result<void> check() const;
};

} // namespace greenroom::http
