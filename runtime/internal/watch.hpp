// The watch: a thread that looks at the workers from outside, for what they cannot see themselves: an actor that does not return to its worker,
// and deadlocks. It sleeps while the system is idle.
// Thread safety: any thread unless noted. Lifetime: within that of the workers.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::internal {

class worker;
class worker_team;

class watch {
public:
  /// Does nothing if the options switch both of its duties off.
  watch(detail::runtime_core& core, worker_team& team);
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  /// Waits: blocks the thread until the watch has ended.
  ~watch();

  /// A worker has work again. Cost: a fence and a load while the watch is awake.
  void notice_work() noexcept {
    // Against run(): it sees the worker awake, or we see it asleep.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed)) wake();
  }

  /// Lists the actors that have kept a worker for longer than the options allow.
  std::vector<stuck_actor> stuck() const;

private:
  using steady = std::chrono::steady_clock;

  /// What one worker was last seen at.
  struct post {
    std::uint64_t progress = 0;
    steady::time_point since;
    bool reported = false;
    stuck_actor who;
  };
  /// A deadlock by its members and their waits.
  using signature = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

  void run();
  void wake() noexcept;
  bool nothing_is_new() const noexcept;
  void sleep(std::unique_lock<std::mutex>& lock);
  void look_around();
  bool workers_have_moved() const noexcept;
  void look_at_workers();
  std::optional<actor_info> running_on(const worker& w) const;
  void look_for_deadlocks();
  void report_return(post& p);
  void tell_last_events(std::uint64_t id, const std::string& name) const;
  std::chrono::milliseconds beat() const noexcept;

  detail::runtime_core& core_;
  worker_team& team_;
  const std::chrono::milliseconds stuck_limit_;    // zero: not looked for
  const std::chrono::milliseconds check_interval_; // zero: not looked for

  // Owned by the thread, which reads posts_ without the lock.
  steady::time_point next_check_;
  steady::time_point last_work_;
  int searches_since_ = 0;           // when all waits were old enough
  std::vector<signature> suspected_; // found once
  std::vector<signature> known_;     // found twice, and reported
  bool told_of_size_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;   // guarded by mutex_
  std::vector<post> posts_; // written by the thread, under mutex_
  std::atomic<bool> asleep_{false};
  std::thread thread_;
};

} // namespace greenroom::internal
