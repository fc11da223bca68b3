// When a worker keeps its actors for itself: for a while after sharing them has made it slower. Actors that all use one mailbox are
// done sooner by one worker than by two that wait for each other; that is seen by what is lost before locks.
// Thread safety: keeps() any thread, the rest the worker's own.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include <greenroom/runtime/clock.hpp>

namespace greenroom::internal {

class keep_rule {
public:
  static constexpr duration first = std::chrono::milliseconds(1);
  static constexpr duration longest = std::chrono::milliseconds(32);

  /// Learns what became of the time since the last look: `lost` of `elapsed` went by before locks that another worker held.
  void note(time_point now, duration elapsed, duration lost) noexcept {
    if (now < until_) return;
    if (lost > elapsed / 4) {
      span_ = std::clamp(2 * span_, first, longest);
      until_ = now + span_;
      keeps_.store(true, std::memory_order_relaxed);
    } else if (span_ > duration::zero()) {
      keeps_.store(false, std::memory_order_relaxed);
      if (now - until_ < span_) return;
      until_ = now; // as long in company without harm
      span_ = span_ > first ? span_ / 2 : duration::zero();
    }
  }
  bool keeps() const noexcept { return keeps_.load(std::memory_order_relaxed); }

private:
  std::atomic<bool> keeps_{false}; // a hint: nothing else hangs on it
  time_point until_{};             // the end of the last time
  duration span_{};                // its length; twice as long the next time, half as long after as long without
};

} // namespace greenroom::internal
