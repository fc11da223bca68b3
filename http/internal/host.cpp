#include <greenroom/http/internal/host.hpp>

#include <cstddef>

#include <greenroom/http/internal/characters.hpp>

namespace greenroom::http::internal {
namespace {

bool is_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    if (part != 0) {
      if (text.empty() || text.front() != '.') return false;
      text.remove_prefix(1);
    }
    const auto digits = span_of(text, digit_char);
    if (digits == 0 || digits > 3 || (digits > 1 && text.front() == '0')) return false;
    int value = 0;
    for (const char c : text.substr(0, digits)) value = value * 10 + (c - '0');
    if (value > 255) return false;
    text.remove_prefix(digits);
  }
  return text.empty();
}

bool is_ipv6(std::string_view text) noexcept {
  int groups = 0;
  bool gap = text.starts_with("::");
  if (gap) text.remove_prefix(2);
  while (!text.empty()) {
    const auto digits = span_of(text, hex_char);
    if (digits < text.size() && text[digits] == '.') { // the last two groups in the form of an IPv4 address
      if (!is_ipv4(text)) return false;
      groups += 2;
      break;
    }
    if (digits == 0 || digits > 4) return false;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) break;
    if (text.front() != ':' || text.size() == 1) return false;
    text.remove_prefix(1);
    if (text.front() == ':') {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
    }
  }
  return gap ? groups < 8 : groups == 8;
}

/// Says whether the text is a number of up to 16 bits, with any zeros in front, or empty: the usual port.
bool is_port(std::string_view text) noexcept {
  unsigned number = 0;
  for (const char c : text) {
    if (!is(c, digit_char)) return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > 65'535) return false;
  }
  return true;
}

} // namespace

bool is_host(std::string_view text) noexcept {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == text.npos || !is_ipv6(text.substr(1, end - 1))) return false;
    ++end;
  } else {
    end = span_of(text, host_char);
    if (end == 0 || !escapes_are_whole(text.substr(0, end))) return false;
  }
  if (end == text.size()) return true;
  return text[end] == ':' && is_port(text.substr(end + 1));
}

} // namespace greenroom::http::internal
