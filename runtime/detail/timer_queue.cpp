#include <greenroom/runtime/detail/timer_queue.hpp>

#include <mutex>
#include <utility>

namespace greenroom::detail {

void timer_queue::advance(time_point now) noexcept {
  deferred_timer* late = nullptr;
  {
    std::lock_guard guard(lock_);
    if (wheel_.empty()) return;
    wheel_.advance(now, [](timer_node& node) { node.fire(node); });
    late = std::exchange(deferred_, nullptr);
  }
  while (late != nullptr) {
    auto& timer = *late;
    late = timer.deferred_next; // fire() may destroy the timer
    timer.fire(timer);
  }
}

} // namespace greenroom::detail
