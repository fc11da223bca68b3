// Which characters HTTP allows where.
// Thread safety: pure functions. Source: RFC 9110 section 5.6.2 (token), 5.5 (field values), RFC 3986 (targets and hosts).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace greenroom::http::internal {

enum : std::uint8_t {
  token_char = 1,
  value_char = 2,
  target_char = 4,
  host_char = 8,
  digit_char = 16,
  hex_char = 32,
  path_char = 64
};

namespace tables {
consteval std::array<std::uint8_t, 256> classes() {
  std::array<std::uint8_t, 256> c{};
  const auto mark = [&c](std::string_view chars, std::uint8_t as) {
    for (const char x : chars) c[static_cast<unsigned char>(x)] |= as;
  };
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(digits, token_char | host_char | digit_char | hex_char);
  mark(letters, token_char | host_char);
  mark("abcdefABCDEF", hex_char);
  mark("!#$%&'*+-.^_`|~", token_char);
  mark("-._~!$&'()*+,;=%", host_char);
  for (unsigned i = 0x21; i < 0x7f; ++i) c[i] |= value_char | target_char;
  mark(digits, path_char); // of a path in which nothing has a meaning
  mark(letters, path_char);
  mark("/-_~", path_char);
  for (unsigned i = 0x80; i < 0x100; ++i) c[i] |= value_char; // obs-text
  mark(" \t", value_char);
  c['#'] &= static_cast<std::uint8_t>(~target_char); // a fragment is never sent
  return c;
}
inline constexpr auto of_character = classes();
} // namespace tables

constexpr bool is(char c, std::uint8_t kind) noexcept {
  return (tables::of_character[static_cast<unsigned char>(c)] & kind) != 0;
}

/// Returns the length of the part at the front that consists of such characters only.
constexpr std::size_t span_of(std::string_view text, std::uint8_t kind) noexcept {
  std::size_t n = 0;
  while (n < text.size() && is(text[n], kind)) ++n;
  return n;
}
constexpr bool all_of(std::string_view text, std::uint8_t kind) noexcept { return span_of(text, kind) == text.size(); }

/// The same tests for eight characters at a time, since each header section is made of names and values. The high bit of a byte
/// tells.
namespace eight {
inline constexpr std::uint64_t ones = 0x0101010101010101;
inline constexpr std::uint64_t high_bits = ones * 0x80;

inline std::uint64_t load(const char* from) noexcept {
  std::uint64_t bytes;
  std::memcpy(&bytes, from, 8);
  return bytes;
}
/// Marks the bytes from n to 0x7f. Requires: no byte has its high bit set.
constexpr std::uint64_t at_least(std::uint64_t bytes, unsigned n) noexcept { return bytes + ones * (0x80 - n); }

/// Marks all that are neither a letter nor '-'. No sum carries into the next byte.
constexpr std::uint64_t unusual_in_a_name(std::uint64_t bytes) noexcept {
  const std::uint64_t low = bytes & ~high_bits;
  const std::uint64_t lower_case = low | (ones * 0x20);
  const std::uint64_t letters = at_least(lower_case, 'a') & ~at_least(lower_case, 'z' + 1);
  const std::uint64_t dashes = ~at_least(low ^ (ones * '-'), 1);
  return (~(letters | dashes) | bytes) & high_bits;
}
/// Marks the control characters, HTAB among them. A difference borrows only from a byte above a marked one, so that the lowest
/// mark is right, and there is none if there should be none.
constexpr std::uint64_t controls(std::uint64_t bytes) noexcept {
  const std::uint64_t not_del = bytes ^ (ones * 0x7f);
  return (((bytes - ones * 0x20) & ~bytes) | ((not_del - ones) & ~not_del)) & high_bits;
}
} // namespace eight

/// As span_of(text, token_char).
inline std::size_t span_of_name(std::string_view text) noexcept {
  std::size_t n = 0;
  if constexpr (std::endian::native == std::endian::little) {
    for (; text.size() - n >= 8; n += 8) {
      const auto unusual = eight::unusual_in_a_name(eight::load(text.data() + n));
      if (unusual == 0) continue;
      n += static_cast<std::size_t>(std::countr_zero(unusual)) / 8;
      break;
    }
  }
  return n + span_of(text.substr(n), token_char);
}

/// As span_of(text, value_char).
inline std::size_t span_of_value(std::string_view text) noexcept {
  std::size_t n = 0;
  if constexpr (std::endian::native == std::endian::little) {
    while (text.size() - n >= 8) {
      const auto controls = eight::controls(eight::load(text.data() + n));
      n += 8; // not by what was found: then the next load need not wait for it
      if (controls == 0) continue;
      n -= 8 - static_cast<std::size_t>(std::countr_zero(controls)) / 8;
      if (text[n] != '\t') return n;
      ++n;
    }
  }
  return n + span_of(text.substr(n), value_char);
}

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Compares ASCII texts without regard to case; `lower` is in lower case.
constexpr bool same_word(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != lower[i]) return false;
  }
  return true;
}

/// The same for two names of which neither need be in lower case.
constexpr bool same_name(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// Returns the text without spaces and tabs around it.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Calls `fn` with each element of a comma-separated list; empty ones are left out. Source: RFC 9110 section 5.6.1.2.
template <class F>
constexpr void for_each_element(std::string_view list, F fn) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto element = trimmed(list.substr(0, comma));
    if (!element.empty()) fn(element);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

/// Says whether each '%' is followed by two hexadecimal digits that stand for another byte than zero.
constexpr bool escapes_are_whole(std::string_view text) noexcept {
  for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    if (text.size() - at < 3 || !is(text[at + 1], hex_char) || !is(text[at + 2], hex_char)) return false;
    if (text[at + 1] == '0' && text[at + 2] == '0') return false;
  }
  return true;
}

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = to_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

} // namespace greenroom::http::internal
