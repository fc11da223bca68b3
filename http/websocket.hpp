// websocket: messages in both directions over one connection, RFC 6455, as its server or its client.
//
//   task<> chat(http::websocket ws) {
//     for (;;) {
//       auto m = co_await ws.receive();                           // closed when the peer has closed
//       if (!m) co_return;
//       auto sent = co_await ws.send_text(std::move(m->data));    // waits while the peer takes nothing: back-pressure
//       if (!sent) co_return;
//     }
//   }
//
// Who also has items to send receives from both at once: `co_await ws.receive_or(news)`. Pings are answered, and an idle peer is pinged,
// while the actor is in one of the receiving waits. Nothing else runs for a socket: no actor, no thread.
// Thread safety: one actor at a time, one call at a time. Lifetime: it ends before its actor system. Its destructor closes the connection,
// and before that tells the peer 1001, going away, if no close was under way: only close() can say that all was done.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/websocket_options.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http {

namespace internal {
class websocket_core;
}

/// One message. A text is UTF-8, which has been checked.
struct websocket_message {
  // No aggregate: g++ 12 breaks those that are made within a co_await expression.
  websocket_message() = default;
  /// Makes a message.
  websocket_message(bool text, std::string bytes) noexcept : is_text(text), data(std::move(bytes)) {}

  bool is_text = false; ///< else it is binary
  std::string data;     ///< all of it, whatever the frames
};

/// What receive_or() gives: a message, or an item, or neither: the mailbox has closed and is empty.
template <class T>
struct message_or {
  message_or() = default;
  /// Holds one of the two.
  explicit message_or(websocket_message&& m) : message(std::move(m)) {}
  explicit message_or(std::optional<T>&& i) : item(std::move(i)) {}

  std::optional<websocket_message> message; ///< of the peer
  std::optional<T> item;                    ///< of the mailbox
};

/// One connection. Default-constructed or moved from: none; it may be assigned to and destroyed.
class GREENROOM_EXPORT websocket {
public:
  websocket() noexcept;
  /// Takes over a connection behind its handshake; `input` is what was read behind that already.
  /// Errors: usage_error when a limit is out of range.
  explicit websocket(std::shared_ptr<stream> io, websocket_role me, const websocket_limits& limits = {},
                     std::string protocol = {}, std::string input = {});
  websocket(websocket&&) noexcept;
  websocket& operator=(websocket&&) noexcept;
  ~websocket();
  explicit operator bool() const noexcept { return core_ != nullptr; }

  // -- receiving ----------------------------------------------------------------------------------------
  // Errors, of these and of sending: closed once either end has closed in order, peer_code() says how; parse when the peer broke the
  // protocol, limit when it went beyond one; timed_out when it was too slow, or gave no sign of life; io when the connection broke, or
  // ended without a close frame. The first one stays: it is given again by each further call.

  /// Receives the next message; answers pings, and the peer's close.
  /// Waits: suspends the actor until a message is complete. After a fault of the peer it lets it read why, for close_time at most.
  /// Cancellation: throws `cancelled`; no message is lost, and the socket stays usable.
  task<result<websocket_message>> receive();

  /// Receives the next message, or the next item of a mailbox, whichever is first; where both go on and on, in turns.
  /// Waits and Cancellation: as receive(); no item is lost.
  template <class T>
  task<result<message_or<T>>> receive_or(mailbox<T> box);

  // For a select of one's own: `co_await select(ws.readable(), ws.writable(), at(ws.due()), ...)`, whichever of the three wins then
  // try_receive(). All three belong in it: pings, answers and limits depend on them.

  /// Receives a message if one is there, and does what is due. Waits: never. Errors: also empty, while none is complete.
  result<websocket_message> try_receive();
  /// A case that wins when try_receive() is worth a call.
  auto readable() noexcept { return wants_input() ? connection().readable() : stream::not_ready(); }
  /// The same for what waits to be written; it never wins while there is nothing.
  auto writable() noexcept { return wants_output() ? connection().writable() : stream::not_ready(); }
  /// Returns when try_receive() is due though nothing has come.
  time_point due() noexcept;

