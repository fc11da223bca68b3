// blocking: runs a function that blocks (a file call, a database driver, a long computation) on a thread of its own pool, while
// the calling actor waits and its worker goes on with others.
//
//   auto text = co_await blocking(read_file, path);
//
// Thread safety: awaited by an actor; the function runs on another thread. Lifetime: function and arguments are moved into the
// operation's state, which lives until both the call and the wait are over; what they refer to in the actor's frames stays, too.
// Give a lambda with captures a name before the await, or pass arguments as above: g++ 12 destroys a lambda that is made inside a
// co_await expression twice, unless what it captures is trivial (pointers, numbers).
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {
namespace detail {

/// Hands `work` to the blocking threads of the system.
GREENROOM_EXPORT void submit_blocking(runtime_core& core, std::function<void()> work);

template <class F>
class blocking_op {
  using value = std::invoke_result_t<F&>;
  static constexpr bool is_void = std::is_void_v<value>;
  using stored = std::conditional_t<is_void, std::monostate, value>;

  struct state {
    explicit state(F&& f) : fn(std::move(f)) {}
    F fn;
    std::optional<stored> answer;
    std::exception_ptr failure;
    spin_lock lock;
    bool returned = false;         // guarded by lock
    actor_cell* waiting = nullptr; // guarded by lock; null before the wait
  };

public:
  explicit blocking_op(F&& fn) : state_(std::make_shared<state>(std::move(fn))) {}
  blocking_op(const blocking_op&) = delete;
  blocking_op& operator=(const blocking_op&) = delete;

  bool await_ready() noexcept {
    cancelled_ = this_turn.cell->cancel_pending();
    return cancelled_ && budget_left();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) {
    static_assert(is_task_promise<Promise>, "blocking can be awaited only inside a greenroom task<>");
    auto& cell = *this_turn.cell;
    park_at(cell, at, at.promise());
    if (cancelled_ || cell.kill_pending()) return requeue(cell);
    note_wait(cell, wait_kind::blocking, nullptr);
    submit_blocking(*cell.home, [shared = state_] { call(*shared); });
    // The function may use what the actor's frames hold: they must stay until it has returned, whatever comes.
    cell.word.fetch_or(actor_cell::lent, std::memory_order_relaxed);
    const auto shared = state_;
    std::lock_guard guard(shared->lock);
    if (!shared->returned && cell.arm()) { // arm() cannot fail: the frames are lent
      shared->waiting = &cell;
    } else {
      go_on(at, at.promise());
    }
  }
  value await_resume() {
    auto& cell = *this_turn.cell;
    if (cancelled_) throw_cancelled(cell);
    cell.word.fetch_and(~actor_cell::lent, std::memory_order_relaxed);
    // Taken out: the exception must not die on the blocking thread, which may let go of the state last.
    if (state_->failure) std::rethrow_exception(std::exchange(state_->failure, nullptr));
    if constexpr (!is_void) return *std::move(state_->answer);
  }

private:
  static void call(state& s) noexcept {
    try {
      if constexpr (is_void) {
        s.fn();
      } else {
        s.answer.emplace(s.fn());
      }
    } catch (...) {
      s.failure = std::current_exception();
    }
    std::lock_guard guard(s.lock);
    s.returned = true;
    if (s.waiting != nullptr && s.waiting->claim(0)) make_ready(*s.waiting);
  }

  std::shared_ptr<state> state_;
  bool cancelled_ = false;
};

} // namespace detail

/// Calls `fn(args...)` on a thread that may block and gives its value, or throws its exception.
/// Waits: suspends the actor until `fn` has returned, also when it is cancelled or killed meanwhile: the cancellation comes at the
/// next wait, the kill takes effect then. Cancellation: throws `cancelled` if it came before the call. Errors: at most options::blocking_threads calls run at once; more
/// wait their turn.
template <class F, class... Args>
[[nodiscard]] auto blocking(F fn, Args... args) {
  if constexpr (sizeof...(Args) == 0) {
    return detail::blocking_op<F>(std::move(fn));
  } else {
    auto call = [fn = std::move(fn), ... args = std::move(args)]() mutable {
      return std::invoke(fn, std::move(args)...);
    };
    return detail::blocking_op<decltype(call)>(std::move(call));
  }
}

} // namespace greenroom
