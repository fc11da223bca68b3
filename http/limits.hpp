// limits: what one HTTP server takes in and how long it waits, each with unit, default and reason. None is off by default: a limit
// that nobody thought of is the one that an attacker finds.
// Thread safety: as a value. Lifetime: copied by the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

/// The limits of a server. Thread safety: as a value.
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
  /// Longest body of a request whose handler takes it as a http::body_reader, so that it is never held as a whole [413]. Units: bytes.
  std::uint64_t streamed_body = 1'073'741'824;
  /// Longest line of a chunk's size with its extensions, from 18 to 65,535 [400]. Extensions carry nothing that anybody uses, but
  /// cost as much as a body. Units: bytes.
  std::size_t chunk_line = 256;

  // -- times ----------------------------------------------------------------------------------------------

  /// From the first byte of a request to the end of its header section [408]: who sends slower keeps a place that others need.
  std::chrono::milliseconds head_time{10'000};
  /// From the end of the header section to the end of the body [408]. Where the handler takes it as a http::body_reader: between two
  /// parts of it.
  std::chrono::milliseconds body_time{30'000};
  /// Between two requests of a connection; it is then closed without a word. Longer than the 60 s after which most proxies in
  /// front give up theirs, so that these do not send into a connection that closes.
  std::chrono::milliseconds idle_time{75'000};
  /// Without the client taking a byte of an answer; the connection is then closed.
  std::chrono::milliseconds write_time{30'000};
  /// Least that a client takes of an answer on average, once it has been slow for write_time: who takes a byte now and then keeps a
  /// place, and an answer in memory. 0 is off. Units: bytes a second.
  std::uint64_t write_rate = 256;
  /// For a handler that is not supervised() with a limit of its own [503].
  std::chrono::milliseconds handler_time{30'000};
  /// From the end of a request to the first turn of its handler, once no turn has come within half of it for a tenth of a second [503,
  /// Retry-After]: then the workers are overloaded, up to the next such turn; a late one within a second of that goes on with it.
  /// The queue stays short, so that what is begun is done in time, and who is refused may soon ask another server: a request waits
  /// twice, since its connection must have a turn to read it, too. Give more where handlers compute for as long.
  std::chrono::milliseconds queue_age{30};

  // -- numbers --------------------------------------------------------------------------------------------

  /// Most connections at a time, at least 1; the next one is answered with 503 and closed at once, its request unread, which may cost it
  /// the answer on its way. Each idle one costs about 1 KiB and a descriptor: keep it below `ulimit -n`. Units: connections.
  std::size_t connections = 16'384;
  /// Most connections at a time from one address, at least 1; the next one is turned away as above. The default leaves half of
  /// the places to others; it is not lower, since behind a proxy all come from one address. Units: connections.
  std::size_t connections_per_address = 8'192;
  /// Most requests whose handlers wait for something at a time, at least 1 [503, Retry-After]. Each holds its actor, and its body. Units:
  /// requests.
  std::size_t in_flight = 8'192;

  /// Finds the first limit that is outside its allowed range. Errors: invalid_argument, naming limit, value and range.
  GREENROOM_EXPORT result<void> check() const;
};

} // namespace greenroom::http
