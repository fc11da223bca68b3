// Whether bytes are text in UTF-8.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <greenroom/runtime/detail/utf8.hpp>

namespace greenroom::http::internal {

using greenroom::detail::utf8_length;

/// Returns the length of a part at the front that is ASCII, not always the longest: it looks at eight bytes at a time, since most texts are.
inline std::size_t ascii_front(std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t n = 0;
  for (; text.size() - n >= 8; n += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, text.data() + n, 8);
    if ((bytes & high_bits) != 0) break;
  }
  return n;
}

inline bool is_utf8(std::string_view text) noexcept {
  for (text.remove_prefix(ascii_front(text)); !text.empty(); text.remove_prefix(ascii_front(text))) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

/// Says whether the text, which is UTF-8, has control characters: below U+0020, and U+007F to U+009F.
constexpr bool has_controls(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

/// Returns the number of characters. Requires: it is UTF-8.
constexpr std::size_t utf8_count(std::string_view text) noexcept {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  return n;
}

} // namespace greenroom::http::internal
