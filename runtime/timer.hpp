// Timers for actors: sleep_for, sleep_until, and a ticker for cyclic work.
// Timers never fire early. Resolution: 65 us on a busy worker; one that sleeps wakes within a millisecond.
// Order: those that a late worker finds due together run in no promised order.
// Thread safety: awaited by actors. Lifetime: a ticker belongs to the actor that made it.
// Source of the rules: Go's package time; missed ticks as tokio's MissedTickBehavior names them.
#pragma once

#include <chrono>
#include <coroutine>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/mailbox_actions.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {
namespace detail {

class sleep_op {
public:
  explicit sleep_op(time_point when) noexcept : when_(when) {}
  sleep_op(const sleep_op&) = delete;
  sleep_op& operator=(const sleep_op&) = delete;
  ~sleep_op() { timer_.disarm(); }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    static_assert(is_task_promise<Promise>, "sleep can be awaited only inside a greenroom task<>");
    auto& cell = *this_turn.cell;
    auto& core = *cell.home;
    park_at(cell, at, at.promise());
    if (cell.cancel_pending() || when_ <= now_of(core)) {
      requeue(cell); // a sleep that is over, or is not to be, still lets others run
    } else {
      note_wait(cell, wait_kind::sleep, nullptr);
      timer_.cell = &cell;
      if (!timers_of(core).arm_wait(timer_, when_, cell)) requeue(cell);
    }
  }
  void await_resume() {
    timer_.disarm();
    auto& cell = *this_turn.cell;
    if (cell.fired != fired_timeout && cell.cancel_pending()) throw_cancelled(cell);
  }

private:
  time_point when_;
  wait_timer timer_;
};

} // namespace detail

/// Waits until `when`; a time that has passed only lets other actors run. Cancellation: throws `cancelled` at once.
[[nodiscard]] inline detail::sleep_op sleep_until(time_point when) noexcept { return detail::sleep_op(when); }

/// Waits for `span`. A span too long for the clock is for ever. Cancellation: throws `cancelled` at once.
template <class Rep, class Period>
[[nodiscard]] detail::sleep_op sleep_for(std::chrono::duration<Rep, Period> span) noexcept {
  return detail::sleep_op(detail::deadline_in(span));
}

/// What a ticker does about ticks that passed while its actor was busy.
enum class missed_ticks : std::uint8_t {
  skip,  ///< they are lost; the rhythm stays on the original grid (Go's rule)
  burst, ///< each is delivered, at once, until the rhythm is caught up
  delay  ///< they are lost; the rhythm starts anew from the late tick
};

/// Ticks at a fixed period: `ticker every(1s); for (;;) { co_await every.tick(); ... }`. The first tick comes one period after the
/// construction. Thread safety: owner only.
class ticker {
public:
  /// Errors: usage_error unless the period is positive.
  template <class Rep, class Period>
  explicit ticker(std::chrono::duration<Rep, Period> period, missed_ticks rule = missed_ticks::skip)
      : ticker(detail::saturating_nanoseconds(period), rule) {}
  GREENROOM_EXPORT explicit ticker(duration period, missed_ticks rule = missed_ticks::skip);

  /// Waits for the next tick and gives the time it was due. Cancellation: throws `cancelled`; the tick is not used up.
  GREENROOM_EXPORT task<time_point> tick();
  /// Returns when the next tick is due, for select(at(every.next())) followed by tick().
  time_point next() const noexcept { return next_; }
  /// Starts a new rhythm from now. Errors: usage_error unless the period is positive.
  GREENROOM_EXPORT void reset(duration period);

private:
  duration period_;
  missed_ticks rule_;
  time_point next_;
};

} // namespace greenroom
