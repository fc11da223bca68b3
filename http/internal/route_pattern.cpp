#include <greenroom/http/internal/route_pattern.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {
namespace {

constexpr std::array<std::string_view, 4> type_names{"uuid", "uint", "int", "slug"}; // in the order of parameter_type

constexpr bool is_letter(char c) noexcept { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

bool is_identifier(std::string_view text) noexcept {
  return !text.empty() && !is(text.front(), digit_char) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c == '_' || is(c, digit_char) || is_letter(c); });
}

std::optional<parameter_type> type_of(std::string_view name) noexcept {
  const auto it = std::find(type_names.begin(), type_names.end(), name);
  if (it == type_names.end()) return std::nullopt;
  return static_cast<parameter_type>(it - type_names.begin());
}

segment parse_literal(std::string_view text, std::string_view pattern) {
  auto decoded = percent_decode(text);
  if (!decoded)
    refuse_pattern(pattern, "it holds a '%' that is not followed by two hexadecimal digits; a '%' itself is "
                            "%25");
  if (decoded->find('\0') != std::string::npos) refuse_pattern(pattern, "it holds a zero byte, which no path may");
  return {segment::kind::literal, parameter_type::any, *std::move(decoded)};
}

segment parse_parameter(std::string_view text, bool last, std::string_view pattern) {
  const bool whole = text.size() >= 2 && text.front() == '{' && text.back() == '}';
  auto name = whole ? text.substr(1, text.size() - 2) : text;
  if (!whole || name.find_first_of("{}") != name.npos)
    refuse_pattern(pattern,
                   "a parameter in braces must be a whole segment, as in /users/{id}/orders; a brace itself is %7B or "
                   "%7D");
  const bool rest = name.size() >= 3 && name.substr(name.size() - 3) == "...";
  if (rest) name.remove_suffix(3);
  const auto colon = name.find(':');
  const auto type_name = colon == name.npos ? std::string_view() : name.substr(colon + 1);
  const auto type = type_of(type_name);
  name = name.substr(0, colon);
  if (!is_identifier(name))
    refuse_pattern(pattern,
                   fmt::format("'{}' is no name for a parameter; use letters, digits and '_', no digit first", name));
  if (rest && colon != text.npos)
    refuse_pattern(pattern, fmt::format("{{{}...}} takes the rest of the path, whatever it is, and has no type", name));
  if (colon != text.npos && !type)
    refuse_pattern(pattern,
                   fmt::format("'{}' is no type of a parameter; there are int, uint, slug and uuid", type_name));
  if (rest && !last)
    refuse_pattern(pattern, fmt::format("{{{}...}} takes the rest of the path and must be its last segment", name));
  if (rest) return {segment::kind::rest, parameter_type::rest, std::string(name)};
  return {segment::kind::parameter, type.value_or(parameter_type::any), std::string(name)};
}

/// Digits without a zero in front, of a number that fits.
template <class Number>
bool is_number(std::string_view text) noexcept {
  const bool negative = !text.empty() && text.front() == '-';
  const auto digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || !all_of(digits, digit_char)) return false;
  if (digits.front() == '0' && (digits.size() > 1 || negative)) return false;
  Number n{};
  return std::from_chars(text.data(), text.data() + text.size(), n) ==
         std::from_chars_result{text.data() + text.size(), std::errc{}};
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is(text[i], hex_char)) return false;
  }
  return true;
}

bool is_slug(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c == '-' || c == '_' || is(c, digit_char) || is_letter(c); });
}

} // namespace

void refuse_pattern(std::string_view pattern, std::string_view why) {
  throw usage_error(fmt::format("http route '{}': {}", pattern, why));
}

std::string_view name_of(parameter_type type) noexcept {
  const auto at = static_cast<std::size_t>(type);
  return at < type_names.size() ? type_names[at] : std::string_view();
}

bool fits(parameter_type type, std::string_view text) noexcept {
  switch (type) {
  case parameter_type::uuid: return is_uuid(text);
  case parameter_type::uint: return is_number<std::uint64_t>(text);
  case parameter_type::int_: return is_number<std::int64_t>(text);
  case parameter_type::slug: return is_slug(text);
  case parameter_type::any: return !text.empty();
  default: return true;
  }
}

std::vector<segment> parse_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') refuse_pattern(pattern, "a pattern must begin with '/'");
  if (pattern.find_first_of("?# ") != pattern.npos)
    refuse_pattern(pattern, "a pattern is a path, without query, '#' or spaces; write a space as %20");
  std::vector<segment> segments;
  for (auto left = pattern;;) {
    left.remove_prefix(1);
    const auto slash = left.find('/');
    const auto text = left.substr(0, slash);
    const bool last = slash == left.npos;
    const bool braces = text.find_first_of("{}") != text.npos;
    auto next = braces ? parse_parameter(text, last, pattern) : parse_literal(text, pattern);
    const auto same_name = [&next](const segment& s) { return s.is != segment::kind::literal && s.text == next.text; };
    if (braces && std::any_of(segments.begin(), segments.end(), same_name))
      refuse_pattern(pattern, fmt::format("it has two parameters called '{}'", next.text));
    segments.push_back(std::move(next));
    if (last) return segments;
    left.remove_prefix(slash);
  }
}

} // namespace greenroom::http::internal
