// server: takes HTTP requests in at one address and has each answered by an actor of its own, under a deadline.
//
//   actor_system sys;
//   http::server front{sys, {.port = 8080}};
//   front.get("/hello", hello);
//   front.get("/task", supervised(2s, slow_task));
//   front.start().value();          // throws the sentence if the port is taken
//   ...
//   front.stop();                   // finishes what it has begun
//
// HTTP/1.1 and 1.0 with keep-alive and pipelining, strictly: a request whose framing leaves any doubt is refused. Several servers may
// live in one process and on one system.
// Thread safety: routes are added by one thread before start(); everything else any thread.
// Lifetime: the actor system outlives the server. The destructor stops it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/http/handler.hpp>
#include <greenroom/http/limits.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/http/middleware.hpp>
#include <greenroom/http/openapi.hpp>
#include <greenroom/http/routes.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/tls.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom::http {

namespace internal {
class server_core;
}

/// One answer, for logs and metrics. Lifetime: of the call that gives it.
struct answered {
  std::string_view method;  ///< "" when the header section could not be read
  std::string_view target;  ///< as sent
  std::string_view route;   ///< its pattern, "/users/{id}"; "" if there is none
  std::string_view peer;    ///< "127.0.0.1:41234"
  const response& answer;   ///< without the fields that the server adds
  std::uint64_t body_bytes; ///< sent, without the framing. Units: bytes
  duration took;            ///< from the end of the request to the end of the answer
  bool cut_off = false;     ///< the client has not got all of it; with the status 499: it left before there was any
  trace_context trace = {}; ///< of the request, where there is http::trace_requests(); see trace.hpp
};

/// Where a server listens, and how it serves and stops. Thread safety: as a value.
struct server_options {
  /// The numeric address to listen at. 0.0.0.0 and :: are all of the machine: mind who can reach it.
  std::string host = "127.0.0.1";
  /// 0 picks a free one; port() says which.
  std::uint16_t port = 8080;
  /// Connections that may wait to be accepted. Units: connections.
  int backlog = 4'096;
  /// What it takes in, and how long it waits.
  http::limits limits = {};
  /// Serves https, if given: see tls.hpp. tls_server::reload() takes new certificates in without a stop. A handshake has the time
  /// limits::head_time.
  std::optional<tls_server> tls{};
  /// How long a stop goes on taking in connections while ready() is false already, so that a load balancer that asks learns of it
  /// before anybody is refused. Longer than the time between two of its questions; 0 where nobody asks.
  std::chrono::milliseconds stop_notice{0};
  /// How long a stop lets the requests under way finish. Shorter than the patience of whoever stops the process.
  std::chrono::milliseconds stop_time{10'000};
  /// Called after each answer, refusals included, and for each request whose client left before. It must not wait, nor throw. Thread safety: calls come from any worker.
  std::function<void(const answered&)> on_answer{};
};

/// What a server has done since its start. Taken while it works, the numbers may be of slightly different moments.
struct server_stats {
  std::uint64_t connections_accepted = 0;    ///< taken in
  std::uint64_t connections_open = 0;        ///< now
  std::uint64_t connections_turned_away = 0; ///< answered with 503 at once: there were too many already
  std::uint64_t requests = 0;                ///< request actors started
  std::uint64_t in_flight = 0;               ///< request actors that have not ended
  std::uint64_t timed_out = 0;               ///< requests whose limit passed first
  std::uint64_t abandoned = 0;               ///< requests whose client left first
  std::uint64_t failed = 0;                  ///< requests whose handler threw or was killed
  std::uint64_t shed = 0;              ///< requests answered with 503 at once: limits::in_flight, limits::queue_age
  std::uint64_t handshakes_failed = 0; ///< connections that came to no TLS
  std::uint64_t refused = 0;           ///< malformed, beyond a limit, or too slow in coming
  std::uint64_t answered_2xx = 0;      ///< answers by the class of their status, refusals included
  std::uint64_t answered_3xx = 0;      ///< the same
  std::uint64_t answered_4xx = 0;      ///< the same
  std::uint64_t answered_5xx = 0;      ///< the same
};

/// A request that a stop has cut off.
struct cut_off_request {
  std::string route; ///< "GET /users/{id}"
  std::string peer;  ///< "127.0.0.1:41234"
  duration age;      ///< since its handler was started; zero if its body was still coming
};

/// How a stop went.
struct server_stop_report {
  std::uint64_t cut_off = 0; ///< requests that were begun, but had no complete answer when the time was over
  std::vector<cut_off_request> requests; ///< the first hundred of them
  std::uint64_t left = 0;                ///< request actors whose code did not return to a wait even then

