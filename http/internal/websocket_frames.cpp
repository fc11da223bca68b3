#include <greenroom/http/internal/websocket_frames.hpp>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <random>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/give_back.hpp>
#include <greenroom/http/internal/utf8.hpp>

namespace greenroom::http::internal {
namespace {

constexpr std::uint8_t broken = 255; // utf8_check::left_ of a text that is none

std::uint64_t load(const char* from) noexcept {
  std::uint64_t bytes;
  std::memcpy(&bytes, from, 8);
  return bytes;
}

} // namespace

// -- UTF-8 ------------------------------------------------------------------------------------------------

bool utf8_check::take(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (left_ == 0) { // most texts are ASCII
      bytes.remove_prefix(ascii_front(bytes));
      if (bytes.empty()) break;
    }
    if (!take(static_cast<unsigned char>(bytes.front()))) return false;
    bytes.remove_prefix(1);
  }
  return left_ != broken;
}

bool utf8_check::take(unsigned char byte) noexcept {
  if (left_ == broken) return false;
  if (left_ != 0) {
    if (byte < low_ || byte > high_) return left_ = broken, false;
    low_ = 0x80;
    high_ = 0xbf;
    --left_;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return left_ = broken, false; // a continuation, an overlong form, beyond U+10FFFF
  left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) low_ = 0xa0;  // else overlong
  if (byte == 0xed) high_ = 0x9f; // else a surrogate
  if (byte == 0xf0) low_ = 0x90;  // else overlong
  if (byte == 0xf4) high_ = 0x8f; // else beyond U+10FFFF
  return true;
}

// -- reading ----------------------------------------------------------------------------------------------

void apply_mask(std::span<char> bytes, const mask_key& key, std::size_t at) noexcept {
  std::array<unsigned char, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(at + i) % 4];
  std::uint64_t eight;
  std::memcpy(&eight, turned.data(), 8);
  auto* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const auto masked = load(p) ^ eight;
    std::memcpy(p, &masked, 8);
  }
  for (std::size_t i = 0; i < n; ++i) p[i] = static_cast<char>(static_cast<unsigned char>(p[i]) ^ turned[i]);
}

frame_reader::event frame_reader::read(std::string_view& bytes) {
  if (failed_) return event::failed;
  for (;;) {
    if (!in_payload_ && !take_head(bytes)) break;
    if (!take_payload(bytes)) break;
    const auto done = end_frame();
    if (done != event::more) return done;
  }
  return failed_ ? event::failed : event::more;
}

