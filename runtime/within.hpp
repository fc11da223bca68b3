// within, with_timeout, shielded: run a part of an actor's work under another context, under a time limit, or out of reach of
// cancellation for a while.
//
//   auto page = co_await with_timeout(2s, fetch(url));     // result: the page, or errc::timed_out; fetch has unwound
//   co_await shielded(1s, roll_back(std::move(tx)));       // clean-up that must wait, for a second at most
//
// Thread safety: awaited by actors. Lifetime: the body is a task and owns its arguments.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {
namespace detail {

/// Puts the running actor under another context for as long as this object lives.
class GREENROOM_EXPORT context_switch {
public:
  explicit context_switch(const context& inner);
  context_switch(const context_switch&) = delete;
  context_switch& operator=(const context_switch&) = delete;
  ~context_switch() { restore(); }
  void restore() noexcept;
  /// Returns why the body was cancelled, if it was by the inner context alone; throws `cancelled` if the actor or its former
  /// context is cancelled too. Restores first.
  error own_cause();

private:
  actor_cell& cell_;
  context_node* outer_;
  context inner_;
  after_func_handle follows_outer_;
};

/// Keeps cancellation from ending the waits of the running actor for as long as this object lives.
class GREENROOM_EXPORT cancel_mask {
public:
  cancel_mask() noexcept;
  cancel_mask(const cancel_mask&) = delete;
  cancel_mask& operator=(const cancel_mask&) = delete;
  ~cancel_mask();

private:
  actor_cell& cell_;
};

/// Takes the mask off when its time comes, and ends the wait that it protected if cancellation is pending.
class GREENROOM_EXPORT unmask_timer : timer {
public:
  explicit unmask_timer(time_point when) noexcept;
  unmask_timer(const unmask_timer&) = delete;
  unmask_timer& operator=(const unmask_timer&) = delete;
  ~unmask_timer();

private:
  actor_cell& cell_;
};

} // namespace detail

/// Runs `body` under `ctx`, which its waits and what it starts then see as this_actor::context().
/// Waits: as the body does. Cancellation: the end of `ctx` unwinds the body and comes back as an error; the end of the actor's
/// former context or of the actor itself throws `cancelled` on from here. Errors: the cause of `ctx`; a body that gives a result
/// gives its own errors too. Exceptions of the body pass.
template <class T>
task<detail::as_result<T>> within(context ctx, task<T> body) {
  detail::context_switch here(ctx);
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(body);
      co_return detail::as_result<T>();
    } else {
      co_return co_await std::move(body);
    }
  } catch (const cancelled&) {
    co_return here.own_cause();
  }
}

/// Runs `body` with `deadline`. Errors: errc::timed_out, after the body has unwound. See within().
template <class T>
task<detail::as_result<T>> with_deadline(time_point deadline, task<T> body) {
  return within(this_actor::context().with_deadline(deadline), std::move(body));
}
/// Runs `body` for at most `limit`, counted from this call.
template <class T, class Rep, class Period>
task<detail::as_result<T>> with_timeout(std::chrono::duration<Rep, Period> limit, task<T> body) {
  return within(this_actor::context().with_timeout(limit), std::move(body));
}

/// Runs `body` out of reach of cancellation for at most `limit`; a cancellation then comes at its next wait. For clean-up that has
/// to wait. The stop of the system and kill() keep their own limits. Waits: as the body does.
template <class T>
task<T> shielded(duration limit, task<T> body) {
  const detail::cancel_mask mask;
  const detail::unmask_timer end(detail::deadline_in(limit));
  co_return co_await std::move(body);
}

} // namespace greenroom
