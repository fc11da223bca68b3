// scheduled_jobs: functions that run every so often, at a time, or by the calendar, as actors of their own; nothing that goes wrong in one ends the others.
//
//   scheduled_jobs jobs(sys);                                       // or scheduled_jobs::open(sys, "jobs.db").value(): survives a restart
//   auto added = jobs.add({.name = "report", .when = schedule::every(1min), .limit = 10s}, send_report, db);   // task<> or task<result<void>>
//   ...
//   result<job_info> now = co_await jobs.run_now("report");          // also list, look, pause, resume, cancel, remove
//
// The runs of one job never overlap; job_spec says what happens instead, and what happens about times that were missed. README.md has it as tables, with what a change
// of the date does.
// In a file the schedule, the pause, the last times and the history of each job are kept; the functions come from add(), at each start, by their names. A run's begin is on
// disk before it begins: one that a crash interrupts is found at the next start, and counts as missed. What is on disk under a name that is not added is left alone.
// Thread safety: handles may be copied to any thread; waiting calls belong to actors. Lifetime: when the last handle goes, or by stop(), runs are cancelled, and
// the actor ends when they have unwound. Cost: each wake looks at every job: for thousands of jobs, not for millions.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/job_calls.hpp>
#include <greenroom/actors/job.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

/// How scheduled_jobs look at the time. Thread safety: as a value.
struct jobs_options {
  /// How often the wall clock is looked at, if any job follows it: a change of it is seen so late at most.
  duration look_at_clock = std::chrono::seconds(10);
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT scheduled_jobs {
public:
  /// Starts the actor; its jobs are kept in memory.
  explicit scheduled_jobs(actor_system& sys, jobs_options how = {},
                          std::source_location where = std::source_location::current());
  /// The same, over a SQLite database, which is made if there is none. `vfs` is as for open_sqlite_journal(). Waits: blocks the thread for the disk.
  /// Errors: io; parse, if it is another database; unsupported, in a build without SQLite.
  static result<scheduled_jobs> open(actor_system& sys, const std::filesystem::path& file, jobs_options how = {},
                                     const std::string& vfs = {},
                                     std::source_location where = std::source_location::current());

  /// Adds a job: fn(args...), called with the arguments as they are here for each run; task<> or task<result<void>>. A run has a context of its own, with
  /// job_spec::limit as its deadline. Of a job that the file knows, the pause and the times hold on, unless its schedule is another now.
  /// Waits: never. Errors: already_exists; invalid_argument, for a name or a number that cannot be; closed, behind stop().
  template <class F, class... Args>
  result<void> add(job_spec spec, F fn, Args... args) const {
    return add_work(std::move(spec),
                    std::make_shared<detail::job_work_of<F, Args...>>(std::move(fn), std::move(args)...));
  }

  // Each of these waits for the actor, and for the disk if something changes; for 5 s at most. Cancellation: throws `cancelled`; it may have been done.
  // Errors: not_found; timed_out, closed; io if the disk fails.

  /// Lists the jobs by their names, without histories.
  task<result<std::vector<job_info>>> list() const;
  /// Shows one, with its history.
  task<result<job_info>> look(std::string name) const;
  /// Has a job run now, paused or not; its times stay. If it runs already its overlap rule holds: errors, already_exists (skip), limit (queue).
  task<result<job_info>> run_now(std::string name) const;
  /// Lets its times pass until resume(); a run that goes on does so.
  task<result<job_info>> pause(std::string name) const;
  /// Its missed rule says what happens about the times since pause().
  task<result<job_info>> resume(std::string name) const;
  /// Cancels its run and drops what is queued; its times stay. Does nothing if it does not run.
  task<result<job_info>> cancel(std::string name) const;
  /// Cancels its run and forgets it, on disk too; its name is free when the run has unwound.
  task<result<job_info>> remove(std::string name) const;

  /// Cancels all runs, and ends the actor when they have unwound; self() can be waited for. Waits: never.
  void stop() const;
  /// Returns the actor. It may be restarted by nobody: its jobs go with it.
  const actor& self() const noexcept;

private:
  struct core;
  explicit scheduled_jobs(std::shared_ptr<const core> c) noexcept : core_(std::move(c)) {}
  result<void> add_work(job_spec spec, std::shared_ptr<detail::job_work> work) const;

  std::shared_ptr<const core> core_;
};

} // namespace greenroom
