// Whether bytes are text in UTF-8.
// Thread safety: pure functions. Source: the Unicode standard, table 3-7, well-formed UTF-8 byte sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace greenroom::http::internal {

/// Returns the length of the character at the front, 1 to 4 bytes; 0 if there is none, as for an overlong form, a surrogate, or a
/// number beyond U+10FFFF.
constexpr std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto follows = [&byte](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xbf; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !follows(1)) return 0;
  if (first < 0xe0) return 2;
  // Overlong forms and surrogates begin with a second byte that is out of range.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f) || !follows(2)) return 0;
  if (first < 0xf0) return 3;
  return follows(3) ? 4 : 0;
}

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
