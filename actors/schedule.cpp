#include <greenroom/actors/schedule.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>

namespace greenroom {
namespace {

using namespace std::chrono;

constexpr std::string_view forms =
    "a schedule is 'every 5min', 'at 2026-11-27T08:30:00Z', 'cron 30 2 * * *' or 'cron 30 2 * * * in Europe/Berlin'";

error no_schedule(std::string_view text, std::string_view why) {
  return error(errc::parse, fmt::format("cannot read the schedule '{}': {}; {}", text, why, forms));
}

// What 64 bits of nanoseconds can hold, in whole years.
constexpr wall_time earliest = sys_days(year(1678) / 1 / 1);
constexpr wall_time latest = sys_days(year(2262) / 1 / 1) - milliseconds(1);

/// Reads the digits of a picture such as "dddd-dd", whose other characters must stand there.
bool read_picture(std::string_view text, std::string_view picture, std::initializer_list<int*> numbers) {
  if (text.size() != picture.size()) return false;
  auto to = numbers.begin();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = picture[i] == 'd';
    if (digit ? text[i] < '0' || text[i] > '9' : text[i] != picture[i]) return false;
    if (!digit) continue;
    if (i == 0 || picture[i - 1] != 'd') **to++ = 0;
    auto& n = **(to - 1);
    n = n * 10 + (text[i] - '0');
  }
  return true;
}

std::optional<wall_time> read_time(std::string_view text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0;
  if (!read_picture(text, "dddd-dd-ddTdd:dd:ddZ", {&y, &mo, &d, &h, &mi, &s}) &&
      !read_picture(text, "dddd-dd-ddTdd:dd:dd.dddZ", {&y, &mo, &d, &h, &mi, &s, &ms}))
    return std::nullopt;
  const year_month_day day(year(y), month(static_cast<unsigned>(mo)), std::chrono::day(static_cast<unsigned>(d)));
  if (!day.ok() || y < 1678 || y > 2261 || h > 23 || mi > 59 || s > 59) return std::nullopt;
  return sys_days(day) + hours(h) + minutes(mi) + seconds(s) + milliseconds(ms);
}

duration since_1970(wall_time t) { return detail::saturating_nanoseconds(t.time_since_epoch()); }
cron::sys_seconds whole(duration since) { return cron::sys_seconds(floor<seconds>(since)); }

/// How many periods fit, rounded towards the past.
duration::rep periods_in(duration span, duration period) {
  const auto n = span / period;
  return span < n * period ? n - 1 : n;
}

std::vector<duration> last_of_grid(duration period, duration after, duration until, std::size_t most) {
  std::vector<duration> found;
  auto n = periods_in(until, period);
  for (; n * period > after && found.size() < most; --n) found.push_back(n * period);
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<duration> last_of_calendar(const cron& when, duration after, duration until, std::size_t most) {
  // A calendar can only be read forwards, so it is read from points further and further back.
  constexpr duration steps[] = {seconds(1), minutes(1), hours(1), hours(24), days(32), days(367), duration::max()};
  for (const auto& back : steps) {
    const bool all = back >= until - after;
    std::deque<duration> found;
    for (auto at = when.next(whole(all ? after : until - back)); at.time_since_epoch() <= until; at = when.next(at)) {
      found.push_back(at.time_since_epoch());
      if (found.size() > most) found.pop_front();
    }
    if (all || found.size() == most) return std::vector<duration>(found.begin(), found.end());
  }
  return {};
}

} // namespace

std::string iso_text(wall_time when) {
  const auto t = floor<milliseconds>(std::clamp(when, earliest, latest));
  const auto s = floor<seconds>(t);
  const auto day = floor<days>(s);
  const year_month_day date(day);
  const hh_mm_ss<seconds> time(s - day);
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                          unsigned(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
  if (t != s) text += fmt::format(".{:03}", (t - s).count());
  return text + "Z";
}

schedule schedule::every(milliseconds period) {
  if (period < milliseconds(1)) throw usage_error("schedule::every: the period must be a millisecond at least");
  return schedule(times(period));
}

schedule schedule::at(wall_time when) {
  return schedule(times(wall_time(floor<milliseconds>(std::clamp(when, earliest, latest)))));
}

result<schedule> schedule::parse(std::string_view text) {
  const auto space = text.find(' ');
  const auto kind = text.substr(0, space);
  const auto rest = space == text.npos ? std::string_view() : text.substr(space + 1);
  if (kind == "every") {
    const auto period = detail::parse_duration(rest);
    if (!period || *period < milliseconds(1) || detail::saturating_nanoseconds(*period) == duration::max())
      return no_schedule(text, fmt::format("'{}' is not {}", rest, detail::duration_form));
    return every(*period);
  }
  if (kind == "at") {
    const auto when = read_time(rest);
    if (!when) return no_schedule(text, fmt::format("'{}' is no time in UTC in the years from 1678 to 2261", rest));
    return at(*when);
  }
  if (kind == "cron") {
    const auto in = rest.find(" in ");
    auto when = cron::parse(rest.substr(0, in), in == rest.npos ? "UTC" : rest.substr(in + 4));
    if (!when) return when.error();
    return schedule(*std::move(when));
  }
  return no_schedule(text, "it begins with none of these words");
}

std::string schedule::text() const {
  if (const auto* const period = std::get_if<milliseconds>(&how_)) return "every " + detail::show_duration(*period);
  if (const auto* const when = std::get_if<wall_time>(&how_)) return "at " + iso_text(*when);
  const auto& calendar = std::get<cron>(how_);
  return "cron " + calendar.text() + (calendar.zone() == "UTC" ? "" : " in " + calendar.zone());
}

duration schedule::period() const noexcept {
  const auto* const p = std::get_if<milliseconds>(&how_);
  return p == nullptr ? duration::zero() : detail::saturating_nanoseconds(*p);
}

duration schedule::next(duration after) const {
  if (how_.index() == 0) {
    duration::rep due = 0;
    const bool beyond = __builtin_mul_overflow(periods_in(after, period()) + 1, period().count(), &due);
    return beyond ? duration::max() : duration(due);
  }
  if (const auto* const when = std::get_if<wall_time>(&how_)) {
    const auto due = since_1970(*when);
    return due > after ? due : duration::max();
  }
  return std::get<cron>(how_).next(whole(after)).time_since_epoch();
}

std::vector<duration> schedule::last(duration after, duration until, std::size_t most) const {
  if (most == 0 || until <= after) return {};
  if (how_.index() == 0) return last_of_grid(period(), after, until, most);
  if (const auto* const calendar = std::get_if<cron>(&how_)) return last_of_calendar(*calendar, after, until, most);
  const auto due = next(after);
  return due <= until ? std::vector<duration>{due} : std::vector<duration>();
}

} // namespace greenroom
