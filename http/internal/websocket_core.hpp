// One WebSocket without its waits: reads and judges what has come, answers pings and closes, holds what is still to be sent, and knows
// until when to wait for what. websocket.cpp has the coroutines that wait.
//
// Output is a queue of whole frames: what was begun is finished before anything else, so that a send which was cancelled halfway never
// leaves half a frame in front of another one.
// Memory: while nothing comes or goes it holds no buffer; reading goes through one of the worker's, never used across a wait.
// Thread safety: owner only. Source: RFC 6455 sections 5.5 and 7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/internal/websocket_frames.hpp>
#include <greenroom/http/websocket.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http::internal {

class websocket_core {
public:
  websocket_core(std::shared_ptr<stream> io, websocket_role me, const websocket_limits& most, std::string protocol,
                 std::string input);
  websocket_core(const websocket_core&) = delete;
  websocket_core& operator=(const websocket_core&) = delete;
  /// Says goodbye if that needs no wait, and closes.
  ~websocket_core();

  /// Does all that can be done without waiting. Errors: empty when there is no message yet; otherwise why() for good.
  result<websocket_message> try_receive(time_point now);

  /// Whether messages may be sent.
  bool is_open() const noexcept { return state_ == state::open; }
  /// Nothing more will come or go.
  bool is_done() const noexcept { return state_ == state::done; }
  /// Whether both ends have said that they close.
  bool closed_in_order() const noexcept { return in_order_; }
  /// Requires: it is open no more.
  error why() const { return *why_; }

  // -- sending ------------------------------------------------------------------------------------------
  bool has_output() const noexcept { return sent_ < out_.size() || !control_.empty(); }
  /// Queues a frame. Requires: open, and no output.
  void begin(frame_kind kind, std::string payload, time_point now);
  /// Queues our close frame and takes no more messages, if it is open.
  void begin_close(std::uint16_t code, std::string_view reason, time_point now);
  /// Writes what the peer takes now; true when nothing is left.
  bool write(time_point now);
  /// Gives the connection up if the peer has taken nothing for too long.
  void judge_output(time_point now);

  // -- waiting ------------------------------------------------------------------------------------------
  bool wants_input() const noexcept { return !input_ended_ || is_done(); }
  stream& io() noexcept { return *io_; }
  /// Until when to wait for input; from here on the peer is expected to send.
  time_point due(time_point now) noexcept;
  time_point write_deadline() const noexcept { return write_deadline_; }
  /// Ends the next wait for input at once if input is at hand, read already.
  void expect_input() noexcept {
    if (!input_.empty()) io_->wake();
  }
  void release_memory() noexcept;
  /// Whose turn it is in receive_or(); alternates.
  bool other_goes_first() noexcept { return other_first_ = !other_first_; }

  std::uint16_t peer_code() const noexcept { return peer_code_; }
  std::string_view peer_reason() const noexcept { return peer_reason_; }
  std::string_view protocol() const noexcept { return protocol_; }

private:
  enum class state : std::uint8_t {
    open,
    closing, // our close frame is queued or sent; the peer's is awaited, and its messages are dropped
    leaving, // the last frames are written; then perhaps the peer's end is awaited. Nothing is parsed any more
    done
  };

  std::optional<websocket_message> next(time_point now);
  bool read(time_point now);
  void keep_input();
  void pong(std::string_view payload);
  void peer_closes(time_point now);
  void judge_input(time_point now, bool listened);
  void queue_control(frame_kind kind, std::string payload);
  void fault(std::uint16_t code, errc as, std::string_view what, time_point now);
  void leave(bool await_end, time_point now);
  void give_up(error why);
  void finish() noexcept;
  void say_goodbye();
  std::string framed(frame_kind kind, std::string payload) const;
  void stop_with(errc code, std::string_view what);

  const std::shared_ptr<stream> io_;
  const websocket_limits most_;
  const std::string protocol_;
  frame_reader reader_;

  std::string pending_;
  std::string_view input_;    // read, but not parsed; in pending_ or, within a call, in the worker's buffer
  std::string out_;           // whole frames, the first of which may be half sent
  std::size_t sent_ = 0;      // of out_
  std::string control_;       // frames that go behind out_
  std::size_t last_pong_ = 0; // where the last one begins in control_
  std::optional<error> why_;  // once it is open no more

  time_point heard_ = never;  // the last byte from the peer
  time_point pinged_ = never; // a ping that no sign of life has followed
  time_point message_deadline_ = never;
  time_point write_deadline_ = never;
  time_point end_deadline_ = never; // of closing and leaving
  std::size_t dropped_ = 0;         // bytes read while leaving

  std::string peer_reason_;
  std::uint16_t peer_code_ = close_code::abnormal;
  state state_ = state::open;
  bool listening_ = false;   // since due(): a peer that is late now has nobody else to blame
  bool input_ended_ = false; // the peer sends no more
  bool await_end_ = false;   // of the peer, when leaving
  bool shut_ = false;        // it knows that we send no more
  bool in_order_ = false;
  bool other_first_ = false;
  const websocket_role me_;
};

} // namespace greenroom::http::internal
