// http_client: asks an HTTP server, for tests: over any transport, so also in a simulation. One request at a time, over a connection that
// is kept while the server allows it.
//
//   http_client c(this_actor::system().net(), {"127.0.0.1", front.port()});
//   const auto got = co_await c.get("/hello");                 // result<http_reply>
//   require(got && got->status == 200, "no greeting");
//
// It judges the server: an answer that does not follow RFC 9110 and 9112 to the letter is an error with a sentence, and so are bytes
// beyond it that come before the next request. It follows no redirections and speaks no TLS.
// Thread safety: one actor at a time. Lifetime: the transport outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::testkit {

namespace internal {
class reply_parser;
}

/// Header fields in order: names and values.
using http_fields = std::vector<std::pair<std::string, std::string>>;

/// A complete answer. Thread safety: as a value.
struct http_reply {
  int status = 0;     ///< from 200 to 599
  std::string reason; ///< "Not Found"; may be ""
  http_fields fields; ///< as they came; the trailers of a chunked body are dropped
  std::string body;   ///< taken out of its chunks

  /// Returns the value of the first field of that name, without regard to case; "" if there is none.
  GREENROOM_EXPORT std::string field(std::string_view name) const;
};

/// What an answer may be.
struct http_client_limits {
  std::size_t head = 65'536;     ///< status line and fields, with those of interim answers and trailers. Units: bytes.
  std::size_t body = 67'108'864; ///< Units: bytes.
  /// For the whole request, by the clock of the actor's system, thus virtual in a simulation; duration::max() for ever. Make it
  /// longer than what the server waits for.
  duration time = std::chrono::seconds(30);
};

/// Asks an HTTP server, strictly. Thread safety: one actor at a time.
class GREENROOM_EXPORT http_client {
public:
  /// Makes a client that connects when it is first asked to send. Waits: never.
  http_client(transport& net, endpoint server, http_client_limits most = {});
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Sends a request and reads the answer to it: send() without further fields.
  task<result<http_reply>> get(std::string target);
  /// The same with a body.
  task<result<http_reply>> post(std::string target, std::string body, std::string content_type = "text/plain");

  /// Sends a request, over the kept connection or a new one, and reads the answer; interim answers (1xx) are passed over. Host and
  /// Content-Length are added, Host only if it is not given. When a kept connection turns out to be closed by the server before a
  /// byte of the answer came, a request of a method that may be repeated (RFC 9110 section 9.2.2) is sent once more.
  /// Requires: fields stand in a variable: g++ 12 does not compile a list within a co_await expression.
  /// Waits: suspends the actor, for http_client_limits::time at most.
  /// Cancellation: throws `cancelled`; the connection is closed, so that the next request gets no foreign answer.
  /// Errors: invalid_argument for a request that is not well-formed, for CONNECT, and for fields that the client writes; those of
  /// transport::connect(); timed_out; io when the connection ended before the answer was complete; parse when the answer is malformed
  /// or followed by bytes that nobody asked for; limit when it is too large; unsupported for transfer codings other than chunked.
  task<result<http_reply>> send(std::string method, std::string target, http_fields fields, std::string body);

  /// Counts the connections made so far. Units: connections.
  std::uint64_t connections() const noexcept { return connections_; }
  /// Closes the kept connection, if there is one.
  void disconnect() noexcept { kept_.reset(); }

private:
  struct order;
  static result<order> prepare(const endpoint& server, const std::string& method, const std::string& target,
                               const http_fields& fields, const std::string& body);
  task<result<http_reply>> exchange(const order* what);
  task<result<bool>> ask(stream* io, std::string_view bytes, internal::reply_parser* parser);
  result<std::unique_ptr<stream>> take_kept();

  transport& net_;
  const endpoint server_;
  const http_client_limits most_;
  std::unique_ptr<stream> kept_; // idle, with nothing to read
  std::uint64_t connections_ = 0;
};

} // namespace greenroom::testkit
