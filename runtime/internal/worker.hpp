// A worker is one thread that runs actors, fires timers and polls its own sockets; the team is all workers of a system.
// Thread safety: members marked (own) are for the worker's thread, the others for any.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <greenroom/runtime/detail/timer_queue.hpp>
#include <greenroom/runtime/executor.hpp>
#include <greenroom/runtime/internal/keep_rule.hpp>
#include <greenroom/runtime/internal/poller.hpp>
#include <greenroom/runtime/internal/run_queue.hpp>
#include <greenroom/runtime/system_stats.hpp>

namespace greenroom::internal {

class watch;
class worker_team;

class worker final : public detail::timer_queue {
public:
  worker(worker_team& team, std::size_t index, time_point origin);
  ~worker() override { poller_->shut_down(); }

  void start();
  void join();

  void push_ready(job j);                      // (own) next in line
  void push_behind(job j);                     // (own) behind all that was woken
  void push_last(job j);                       // (own) behind all that is ready
  void push_spawned(detail::actor_cell& cell); // (own)
  void submit(job j);
  /// Ends the worker's sleep; false if it does not sleep.
  bool wake();
  bool asleep() const noexcept { return asleep_.load(std::memory_order_relaxed); }
  /// Counts the jobs begun; tells a stuck worker from a busy one.
  std::uint64_t progress() const noexcept { return progress_.load(std::memory_order_relaxed); }
  /// Returns the actor that has its turn, or had the last one. Not to be touched: it may be gone.
  const detail::actor_cell* running() const noexcept { return running_.load(std::memory_order_relaxed); }
  bool has_work() const noexcept { return queue_.size_approx() != 0; }
  worker_stats stats() const noexcept;
  const std::shared_ptr<poller>& io() noexcept { return poller_; }
  std::size_t index() const noexcept { return index_; }
  worker_team& team() noexcept { return team_; }
  /// (own) Returns the next id of this worker's block.
  std::uint64_t next_id() noexcept;
  /// Drops CAF's jobs that will not run any more. Requires: the thread has ended.
  void drop_jobs() noexcept;

private:
  friend class worker_team;

  void loop();
  job next();
  job next_of_queue();
  job take_slot() noexcept;
  void run(job j) noexcept;
  void look_around();
  void note_turns(duration elapsed) noexcept;
  bool has_job() const noexcept { return has_work() || slot_.load(std::memory_order_relaxed) != 0; }
  bool has_surplus() const noexcept;
  bool steal();
  void rest();
  void sleep(time_point limit);
  void note_sleep(time_point now) noexcept;
  bool stand_guard();
  void hand_over_watch() noexcept;
  bool is_needed() noexcept;
  bool is_watched() noexcept;
  void look_after_others();
  bool rescue_from(worker& stuck, bool all);
  void call_for_help() noexcept;
  bool end_sleep() noexcept;
  void nudge() noexcept override { wake(); }

  // Constant after construction.
  worker_team& team_;
  const std::size_t index_;

  // Owned by the worker's thread.
  std::uint32_t streak_ = 0;      // jobs in a row from the slot
  std::uint32_t until_look_ = 1;  // jobs until the next look at clock, timers and sockets
  std::uint32_t look_every_ = 64; // shrinks when jobs are long
  std::uint32_t picks_ = 0;
  std::uint32_t search_rounds_ = 1; // before it sleeps; grows with success
  bool rested_ = false;
  bool polled_ = false; // as it slept, since the last look
  time_point last_look_;
  time_point last_poll_;
  time_point last_care_;               // of others
  std::vector<std::uint64_t> seen_;    // their progress then
  std::vector<std::uint64_t> guarded_; // the same, as it began to stand guard
  std::array<std::uint64_t, 64> ids_{};
  std::size_t ids_left_ = 0;

  // Written by the worker's thread, read by the watch now and then: apart from what other workers look at often.
  std::atomic<const detail::actor_cell*> running_{nullptr};
  std::atomic<std::uint64_t> steals_{0};
  std::atomic<std::int64_t> slept_ns_{0};        // up to the sleep that it is in
  std::atomic<std::int64_t> asleep_since_ns_{0}; // 0: it is awake
  std::atomic<std::uint32_t> turn_ns_{1'000};    // how long a turn took, in the mean of the worst looks of late
  keep_rule keep_;

  run_queue queue_;
  // The actor to run next: woken by the one that runs now. Only the owner fills it; a thief may take it from a stuck owner.
  alignas(64) std::atomic<std::uintptr_t> slot_{0};
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<bool> asleep_{false};

  const std::shared_ptr<poller> poller_ = std::make_shared<poller>(); // a socket may outlive the worker
  std::thread thread_;
};

class worker_team final : public executor {
public:
  explicit worker_team(std::size_t workers);
  ~worker_team() override;

  void start(detail::runtime_core& core) override;
  void stop() noexcept override;
  void submit(detail::actor_cell& cell) noexcept override { submit_job(job(cell)); }
  void requeue(detail::actor_cell& cell) noexcept override;
  detail::timer_queue& timers() noexcept override { return *workers_.front(); }
  std::size_t workers() const noexcept override { return count_; }
  std::size_t live_timers() noexcept override;

  void submit_job(job j);
  /// Has work noticed by the watch, from now on until it is set to null.
  void set_watch(watch* w) noexcept { watch_ = w; }
  detail::runtime_core& core() noexcept { return *core_; }
  worker& at(std::size_t index) noexcept { return *workers_[index]; }

private:
  friend class worker;
  void wake_one() noexcept;
  worker& pick() noexcept;
  bool stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }

  const std::size_t count_;
  detail::runtime_core* core_ = nullptr; // constant after start()
  std::vector<std::unique_ptr<worker>> workers_;
  std::atomic<std::size_t> next_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<int> searching_{0};
  std::atomic<int> guards_{0};      // 1: an idle worker looks after stuck ones
  std::atomic<int> reliefs_{0};     // 1: an idle worker soon looks whether there is a guard
  std::uint32_t needed_stints_ = 0; // how many more guards look early; owned by the guard
  std::atomic<int> submitting_{0};  // calls of submit_job() under way
  std::atomic<bool> stopping_{false};
  std::atomic<watch*> watch_{nullptr};
};

} // namespace greenroom::internal