bool frame_reader::take_head(std::string_view& bytes) {
  while (head_size_ < head_needs_) {
    if (bytes.empty()) return false;
    head_[head_size_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (head_size_ == 1 && !check_first_byte()) return false;
    if (head_size_ == 2 && !check_second_byte()) return false;
  }
  return begin_payload();
}

bool frame_reader::check_first_byte() {
  const auto number = byte(0) & 15;
  if ((byte(0) & 0x70) != 0) {
    return fail(close_code::protocol_error, "a frame has a reserved bit set, and no extension was agreed on");
  }
  if ((number > 2 && number < 8) || number > 10) {
    return fail(close_code::protocol_error, fmt::format("a frame has the reserved opcode {}", number));
  }
  if (is_control()) {
    return is_final() || fail(close_code::protocol_error, "a close, ping or pong comes in fragments");
  }
  if (kind() == frame_kind::continuation) {
    return in_message_ || fail(close_code::protocol_error, "a frame continues a message, but none has begun");
  }
  return !in_message_ || fail(close_code::protocol_error, "a message begins before the one before it has ended");
}

bool frame_reader::check_second_byte() {
  const bool masked = (byte(1) & 0x80) != 0;
  const auto length = byte(1) & 0x7f;
  if (masked != (me_ == websocket_role::server)) {
    return fail(close_code::protocol_error,
                masked ? "the server has masked a frame" : "the client has not masked a frame");
  }
  if (is_control() && length > most_control) {
    return fail(close_code::protocol_error, "a close, ping or pong is longer than 125 bytes");
  }
  if (kind() == frame_kind::close && length == 1) {
    return fail(close_code::protocol_error, "a close frame has one byte, too short for a code");
  }
  const unsigned more = length == 126 ? 2 : length == 127 ? 8 : 0;
  head_needs_ = static_cast<std::uint8_t>(2 + more + (masked ? 4 : 0));
  return true;
}

bool frame_reader::begin_payload() {
  const auto length = byte(1) & 0x7f;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  left_ = more == 0 ? length : 0;
  for (std::size_t i = 0; i < more; ++i) left_ = left_ << 8 | byte(2 + i);
  if (left_ >> 63 != 0) return fail(close_code::protocol_error, "the length of a frame has its highest bit set");
  if ((more == 2 && left_ < 126) || (more == 8 && left_ < 65'536)) {
    return fail(close_code::protocol_error,
                fmt::format("the length of a frame, {} bytes, is written longer than needed", left_));
  }
  if (me_ == websocket_role::server) std::copy_n(head_.begin() + 2 + more, 4, key_.begin());
  taken_ = 0;
  in_payload_ = true;
  if (!is_control()) return begin_data();
  control_size_ = 0;
  return true;
}

bool frame_reader::begin_data() {
  if (!in_message_) {
    message_.clear();
    message_kind_ = kind();
    text_ = utf8_check();
    fragments_ = 0;
    in_message_ = true;
  }
  if (left_ > most_.frame) {
    return fail(close_code::too_big,
                fmt::format("a frame of {} bytes is longer than the limit of {}", left_, most_.frame));
  }
  if (left_ > most_.message - message_.size()) { // no sum: it could overflow
    return fail(close_code::too_big, fmt::format("a message is longer than the limit of {} bytes", most_.message));
  }
  if (++fragments_ > most_.fragments) {
    return fail(close_code::too_big, fmt::format("a message has more frames than the limit of {}", most_.fragments));
  }
  return true;
}

/// Returns whether the payload is complete.
bool frame_reader::take_payload(std::string_view& bytes) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  std::span<char> part;
  if (is_control()) {
    part = std::span(control_).subspan(control_size_, n);
    std::copy_n(bytes.begin(), n, part.begin());
    control_size_ = static_cast<std::uint8_t>(control_size_ + n);
  } else {
    const auto before = message_.size();
    message_.append(bytes.substr(0, n));
    part = std::span(message_).subspan(before);
  }
  bytes.remove_prefix(n);
  if (me_ == websocket_role::server) apply_mask(part, key_, taken_);
  taken_ += n;
  left_ -= n;
  if (!is_control() && is_text() && !text_.take({part.data(), part.size()})) {
    return fail(close_code::invalid_data, "a text message is not UTF-8");
  }
  return left_ == 0;
}

frame_reader::event frame_reader::end_frame() {
  in_payload_ = false;
  head_size_ = 0;
  head_needs_ = 2;
  switch (kind()) {
  case frame_kind::ping: return event::ping;
  case frame_kind::pong: return event::pong;
  case frame_kind::close: return check_close() ? event::close : event::failed;
  default: break;
  }
  if (!is_final()) return event::more;
  in_message_ = false;
  if (is_text() && !text_.may_end()) {
    fail(close_code::invalid_data, "a text message ends within a character");
    return event::failed;
  }
  return event::message;
}

bool frame_reader::check_close() {
  if (control_size_ != 0 && !may_be_sent(code())) {
    return fail(close_code::protocol_error, fmt::format("a close frame has the code {}, which is never sent", code()));
  }
  return is_utf8(reason()) || fail(close_code::invalid_data, "the reason in a close frame is not UTF-8");
}

std::uint16_t frame_reader::code() const noexcept {
  if (control_size_ < 2) return close_code::none;
  const auto high = static_cast<unsigned char>(control_[0]);
  return static_cast<std::uint16_t>(high << 8 | static_cast<unsigned char>(control_[1]));
}

bool frame_reader::fail(std::uint16_t code, std::string why) {
  fault_ = {code, std::move(why)};
  failed_ = true;
  give_back(message_);
  return false;
}

// -- writing ----------------------------------------------------------------------------------------------

void make_frame(std::string& payload, frame_kind kind, const mask_key* mask) {
  const std::uint64_t size = payload.size();
  assert(size <= most_control || kind == frame_kind::text || kind == frame_kind::binary);
  std::array<char, 14> head;
  std::size_t n = 0;
  const auto put = [&head, &n](std::uint64_t byte) { head[n++] = static_cast<char>(static_cast<unsigned char>(byte)); };
  const unsigned masked = mask != nullptr ? 0x80 : 0;
  put(0x80U | static_cast<unsigned>(kind));
  put(masked | (size < 126 ? size : size < 65'536 ? 126 : 127));
  const int more = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  for (int i = more - 1; i >= 0; --i) put(size >> (8 * i));
  if (mask != nullptr) {
    for (const auto byte : *mask) put(byte);
    apply_mask(payload, *mask, 0);
  }
  payload.insert(0, head.data(), n);
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  if (code == close_code::none) return {};
  if (reason.size() > most_close_reason) {
    std::size_t n = most_close_reason;
    while (n > 0 && (static_cast<unsigned char>(reason[n]) & 0xc0) == 0x80) --n;
    reason = reason.substr(0, n);
  }
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload.append(reason);
  return payload;
}

mask_key random_mask() {
  static thread_local std::random_device device;
  static_assert(std::random_device::max() == 0xffffffffU);
  const std::uint32_t bits = device();
  mask_key key;
  std::memcpy(key.data(), &bits, key.size());
  return key;
}

} // namespace greenroom::http::internal
