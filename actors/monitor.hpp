// monitor: tells of the ends of actors: one `down` for each, exactly once, however the actor ends and whenever it was added.
//
//   monitor ends;
//   ends.add(worker);                     // any number of actors
//   down d = co_await ends.next();        // also a select case
//   log("{} {}", d.who.name(), d.why.to_string());
//
// To wait for one actor, join() is enough.
// Thread safety: owner only; the watched actors may end on any thread. Lifetime: a monitor keeps no actor alive; when it goes, or
// remove() is called, nothing of it is left with the watched.
// Order: that of the ends. Source: Erlang/OTP, erlang:monitor/2 and demonitor with flush.
#pragma once

#include <memory>

#include <greenroom/runtime/actor.hpp>

namespace greenroom {

/// An actor has ended, and why.
struct down {
  actor who;       ///< the actor
  exit_reason why; ///< how it ended
};

namespace detail {
class monitor_core;

/// Waits for the next notice.
struct GREENROOM_EXPORT down_action : waiter {
  static constexpr wait_kind kind = wait_kind::monitor;
  explicit down_action(monitor_core* m) noexcept : core(m) {}
  spin_lock& queue_lock() noexcept;
  wait_queue& queue() noexcept;
  const void* place() const noexcept { return core; }
  bool try_locked(actor_cell*&) const noexcept;
  down take(std::uint8_t) const noexcept;

  monitor_core* core;
};
} // namespace detail

/// Thread safety, lifetime and order: see the file comment.
class GREENROOM_EXPORT monitor {
public:
  monitor();
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;
  ~monitor();

  /// Watches `who`: one notice will come, at once if it has ended already. Returns false if it is watched and its notice has not been
  /// taken yet. Errors: usage_error if the handle names no actor.
  bool add(const actor& who);

  /// Stops watching `who`: no notice of it will come, even if one stands ready. Returns false if it was not watched.
  /// Cost: in the number of those who watch `who`.
  bool remove(const actor& who) noexcept;

  /// Counts the actors whose notices have not been taken.
  std::size_t size() const noexcept;

  /// Waits for the next notice and takes it; also a select case. Waits for ever if nothing is watched.
  /// Cancellation: throws `cancelled`; the notice stays.
  auto next() const noexcept { return detail::queued_op(detail::down_action(core_.get())); }

private:
  const std::shared_ptr<detail::monitor_core> core_;
};

} // namespace greenroom
