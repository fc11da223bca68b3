// A timing wheel with its lock: one for each worker, and the two kinds of timer that the runtime puts there.
// Thread safety: any thread. Lifetime: a timer is cancelled, or has fired, before it is destroyed.
#pragma once

#include <atomic>
#include <mutex>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/detail/timer_wheel.hpp>

namespace greenroom::detail {

class timer_queue;

/// A timer that knows its queue, so that it can be cancelled from any thread.
struct timer : timer_node {
  timer_queue* queue = nullptr; // set before the timer can fire; constant while armed
};

/// A timer whose work must run without the queue's lock; kept alive by the one who let it fire. It is armed once.
struct deferred_timer : timer {
  deferred_timer* deferred_next = nullptr;
};

class GREENROOM_EXPORT timer_queue {
public:
  explicit timer_queue(time_point origin) noexcept : wheel_(origin) {}
  virtual ~timer_queue() = default;
  timer_queue(const timer_queue&) = delete;
  timer_queue& operator=(const timer_queue&) = delete;

  void arm(timer& t, time_point when) noexcept {
    t.queue = this;
    {
      std::lock_guard guard(lock_);
      wheel_.arm(t, when);
    }
    hurry(when);
  }

  /// Arms `t` and opens the wait of `cell` in one step, so that nothing can end the wait before its timer is known.
  /// Returns false, with nothing armed, if cancellation came first.
  bool arm_wait(timer& t, time_point when, actor_cell& cell) noexcept {
    t.queue = this;
    {
      std::lock_guard guard(lock_);
      if (!cell.arm()) return false;
      wheel_.arm(t, when);
    }
    hurry(when); // the actor may run elsewhere by now; only the queue is touched
    return true;
  }

  void cancel(timer& t) noexcept {
    std::lock_guard guard(lock_);
    wheel_.cancel(t);
  }

  /// Fires what is due. The calls that need it run after the lock is released.
  void advance(time_point now) noexcept;

  time_point next_expiry() noexcept {
    std::lock_guard guard(lock_);
    return wheel_.next_expiry();
  }
  std::size_t size() noexcept {
    std::lock_guard guard(lock_);
    return wheel_.size();
  }

  /// Called by fire functions, under the lock: has `run` called after it.
  void defer(deferred_timer& t, void (*run)(timer_node&) noexcept) noexcept {
    t.fire = run;
    t.deferred_next = deferred_;
    deferred_ = &t;
  }

protected:
  /// Until when the owner sleeps; time_point::min() while it is awake. Written by the owner.
  std::atomic<time_point> asleep_until_{time_point::min()};
  static_assert(std::atomic<time_point>::is_always_lock_free);

private:
  /// Wakes the owner, since a timer earlier than its sleep was armed.
  virtual void nudge() noexcept = 0;

  void hurry(time_point when) noexcept {
    if (this_turn.timers == this) return; // the owner itself, which looks before it sleeps
    // seq_cst against the owner's "publish asleep_until_, then look at next_expiry": one of the two sees the other.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (when < asleep_until_.load(std::memory_order_relaxed)) nudge();
  }

  eager_spin_lock lock_;
  timer_wheel wheel_;                  // guarded by lock_
  deferred_timer* deferred_ = nullptr; // guarded by lock_
};

/// The queue for timers armed by this thread on behalf of `core`.
GREENROOM_EXPORT timer_queue& timers_of(runtime_core& core) noexcept;
/// The time of the system `core`, read from its clock.
GREENROOM_EXPORT time_point now_of(const runtime_core& core) noexcept;
/// The same as wait records have it. Units: milliseconds since the system started.
GREENROOM_EXPORT std::uint32_t now_ms_of(const runtime_core& core) noexcept;

/// The time `limit` from now by the clock of the calling actor's system.
GREENROOM_EXPORT time_point deadline_after(duration limit) noexcept;

template <class Rep, class Period>
time_point deadline_in(std::chrono::duration<Rep, Period> limit) noexcept {
  return deadline_after(saturating_nanoseconds(limit));
}

/// Ends an actor's wait when its time comes.
struct wait_timer : timer {
  actor_cell* cell = nullptr;
  std::uint8_t outcome = fired_timeout;

  wait_timer() noexcept {
    fire = [](timer_node& node) noexcept {
      auto& self = static_cast<wait_timer&>(node);
      auto& waiting = *self.cell;
      if (waiting.claim(self.outcome)) make_ready(waiting);
    };
  }
  void disarm() noexcept {
    if (queue != nullptr) queue->cancel(*this);
    queue = nullptr;
  }
};

} // namespace greenroom::detail
