// transport: byte streams between programs, behind an interface, so that a simulated network or one in memory can take the place of
// TCP. A system's own is actor_system::net(); whoever makes connections takes that, and runs in a simulation too.
//
//   auto& net = this_actor::system().net();
//   auto made = co_await with_timeout(2s, net.connect({"127.0.0.1", 8080}));   // result<std::unique_ptr<stream>>
//   auto sent = co_await (*made)->write_all(std::as_bytes(std::span(text)));
//
// Underneath is a pair for each direction: try_...(), which never waits, and a wait for the moment when trying again is worth it, which
// is also a case for select(). Who has many connections uses the pair and holds a buffer only while something is there.
// Thread safety: transport any thread; listener and stream as noted at their classes.
// Lifetime: none may be used after its system has ended, which closes what is still open; destroying them then is fine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/readiness.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

class actor_system;

/// Where something listens.
struct endpoint {
  // No aggregate: g++ 12 copies one that is made by braces within a co_await expression bit by bit, and its string breaks.
  endpoint() = default;
  /// Names a host and a port.
  endpoint(std::string the_host, std::uint16_t the_port) : host(std::move(the_host)), port(the_port) {}

  std::string host;       ///< "127.0.0.1", "::1"; to connect also a name
  std::uint16_t port = 0; ///< 0 to listen at a free one

  /// Returns "127.0.0.1:80" or "[::1]:80".
  GREENROOM_EXPORT std::string to_string() const;
};

/// How to listen. Thread safety: as a value.
struct listen_options {
  /// Connections that may wait to be accepted, at least 1. More survive a burst; the system's own limit
  /// (net.core.somaxconn) holds too. Units: connections.
  int backlog = 4096;
};

/// What is known of the other side of a connection, see stream::peer_state().
enum class peer_state : std::uint8_t {
  there,
  ended, ///< it sends no more: it has closed, or ended its sending
  broken ///< the connection is gone, as by a reset
};

/// One connection. Its destructor closes it.
/// Thread safety: one actor may read while another writes; wake() and close() any thread, the rest by one actor at a time.
/// Lifetime: outlives the calls that are under way.
class GREENROOM_EXPORT stream {
public:
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  virtual ~stream();

  /// Reads what is there, at most as much as `into` holds; 0 at the end of what the peer sends.
  /// Requires: `into` is not empty. Waits: never. Errors: empty when there is nothing yet; io when the connection broke, as by a
  /// reset; closed after close(). Units: bytes.
  virtual result<std::size_t> try_read(std::span<std::byte> into) = 0;
  /// Writes what the peer takes now of `bytes`, at least one. Waits: never. Errors: full when it takes nothing; otherwise as
  /// try_read(). Units: bytes.
  virtual result<std::size_t> try_write(std::span<const std::byte> bytes) = 0;

  /// Waits until there is something to read, the end or an error. In rare cases it returns early: try, and wait again. Also a select
  /// case. Gives true; the timed form false when the time passed first.
  /// Waits: suspends the actor. Cancellation: throws `cancelled`; the stream stays usable.
  auto readable() noexcept { return detail::queued_op(action(detail::io_side::reading)); }
  /// The same with a limit; gives false when the time passed first.
  auto readable_until(time_point deadline) noexcept {
    return detail::queued_op(action(detail::io_side::reading), deadline);
  }
  /// The same for room to write.
  auto writable() noexcept { return detail::queued_op(action(detail::io_side::writing)); }
  /// The same with a limit.
  auto writable_until(time_point deadline) noexcept {
    return detail::queued_op(action(detail::io_side::writing), deadline);
  }
  /// A select case that never wins, for one that is switched off.
  static auto not_ready() noexcept {
    return detail::queued_op(detail::readiness_action(nullptr, detail::io_side::reading, nullptr));
  }

  /// Reads as try_read() does, and waits while there is nothing. Requires: `into` stays until the call has ended.
  /// Waits: suspends the actor until something has come. Cancellation: throws `cancelled`, having read nothing; the stream stays
  /// usable. Errors: io, closed.
  task<result<std::size_t>> read_some(std::span<std::byte> into);
  /// Writes all of `bytes`, which must stay until the call has ended.
  /// Waits: suspends the actor while the peer takes no more: back-pressure.
  /// Cancellation: throws `cancelled`; a part may have been written. Errors: io, closed.
  task<result<void>> write_all(std::span<const std::byte> bytes);

