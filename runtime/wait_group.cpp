#include <greenroom/runtime/wait_group.hpp>

#include <cassert>
#include <mutex>
#include <string>

#include <greenroom/runtime/detail/wake_list.hpp>

namespace greenroom {

wait_group::~wait_group() { assert(waiting_.empty() && "a wait_group was destroyed while an actor waits for it"); }

void wait_group::add(std::int64_t n) {
  detail::wake_list woken;
  std::unique_lock guard(lock_);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(count_, n, &sum) || sum < 0) {
    const auto count = count_;
    guard.unlock();
    throw usage_error("wait_group: the count cannot go below zero or out of range: it is " + std::to_string(count) +
                      ", and " + std::to_string(n) + " was to be added; call done() once for each thing added");
  }
  count_ = sum;
  if (count_ != 0) return;
  while (auto* w = waiting_.claim_front()) woken.add(*w);
}

std::int64_t wait_group::count() const noexcept {
  std::lock_guard guard(lock_);
  return count_;
}

} // namespace greenroom
