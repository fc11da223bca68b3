#include <greenroom/http/url.hpp>

#include <cstddef>

#include <greenroom/http/internal/characters.hpp>

namespace greenroom::http {
namespace {

using internal::hex_value;

/// The byte that an escape at `at` stands for, or -1.
int escape_at(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string form_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? escape_at(text, i) : -1;
    if (byte >= 0) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

bool is_unreserved(char c) noexcept {
  const char lower = internal::to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/// A parameter as it was sent.
struct raw_parameter {
  std::string_view name;
  std::string_view value;
};

std::optional<raw_parameter> take_parameter(std::string_view& query) noexcept {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto text = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    if (text.empty()) continue;
    const auto equals = text.find('=');
    return raw_parameter{text.substr(0, equals), equals == text.npos ? std::string_view() : text.substr(equals + 1)};
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int byte = escape_at(text, i);
    if (byte < 0) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

std::optional<query_parameter> next_query_parameter(std::string_view& query) {
  const auto taken = take_parameter(query);
  if (!taken) return std::nullopt;
  return query_parameter{form_decode(taken->name), form_decode(taken->value)};
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (const auto taken = take_parameter(query)) {
    if (form_decode(taken->name) == name) return form_decode(taken->value);
  }
  return std::nullopt;
}

} // namespace greenroom::http
