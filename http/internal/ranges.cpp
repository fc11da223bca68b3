#include <greenroom/http/internal/ranges.hpp>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/single_field.hpp>

namespace greenroom::http::internal {
namespace {

/// A number of any length; one that is too large becomes the largest, which lies behind the end of everything.
std::optional<std::uint64_t> number_of(std::string_view digits) noexcept {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (!is(c, digit_char)) return std::nullopt;
    const auto digit = static_cast<unsigned>(c - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  return value;
}

enum class spec : std::uint8_t { malformed, behind_the_end, good };

spec parse_spec(std::string_view text, std::uint64_t size, byte_range& range) noexcept {
  const auto dash = text.find('-');
  if (dash == text.npos) return spec::malformed;
  const auto last = number_of(text.substr(dash + 1));
  if (dash == 0) { // the last so many bytes
    if (!last) return spec::malformed;
    if (*last == 0 || size == 0) return spec::behind_the_end;
    range = {size - std::min(*last, size), size - 1};
    return spec::good;
  }
  const auto first = number_of(text.substr(0, dash));
  const bool open = dash + 1 == text.size();
  if (!first || (!open && !last) || (!open && *last < *first)) return spec::malformed;
  if (*first >= size) return spec::behind_the_end;
  range = {*first, open ? size - 1 : std::min(*last, size - 1)};
  return spec::good;
}

/// No sums: the last byte may have the highest number.
bool touch(const byte_range& a, const byte_range& b) noexcept {
  return (a.first <= b.last || a.first - b.last == 1) && (b.first <= a.last || b.first - a.last == 1);
}

/// Adds a range to those that do not touch each other, so that this holds again.
void join(std::vector<byte_range>& ranges, byte_range next) {
  std::optional<std::size_t> place;
  for (std::size_t i = 0; i < ranges.size();) {
    if (!touch(ranges[i], next)) {
      ++i;
      continue;
    }
    next = {std::min(ranges[i].first, next.first), std::max(ranges[i].last, next.last)};
    if (place) {
      ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      place = i++;
    }
  }
  if (place) {
    ranges[*place] = next;
  } else {
    ranges.push_back(next);
  }
}

} // namespace

range_choice parse_ranges(std::string_view value, std::uint64_t size, std::size_t most) {
  using kind = range_choice::kind;
  constexpr std::string_view unit = "bytes=";
  if (!same_word(value.substr(0, unit.size()), unit)) return {};
  std::size_t named = 0;
  bool malformed = false;
  bool end_of_nothing = false;
  range_choice choice;
  for_each_element(value.substr(unit.size()), [&](std::string_view text) {
    byte_range range;
    if (malformed || ++named > most) return;
    const auto is = parse_spec(text, size, range);
    malformed = is == spec::malformed;
    end_of_nothing = end_of_nothing || (size == 0 && text.front() == '-' && number_of(text.substr(1)) > 0u);
    if (is == spec::good) join(choice.parts, range);
  });
  if (malformed || end_of_nothing || named == 0 || named > most) return {};
  choice.is = choice.parts.empty() ? kind::unsatisfiable : kind::parts;
  return choice;
}

range_choice choose_ranges(method m, std::span<const field> fields, const validators& current, std::uint64_t size,
                           std::chrono::sys_seconds now) {
  if (m != method::get || !current.exists) return {};
  const auto range = single_field(fields, "range");
  if (!range.text || !if_range_holds(fields, current, now)) return {};
  return parse_ranges(*range.text, size);
}

std::string content_range(const byte_range& part, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", part.first, part.last, size);
}

std::string unsatisfied_range(std::uint64_t size) { return fmt::format("bytes */{}", size); }

} // namespace greenroom::http::internal
