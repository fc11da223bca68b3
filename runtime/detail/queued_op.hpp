// The one awaiter behind every wait in a single queue (receive, send, lock, permit, ...): tries under the owner's lock, links,
// arms, suspends, and cleans up whichever way the wait ends. What is tried, and where it queues, is the Action; select()
// waits on several of them at once.
// Thread safety: used by the actor that awaits it; claimers touch it as actor_cell.hpp says.
#pragma once

#include <cassert>
#include <concepts>
#include <coroutine>
#include <utility>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/detail/timer_queue.hpp>
#include <greenroom/runtime/detail/waiter.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

/// What an action does for a wait. An Action derives from `waiter` and has
///   static constexpr wait_kind kind;
///   spin_lock& queue_lock() noexcept;         the lock of the queue's owner
///   wait_queue& queue() noexcept;
///   const void* place() const noexcept;       the owner, for the wait record; null: there is none, and check() throws
///   void check() const;                       if there is one: throws usage_error if the action cannot be awaited alone
///   void prepare() noexcept;                  if there is one: goes before try_locked(), without the lock; place() is not null
///   void ask_locked() noexcept;               the same under the lock, for all cases of a select; try_locked() includes it
///   bool must_ask() const noexcept;           goes with it, without the lock: whether there is anything to do
///   bool looks_ready() const noexcept;        if there is one: without the lock, a hint whether try_locked() could complete
///   bool try_locked(actor_cell*& wake);       completes without waiting, if possible; names an actor that this releases; of a
///                                             case of a select nothing has happened if it cannot
///   void leave() noexcept;                    if there is one: gives back what the wait has had, as it ends without a value
///   auto take(std::uint8_t outcome);          the value of the await; outcome is `index` or fired_timeout
template <class Action>
concept queue_action = std::derived_from<Action, waiter> && requires(Action a, actor_cell* wake) {
  { a.queue_lock() } -> std::same_as<spin_lock&>;
  { a.queue() } -> std::same_as<wait_queue&>;
  { a.try_locked(wake) } -> std::same_as<bool>;
};

struct no_deadline {
  static constexpr bool timed = false;
};

struct until_deadline {
  static constexpr bool timed = true;
  until_deadline() noexcept = default;
  until_deadline(const until_deadline& other) noexcept : deadline(other.deadline) {} // of a wait that has not begun

  time_point deadline = never;
  wait_timer timer;
};

[[noreturn]] GREENROOM_EXPORT void throw_awaited_twice();

/// A described wait, and the awaiter of it: does nothing until it is awaited, once, or given to select(). Both in one, since each would
/// have its place in the frame of the actor: 64 bytes of each that waits, and a copy for each await.
template <queue_action Action, class Deadline = no_deadline>
class [[nodiscard("a wait does nothing until it is awaited")]] queued_op : Action, Deadline {
public:
  using action_type = Action;
  explicit queued_op(Action && action) noexcept : Action(std::move(action)) {}
  queued_op(Action && action, time_point until) noexcept requires Deadline::timed : Action(std::move(action)) {
    this->deadline = until;
  }
  // Errors of these and the next two: usage_error if it has begun, or was moved from.
  queued_op(queued_op && other) : Action(std::move(other).release()), Deadline(other) {}
  queued_op(const queued_op& other) requires std::copy_constructible<Action> : Action(other.action()),
                                                                               Deadline(other) {}
  queued_op& operator=(const queued_op&) = delete;
  // Inline always: each case of a select is destroyed so, of which none has anything to do.
  [[gnu::always_inline]] ~queued_op() {
    if (this->cell != nullptr && outcome_ == fired_nothing) clean_up(); // the frame is destroyed by a kill
  }

  /// For select().
  Action&& release()&& {
    check_new();
    outcome_ = fired_cancel;
    return static_cast<Action&&>(*this);
  }
  const Action& action() const {
    check_new();
    return *this;
  }

