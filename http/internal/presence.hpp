// What keeps a server from being destroyed while something of it is under way: its acceptor, its connections, and requests that outlive
// theirs. The last one to leave, once a stop has begun, tells whoever waits for that.
// Thread safety: owner only; moved with its owner. Lifetime: the server lives at least as long.
#pragma once

#include <string>
#include <utility>

namespace greenroom::http::internal {

class server_core;

class presence {
public:
  explicit presence(server_core& server) noexcept;
  presence(presence&& other) noexcept : server_(std::exchange(other.server_, nullptr)) {}
  presence& operator=(presence&&) = delete;
  ~presence(); // the last touch: the server may be gone when it returns

  explicit operator bool() const noexcept { return server_ != nullptr; }
  server_core& server() const noexcept { return *server_; }

private:
  server_core* server_; // null: moved from
};

/// The presence of a connection, counted as one. A parameter of its actor, so that it ends also for an actor that never gets a turn.
class open_connection {
public:
  /// `peer` is the client's address with its port; the address is counted in the server's address_counts already.
  open_connection(server_core& server, std::string peer) noexcept;
  open_connection(open_connection&&) noexcept = default;
  open_connection& operator=(open_connection&&) = delete;
  ~open_connection();
  server_core& server() const noexcept { return here_.server(); }
  const std::string& peer() const noexcept { return peer_; }

private:
  presence here_;
  std::string peer_;
};

} // namespace greenroom::http::internal
