// The state of a circuit breaker: counts over a rolling window, and when it is open.
// Thread safety: any thread; one spin lock owns all that changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <greenroom/actors/circuit_breaker.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

namespace greenroom::detail {

/// Calls and failures in the last ten tenths of a window. Thread safety: owner only.
class rolling_counts {
public:
  explicit rolling_counts(duration window) noexcept : tenth_(window / 10) {}

  struct counts {
    std::size_t calls = 0;
    std::size_t failures = 0;
  };
  void add(time_point now, bool failed) noexcept;
  counts sum(time_point now) const noexcept;
  void clear() noexcept { parts_ = {}; }

private:
  struct part {
    std::int64_t number = -1; // which tenth since the clock began
    counts in{};
  };
  std::int64_t number_of(time_point t) const noexcept { return t.time_since_epoch() / tenth_; }

  duration tenth_;
  std::array<part, 10> parts_{};
};

class breaker_core {
public:
  explicit breaker_core(circuit_breaker_options how);

  struct admission {
    bool let_in = false;
    std::uint64_t period = 0; ///< if it is
    duration again_in{};      ///< if it is not, as is the following; zero: when the trials have ended
    rolling_counts::counts why{};
    bool by_trial = false;
  };
  /// Asks for a call to be let through. One that is must be ended once.
  admission enter(time_point now) noexcept;
  /// Says what the state became by it, if it changed.
  std::optional<breaker_state> end(std::uint64_t period, call_outcome how, time_point now) noexcept;
  circuit_breaker_stats stats() const noexcept;
  /// Returns how long it is, or was last, open.
  duration open_time() const noexcept;
  /// Says why a call was not let in, and when the next one is.
  error refusal(const admission& refused) const;

  const circuit_breaker_options options;

private:
  void count(call_outcome how) noexcept;
  void open(time_point now, bool by_trial) noexcept;
  void close() noexcept;

  mutable spin_lock lock_;
  // All that follows is owned by lock_.
  breaker_state state_ = breaker_state::closed;
  std::uint64_t period_ = 0; // counts the changes of state: what began in an earlier one says nothing of this
  rolling_counts window_;
  rolling_counts::counts at_opening_{};
  bool opened_by_trial_ = false;
  duration open_for_{};
  time_point tries_at_{};
  std::size_t trying_ = 0; // calls let through in this half-open period that have not ended
  std::size_t passed_ = 0; // and those that succeeded
  time_point last_{};      // when a call was let in or ended
  circuit_breaker_stats seen_{};
};

} // namespace greenroom::detail
