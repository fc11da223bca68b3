// condition: waits until the state that a mutex protects has become what one needs, as a condition variable does for threads.
// Most such waiting is better said with a mailbox; a condition is for state that several actors look at.
//
//   auto guard = co_await m.lock();
//   co_await changed.wait(guard, [&] { return !queue.empty(); });   // holds the mutex again
//
//   queue.push_back(x);                                             // elsewhere, under the mutex
//   changed.notify_one();
//
// Thread safety: any thread may notify, with or without the mutex; actors wait. Lifetime: outlives the waits for it (asserted), and
// the mutex outlives them too. All who wait at a time use the same mutex.
// Order: notify_one() wakes the actor that has waited longest. Source: Go's sync.Cond.
#pragma once

#include <chrono>
#include <utility>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// Waits for a state that a mutex protects. Thread safety, lifetime and order: see the file comment.
class GREENROOM_EXPORT condition {
public:
  condition() noexcept = default;
  condition(const condition&) = delete;
  condition& operator=(const condition&) = delete;
  ~condition();

  /// Gives the mutex up, waits for a notification, and takes the mutex again. No notification is lost between the first two: who
  /// changes the state under the mutex and then notifies finds this actor waiting. No wake-up without a notification.
  /// Requires: `guard` holds a mutex; it lives until the wait is over.
  /// Waits: suspends the actor until it is notified, and then until it has the mutex. Cancellation: throws `cancelled` with the mutex
  /// held: taking it again cannot be cancelled. A notification that meets a cancelled or killed actor goes to the next.
  /// Errors: usage_error if the guard holds nothing.
  task<> wait(mutex_guard& guard);

  /// Waits until `met()` is true; it is called with the mutex held, at first before any wait.
  template <class Predicate>
  task<> wait(mutex_guard& guard, Predicate met) {
    while (!met()) co_await pause(guard, never);
  }

  /// The same with a limit. Returns what `met()` said last: false after the deadline, with the mutex held all the same.
  template <class Predicate>
  task<bool> wait_until(mutex_guard& guard, time_point deadline, Predicate met) {
    bool notified = true;
    while (!met()) {
      if (!notified) co_return false;
      notified = co_await pause(guard, deadline);
    }
    co_return true;
  }
  /// The limit counts from this call.
  template <class Rep, class Period, class Predicate>
  task<bool> wait_for(mutex_guard& guard, std::chrono::duration<Rep, Period> limit, Predicate met) {
    return wait_until(guard, detail::deadline_in(limit), std::move(met));
  }

  /// Wakes the actor that has waited longest, if one waits. Waits: never.
  void notify_one() noexcept;
  /// Wakes all actors that wait now. Waits: never.
  void notify_all() noexcept;

private:
  struct notice;
  struct notice_action;
  /// Waits once. Returns false if the deadline came first.
  task<bool> pause(mutex_guard& guard, time_point deadline);

  detail::spin_lock lock_;
  detail::wait_queue waiting_; // guarded by lock_
};

} // namespace greenroom
