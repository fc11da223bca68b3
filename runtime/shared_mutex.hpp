// shared_mutex: a readers-writer lock between actors: many may hold it shared, or one alone. Worth it where reads are many and
// hold it long, across a co_await; for short reads a mutex is as good.
//
//   auto reading = co_await table_lock.lock_shared();
//   auto writing = co_await table_lock.lock();
//
// Thread safety: any thread may try and unlock; actors wait. Lifetime: outlives its guards and the waits for it (asserted).
// Order: first come, first served: readers that arrive behind a waiting writer wait for it, so that neither side can starve
// the other. Hence an actor that holds it shared must not lock it shared again: a writer may stand between.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <greenroom/runtime/detail/permits.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// A shared_mutex held alone, or together with other readers, until this object is destroyed, unlocked or moved from.
/// Thread safety: owner only; it may be moved to another actor or thread.
template <bool Alone>
class [[nodiscard("a guard that is dropped unlocks at once")]] shared_mutex_guard {
public:
  /// Holds none.
  shared_mutex_guard() noexcept = default;

  /// Gives the lock up. Waits: never. Unlocking twice is fine.
  void unlock() noexcept { held_.give_back(); }
  explicit operator bool() const noexcept { return held_.from() != nullptr; }

  /// For the runtime.
  static constexpr auto kind = detail::wait_kind::lock;
  explicit shared_mutex_guard(detail::holding held) noexcept : held_(std::move(held)) {}

private:
  detail::holding held_;
};

/// Holds it alone.
using exclusive_guard = shared_mutex_guard<true>;
/// Holds it together with other readers.
using shared_guard = shared_mutex_guard<false>;

/// A readers-writer lock. Thread safety, lifetime and order: see the file comment.
class shared_mutex {
  // A writer takes all permits, a reader one.
  static constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();

public:
  shared_mutex() noexcept = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;

  /// Locks for writing and gives the guard; also a select case.
  /// Waits: suspends the actor until all who came before have unlocked. Cancellation: throws `cancelled`, with nothing locked; the
  /// readers that waited behind go on.
  auto lock() noexcept { return detail::acquire<exclusive_guard>(permits_, all); }
  /// The same with a limit. Errors: errc::timed_out.
  auto lock_until(time_point deadline) noexcept {
    return detail::acquire_until<exclusive_guard>(permits_, all, deadline);
  }
  /// The same with a limit that counts from this call.
  template <class Rep, class Period>
  auto lock_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return lock_until(detail::deadline_in(limit));
  }
  /// Locks if nobody holds it in any way; otherwise gives nothing. Waits: never.
  std::optional<exclusive_guard> try_lock() noexcept { return take<exclusive_guard>(all); }

  /// Locks for reading, together with other readers; also a select case.
  /// Waits: suspends the actor while a writer holds it or came before. Cancellation: throws `cancelled`, with nothing locked.
  auto lock_shared() noexcept { return detail::acquire<shared_guard>(permits_, 1); }
  /// The same with a limit. Errors: errc::timed_out.
  auto lock_shared_until(time_point deadline) noexcept {
    return detail::acquire_until<shared_guard>(permits_, 1, deadline);
  }
  /// The same with a limit that counts from this call.
  template <class Rep, class Period>
  auto lock_shared_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return lock_shared_until(detail::deadline_in(limit));
  }
  /// Locks for reading if no writer holds it or waits; otherwise gives nothing. Waits: never.
  std::optional<shared_guard> try_lock_shared() noexcept { return take<shared_guard>(1); }

private:
  template <class Guard>
  std::optional<Guard> take(std::int64_t count) noexcept {
    if (!permits_.try_take(count)) return std::nullopt;
    return Guard(detail::holding(permits_, count));
  }

  detail::permits permits_{all};
};

} // namespace greenroom
