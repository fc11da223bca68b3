// client: asks HTTP servers, from actors: HTTP/1.1 over connections that are kept and shared, under the deadline of whoever asks.
//
//   http::client web(sys, {.connections_per_host = 16});
//   auto got = co_await web.get("http://127.0.0.1:8080/quote?id=7");    // result<http::client_response>
//
//   http::client_request q(http::method::post, "http://127.0.0.1:8080/orders");
//   q.header("Content-Type", "application/json").body(text).limit(2s);
//   auto made = co_await web.send(std::move(q));
//
// Any status is an answer; an error is that there is none, and its text says why. That is for the log: problem() keeps it from strangers.
// Make one client and keep it: its connections and its budget of retries are what protects the servers behind it.
// Thread safety: any thread; the calls belong to actors. Lifetime: the actor system outlives the client. A client may be destroyed while
// calls are under way, which then end as they would have.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <greenroom/http/client_message.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http {

namespace internal {
class client_core;
struct incoming;
} // namespace internal

/// How a client connects, waits and retries. Thread safety: as a value.
struct client_options {
  // -- connections ----------------------------------------------------------------------------------------

  /// Most connections to one host and port, from 1 to 65,535. Who needs one more waits in line, under its own deadline. More than a
  /// server works on at once only moves the line to the server. Units: connections.
  std::size_t connections_per_host = 64;
  /// Most connections that are kept unused, over all hosts; beyond it the one that is unused longest is closed. Units: connections.
  std::size_t idle_connections = 256;
  /// How long one is kept unused. Shorter than the patience of usual servers (60 s and up), so that it is we who close.
  std::chrono::milliseconds idle_time{50'000};
  /// For a connection to be made, TLS included; then that attempt has failed.
  std::chrono::milliseconds connect_time{5'000};

  // -- one request ----------------------------------------------------------------------------------------

  /// For a request that has no limit of its own. A context that ends earlier ends it earlier.
  std::chrono::milliseconds request_time{30'000};
  /// Longest header section of an answer, from 256 to 1,048,576. Units: bytes.
  std::size_t head = 32'768;
  /// Most header fields of an answer, from 1 to 10,000. Units: fields.
  std::size_t fields = 100;
  /// Longest body of an answer that is taken in as a whole; client::open() is for longer ones. Units: bytes.
  std::size_t body = 8'388'608;
  /// Most redirections that are followed, one after the other; 0 gives the redirecting answer itself. Go's clients follow 10, too. Where
  /// addresses come from strangers set it to 0: a redirection leads wherever the other side likes, into the own network as well. Another origin
  /// gets neither Authorization nor Cookie nor Proxy-Authorization, but all other fields.
  int redirects = 10;

  // -- retries --------------------------------------------------------------------------------------------

  /// How often a request is sent again at most: one that could not connect; and one that is idempotent and had no answer as the
  /// connection broke, or got 502, 503 or 504.
  int retries = 2;
  /// The longest pause before the first retry; it doubles with each. The pause itself is drawn from 0 up to it, so that clients that failed
  /// together do not come back together; a Retry-After of the server goes before. Source: Brooker, "Exponential Backoff And Jitter", 2015.
  std::chrono::milliseconds retry_pause{100};
  /// What retries and hedges may be of all requests, from 0 to 1: else they double the load of a server that fails under its load.
  double retry_share = 0.1;
  /// So many retries are free before that share counts. Units: retries.
  int retry_reserve = 10;

  // -- hooks ----------------------------------------------------------------------------------------------

  /// Makes a secure stream of one that is connected, for https. None: https is an error.
  std::function<task<result<std::unique_ptr<stream>>>(std::unique_ptr<stream> raw, std::string host)> secure = {};
  /// Gives the value of the field traceparent for a request that is sent under a context; "" sends none. With http::traceparent_of it is the
  /// place of the call itself where the trace is recorded here, see runtime/span.hpp. Source: W3C Trace Context.
  std::function<std::string(const context&)> traceparent = {};

  /// Finds the first option that is outside its allowed range. Errors: invalid_argument, naming option, value and range.
  GREENROOM_EXPORT result<void> check() const;
};

/// What a client has done. Taken while it works, the numbers may be of slightly different moments.
struct client_stats {
  std::uint64_t requests = 0;       ///< calls; retries, hedges and redirections belong to theirs
  std::uint64_t failed = 0;         ///< calls that gave an error; those that were cancelled count as neither
  std::uint64_t retries = 0;        ///< requests sent again after a failure, and
  std::uint64_t retries_denied = 0; ///< not sent again, as the budget was used up
  std::uint64_t hedges = 0;         ///< requests sent a second time as the first was slow
  std::uint64_t redirects = 0;      ///< redirections followed
  std::uint64_t opened = 0;         ///< connections made
  std::uint64_t reused = 0;         ///< requests sent over a connection that was kept
  std::uint64_t stale = 0;          ///< kept connections that turned out to be closed
  std::uint64_t open = 0;           ///< connections now, and
  std::uint64_t idle = 0;           ///< those of them that nobody uses
  std::uint64_t waiting = 0;        ///< calls that wait for a connection now
};

/// An answer whose body is read piece by piece. Destroying it before its end closes its connection.
/// Thread safety: owner only; it may be moved to another actor.
class GREENROOM_EXPORT streamed_response : public response_head {
public:
  streamed_response(streamed_response&&) noexcept;
  streamed_response& operator=(streamed_response&&) noexcept;
  ~streamed_response();

  /// Reads the next piece of the body, decoded of its chunks, at most 64 KiB; "" at its end. What is not read is not taken in: the server
  /// has to wait. Waits: suspends the actor until a piece has come, as long as the request's limit. Cancellation: throws `cancelled`, having
  /// read nothing; it can be read on. Errors: timed_out, and it can be read on; upstream when the connection ended early or the body is
  /// malformed: for good.
  task<result<std::string>> read();

  /// For the client.
  explicit streamed_response(std::unique_ptr<internal::incoming> from) noexcept;

private:
  std::unique_ptr<internal::incoming> from_;
};

/// Asks HTTP servers. Thread safety: any thread; the calls belong to actors.
class GREENROOM_EXPORT client {
public:
  /// Makes a client that connects through the system's net() when it is first asked. Waits: never.
  /// Errors: usage_error with a sentence if an option is out of range.
  explicit client(actor_system& system, client_options options = {});
  /// Closes the connections that nobody uses. Waits: never.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Sends a request and gives the whole answer.
  /// Waits: suspends the actor until the answer is complete, for the request's limit at most; in that time for a connection if the host
  /// has as many as it may, first come, first served. Cancellation: throws `cancelled`; a connection in use is closed, and what the server
  /// has begun goes on. Order: none between calls.
  /// Errors: upstream for all that is the matter with the other side: no host of that name, nobody listens, the connection broke, an answer
  /// that is malformed, too large or in a content coding that was not asked for, too many redirections or one that must not be followed.
  /// timed_out; full if all the time was spent on waiting for a connection. unsupported for https without client_options::secure.
  /// invalid_argument for a request that cannot be sent, as to what is no address; its text does not repeat that. The others name the
  /// address, without its query, where secrets often are.
  task<result<client_response>> send(client_request request);
  /// Sends a GET. Waits, Cancellation, Errors: as send().
  task<result<client_response>> get(std::string url);
  /// Sends a POST with a body of that type. Waits, Cancellation, Errors: as send().
  task<result<client_response>> post(std::string url, std::string content_type, std::string body);

  /// Sends a request and gives the front of the answer as soon as that has come; the body can be read on from there, however long it is.
  /// Waits, Cancellation, Errors: as send().
  task<result<streamed_response>> open(client_request request);

  /// Closes the connections that nobody uses. Waits: never.
  void close_idle() noexcept;
  /// Returns what it has done.
  client_stats stats() const;

private:
  std::shared_ptr<internal::client_core> core_;
};

} // namespace greenroom::http
