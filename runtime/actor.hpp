// actor: a handle to a spawned lightweight actor, and this_actor: what an actor can ask about itself.
// An actor lives until its function ends, whether or not a handle to it exists; a handle never keeps it alive.
// Thread safety: handles may be copied and used from any thread. Lifetime: a handle stays valid after the actor's end.
#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>
#include <utility>

#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/detail/refers_to_nothing.hpp>
#include <greenroom/runtime/exit_reason.hpp>

namespace greenroom {

class actor;
class actor_system;

namespace detail {
/// Errors: usage_error on a worker thread, naming `what` and what to do instead.
GREENROOM_EXPORT void check_may_block(const char* what, const char* instead);

/// Has a stop of the system cancel `who` and wait for its end before it ends all others; the last one named goes first.
GREENROOM_EXPORT void stop_before_others(const actor& who);

/// Waits for an actor's end. Counts on the cell, so that a temporary handle may be joined.
struct GREENROOM_EXPORT join_action : waiter {
  static constexpr wait_kind kind = wait_kind::join;
  explicit join_action(actor_cell* t);
  join_action(join_action&& other) noexcept
      : waiter(other), target(std::exchange(other.target, nullptr)), extras(other.extras) {}
  join_action& operator=(join_action&&) = delete;
  ~join_action() {
    if (target != nullptr) release(*target);
  }
  spin_lock& queue_lock() noexcept { return extras->lock; }
  wait_queue& queue() noexcept { return extras->joiners; }
  const void* place() const noexcept { return target; }
  void check() const;
  bool try_locked(actor_cell*&) const noexcept { return is_finished(*target); }
  exit_reason take(std::uint8_t) const { return extras->reason; }

  actor_cell* target;
  actor_extras* extras;
};
} // namespace detail

/// A counted handle to one actor. Default-constructed: no actor.
class GREENROOM_EXPORT actor {
public:
  actor() noexcept = default;
  actor(const actor& other) noexcept : cell_(other.cell_) {
    if (cell_ != nullptr) detail::add_ref(*cell_);
  }
  actor(actor&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  actor& operator=(actor other) noexcept { return std::swap(cell_, other.cell_), *this; }
  ~actor() {
    if (cell_ != nullptr) detail::release(*cell_);
  }
  explicit operator bool() const noexcept { return cell_ != nullptr; }
  friend bool operator==(const actor&, const actor&) noexcept = default;

  // All that follows requires a handle to an actor.

  /// Returns the id, the same as CAF's for this actor; unique in its system.
  std::uint64_t id() const noexcept { return cell_->id; }
  /// Returns the name given at the spawn, or "actor". Lifetime: a name made at run time goes with the system.
  std::string_view name() const noexcept { return cell_->name; }
  /// Returns the place of its spawn.
  std::source_location spawned_at() const noexcept { return cell_->site; }
  /// Returns whether it has ended. Waits: never.
  bool finished() const noexcept { return detail::is_finished(*cell_); }

  /// Asks the actor to end: `cancelled` is thrown at its next wait, or in the one it is in. Waits: never.
  void cancel(error cause = errc::cancelled) const;
  /// Ends the actor at its next wait, or now if it waits, by destroying its frames. For actors that do not honour cancel().
  /// A turn that is running goes on to its next wait: running code cannot be stopped. Waits: never.
  void kill() const noexcept;

  /// Waits for the actor's end and gives its exit reason; also a select case.
  auto join() const { return detail::queued_op(detail::join_action(cell_)); }
  /// The same for threads that are no workers. Waits: blocks the thread. Errors: usage_error on a worker thread.
  exit_reason wait() const;

  /// For the runtime.
  struct adopt {};
  /// Takes over one count of a cell.
  actor(detail::actor_cell* counted, adopt) noexcept : cell_(counted) {}
  /// Returns the actor's record.
  detail::actor_cell* cell() const noexcept { return cell_; }

private:
  detail::actor_cell* cell_ = nullptr;
};

template <>
inline constexpr bool owns_what_it_names<actor> = true;
template <>
inline constexpr bool owns_what_it_names<context> = true;

/// What the running actor can ask about itself. Requires: called by an actor; elsewhere usage_error.
namespace this_actor {
/// Returns a handle to the running actor.
GREENROOM_EXPORT actor self();
/// Returns its id.
GREENROOM_EXPORT std::uint64_t id();
/// Returns its name.
GREENROOM_EXPORT std::string_view name();
/// Returns the context that it runs under.
GREENROOM_EXPORT greenroom::context context();
/// Returns its system.
GREENROOM_EXPORT actor_system& system();
/// Returns whether the next wait will throw `cancelled`: for long computations that want to stop early.
GREENROOM_EXPORT bool cancel_requested();
} // namespace this_actor

namespace detail {
struct yield_op {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) const noexcept {
    static_assert(is_task_promise<Promise>, "yield can be awaited only inside a greenroom task<>");
    auto& cell = *this_turn.cell;
    park_at(cell, at, at.promise());
    requeue(cell);
  }
  void await_resume() const {
    if (this_turn.cell->cancel_pending()) throw_cancelled(*this_turn.cell);
  }
};
} // namespace detail

/// Lets every other ready actor of this worker run first. Long computations call it now and then, since nothing pre-empts them.
/// Cancellation: throws `cancelled`.
inline detail::yield_op yield() noexcept { return {}; }

} // namespace greenroom
