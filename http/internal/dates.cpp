#include <greenroom/http/internal/dates.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include <fmt/format.h>

namespace greenroom::http::internal {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> short_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct parts {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

/// Takes a date off the front of a text, piece by piece. Each step says whether its piece was there.
class reader {
public:
  explicit reader(std::string_view text) noexcept : left_(text) {}

  bool text(std::string_view expected) noexcept {
    if (!left_.starts_with(expected)) return false;
    left_.remove_prefix(expected.size());
    return true;
  }
  bool one_of(std::span<const std::string_view> names, unsigned& which) noexcept {
    for (which = 0; which < names.size(); ++which) {
      if (text(names[which])) return true;
    }
    return false;
  }
  bool number(std::size_t digits, unsigned& value) noexcept {
    if (left_.size() < digits) return false;
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (left_[i] < '0' || left_[i] > '9') return false;
      value = value * 10 + static_cast<unsigned>(left_[i] - '0');
    }
    left_.remove_prefix(digits);
    return true;
  }
  bool month(unsigned& value) noexcept {
    const bool found = one_of(months, value);
    ++value; // the first one has the number 1
    return found;
  }
  bool time(parts& p) noexcept {
    return number(2, p.hour) && text(":") && number(2, p.minute) && text(":") && number(2, p.second);
  }
  bool done() const noexcept { return left_.empty(); }

private:
  std::string_view left_;
};

std::optional<sys_seconds> to_time(const parts& p) noexcept {
  const year_month_day date{std::chrono::year{p.year}, std::chrono::month{p.month}, std::chrono::day{p.day}};
  const bool leap_second = p.second == 60 && p.minute == 59 && p.hour == 23;
  if (!date.ok() || p.hour > 23 || p.minute > 59 || (p.second > 59 && !leap_second)) return std::nullopt;
  return sys_days{date} + hours{p.hour} + minutes{p.minute} + seconds{p.second};
}

std::optional<parts> read_imf_fixdate(std::string_view text) noexcept {
  reader r(text);
  parts p;
  unsigned day_name = 0;
  unsigned year = 0;
  if (r.one_of(short_days, day_name) && r.text(", ") && r.number(2, p.day) && r.text(" ") && r.month(p.month) &&
      r.text(" ") && r.number(4, year) && r.text(" ") && r.time(p) && r.text(" GMT") && r.done()) {
    p.year = static_cast<int>(year);
    return p;
  }
  return std::nullopt;
}

std::optional<parts> read_asctime(std::string_view text) noexcept {
  reader r(text);
  parts p;
  unsigned day_name = 0;
  unsigned year = 0;
  if (r.one_of(short_days, day_name) && r.text(" ") && r.month(p.month) && r.text(" ") &&
      (r.text(" ") ? r.number(1, p.day) : r.number(2, p.day)) && r.text(" ") && r.time(p) && r.text(" ") &&
      r.number(4, year) && r.done()) {
    p.year = static_cast<int>(year);
    return p;
  }
  return std::nullopt;
}

/// The year is 0 to 99 here.
std::optional<parts> read_rfc850(std::string_view text) noexcept {
  reader r(text);
  parts p;
  unsigned day_name = 0;
  unsigned year = 0;
  if (r.one_of(long_days, day_name) && r.text(", ") && r.number(2, p.day) && r.text("-") && r.month(p.month) &&
      r.text("-") && r.number(2, year) && r.text(" ") && r.time(p) && r.text(" GMT") && r.done()) {
    p.year = static_cast<int>(year);
    return p;
  }
  return std::nullopt;
}

std::optional<sys_seconds> with_century(parts p, sys_seconds now) noexcept {
  const auto today = std::chrono::floor<days>(now);
  const auto latest = sys_days{year_month_day{today} + std::chrono::years{50}} + (now - today);
  const int last_year = static_cast<int>(year_month_day{std::chrono::floor<days>(latest)}.year());
  const int ahead = ((last_year - p.year) % 100 + 100) % 100;
  p.year = last_year - ahead;
  const auto when = to_time(p);
  if (!when || *when <= latest) return when;
  p.year -= 100;
  return to_time(p);
}

} // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text, sys_seconds now) noexcept {
  if (const auto p = read_imf_fixdate(text)) return to_time(*p);
  if (const auto p = read_rfc850(text)) return with_century(*p, now);
  if (const auto p = read_asctime(text)) return to_time(*p);
  return std::nullopt;
}

std::string http_date(sys_seconds when) {
  using std::chrono::year;
  constexpr sys_seconds first = sys_days{year{0} / 1 / 1};
  constexpr sys_seconds last = sys_days{year{10'000} / 1 / 1} - seconds{1};
  when = std::clamp(when, first, last);
  const auto day = std::chrono::floor<days>(when);
  const year_month_day date{day};
  const std::chrono::hh_mm_ss time{when - day};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", short_days[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

} // namespace greenroom::http::internal