  // -- sending ------------------------------------------------------------------------------------------

  /// Sends a message, in one frame. Waits: suspends the actor until the peer's system has taken all of it: back-pressure.
  /// Cancellation: throws `cancelled`; the message was not begun, or the rest of it goes with the next call.
  /// Errors: as receiving; timed_out when the peer takes nothing for write_time; invalid_argument for a text that is not UTF-8,
  /// of which nothing is sent.
  task<result<void>> send_text(std::string text);
  /// The same for bytes that are no text.
  task<result<void>> send_binary(std::string bytes);
  /// Asks for a sign of life; it may carry 125 bytes. Waits: as send_text(), not for the answer: receiving sees that, and the lack of
  /// it. Errors: also invalid_argument when it is too long.
  task<result<void>> ping(std::string payload = {});

  /// Closes in order: sends a close frame behind all that was sent, and waits for the peer's; its messages in between are dropped.
  /// A reason of more than 123 bytes is cut. The connection is closed in any case; success means that the peer has answered.
  /// Waits: suspends the actor for close_time at most. Cancellation: throws `cancelled`; the connection is then only good to be
  /// destroyed. Errors: timed_out, io; invalid_argument, and nothing happens, for a code that is never sent (it must be 1000 to
  /// 1003, 1007 to 1014, or 3000 to 4999) and for a reason that is not UTF-8; if it was closed before, why.
  task<result<void>> close(std::uint16_t code = close_code::normal, std::string reason = {});

  // -- looking ------------------------------------------------------------------------------------------
  /// Returns whether messages may be sent, as far as is known.
  bool is_open() const noexcept;
  /// Returns the code of the peer's close frame; close_code::none if it gave none, close_code::abnormal while none has come.
  std::uint16_t peer_code() const noexcept;
  /// Returns the reason of the peer's close frame, UTF-8 in its words: mind what is done with it. Lifetime: as this object's.
  std::string_view peer_reason() const noexcept;
  /// Returns the subprotocol that was agreed on, "" for none.
  std::string_view protocol() const noexcept;
  /// Returns the peer's address, "127.0.0.1:41234".
  std::string peer() const;

private:
  stream& connection() noexcept;
  bool wants_input() noexcept;
  bool wants_output() const noexcept;
  bool other_goes_first() noexcept;
  void release_memory() noexcept;

  std::unique_ptr<internal::websocket_core> core_;
};

/// Opens a WebSocket as its client, over a connection to the server: asks for `target` at `host`, the name that the server goes by, with
/// the port if that is not the usual one ("shop.example:8080").
/// Waits: suspends the actor until the server has answered, for handshake_time at most. Cancellation: throws `cancelled`; the
/// connection is closed. Errors: as those of websocket; parse with the status when the server refuses; invalid_argument for
/// options, a host or a target that cannot be.
GREENROOM_EXPORT task<result<websocket>> websocket_handshake(std::unique_ptr<stream> io, std::string host,
                                                             std::string target, websocket_options how = {});

template <class T>
task<result<message_or<T>>> websocket::receive_or(mailbox<T> box) {
  for (;;) {
    co_await greenroom::detail::io_step();
    const bool box_first = box && other_goes_first();
    if (box_first) {
      auto item = box.try_receive();
      if (item) co_return message_or<T>(std::optional<T>(*std::move(item)));
      if (item.error().is(errc::closed)) co_return message_or<T>();
    }
    auto message = try_receive();
    if (message) co_return message_or<T>(*std::move(message));
    if (!message.error().is(errc::empty)) co_return message.error();
    release_memory();
    const auto input = readable();
    const auto output = writable();
    auto first = co_await select(box.receive(), input, output, at(due()));
    if (first.index() == 0) co_return message_or<T>(std::move(first.template get<0>()));
  }
}

} // namespace greenroom::http
