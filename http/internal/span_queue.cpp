#include <greenroom/http/internal/span_queue.hpp>

#include <algorithm>
#include <utility>

namespace greenroom::http::internal {

void span_queue::ended(span what) noexcept {
  bool complete = false;
  try {
    const std::lock_guard guard(mutex_);
    if (closed_ || waiting_.size() >= most_) return add_dropped(1);
    waiting_.push_back(std::move(what));
    complete = waiting_.size() % batch_ == 0;
  } catch (...) { // no memory
    return add_dropped(1);
  }
  if (!complete) return;
  const untraced none; // what tells of spans must not make any
  (void)full_.try_send(nothing());
}

std::vector<span> span_queue::take() {
  std::vector<span> taken;
  const std::lock_guard guard(mutex_);
  const auto count = std::min(batch_, waiting_.size());
  taken.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void span_queue::close() noexcept {
  const std::lock_guard guard(mutex_);
  closed_ = true;
  add_dropped(waiting_.size());
  waiting_.clear();
}

std::size_t span_queue::size() const noexcept {
  const std::lock_guard guard(mutex_);
  return waiting_.size();
}

} // namespace greenroom::http::internal