  /// Ends the waits for readability and writability that are under way; where there is none, the next one ends at once. For an
  /// actor that should look at something else. Thread safety: any thread.
  void wake() noexcept { source_.interrupt(); }

  /// Tells the peer that no more will be sent; reading goes on. The peer learns it after all that was written.
  virtual void shutdown_send() noexcept = 0;

  /// Closes the connection; what was written is still delivered, unless there is input that was not read: the peer then gets a
  /// reset. Calls under way on it end with errc::closed. Thread safety: any thread. Closing twice is fine.
  virtual void close() noexcept = 0;

  /// Looks for the other side past what it has sent and nobody has read: reading alone would show its end only behind that.
  /// Waits: never. Cost: a system call. May be `there` where that is not known.
  virtual greenroom::peer_state peer_state() const noexcept { return greenroom::peer_state::there; }

  /// Returns the peer's address, "127.0.0.1:41234".
  virtual std::string peer() const = 0;

protected:
  /// Requires: `source` outlives the stream.
  explicit stream(detail::readiness_source& source) noexcept : source_(source) {}
  /// For a stream over another one: it waits where that one does.
  static detail::readiness_source& source_of(stream& of) noexcept { return of.source_; }

private:
  detail::readiness_action action(detail::io_side side) noexcept { return {&source_, side, this}; }

  detail::readiness_source& source_;
};

/// Takes in connections. Its destructor closes it.
/// Thread safety: any thread. Lifetime: outlives the calls that are under way.
class GREENROOM_EXPORT listener {
public:
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  virtual ~listener();

  /// Takes the next connection; never a null pointer. Waits: never.
  /// Errors: empty when none has come; closed after close(); limit when there are no file descriptors left: the connection then
  /// waits in the queue, so let some time pass before the next try; io for anything else.
  virtual result<std::unique_ptr<stream>> try_accept() = 0;
  /// Waits until a connection has come; as stream::readable(). Several actors may wait, each connection goes to one of them.
  auto acceptable() noexcept {
    return detail::queued_op(detail::readiness_action(&source_, detail::io_side::reading, this));
  }
  /// Takes the next connection, and waits while there is none. Waits: suspends the actor.
  /// Cancellation: throws `cancelled`, having taken none. Errors: closed, limit, io.
  task<result<std::unique_ptr<stream>>> accept();

  /// Returns the port, the one that was picked if port 0 was asked for.
  virtual std::uint16_t port() const noexcept = 0;

  /// Takes in no more; calls of accept() under way end with errc::closed. Thread safety: any thread. Closing twice is fine.
  virtual void close() noexcept = 0;

protected:
  /// Requires: `source` outlives the listener.
  explicit listener(detail::readiness_source& source) noexcept : source_(source) {}

private:
  detail::readiness_source& source_;
};

/// Makes listeners and connections. Thread safety: any thread.
class GREENROOM_EXPORT transport {
public:
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;
  virtual ~transport();

  /// Listens at a numeric address; port 0 picks a free one. Waits: never.
  /// Errors: invalid_argument when the host is no address or the backlog none; already_exists when the port is taken; io.
  virtual result<std::unique_ptr<listener>> listen(const endpoint& at, const listen_options& how = {}) = 0;

  /// Connects to an address, or to a name: then to the first of its addresses that answers. Never a null pointer.
  /// Waits: suspends the actor, for minutes if nobody answers: give it a limit with with_timeout().
  /// Cancellation: throws `cancelled`. Errors: not_found for an unknown name; io, naming host and port, as when nobody listens.
  virtual task<result<std::unique_ptr<stream>>> connect(endpoint to) = 0;

protected:
  transport() = default;
};

/// Returns the TCP of the machine for a system's actors, also when its environment names another transport; for a transport that
/// wraps it. Its streams belong to the workers in turn, those it connects to the worker of the calling actor.
/// Errors: its calls fail with unsupported in a system whose executor is not its own team of workers.
GREENROOM_EXPORT transport& real_transport(actor_system& system) noexcept;

} // namespace greenroom
