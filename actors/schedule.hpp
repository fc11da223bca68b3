// schedule: when a job is due: every so often, at a point in time, or by the calendar of a place. A text says the same, for files and people.
//
//   auto often = schedule::every(100ms);                                      // "every 100ms"
//   auto once = schedule::parse("at 2026-11-27T08:30:00Z").value();
//   schedule nightly = cron::parse("30 2 * * MON-FRI", "Europe/Berlin").value();  // "cron 30 2 * * MON-FRI in Europe/Berlin"
//
// Thread safety: as a value. Lifetime: owns what it holds.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <greenroom/actors/cron.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// A date and time of day.
using wall_time = std::chrono::system_clock::time_point;

/// Returns "2026-11-27T08:30:00Z", with milliseconds if there are any. From 1678 to 2261; what is beyond is shown as the nearest.
GREENROOM_EXPORT std::string iso_text(wall_time when);

/// Thread safety: as a value.
class GREENROOM_EXPORT schedule {
public:
  /// On a fixed grid: the n-th time is n periods behind the start, however long anything takes. By the monotonic clock, so no change of the date moves it.
  /// Errors: usage_error unless the period is 1 ms at least.
  static schedule every(std::chrono::milliseconds period);
  /// Once, by the wall clock. What is finer than a millisecond is cut off.
  static schedule at(wall_time when);
  /// By the wall clock.
  schedule(cron when) : how_(std::move(when)) {}

  /// Reads "every 5min", "at 2026-11-27T08:30:00Z", "cron 30 2 * * *" (in UTC), or "cron 30 2 * * * in Europe/Berlin". Errors: parse, with what may stand there; those of
  /// cron::parse().
  static result<schedule> parse(std::string_view text);
  /// Returns what parse() reads.
  std::string text() const;

  /// Returns whether it follows the date, which an administrator may set; otherwise it follows the monotonic clock.
  bool by_wall_clock() const noexcept { return how_.index() != 0; }
  /// Returns whether it is made by at().
  bool once() const noexcept { return how_.index() == 1; }
  /// Returns the period of every(); zero for others.
  duration period() const noexcept;

  // -- the times, since 1970 by the wall clock, or since the start of the grid ---------------------------------------

  /// Returns the first time behind `after`; duration::max() if there is none. Cost: as cron::next().
  duration next(duration after) const;
  /// Returns the last times, `most` of them at most, that are behind `after` and not behind `until`, in order.
  /// Cost: some 60 calls of cron::next() for each that it returns, some thousands for what comes often in a short part of the day only.
  std::vector<duration> last(duration after, duration until, std::size_t most) const;

private:
  using times = std::variant<std::chrono::milliseconds, wall_time, cron>;
  explicit schedule(times how) : how_(std::move(how)) {}

  times how_;
};

} // namespace greenroom
