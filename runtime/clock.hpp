/// Time: the words for points and spans of it, and the clock behind an interface so that a
/// simulation can set it. Deadlines use the monotonic clock; the wall clock is for log lines and
/// dates only.
/// Thread safety: a clock may be read from any threads at once; the functions are pure.
/// Lifetime: real_clock() lives as long as the process; other clocks must outlive the system that
/// uses them.
#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>
#include <type_traits>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// A point of the monotonic time.
using time_point = std::chrono::steady_clock::time_point;
/// A span of it.
using duration = std::chrono::nanoseconds;

/// The deadline that does not come.
inline constexpr time_point never = time_point::max();

/// Where a system takes its time from.
/// Thread safety: any thread.
class GREENROOM_EXPORT clock {
public:
  clock() = default;
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;
  virtual ~clock();

  /// Returns the monotonic time: it never goes back and does not follow changes of the date.
  virtual time_point now() const noexcept = 0;

  /// Returns now() as it was not long ago, at a fifth of its cost: coarse_step at most, or more where the machine itself stood still. For
  /// what is late by much if it is late.
  virtual time_point coarse_now() const noexcept { return now(); }
  static constexpr auto coarse_step = std::chrono::milliseconds(10); ///< the longest tick of a kernel

  /// Returns the date and time of day, which an administrator may set back.
  virtual std::chrono::system_clock::time_point wall_now() const noexcept = 0;

  /// Returns the second of wall_now(), at a fifth of its cost.
  virtual std::chrono::sys_seconds wall_second() const noexcept {
    return std::chrono::floor<std::chrono::seconds>(wall_now());
  }
};

/// Returns the clock of the machine.
GREENROOM_EXPORT const clock& real_clock() noexcept;

namespace detail {

/// Converts to nanoseconds; what does not fit becomes the largest or the smallest value, and NaN
/// the largest.
template <class Rep, class Period>
constexpr duration saturating_nanoseconds(std::chrono::duration<Rep, Period> span) noexcept {
  using factor = std::ratio_divide<Period, std::nano>;
  if constexpr (std::is_integral_v<Rep> && factor::den == 1) {
    std::int64_t count = 0;
    if (!__builtin_mul_overflow(span.count(), factor::num, &count)) return duration{count};
    return span.count() < Rep{0} ? duration::min() : duration::max();
  } else {
    // Floating point, or a period finer than a nanosecond: rounding is part of the type's contract.
    const auto exact = static_cast<long double>(span.count()) * factor::num / factor::den;
    if (exact <= static_cast<long double>(duration::min().count())) return duration::min();
    if (exact < static_cast<long double>(duration::max().count())) return duration{static_cast<std::int64_t>(exact)};
    return duration::max();
  }
}

} // namespace detail

/// Returns `start + span`, where too late is `never`, too early is the earliest time point, and
/// `never` stays `never` whatever is added.
constexpr time_point saturating_add(time_point start, std::chrono::nanoseconds span) noexcept {
  if (start == never) return never;
  std::int64_t count = 0;
  if (!__builtin_add_overflow(start.time_since_epoch().count(), span.count(), &count)) {
    return time_point{duration{count}};
  }
  return span.count() < 0 ? time_point::min() : never;
}

/// The same for spans of any unit: `saturating_add(now, std::chrono::hours::max())` is `never`.
template <class Rep, class Period>
constexpr time_point saturating_add(time_point start, std::chrono::duration<Rep, Period> span) noexcept {
  const duration whole = detail::saturating_nanoseconds(span);
  // A span that is itself too long is endless, however early the start is.
  return whole == duration::max() ? never : saturating_add(start, whole);
}

} // namespace greenroom