  bool await_ready() {
    assert(this_turn.cell != nullptr);
    check_new();
    if constexpr (requires(const Action& a) { a.check(); }) Action::check();
    auto& me = *this_turn.cell;
    this->cell = &me;
    if constexpr (requires(Action & a) { a.prepare(); }) Action::prepare();
    if (me.cancel_pending()) {
      outcome_ = fired_cancel;
      return budget_left(); // who swallows cancellation in a loop must not hold the worker, nor evade a kill
    }
    actor_cell* wake = nullptr;
    auto& lock = this->queue_lock();
    lock.lock();
    bool done = false;
    try {
      done = Action::try_locked(wake);
    } catch (...) {
      lock.unlock();
      outcome_ = fired_cancel; // there is no wait to clean up
      throw;
    }
    if (!done) return false; // locked until await_suspend() has linked us: nothing runs in between
    lock.unlock();
    if (wake != nullptr) make_ready(*wake);
    outcome_ = this->index;
    return budget_left();
  }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    static_assert(is_task_promise<Promise>, "greenroom waits can be awaited only inside a greenroom task<>");
    park_at(*this->cell, at, at.promise());
    if (outcome_ == fired_nothing) {
      suspend_locked(at, at.promise());
    } else { // done, but others are due
      requeue(*this->cell);
    }
  }

  /// Errors: throws `cancelled`.
  // Inline always: a call would give back an optional in parts that its caller reads as a whole, a stall of 8 ns (measured).
  [[gnu::always_inline]] auto await_resume() {
    if (outcome_ == fired_nothing) {
      outcome_ = this->cell->fired;
      if (outcome_ != this->index) {
        clean_up();
      } else if constexpr (Deadline::timed) {
        this->timer.disarm(); // who served us held the lock behind suspend_locked(), so that the timer is seen
      }
    }
    if (outcome_ == fired_cancel) {
      if constexpr (requires(Action & a) { a.leave(); }) Action::leave();
      throw_cancelled(*this->cell);
    }
    return Action::take(outcome_);
  }

private:
  void check_new() const {
    if (this->cell != nullptr || outcome_ != fired_nothing) throw_awaited_twice();
  }

  void suspend_locked(std::coroutine_handle<> at, promise_base & promise) noexcept {
    auto& me = *this->cell;
    auto& lock = this->queue_lock();
    if constexpr (Deadline::timed) {
      if (this->deadline != never && this->deadline <= now_of(*me.home)) {
        lock.unlock();
        me.fired = fired_timeout;
        // Who polls with a time that has passed must not hold the worker either.
        return budget_left() ? go_on(at, promise) : requeue(me);
      }
    }
    auto noted = Action::kind;
    if constexpr (Deadline::timed) {
      if (this->deadline != never) noted = timed(noted);
    }
    note_wait(me, noted, this->place());
    this->queue().push_back(*this);
    if (!me.arm()) {
      this->queue().unlink(*this);
      lock.unlock();
      me.fired = fired_cancel;
      requeue(me); // not resumed at once: it may be a kill, which takes effect between turns
      return;
    }
    if constexpr (Deadline::timed) {
      // Under the queue's lock: who is served was claimed under it, behind this; whoever ends the wait otherwise takes it in clean_up()
      // before it sees the timer.
      if (this->deadline != never) {
        this->timer.cell = &me;
        timers_of(*me.home).arm(this->timer, this->deadline);
      }
    }
    lock.unlock();
  }

  /// Leaves the queue and the timer. The lock is taken even if the links look empty: another thread may just have dropped
  /// this claimed waiter from its queue, and suspend_locked() may still be under way on the worker that we left.
  [[gnu::noinline]] void clean_up() noexcept {
    auto& lock = this->queue_lock();
    lock.lock();
    if (this->linked()) this->queue().unlink(*this);
    lock.unlock();
    if constexpr (Deadline::timed) this->timer.disarm();
  }

  std::uint8_t outcome_ = fired_nothing;
};

template <class Action>
queued_op(Action) -> queued_op<Action>;
template <class Action>
queued_op(Action, time_point) -> queued_op<Action, until_deadline>;

} // namespace greenroom::detail
