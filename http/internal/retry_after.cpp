#include <greenroom/http/internal/retry_after.hpp>

#include <algorithm>
#include <array>
#include <charconv>

#include <greenroom/http/internal/characters.hpp>

namespace greenroom::http::internal {
namespace {

/// Reads a number of exactly `digits` digits; -1 if it is none.
int number(std::string_view text, std::size_t at, std::size_t digits) noexcept {
  const auto part = text.substr(at, digits);
  if (part.size() != digits || !all_of(part, digit_char)) return -1;
  int value = 0;
  for (const char c : part) value = value * 10 + (c - '0');
  return value;
}

/// Reads a date of the form that all must send, "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::chrono::system_clock::time_point> read_date(std::string_view text) noexcept {
  using namespace std::chrono;
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
      text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT")
    return std::nullopt;
  const auto name = std::find(names.begin(), names.end(), text.substr(8, 3));
  const int d = number(text, 5, 2);
  const int y = number(text, 12, 4);
  const int h = number(text, 17, 2);
  const int m = number(text, 20, 2);
  const int s = number(text, 23, 2);
  if (name == names.end() || d < 0 || y < 1970 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60)
    return std::nullopt;
  const year_month_day when{year(y), month(static_cast<unsigned>(name - names.begin()) + 1),
                            day(static_cast<unsigned>(d))};
  if (!when.ok()) return std::nullopt;
  return sys_days(when) + hours(h) + minutes(m) + seconds(s);
}

} // namespace

std::optional<duration> read_retry_after(std::string_view value,
                                         std::chrono::system_clock::time_point wall_now) noexcept {
  if (!value.empty() && all_of(value, digit_char)) {
    std::int64_t count = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), count);
    if (read.ec != std::errc()) return duration::max();
    return greenroom::detail::saturating_nanoseconds(std::chrono::seconds(count));
  }
  const auto date = read_date(value);
  if (!date) return std::nullopt;
  return std::max(duration::zero(), std::chrono::duration_cast<duration>(*date - wall_now));
}

} // namespace greenroom::http::internal
