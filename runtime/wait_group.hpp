// wait_group: waits until a number of things are done, wherever they are done. For child actors use a scope, which also cancels
// and reports them; a wait_group is for work that is counted rather than owned.
//
//   group.add(3);                  // before the work starts
//   group.done();                  // by each of the three, from any thread
//   co_await group.wait();
//
// Thread safety: any thread may add and be done; actors wait. Lifetime: outlives the last done() and the waits for it (asserted
// for the waits). It may be destroyed as soon as a wait is over, also by the actor that waited.
// Source: Go's sync.WaitGroup.
#pragma once

#include <chrono>
#include <cstdint>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

class wait_group;

namespace detail {

struct group_action : waiter {
  static constexpr wait_kind kind = wait_kind::wait_group;
  explicit group_action(wait_group& g) noexcept : group(&g) {}
  inline spin_lock& queue_lock() noexcept;
  inline wait_queue& queue() noexcept;
  const void* place() const noexcept { return group; }
  inline bool try_locked(actor_cell*&) const noexcept;
  void take(std::uint8_t) const noexcept {}

  wait_group* group;
};

struct timed_group_action : group_action {
  using group_action::group_action;
  result<void> take(std::uint8_t outcome) const noexcept {
    if (outcome == fired_timeout) return errc::timed_out;
    return {};
  }
};

} // namespace detail

/// Counts what is not done yet. Thread safety and lifetime: see the file comment.
class wait_group {
public:
  wait_group() noexcept = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;
  GREENROOM_EXPORT ~wait_group();

  /// Counts `n` more things to wait for, or fewer if it is negative. Whoever waits goes on when the count comes to zero; then the group
  /// can be used again. Call it before the work starts: a wait that finds zero is over.
  /// Errors: usage_error if the count would be negative; it is then unchanged.
  GREENROOM_EXPORT void add(std::int64_t n = 1);
  /// Counts one thing as done. Waits: never. Errors: usage_error, as add(-1).
  void done() { add(-1); }

  /// Waits until the count is zero; also a select case.
  /// Waits: suspends the actor, not at all if the count is zero. Cancellation: throws `cancelled`. Order: all who wait go on at once.
  auto wait() noexcept { return detail::queued_op(detail::group_action(*this)); }

  /// The same with a limit. Errors: errc::timed_out.
  auto wait_until(time_point deadline) noexcept {
    return detail::queued_op(detail::timed_group_action(*this), deadline);
  }
  /// The same with a limit that counts from this call.
  template <class Rep, class Period>
  auto wait_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return wait_until(detail::deadline_in(limit));
  }

  /// Returns the count as it was a moment ago. Units: things not done.
  GREENROOM_EXPORT std::int64_t count() const noexcept;

private:
  friend struct detail::group_action;

  mutable detail::spin_lock lock_;
  std::int64_t count_ = 0;     // guarded by lock_, as is the following; never negative
  detail::wait_queue waiting_; // empty of open waits while the count is zero
};

inline detail::spin_lock& detail::group_action::queue_lock() noexcept { return group->lock_; }
inline detail::wait_queue& detail::group_action::queue() noexcept { return group->waiting_; }
inline bool detail::group_action::try_locked(actor_cell*&) const noexcept { return group->count_ == 0; }

} // namespace greenroom
