// Restarts: when a supervised child is started anew, after what pause, and when its supervisor gives up.
// Thread safety: as values. Lifetime: all own what they hold.
// Source: Erlang/OTP, supervisor (kinds, intensity and period); pauses with jitter: Brooker, "Exponential Backoff And Jitter", 2015.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/exit_reason.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom {

/// Which ends of a child are followed by a new start.
enum class restart_kind : std::uint8_t {
  permanent, ///< every one
  transient, ///< one that was not in order: failed or killed
  temporary  ///< none; the child is then forgotten
};
using enum restart_kind;

/// Returns "permanent", "transient" or "temporary"; "" for a number that is none of them.
GREENROOM_EXPORT const char* to_string(restart_kind kind) noexcept;

/// Returns whether an actor that ended so is to be started again: failed and killed are disorder, normal and cancelled are not.
GREENROOM_EXPORT bool calls_for_restart(restart_kind kind, const exit_reason& why) noexcept;

/// What becomes of a child's items when it is started anew: of those queued in its mailboxes, and of the one it had in hand when it failed.
enum class queue_fate : std::uint8_t {
  drop_poison, ///< what is queued stays; the item in hand is lost, and counted as failed
  dead_letter, ///< the same, but a copy of the item in hand becomes a dead_letter
  keep, ///< all stay: the item in hand comes first, once more, until it has been in hand child_options::deliveries times; then it is poison
        ///< after all, and becomes a dead letter if somebody takes these
  drop  ///< all are dropped, and counted as such
};

/// Returns "drop_poison", "dead_letter", "keep" or "drop"; "" for a number that is none of them.
GREENROOM_EXPORT const char* to_string(queue_fate fate) noexcept;

/// The pause before a restart. It grows with each restart of a child that does not last, so that a broken neighbour is not stormed.
struct backoff {
  duration first{};                         ///< the first pause; 0 restarts at once, always
  duration most = std::chrono::seconds(30); ///< no pause is longer, jitter apart
  double factor = 2;                        ///< each pause is so many times the one before; 1 or more
  double jitter = 0.2;                      ///< each is drawn from this part below to this part above it, 0 to 1
  duration lasts =
      std::chrono::seconds(10); ///< a child that ran this long, once ready, begins with the first pause again

  /// Errors: invalid_argument, naming the field, its range and the value.
  GREENROOM_EXPORT result<void> check() const;
};

/// How many restarts a supervisor makes within a period; at one more it stops all children and fails.
struct restart_intensity {
  int restarts = 1;                          ///< so many at most, from 0
  duration period = std::chrono::seconds(5); ///< in so much time, above 0

  /// Errors: invalid_argument, naming the field, its range and the value.
  GREENROOM_EXPORT result<void> check() const;
};

namespace detail {

/// Counts the restarts of a supervisor. Thread safety: owner only.
class restart_window {
public:
  explicit restart_window(restart_intensity limit) : limit_(limit) {}
  /// Counts one more; false if that is one too many.
  GREENROOM_EXPORT bool admit(time_point now);
  /// Counts those within the period before the last one.
  std::size_t size() const noexcept { return when_.size(); }

private:
  restart_intensity limit_;
  std::deque<time_point> when_; // oldest first; one more than the limit at most
};

/// The pauses of one child. Thread safety: owner only.
class restart_pauses {
public:
  /// Returns the pause before the next start of a child that has run for `ran` since it was ready.
  GREENROOM_EXPORT duration next(const backoff& how, duration ran, xoshiro& random) noexcept;

private:
  double pause_ = 0; // Units: nanoseconds; the last, without jitter
};

} // namespace detail
} // namespace greenroom
