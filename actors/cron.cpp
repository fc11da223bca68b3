#include <greenroom/actors/cron.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/internal/time_zone.hpp>

namespace greenroom {
namespace {

using namespace std::chrono;

struct field_rule {
  const char* name;
  int least, most;
  std::array<std::string_view, 12> names = {}; // of the values, from the least
};

constexpr field_rule rules[] = {
    {"second", 0, 59},
    {"minute", 0, 59},
    {"hour", 0, 23},
    {"day of the month", 1, 31},
    {"month", 1, 12, {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
    {"day of the week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
};

struct macro {
  std::string_view name, fields;
};
constexpr macro macros[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                            {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                            {"@hourly", "0 * * * *"}};

constexpr auto horizon = days(366 * 40); // February 29 on a given day of the week comes after 40 years at the latest

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::optional<int> number(std::string_view text) {
  int n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || !std::isdigit(static_cast<unsigned char>(text.front())) || problem != std::errc() ||
      end != text.data() + text.size())
    return std::nullopt;
  return n;
}

std::optional<int> value_of(const field_rule& rule, std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  const auto named = std::find(rule.names.begin(), rule.names.end(), upper);
  if (!upper.empty() && named != rule.names.end()) return rule.least + static_cast<int>(named - rule.names.begin());
  const auto n = number(text);
  return n && *n >= rule.least && *n <= rule.most ? n : std::nullopt;
}

/// Reads one part of a list: *, 5, 1-5, */2, 1-30/2 or 5/2, which goes on to the end.
bool read_part(const field_rule& rule, std::string_view part, std::bitset<60>& into) {
  const auto slash = part.find('/');
  const auto step = slash == std::string_view::npos ? std::optional<int>(1) : number(part.substr(slash + 1));
  if (!step || *step < 1 || *step > rule.most) return false;
  const auto range = part.substr(0, slash);
  const auto dash = range.find('-');
  std::optional<int> first = rule.least, last = rule.most;
  if (range != "*" && range != "?") {
    first = value_of(rule, range.substr(0, dash));
    last = dash != std::string_view::npos    ? value_of(rule, range.substr(dash + 1))
           : slash == std::string_view::npos ? first
                                             : last;
  }
  if (!first || !last || *first > *last) return false;
  for (int n = *first; n <= *last; n += *step) into.set(static_cast<std::size_t>(n));
  return true;
}

result<std::bitset<60>> read_field(const field_rule& rule, std::string_view text) {
  std::bitset<60> on;
  for (const auto part : split(text, ",")) {
    if (!read_part(rule, part, on))
      return error(errc::parse,
                   fmt::format("the {} of a cron expression must be *, values from {} to {}{}, ranges, steps and lists "
                               "of them, not '{}'",
                               rule.name, rule.least, rule.most,
                               rule.names.front().empty() ? "" : fmt::format(" or {} and so on", rule.names.front()),
                               text));
  }
  return on;
}

template <std::size_t Size>
void take(std::bitset<Size>& to, const std::bitset<60>& from) {
  for (std::size_t i = 0; i < Size; ++i) to[i] = from[i];
}

} // namespace

result<cron::fields> cron::read_fields(std::string_view text) {
  for (const auto& m : macros) {
    if (text == m.name) return read_fields(m.fields);
  }
  auto parts = split(text, " \t");
  parts.erase(std::remove(parts.begin(), parts.end(), std::string_view()), parts.end());
  if (parts.size() == 5) parts.insert(parts.begin(), "0");
  if (parts.size() != 6)
    return error(errc::parse, fmt::format("a cron expression has five fields (minute, hour, day of the month, month, "
                                          "day of the week) or six (a second before them), "
                                          "or is one of @yearly, @monthly, @weekly, @daily, @hourly; '{}' is none",
                                          text));
  std::array<std::bitset<60>, 6> on;
  for (std::size_t i = 0; i < 6; ++i) {
    auto read = read_field(rules[i], parts[i]);
    if (!read) return read.error();
    on[i] = *read;
  }
  fields made;
  made.second = on[0];
  made.minute = on[1];
  take(made.hour, on[2]);
  take(made.day, on[3]);
  take(made.month, on[4]);
  if (on[5][7]) on[5].set(0);
  take(made.weekday, on[5]);
  const auto is_star = [&parts](std::size_t i) { return parts[i].front() == '*' || parts[i].front() == '?'; };
  made.any_hour = parts[2] == "*" || parts[2] == "?";
  made.any_day = is_star(3); // */2 too: crontab(5)
  made.any_weekday = is_star(5);
  return made;
}

result<cron> cron::parse(std::string_view text, std::string_view zone) {
  auto on = read_fields(text);
  if (!on) return on.error();
  if (!internal::zone_exists(zone)) {
    if (!internal::has_time_zones())
      return error(errc::unsupported, fmt::format("cannot use the time zone '{}': this build knows UTC alone; install "
                                                  "libhowardhinnant-date-dev and build with "
                                                  "GREENROOM_TIME_ZONES=ON",
                                                  zone));
    return error(errc::not_found, fmt::format("there is no time zone '{}': use a name as Europe/Berlin, or UTC", zone));
  }
  cron made;
  made.on_ = *on;
  made.text_ = text;
  made.zone_ = zone;
  if (!made.find(sys_days(2000y / 1 / 1)))
    return error(errc::parse, fmt::format("'{}' never comes: no such month has such a day", text));
  return made;
}

bool cron::has_day(local_days day) const noexcept {
  const year_month_day date(day);
  if (!on_.month[unsigned(date.month())]) return false;
  const bool in_month = on_.day[unsigned(date.day())];
  const bool in_week = on_.weekday[weekday(day).c_encoding()];
  return on_.any_day || on_.any_weekday ? in_month && in_week : in_month || in_week;
}

/// Returns the first local time that is meant, from `from` on and before `until`.
std::optional<local_seconds> cron::next_local(local_seconds from, local_seconds until) const noexcept {
  for (auto day = floor<days>(from); day < until; day += days(1)) {
    if (!has_day(day)) continue;
    const hh_mm_ss begin(std::max(from, local_seconds(day)) - day);
    for (auto h = begin.hours().count(); h < 24; ++h) {
      if (!on_.hour[static_cast<std::size_t>(h)]) continue;
      const bool first_hour = h == begin.hours().count();
      for (auto m = first_hour ? begin.minutes().count() : 0; m < 60; ++m) {
        if (!on_.minute[static_cast<std::size_t>(m)]) continue;
        const bool first_minute = first_hour && m == begin.minutes().count();
        for (auto s = first_minute ? begin.seconds().count() : 0; s < 60; ++s) {
          if (!on_.second[static_cast<std::size_t>(s)]) continue;
          const auto found = day + hours(h) + minutes(m) + seconds(s);
          return found < until ? std::optional(found) : std::nullopt;
        }
      }
    }
  }
  return std::nullopt;
}

/// Goes through the stretches of one offset. What lies between two of them is left out or comes twice.
std::optional<sys_seconds> cron::find(sys_seconds after) const {
  const auto limit = after + horizon;
  for (auto from = after + 1s; from < limit;) {
    const auto span = internal::offset_at(zone_, from);
    const auto local = [&span](sys_seconds t) { return local_seconds((t + span.offset).time_since_epoch()); };
    auto begin = local(from);
    if (!on_.any_hour && span.begin > sys_seconds::min() && span.begin > sys_days(1800y / 1 / 1)) {
      const auto before = internal::offset_at(zone_, span.begin - 1s).offset;
      const auto clock_before = local_seconds((span.begin + before).time_since_epoch()); // what the clock would show
      if (clock_before > local(span.begin)) {
        begin = std::max(begin, clock_before); // it comes for the second time
      } else if (from == span.begin && next_local(clock_before, local(span.begin))) {
        return from; // right behind the gap
      }
    }
    const auto end = std::min(span.end, limit);
    if (const auto found = next_local(begin, local(end))) return sys_seconds(found->time_since_epoch()) - span.offset;
    from = end;
  }
  return std::nullopt;
}

sys_seconds cron::next(sys_seconds after) const {
  // parse() has seen that it comes; by the calendar's rules again and again.
  return find(after).value_or(sys_seconds::max());
}

} // namespace greenroom
