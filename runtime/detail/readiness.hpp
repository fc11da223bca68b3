// Waiting for a stream or a listener to become ready: what the awaiter of readable(), writable() and acceptable() asks of whatever
// stands behind (a socket, a pipe in memory, a simulated network).
//
// A source wakes its waiters after it has become ready; under its lock an action either sees that, or is queued before the wake-up
// looks. So none is lost. It may wake them without cause: they try, and wait again.
// A stream over another one, such as TLS, waits at the source of that one and tells it what each of its own sides has to look for.
// Thread safety: any thread. Lifetime: a source outlives the waits on it.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>

namespace greenroom::detail {

enum class io_side : std::uint8_t { reading, writing };

class GREENROOM_EXPORT readiness_source {
public:
  readiness_source() = default;
  readiness_source(const readiness_source&) = delete;
  readiness_source& operator=(const readiness_source&) = delete;

  /// What the waits of a side may look for, as bits.
  static constexpr std::uint8_t to_read = 1;
  static constexpr std::uint8_t to_write = 2;
  static constexpr std::uint8_t nothing = 4; // they end at once

  /// Returns true if a try need not wait; otherwise sees to it that wake() is called when it need not. Requires: lock is held.
  virtual bool ready_or_watch_locked(io_side side) = 0;

  /// Ends the waits that look for any of `happened`, as to_read | to_write.
  void wake(std::uint8_t happened) noexcept;
  void wake(io_side side) noexcept { wake(side == io_side::reading ? to_read : to_write); }
  void wake() noexcept { wake(to_read | to_write); }
  /// The same, but where nobody waits the next wait ends at once: for a waiter that must look at something else, and may be
  /// about to wait.
  void interrupt() noexcept;

  /// Has the waits of one side end when any of `what` is there, from now on; those under way too. At first each side looks for
  /// itself.
  void look_for(io_side side, std::uint8_t what);
  /// Asks for what the side looks for, as ready_or_watch_locked(). Requires: lock is held.
  bool found_or_watch_locked(io_side side);

  spin_lock lock;
  std::array<wait_queue, 2> waiting;                        // guarded by lock; one for each side
  std::array<bool, 2> interrupted{};                        // guarded by lock; used up by the next wait
  std::array<std::uint8_t, 2> looks_for{to_read, to_write}; // guarded by lock

protected:
  ~readiness_source() = default;
};

struct readiness_action : waiter {
  static constexpr wait_kind kind = wait_kind::io;
  /// A null source never becomes ready: a case of a select that is switched off.
  readiness_action(readiness_source* s, io_side which, const void* p) noexcept : source(s), shown(p), side(which) {}
  spin_lock& queue_lock() noexcept { return source->lock; }
  wait_queue& queue() noexcept { return source->waiting[static_cast<std::size_t>(side)]; }
  const void* place() const noexcept { return source == nullptr ? nullptr : shown; }
  void check() const { // never a null source: that is for select alone
    if (source == nullptr) throw usage_error("not_ready: it never ends; it is a case for select()");
  }
  bool try_locked(actor_cell*&) {
    if (std::exchange(source->interrupted[static_cast<std::size_t>(side)], false)) return true;
    return source->found_or_watch_locked(side);
  }
  bool take(std::uint8_t outcome) const noexcept { return outcome != fired_timeout; }

  readiness_source* source;
  const void* shown; // what reports call it
  io_side side;
};

/// Goes before a call that may succeed without waiting: throws `cancelled` while nothing has been taken yet, and lets others run
/// when the step budget is used up.
struct io_step : yield_op {
  bool await_ready() const noexcept { return budget_left(); }
};

} // namespace greenroom::detail
