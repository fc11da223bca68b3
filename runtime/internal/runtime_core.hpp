// The inside of an actor_system: what every actor's record points to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/context_node.hpp>
#include <greenroom/runtime/detail/request_counters.hpp>
#include <greenroom/runtime/executor.hpp>
#include <greenroom/runtime/internal/blocking_pool.hpp>
#include <greenroom/runtime/internal/border.hpp>
#include <greenroom/runtime/internal/live_actors.hpp>

namespace greenroom {
class span_sink;
}
namespace greenroom::internal {
class recorder;
class tcp_transport;
class watch;
class worker_team;
} // namespace greenroom::internal

namespace greenroom::detail {

class runtime_core {
public:
  runtime_core(actor_system& s, options o, environment e);
  ~runtime_core();
  runtime_core(const runtime_core&) = delete;
  runtime_core& operator=(const runtime_core&) = delete;

  actor launch(const launch_request& request);
  /// The last act of an actor, on the thread of its last turn; its frames are gone.
  void finish(actor_cell& cell, exit_reason why) noexcept;
  stop_report stop(std::chrono::milliseconds limit);
  /// Has stop() end `who` first, and wait for that.
  void stop_before_others(const actor& who);
  bool stopping() const noexcept { return living.closed(); }

  system_stats stats() const;
  std::vector<actor_info> actors() const;
  std::vector<ledger_entry> ledger_entries() const;
  request_stats requests() const noexcept;
  actor_info describe(const actor_cell& cell) const;
  std::uint32_t milliseconds(time_point now) const noexcept;

  std::uint64_t seed() const noexcept { return seed_; }
  const char* intern(const std::string& text);
  void send_spans_to(std::shared_ptr<span_sink> sink);

  // Constant after construction.
  actor_system* const system;
  options opts;
  environment env;
  logger log;
  time_point started_at;
  executor* runs_on = nullptr;
  /// Null if nothing is recorded. Constant after construction.
  std::shared_ptr<internal::recorder> flight;
  /// The first is for threads that have none of their own, then one for each worker. Not resized after construction.
  std::vector<request_counters> asks;
  context_node& root; // counted; cancelled when the system stops
  std::atomic<span_sink*> spans{nullptr};

  internal::live_actors living; // closed when the system stops
  internal::blocking_pool blocking;
  std::unique_ptr<internal::border> caf;
  std::unique_ptr<internal::watch> watch;           // none in a simulation
  std::unique_ptr<internal::tcp_transport> sockets; // after env, which owns the workers: they must outlive it

private:
  std::size_t here() const noexcept; // the caller's place in living
  std::uint64_t next_id() noexcept;
  bool wait_until_empty(std::chrono::milliseconds limit);
  void strike_all(std::uint32_t bit) noexcept;
  void stop_first(time_point deadline);
  void tell_of_failure(const actor_cell& cell, const exit_reason& why) noexcept;

  internal::worker_team* team_ = nullptr; // the workers, if they are ours
  std::mutex stop_mutex_;
  std::condition_variable emptied_;
  std::mutex first_mutex_;
  std::vector<actor> first_to_stop_; // guarded by first_mutex_; may hold some that have ended
  bool no_more_first_ = false;       // guarded by first_mutex_; never taken back: a stop has begun
  std::mutex stop_first_mutex_;      // outside of first_mutex_
  std::mutex names_mutex_;
  std::unordered_set<std::string> names_; // guarded by names_mutex_; elements are never removed
  std::mutex sinks_mutex_;
  std::vector<std::shared_ptr<span_sink>> sinks_; // guarded by sinks_mutex_; never removed: a call may be under way
  std::uint64_t seed_ = 0;                        // constant after construction
};

} // namespace greenroom::detail
