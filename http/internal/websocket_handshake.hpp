// The handshake that turns an HTTP/1.1 connection into a WebSocket, both sides of it, as texts in and out: nothing here reads or writes a
// connection.
// No extension is agreed on: permessage-deflate is optional, and compressing a peer's secrets beside its own input has its own attacks.
// Thread safety: pure functions; new_key() any thread. Source: RFC 6455 sections 4 and 10.2.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/http/websocket_options.hpp>

namespace greenroom::http::internal {

// -- the server's side --------------------------------------------------------------------------------------

/// What a request for a WebSocket is answered.
struct upgrade_answer {
  /// 101: behind the answer, which has no body, the connection is a WebSocket. Otherwise it stays HTTP:
  /// 400 malformed, 403 a foreign origin, 405 not a GET, 426 no WebSocket or none of our version.
  int status = 101;
  /// All that the status asks for; for 101 and 426 that includes `Upgrade`, which goes with `Connection: upgrade`.
  std::vector<std::pair<std::string, std::string>> fields = {};
  /// The subprotocol that was picked; "" for none.
  std::string protocol = {};
  /// For a refusal: a sentence for the client.
  std::string why = {};

  bool accepted() const noexcept { return status == 101; }
};

/// Says what to answer. Requires: the limits of HTTP held for the request; its body, if any, is complete.
upgrade_answer answer_upgrade(const request& asked, const websocket_options& how);

/// Returns the Sec-WebSocket-Accept that belongs to a Sec-WebSocket-Key.
std::string accept_key(std::string_view key);

// -- the client's side --------------------------------------------------------------------------------------

/// Draws a Sec-WebSocket-Key.
std::string new_key();

/// Returns the head of the request. Errors: invalid_argument for a host or a target that no request can have, and as
/// websocket_options::check().
result<std::string> upgrade_request(std::string_view host, std::string_view target, std::string_view key,
                                    const websocket_options& how);

/// Longest head of an answer, with its empty line. Units: bytes.
inline constexpr std::size_t most_answer = 16'384;

/// Checks the head of the server's answer, without its empty line, and gives the subprotocol that was picked, "" for none.
/// Errors: parse with a sentence, naming the status if that is not 101.
result<std::string> check_upgrade(std::string_view head, std::string_view key, const websocket_options& how);

} // namespace greenroom::http::internal
