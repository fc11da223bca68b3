// websocket_options: what a WebSocket takes in, how long it waits, and what its handshake agrees on, each with unit, default and reason.
// None of the limits is off by default: a limit that nobody thought of is the one that an attacker finds.
// Thread safety: as a value. Lifetime: a socket copies the limits; the rest is needed for its handshake only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

/// Which end of the connection we are: a client masks what it sends, a server must not. Source: RFC 6455 section 5.1.
enum class websocket_role : std::uint8_t { server, client };

/// Why a WebSocket was closed. A program's own codes are 4000 to 4999. Source: RFC 6455 section 7.4, and the registry of IANA.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;         ///< what the connection was for is done
inline constexpr std::uint16_t going_away = 1001;     ///< the server stops, or the browser leaves the page
inline constexpr std::uint16_t protocol_error = 1002; ///< the peer broke the protocol
inline constexpr std::uint16_t unacceptable =
    1003;                                       ///< a kind of message that cannot be taken, as binary instead of text
inline constexpr std::uint16_t none = 1005;     ///< never sent: the peer's close frame gave no code
inline constexpr std::uint16_t abnormal = 1006; ///< never sent: no close frame came
inline constexpr std::uint16_t invalid_data = 1007;    ///< a text that is not UTF-8
inline constexpr std::uint16_t policy = 1008;          ///< against a rule that no other code names
inline constexpr std::uint16_t too_big = 1009;         ///< a message beyond a limit
inline constexpr std::uint16_t internal_error = 1011;  ///< the server met what it did not expect
inline constexpr std::uint16_t try_again_later = 1013; ///< the server is overloaded
} // namespace close_code

/// What a WebSocket takes in, and how long it waits. Thread safety: as a value.
struct websocket_limits {
  // -- sizes; a peer that goes beyond one is told 1009, and the connection ends ----------------------------

  /// Longest message, all its frames together. It is held in memory as a whole until it is complete. Units: bytes.
  std::size_t message = 1'048'576;
  /// Longest frame of a message. Its length comes before its bytes, so one that is too long is refused before it is held. Lower than
  /// `message` for peers that are known to split theirs. Units: bytes.
  std::size_t frame = 1'048'576;
  /// Most frames of one message, at least 1. An empty frame costs its sender two bytes and adds none to the message, so that no other
  /// limit would end it. The default allows a whole message in frames of 64 bytes. Units: frames.
  std::size_t fragments = 16'384;

  // -- times ----------------------------------------------------------------------------------------------

  /// Without a byte from the peer; it is then sent a ping. Half of the 60 s after which many proxies give up an idle connection.
  std::chrono::milliseconds ping_after{30'000};
  /// From that ping to any sign of life; the connection is then closed, since nobody is there. Longer than a phone takes to
  /// find its network again.
  std::chrono::milliseconds pong_time{20'000};
  /// From the first byte of a message to its last; the peer is then told 1008. Who sends slower keeps memory that others need.
  std::chrono::milliseconds message_time{30'000};
  /// Without the peer taking a byte of what is sent to it; the connection is then closed.
  std::chrono::milliseconds write_time{30'000};
  /// For the peer's part of the close: its answer to our close frame, its end of the connection, and reading our last words after a
  /// fault. A few round trips of a bad network.
  std::chrono::milliseconds close_time{5'000};
  /// For a client: from the request to the end of the server's answer.
  std::chrono::milliseconds handshake_time{10'000};

  /// Finds the first limit that is outside its allowed range. Errors: invalid_argument, naming limit, value and range.
  GREENROOM_EXPORT result<void> check() const;
};

/// What a handshake agrees on. Thread safety: as a value.
struct websocket_options {
  /// Of the socket.
  websocket_limits limits = {};
  /// Subprotocols. A server picks the first of its own that the client offers, and none if there is no such one; a client offers
  /// them in this order. Each is a token: "chat.v2".
  std::vector<std::string> protocols = {};
  /// For a server: the origins whose pages may connect, "https://shop.example" or "https://shop.example:8443", "*" for all. Empty:
  /// those of the host that was asked for. Browsers let any page connect to any server, and send the user's cookies along
  /// (cross-site WebSocket hijacking); only this check keeps a foreign page from acting as the user. A request without an Origin comes
  /// from no browser and is taken. Name the origins where the server can be reached by names that are not its own (DNS rebinding).
  std::vector<std::string> origins = {};
  /// For a client: further fields of its request, as Authorization, Cookie, or Origin.
  std::vector<std::pair<std::string, std::string>> fields = {};

  /// As websocket_limits::check(), and finds a protocol that is no token or stands twice, and a field that is malformed or belongs
  /// to the handshake itself. Errors: invalid_argument.
  GREENROOM_EXPORT result<void> check() const;
};

} // namespace greenroom::http
