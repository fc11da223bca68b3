// WebSocket frames: takes them apart, however their bytes are split over reads, and makes them. frame_reader judges as early as it can: a
// frame by its first bytes, a text by the first byte that cannot be UTF-8.
// Memory: the message under way, and nothing ahead of its bytes: an announced length reserves none.
// Thread safety: owner only. Cost: looks at each byte a constant number of times. Source: RFC 6455 sections 5, 7.4 and 8.1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <greenroom/http/websocket_options.hpp>

namespace greenroom::http::internal {

enum class frame_kind : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Longest payload of a close, ping or pong, and of the reason in a close. Units: bytes.
inline constexpr std::size_t most_control = 125;
inline constexpr std::size_t most_close_reason = most_control - 2;

/// Says whether a close frame may carry this code.
constexpr bool may_be_sent(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/// Says whether bytes are UTF-8, as they come. Surrogates, overlong forms and what is above U+10FFFF are not.
/// Source: Unicode 15 table 3-7.
class utf8_check {
public:
  /// Returns false at the first byte that no valid text can have there; then for good.
  bool take(std::string_view bytes) noexcept;
  /// Returns whether a character is complete, so that the text may end here.
  bool may_end() const noexcept { return left_ == 0; }

private:
  bool take(unsigned char byte) noexcept;

  std::uint8_t left_ = 0; // bytes of the character under way, or broken
  std::uint8_t low_ = 0x80;
  std::uint8_t high_ = 0xbf; // what the next of them may be
};

/// Why a peer's frames cannot be taken: what it is told, and a sentence.
struct frame_fault {
  std::uint16_t code = 0;
  std::string why;
};

using mask_key = std::array<unsigned char, 4>;
/// Masks, or takes the mask off again; `at` is how many bytes of the payload came before.
void apply_mask(std::span<char> bytes, const mask_key& key, std::size_t at) noexcept;

class frame_reader {
public:
  /// What has come, and what can be asked for then until the next read().
  enum class event : std::uint8_t {
    more,    // all bytes were taken, and nothing is complete
    message, // is_text(), take_message()
    ping,    // payload()
    pong,    // payload()
    close,   // code(), reason()
    failed   // fault(); for good
  };

  /// Reads as the end of the connection that `me` is. Lifetime: the limits outlive the reader.
  frame_reader(websocket_role me, const websocket_limits& most) noexcept : most_(most), me_(me) {}

  /// Takes from `bytes` up to the next event, and takes what it used off them.
  event read(std::string_view& bytes);

  bool is_text() const noexcept { return message_kind_ == frame_kind::text; }
  std::string take_message() noexcept { return std::move(message_); }
  std::string_view payload() const noexcept { return {control_.data(), control_size_}; }
  /// The code of the close frame, or close_code::none.
  std::uint16_t code() const noexcept;
  std::string_view reason() const noexcept { return control_size_ < 2 ? std::string_view() : payload().substr(2); }
  const frame_fault& fault() const noexcept { return fault_; }

  /// Returns whether neither a frame nor a message has begun.
  bool between_messages() const noexcept { return head_size_ == 0 && !in_message_; }

private:
  bool take_head(std::string_view& bytes);
  bool check_first_byte();
  bool check_second_byte();
  bool begin_payload();
  bool begin_data();
  bool take_payload(std::string_view& bytes);
  event end_frame();
  bool check_close();
  bool fail(std::uint16_t code, std::string why);

  unsigned byte(std::size_t i) const noexcept { return head_[i]; }
  bool is_control() const noexcept { return (byte(0) & 8) != 0; }
  bool is_final() const noexcept { return (byte(0) & 0x80) != 0; }
  frame_kind kind() const noexcept { return static_cast<frame_kind>(byte(0) & 15); }

  const websocket_limits& most_;
  std::string message_;
  frame_fault fault_;
  std::uint64_t left_ = 0; // of the payload
  std::size_t taken_ = 0;  // of it
  std::size_t fragments_ = 0;
  std::array<unsigned char, 14> head_{};
  std::uint8_t head_size_ = 0; // what has come of it; 0 again behind the frame
  std::uint8_t head_needs_ = 2;
  std::uint8_t control_size_ = 0;
  std::array<char, most_control> control_;
  mask_key key_{};
  utf8_check text_;
  frame_kind message_kind_ = frame_kind::binary;
  bool in_message_ = false;
  bool in_payload_ = false;
  bool failed_ = false;
  const websocket_role me_;
};

/// Turns a payload into the one frame that carries it, whole; with a mask for a client. Requires: a control frame has at most
/// most_control bytes.
void make_frame(std::string& payload, frame_kind kind, const mask_key* mask);
/// Returns the payload of a close frame; "" for close_code::none. What is too long of the reason is left out, in whole characters.
std::string close_payload(std::uint16_t code, std::string_view reason);
/// Draws a mask. Fresh and from the system's randomness for each frame, so that no page can choose the bytes that a client sends and
/// have a proxy take them for a request. Source: RFC 6455 sections 5.3 and 10.3.
mask_key random_mask();

} // namespace greenroom::http::internal
