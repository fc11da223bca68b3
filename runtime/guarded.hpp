// guarded<T>: a value that can be reached only through its mutex, so that no access can forget to lock.
//
//   guarded<std::map<key, price>> prices;
//   auto table = co_await prices.lock();   // held until `table` goes
//   (*table)[k] = p;
//
// Use it by default for what several actors share; a mutex of its own only where one lock protects more than one object.
// Thread safety, order: as mutex.hpp. Lifetime: outlives what lock() gives. References into the value must not outlive it.
#pragma once

#include <cassert>
#include <chrono>
#include <concepts>
#include <optional>
#include <utility>

#include <greenroom/runtime/mutex.hpp>

namespace greenroom {

/// The way to a guarded value, and the lock on it. Requires: not moved from or unlocked, where the value is used (asserted).
/// Thread safety: owner only.
template <class T>
class [[nodiscard("the value is locked only while this lives")]] locked {
public:
  T& operator*() const noexcept { return assert(guard_), *value_; }
  T* operator->() const noexcept { return assert(guard_), value_; }
  /// Gives the value up before the end of the scope.
  void unlock() noexcept { guard_.unlock(); }
  /// The guard, for condition::wait().
  mutex_guard& guard() noexcept { return guard_; }

  /// For the runtime.
  locked(mutex_guard guard, T & value) noexcept : guard_(std::move(guard)), value_(&value) {}

private:
  mutex_guard guard_;
  T* value_;
};

namespace detail {

template <class T>
struct lock_value_action : acquire_action<mutex_guard> {
  lock_value_action(permits& p, T& v) noexcept : acquire_action(p, 1), value(&v) {}
  locked<T> take(std::uint8_t outcome) noexcept { return {acquire_action::take(outcome), *value}; }
  T* value;
};

template <class T>
struct timed_lock_value_action : timed_acquire_action<mutex_guard> {
  timed_lock_value_action(permits& p, T& v) noexcept : timed_acquire_action(p, 1), value(&v) {}
  result<locked<T>> take(std::uint8_t outcome) noexcept {
    auto guard = timed_acquire_action::take(outcome);
    if (!guard) return guard.error();
    return locked<T>(*std::move(guard), *value);
  }
  T* value;
};

} // namespace detail

/// A value that can be reached only through its lock. Thread safety, lifetime and order: see the file comment.
template <class T>
class guarded {
public:
  /// Makes the value from `args`.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  explicit guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  /// Locks and gives the way to the value; also a select case. Waits, Cancellation: as mutex::lock().
  auto lock() noexcept { return detail::queued_op(detail::lock_value_action<T>(permit_, value_)); }

  /// The same with a limit. Errors: errc::timed_out.
  auto lock_until(time_point deadline) noexcept {
    return detail::queued_op(detail::timed_lock_value_action<T>(permit_, value_), deadline);
  }
  /// The same; the limit counts from this call.
  template <class Rep, class Period>
  auto lock_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return lock_until(detail::deadline_in(limit));
  }

  /// Locks if nobody holds the value; otherwise gives nothing. Waits: never.
  std::optional<locked<T>> try_lock() noexcept {
    if (!permit_.try_take(1)) return std::nullopt;
    return locked<T>(mutex_guard(detail::holding(permit_, 1)), value_);
  }

private:
  T value_;
  detail::permits permit_{1}; // declared last: it is checked for being free before the value goes
};

} // namespace greenroom
