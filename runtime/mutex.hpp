// mutex: mutual exclusion between actors that may wait while they hold it, which a std::mutex does not allow: an actor waits in
// line and its worker goes on with others. To protect a value, guarded<T> says the same and cannot be forgotten; for a few
// instructions without a co_await a std::mutex is cheaper.
//
//   auto guard = co_await m.lock();      // held until the guard goes
//
// Thread safety: any thread may try_lock() and unlock; actors wait. A guard may be given up on another worker than it was got on.
// Lifetime: the mutex outlives its guards and the waits for it (asserted). It is not recursive: who locks twice waits for ever.
// Order: first come, first served. An unlock hands the mutex to the actor that waits longest, so that nobody can take it twice
// while another one waits.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <greenroom/runtime/detail/permits.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

class condition;

/// A mutex held, until this object is destroyed, unlocked or moved from. Default-constructed: holds none.
/// Thread safety: owner only; it may be moved to another actor or thread.
class [[nodiscard("a guard that is dropped unlocks at once")]] mutex_guard {
public:
  mutex_guard() noexcept = default;

  /// Gives the mutex to the next in line. Waits: never. Unlocking twice is fine.
  void unlock() noexcept { held_.give_back(); }
  /// Returns whether this object holds a mutex.
  explicit operator bool() const noexcept { return held_.from() != nullptr; }

  /// For the runtime.
  static constexpr auto kind = detail::wait_kind::lock;
  /// Holds what was got.
  explicit mutex_guard(detail::holding held) noexcept : held_(std::move(held)) {}

private:
  friend class condition;
  detail::holding held_;
};

/// Thread safety, lifetime and order: see the file comment.
/// Cost: 32 bytes; without contention a lock and an unlock are two uses of a spin lock.
class mutex {
public:
  mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  /// Locks and gives the guard; also a select case.
  /// Waits: suspends the actor until the mutex is handed to it. Cancellation: throws `cancelled`, with nothing locked; an actor that
  /// is killed while it waits leaves the line, and one that is killed while it holds the guard unlocks.
  auto lock() noexcept { return detail::acquire<mutex_guard>(permit_, 1); }

  /// The same with a limit. Errors: errc::timed_out.
  auto lock_until(time_point deadline) noexcept { return detail::acquire_until<mutex_guard>(permit_, 1, deadline); }
  /// The same; the limit counts from this call.
  template <class Rep, class Period>
  auto lock_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return lock_until(detail::deadline_in(limit));
  }

  /// Locks if nobody holds the mutex; otherwise gives nothing. Waits: never.
  std::optional<mutex_guard> try_lock() noexcept {
    if (!permit_.try_take(1)) return std::nullopt;
    return mutex_guard(detail::holding(permit_, 1));
  }

private:
  detail::permits permit_{1};
};

} // namespace greenroom
