// Addresses of TCP sockets and their texts.
// Thread safety: as values.
#pragma once

#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::internal {

/// An IPv4 or IPv6 address with its port. Not sockaddr_storage, as each connection keeps one.
struct socket_address {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size = sizeof(v6);

  socket_address() noexcept : v6{} {}
  std::uint16_t port() const noexcept;
  /// Returns "127.0.0.1:80" or "[::1]:80".
  std::string to_string() const;
};

/// Reads a numeric address. Errors: not_found for anything else.
result<socket_address> numeric_address(const endpoint& at);

/// Looks a name up. Waits: blocks the thread. Errors: not_found; io when the name service did not answer. Never empty.
result<std::vector<socket_address>> look_up(const endpoint& at);

} // namespace greenroom::internal
