// semaphore: a number of permits for something there is only so much of: connections, memory, calls in flight. An actor that
// wants more than is free waits in line.
//
//   semaphore calls(8);
//   auto permit = co_await calls.acquire();   // given back when `permit` goes
//
// Thread safety: any thread may try and give back; actors wait. Lifetime: outlives its permits and the waits for it (asserted).
// Order: first come, first served, whatever the sizes: a big request is not starved by small ones, which wait behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/permits.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// Permits of a semaphore in hand, until this object is destroyed, released or moved from. Default-constructed: none.
/// Thread safety: owner only; it may be moved to another actor or thread.
class [[nodiscard("a permit that is dropped is given back at once")]] permit {
public:
  permit() noexcept = default;

  /// Gives all of it back. Waits: never. Releasing twice is fine.
  void release() noexcept { held_.give_back(); }
  /// Returns how much of the semaphore this is. Units: permits.
  std::int64_t count() const noexcept { return held_.count(); }
  explicit operator bool() const noexcept { return held_.from() != nullptr; }

  /// For the runtime.
  static constexpr auto kind = detail::wait_kind::semaphore;
  /// Holds what was got.
  explicit permit(detail::holding held) noexcept : held_(std::move(held)) {}

private:
  detail::holding held_;
};

/// Permits for something there is only so much of. Thread safety, lifetime and order: see the file comment.
class semaphore {
public:
  /// Makes a semaphore with all permits free. Errors: usage_error unless `capacity` is positive.
  explicit semaphore(std::int64_t capacity) : permits_(checked_capacity(capacity)) {}
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  /// Takes `count` permits, all at once; also a select case.
  /// Waits: suspends the actor until all who came before are served and enough is free. Cancellation: throws `cancelled`, having
  /// taken nothing. Errors: usage_error, from the call itself, for a count outside 1 .. capacity().
  auto acquire(std::int64_t count = 1) { return detail::acquire<permit>(permits_, checked(count)); }

  /// The same with a limit. Errors: also errc::timed_out.
  auto acquire_until(time_point deadline, std::int64_t count = 1) {
    return detail::acquire_until<permit>(permits_, checked(count), deadline);
  }
  /// The same; the limit counts from this call.
  template <class Rep, class Period>
  auto acquire_for(std::chrono::duration<Rep, Period> limit, std::int64_t count = 1) {
    return acquire_until(detail::deadline_in(limit), count);
  }

  /// Takes `count` permits if they are free and nobody waits; otherwise gives nothing. Waits: never.
  /// Errors: usage_error as acquire().
  std::optional<permit> try_acquire(std::int64_t count = 1) {
    if (!permits_.try_take(checked(count))) return std::nullopt;
    return permit(detail::holding(permits_, count));
  }

  /// Returns how many permits there are in all. Units: permits.
  std::int64_t capacity() const noexcept { return permits_.capacity(); }
  /// Returns how many are free, as it was a moment ago. Units: permits.
  std::int64_t available_approx() noexcept { return permits_.available(); }

private:
  GREENROOM_EXPORT static std::int64_t checked_capacity(std::int64_t capacity);
  [[noreturn]] GREENROOM_EXPORT void refuse(std::int64_t count) const;
  std::int64_t checked(std::int64_t count) const {
    if (count < 1 || count > capacity()) refuse(count);
    return count;
  }

  detail::permits permits_;
};

} // namespace greenroom