  /// Returns whether all that was begun was finished.
  bool complete() const noexcept { return cut_off == 0 && left == 0; }
  /// Returns one sentence, which names the first three.
  std::string to_string() const;
};

/// Serves HTTP at one address. Thread safety: see the file comment.
class GREENROOM_EXPORT server : public detail::routing<server> {
public:
  /// Makes a server that does not listen yet. Errors: usage_error with a sentence if an option is out of range.
  explicit server(actor_system& system, server_options options = {});
  /// Stops, with the time of the options. Waits: blocks the thread; a request whose code never returns to a wait holds it up, and
  /// the log says so, since freeing what it uses would be worse. In an actor it waits for nothing: connections and requests are cancelled
  /// at once, and end after it; await stopped() first to have them finish.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Adds a route: "/", "/users/{id}", "/orders/{id:uint}", "/files/{rest...}". A parameter may have a type: uuid, uint (64 bits), int, or
  /// slug (letters, digits, '-', '_'); numbers have no zeros in front. A segment that does not fit leads elsewhere, in the end to 404. At
  /// one place a literal goes first, then uuid, uint, int, slug, a parameter without a type, and the rest, whatever the order in which
  /// they were added. A route for GET serves HEAD too, and OPTIONS is answered by itself.
  /// Errors: usage_error for a pattern that is malformed or taken, and after start().
  server& route(method m, std::string_view pattern, handler h);

  /// Puts a middleware around all routes that are added from here on, inside of those that were given before; see middleware.hpp.
  /// Errors: usage_error after start().
  server& use(middleware m);
  using routing::use;

  /// Adds the routes of a group behind a prefix; see routes.hpp. All of them, or none where there is an error.
  /// Errors: usage_error that names the whole pattern, as routes::mount(), for one that is taken, and after start().
  server& mount(std::string_view prefix, routes group);

  /// Returns the OpenAPI 3.1 document of the routes so far: paths with their parameters, summaries, and what handlers of values
  /// (json.hpp) take and give. Of patterns that differ in the names and types of parameters only, OpenAPI can have one: the one that goes
  /// first; the others stand in its "x-also". Errors: usage_error when two types have one name. Cost: made anew by each call.
  std::string openapi(const openapi_info& info) const;

  /// Listens and begins to serve. Waits: never. Errors: those of transport::listen(), as already_exists when the port is taken;
  /// stopped when the system stops, or the server was stopped; usage_error when called twice.
  result<void> start();

  /// Returns the port, the one that was picked if port 0 was asked for. Requires: start() has succeeded.
  std::uint16_t port() const noexcept;
  /// Returns "http://127.0.0.1:8080", or with https. Requires: start() has succeeded.
  std::string url() const;
  /// Returns what it has done.
  server_stats stats() const noexcept;
  /// Returns whether a stop has begun, the notice included.
  bool stopping() const noexcept;
  /// Returns whether new connections are welcome: it has started and does not stop. For a readiness probe.
  bool ready() const noexcept;

  /// Stops in good order: gives notice (server_options::stop_notice), takes in no more connections, announces the close on those that are
  /// open, finishes every request whose header section was fully read, and after `limit` cancels what is left. Connections that idle
  /// are closed at once.
  /// Waits: blocks the thread until all have ended, up to `limit`, and for a moment longer when requests had to be cancelled.
  /// Errors: usage_error on a worker thread; an actor uses stopped(). Stopping twice is fine.
  server_stop_report stop(std::chrono::milliseconds limit);
  server_stop_report stop();
  /// The same for an actor. Waits: suspends the actor. Cancellation: throws `cancelled`; the stop has begun and is not taken back.
  task<server_stop_report> stopped(std::chrono::milliseconds limit);

private:
  std::unique_ptr<internal::server_core> core_;
};

} // namespace greenroom::http
