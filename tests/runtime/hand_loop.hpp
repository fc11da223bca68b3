// An event loop as graphical toolkits have one, written by hand: a queue of functions, and one thread that calls them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include <greenroom/runtime/host_loop.hpp>

namespace greenroom::test {

class hand_loop {
public:
  void post(std::function<void()> work) {
    const std::lock_guard guard(lock_);
    queue_.push_back(std::move(work));
    changed_.notify_one();
  }
  /// Calls what is queued until quit() was called, on this thread.
  void run() {
    thread_ = std::this_thread::get_id();
    while (!std::exchange(quits_, false)) take()();
  }
  /// Ends run(). From inside of the loop.
  void quit() noexcept { quits_ = true; }
  /// Calls the next function, and waits for it if there is none.
  void run_one() {
    thread_ = std::this_thread::get_id();
    take()();
  }
  /// Blocks the thread until something is queued.
  void await_post() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return !queue_.empty(); });
  }
  std::size_t queued() {
    const std::lock_guard guard(lock_);
    return queue_.size();
  }
  /// Drops what is queued, as a loop does that is destroyed.
  void drop() {
    std::deque<std::function<void()>> dropped;
    const std::lock_guard guard(lock_);
    dropped.swap(queue_);
  }
  bool is_here() const noexcept { return thread_ == std::this_thread::get_id(); }

  host_loop seen_by_actors() {
    return host_loop([this](std::function<void()> work) { post(std::move(work)); });
  }

private:
  std::function<void()> take() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return !queue_.empty(); });
    auto first = std::move(queue_.front());
    queue_.pop_front();
    return first;
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_; // guarded by lock_
  // The loop's own.
  bool quits_ = false;
  std::thread::id thread_;
};

} // namespace greenroom::test
