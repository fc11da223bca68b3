#include <greenroom/runtime/internal/blocking_pool.hpp>

#include <thread>

namespace greenroom::internal {

void blocking_pool::submit(std::function<void()> work) {
  std::lock_guard guard(mutex_);
  if (idle_ <= work_.size() && threads_ < most_) {
    std::thread([this] { serve(); }).detach(); // stop() waits for the count, not for handles
    ++threads_;
  }
  work_.push_back(std::move(work));
  changed_.notify_one();
}

void blocking_pool::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    const bool awaited = changed_.wait_for(lock, idle_limit_, [this] { return stopping_ || !work_.empty(); });
    --idle_;
    if (work_.empty()) {
      if (!awaited || stopping_) break;
      continue;
    }
    auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    work = nullptr; // its captures go before the next wait
    lock.lock();
  }
  --threads_;
  changed_.notify_all(); // under the lock: the pool may be destroyed as soon as stop() sees no thread
}

void blocking_pool::stop() noexcept {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return threads_ == 0; });
}

} // namespace greenroom::internal
