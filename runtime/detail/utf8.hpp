// The length of a character in UTF-8.
// Thread safety: a pure function. Source: the Unicode standard, table 3-7, well-formed UTF-8 byte sequences.
#pragma once

#include <cstddef>
#include <string_view>

namespace greenroom::detail {

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

} // namespace greenroom::detail
