// A count that many actors lower and one waits for.
// Thread safety: count_one() from any actor; wait() by one. Lifetime: outlives the last count_one().
#pragma once

#include <atomic>
#include <cstdint>

#include <greenroom/runtime/mailbox.hpp>

namespace greenroom::bench {

class countdown {
public:
  explicit countdown(std::int64_t n) : left_(n) {}
  /// Lowers the count; the last one wakes who waits. The caller touches the countdown no more.
  void count_one() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) (void)wake_.try_send(0);
  }
  /// Waits until the count is zero. Waits: suspends the actor.
  auto wait() const { return woken_.receive(); }
  std::int64_t left() const { return left_.load(); }

private:
  std::atomic<std::int64_t> left_;
  mailbox<int> woken_{bounded(1)};
  address<int> wake_ = woken_.address();
};

} // namespace greenroom::bench
