// cron: points in time by the calendar and clock of a place, in the notation of crontab.
//
//   auto nightly = cron::parse("30 2 * * MON-FRI", "Europe/Berlin").value();
//   auto next = nightly.next(now);                       // the first one behind `now`; 2:30 there, summer and winter
//
// Five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12, JAN-DEC), day of the week (0-7, SUN-SAT; 0 and 7 are Sunday);
// six begin with the second. A field is * (or ?), a value, a range 1-5, either with a step /2, or a list of those. Where both days are given, one of them is enough,
// as in cron. Also @yearly, @monthly, @weekly, @daily, @hourly.
// When clocks are put forward, what would have been in the hour that is left out comes once, right behind the gap. When they are put back, what is in the hour that comes
// twice comes once, in the first. Where the hour is *, real time counts: nothing is made up for, and both hours count.
// Thread safety: as a value. Source: crontab(5) of Vixie cron, for the fields and the two days.
#pragma once

#include <bitset>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// A cron expression in a time zone: points in time. Thread safety: as a value.
class GREENROOM_EXPORT cron {
public:
  /// A point in time, to the second.
  using sys_seconds = std::chrono::sys_seconds;

  /// Reads an expression; `zone` is a name of the IANA database, as "Europe/Berlin". Errors: parse, naming the field, what it may have, and what it has;
  /// also for what never comes, as February 30; not_found for an unknown zone; unsupported, for another zone than UTC in a build without time zones.
  static result<cron> parse(std::string_view text, std::string_view zone = "UTC");

  /// Returns the first point in time behind `after`. Cost: microseconds; some more for what comes once in years.
  sys_seconds next(sys_seconds after) const;

  /// Returns the expression as it was given.
  const std::string& text() const noexcept { return text_; }
  /// Returns the name of the time zone.
  const std::string& zone() const noexcept { return zone_; }

private:
  using local_seconds = std::chrono::local_seconds;
  struct fields {
    std::bitset<60> second, minute;
    std::bitset<24> hour;
    std::bitset<32> day;    // from 1
    std::bitset<13> month;  // from 1
    std::bitset<7> weekday; // from Sunday
    bool any_day = false;   // * for the day of the month
    bool any_weekday = false;
    bool any_hour = false;
  };
  cron() = default;
  static result<fields> read_fields(std::string_view text);
  bool has_day(std::chrono::local_days day) const noexcept;
  std::optional<local_seconds> next_local(local_seconds from, local_seconds until) const noexcept;
  std::optional<sys_seconds> find(sys_seconds after) const;

  fields on_;
  std::string text_, zone_;
};

} // namespace greenroom
