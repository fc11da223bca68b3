// node: addresses across processes and machines, on CAF's network layer. A node publishes addresses under names; another one that
// connects to it looks them up and gets an ordinary address<T>, also one of requests. Types cross as wire.hpp says.
//
//   node here(sys, {.name = "pricing"});                                  // one that only looks up listens nowhere
//   auto ledger = here.connect("127.0.0.1", 7001);                        // goes on trying until the node `here` ends
//   auto to = co_await ledger.lookup<request<deposit>>("deposits");       // result<address<request<deposit>>>
//   auto done = co_await ask(*to, d, 1s);
//
//   node there(sys, {.name = "ledger", .listen = true, .port = 7001});
//   there.publish("deposits", to_deposits);
//   auto up = there.start();                                              // result<void>
//
// What a send means: `true` is, as ever, that the item is in the mailbox, here: of `capacity` items at most, and as many more are under way as the other
// side takes at once (`window`). Who sends to a slow node waits. Items arrive at most once, those of one sender in order; what is under way when a connection breaks
// is lost, and so is one that is larger than the other node takes, with a line in the log. Requests always get an answer: errc::unavailable when the connection breaks
// before it, errc::limit when request or answer is too large.
// A node that says nothing for `detection` is down: its addresses close, requests fail, monitors get their notice. Then it is tried again, with growing pauses.
// Security: without certificates a node listens and connects on loopback only. With `tls` both sides show one of the same authority.
// Thread safety: any thread. Lifetime: the system outlives the node; its end closes all connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <greenroom/actors/detail/node_carry.hpp>
#include <greenroom/actors/detail/node_flow.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// The certificates of a node, in PEM. It is a server to some and a client to others, so the certificate must allow both and name the host.
struct node_tls {
  std::filesystem::path ca_file;          ///< who issued the certificates of all nodes, and nothing else
  std::filesystem::path certificate_file; ///< this node's
  std::filesystem::path key_file;         ///< of that certificate, not encrypted
};

/// What a node is, to others, and how it goes about them. Thread safety: as a value.
struct node_setup {
  std::string name = {}; ///< what others see, from 1 to 64 characters; no two that talk to each other have the same
  bool listen = false;   ///< whether others may connect
  std::string host = "127.0.0.1"; ///< where; anything but loopback needs `tls`
  std::uint16_t port = 0;         ///< 0 picks a free one
  std::chrono::milliseconds heartbeat{
      500}; ///< how often to say that it lives; more often to a node whose `detection` asks for it
  std::chrono::milliseconds detection{2000}; ///< silence of another node that counts as down; three heartbeats at least
  std::chrono::milliseconds least_pause{100}; ///< between attempts to connect; it doubles up to the next
  std::chrono::milliseconds most_pause{2000}; ///< between attempts
  std::uint32_t most_connections = 1024;      ///< taken in at once, those included that have not said yet who they are
  /// That it takes in a frame, and so in an item or an answer with what goes with it; 65,536 at least. Units: bytes
  std::size_t most_bytes = 4'194'304;
  std::uint32_t window = 256;       ///< items of a stream that may be under way to this node at once, from 1 to 65,536
  std::optional<node_tls> tls = {}; ///< none: loopback only
};

/// How an address at another node is looked up, and what it is like.
struct remote_options {
  std::uint32_t capacity = 64;           ///< of the mailbox on this side
  std::chrono::milliseconds limit{5000}; ///< for the lookup, waiting for the connection included
  /// What becomes of the address when the node is down: it closes, or it stays open and senders wait for the node to come back.
  enum class when_down : std::uint8_t { close, wait } down = when_down::close;
};

/// What a monitor gets, once: that the node is down, or was not up.
struct node_down {
  std::string name; ///< of the node, or its address if it never was up
  std::string why;  ///< in a sentence
};

/// Of a node that one connects to.
enum class link_state : std::uint8_t {
  connecting, ///< it is tried, again and again; or was closed
  up          ///< it has answered, and lives
};

namespace internal {
class node_core;
class peer_core;
} // namespace internal

/// Another node, seen from here. Copies are the same. It is connected to until close(), or the end of the node that made it.
class GREENROOM_EXPORT node_peer {
public:
  /// Gives the address that is published under a name. Waits: until the node has answered, for `limit` at most.
  /// Errors: not_found, with what the node does publish; type_mismatch, with what differs; unavailable when it was not reached in time, with the last reason;
  /// limit, from the 4,097th address on that the connection has at a time. Cancellation: as if it had never been asked.
  template <class T>
  task<result<address<T>>> lookup(std::string name, remote_options how = {}) const {
    return find<T>(core_, std::move(name), how);
  }
  /// Makes a monitor: one notice, as soon as the node is down, at once if it is not up; then the mailbox closes.
  mailbox<node_down> monitor() const;
  /// Returns whether it is there, as far as is known.
  link_state state() const;
  /// Ends the connection for good: its addresses close, monitors get their notice, lookups fail with errc::closed. Waits: never.
  void close() const noexcept;

  /// For node.
  explicit node_peer(std::shared_ptr<internal::peer_core> core) noexcept : core_(std::move(core)) {}

private:
  template <class T>
  static task<result<address<T>>> find(std::shared_ptr<internal::peer_core> core, std::string name,
                                       remote_options how) {
    auto asked = open(core, std::move(name), detail::flow_of<T>::types(), how);
    auto out = co_await std::move(asked);
    if (!out) co_return out.error();
    auto ends = make_mailbox<T>(bounded(how.capacity));
    detail::spawn_carrier(system_of(*core), std::move(ends.in), *std::move(out));
    co_return std::move(ends.out);
  }
  static task<result<std::shared_ptr<detail::outflow>>>
  open(std::shared_ptr<internal::peer_core> core, std::string name, detail::flow_types types, remote_options how);
  static actor_system& system_of(const internal::peer_core& core) noexcept;

  std::shared_ptr<internal::peer_core> core_;
};

/// This process, as others see it. Thread safety: any thread. Cost: a connection has one descriptor and no thread.
class GREENROOM_EXPORT node {
public:
  /// Errors: usage_error for options outside their bounds, for a host that is not loopback without `tls`, and in a build without CAF's io module.
  node(actor_system& sys, node_setup options);
  node(const node&) = delete;
  node& operator=(const node&) = delete;
  ~node();

  /// Listens, if it should. Errors: invalid_argument, it was started before; io; and what tls_server::make() says of the certificates.
  result<void> start();
  /// Returns what others see it as.
  const std::string& name() const noexcept;
  /// Returns where it listens; 0 if it does not.
  std::uint16_t port() const;

  /// Lets others look the address up. It is held weak: publishing keeps no mailbox open. A name whose mailbox has closed is free again.
  /// Errors: already_exists.
  template <class T>
  result<void> publish(std::string name, const address<T>& to) {
    return publish(std::move(name), detail::flow_of<T>::types(), detail::server_of(to), [weak = weak_address<T>(to)] {
      const auto strong = weak.lock();
      return strong && !strong.closed();
    });
  }
  /// Nobody can look it up from now on; who has it keeps it.
  void unpublish(const std::string& name);

  /// Returns a node to be connected to, which begins at once, and again whenever the connection is lost. With a name, another node that
  /// listens there is not talked to. Errors: usage_error as for the constructor.
  node_peer connect(std::string host, std::uint16_t port, std::string name = {});

private:
  result<void> publish(std::string name, detail::flow_types types, detail::flow_server serve,
                       std::function<bool()> is_open);

  std::shared_ptr<internal::node_core> core_;
};

} // namespace greenroom
