// Threads for work that blocks, so that workers never do. They are started on demand and end after a while without work.
// Thread safety: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace greenroom::internal {

class blocking_pool {
public:
  blocking_pool(std::size_t most_threads, std::chrono::milliseconds idle) noexcept
      : most_(most_threads), idle_limit_(idle) {}
  ~blocking_pool() { stop(); }

  /// Runs `work` on one of the threads, first come first served. Requires: work does not throw.
  void submit(std::function<void()> work);
  /// Waits for the work that was submitted and ends the threads.
  void stop() noexcept;

private:
  void serve();

  const std::size_t most_;
  const std::chrono::milliseconds idle_limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_; // guarded by mutex_, as are the following
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

} // namespace greenroom::internal
