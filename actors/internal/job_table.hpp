// What scheduled_jobs decides: which runs begin when. It is told the time, and starts nothing itself. Thread safety: owner only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/actors/detail/job_calls.hpp>
#include <greenroom/actors/internal/job_store.hpp>
#include <greenroom/actors/job.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::internal {

/// One moment, by both clocks.
struct moment {
  time_point now;
  wall_time wall;
};

/// A run that is to be started.
struct job_start {
  std::string name;
  std::uint64_t number = 0;
  duration limit{};
  std::shared_ptr<detail::job_work> work;
};

/// How a run ended.
struct job_end {
  std::string name;
  std::uint64_t number = 0;
  run_outcome outcome = run_outcome::succeeded;
  std::string error = {};
};

/// A run between its start and its end.
struct run_underway {
  job_run run;
  std::optional<canceller> cancel;
  std::optional<error> stopped; ///< why it was cancelled
  bool at_stop = false;         ///< by stop()
};

/// Errors: invalid_argument, with the limit and the actual value.
result<void> check_job(const job_spec& spec);

class job_table {
public:
  job_table(std::vector<kept_job> kept, std::uint64_t seed);
  job_table(const job_table&) = delete;
  job_table& operator=(const job_table&) = delete;
  ~job_table();

  /// Requires: check_job() has nothing against it, and the name is free.
  void add(job_spec spec, std::shared_ptr<detail::job_work> work, moment at);
  /// Does what is due.
  void look(moment at);
  /// Returns when look() should be called next, if nothing else happens.
  time_point next_look(moment at, duration look_at_clock) const;

  /// Errors: not_found; those of scheduled_jobs.
  result<job_info> order(const std::string& name, detail::job_order what, moment at);
  result<job_info> info(const std::string& name, moment at) const;
  std::vector<job_info> list(moment at) const;

  /// Takes note of the end of a run, and returns whether it was known. What is queued behind it begins.
  bool ended(const job_end& end, moment at);
  /// Cancels all, and drops what is queued.
  void stop();
  std::size_t running() const noexcept;

  // -- what came of it: first to the disk, then done -----------------------------------------------------------------

  /// Returns what has changed since the last call.
  job_changes take_changes(moment at);
  /// These could not be written: the next ones will be everything.
  void not_written(job_changes changes);
  std::vector<job_start> take_starts() { return std::exchange(starts_, {}); }
  /// Returns names of jobs that are removed and have unwound.
  std::vector<std::string> take_free_names() { return std::exchange(free_, {}); }
  /// Gives the right to cancel a run that has been started.
  void started(const job_start& run, canceller cancel);
  /// Ends the starts that are not taken yet, with what is queued behind them, as failed.
  void refuse_starts(const error& why, moment at);

private:
  struct pending {
    duration due;
    wall_time wall;
    bool by_hand = false;
  };
  struct job {
    job_spec spec;
    std::shared_ptr<detail::job_work> work;
    time_point begins{};             ///< of the grid
    duration last{};                 ///< the times up to here are dealt with
    duration next = duration::max(); ///< the first one behind
    duration shift{};                ///< of that one, by the jitter
    bool paused = false;
    bool removed = false;
    bool changed = true;
    std::optional<run_underway> now{};
    std::deque<pending> queue{};
    std::deque<job_run> history{}; ///< the newest first
    std::uint64_t runs = 0, failures = 0, skipped = 0;
  };

  static duration on_axis(const job& j, moment at) noexcept;
  static wall_time wall_of(const job& j, duration due, moment at) noexcept;
  job* find(const std::string& name);
  void restore(job& j, kept_job kept, moment at);
  void plan(job& j);
  void come_due(job& j, moment at, duration grace);
  void come_due_again(job& j, const std::vector<duration>& missed, moment at);
  void trigger(job& j, pending p, moment at);
  void begin_next(job& j, moment at);
  void follow_clock(moment at);
  result<void> run_by_hand(job& j, moment at);
  static void cancel_run(job& j, const char* why);
  static void remember(job& j, job_run run);
  static void finish(job& j, run_outcome outcome, std::string why, moment at);
  void forget(const std::string& name);
  static duration settled(const job& j);
  static job_info info_of(const job& j, moment at);

  std::map<std::string, kept_job> kept_; ///< on disk, and not added yet
  std::map<std::string, job> jobs_;
  std::vector<job_start> starts_;
  std::vector<std::string> free_;
  std::vector<std::string> gone_; ///< to be taken off the disk
  std::optional<wall_time> seen_; ///< the wall clock at the last look
  bool write_all_ = false;
  bool stopping_ = false;
  xoshiro random_;
};

} // namespace greenroom::internal
