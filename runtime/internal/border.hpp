// What the runtime asks of CAF. The one implementation is caf_border.cpp; all other sources know no CAF version.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace greenroom::internal {

class worker;
class worker_team;

class border {
public:
  virtual ~border() = default;

  /// Starts CAF's system; it may hand jobs to the workers from here on.
  virtual void start() = 0;
  /// Ends it, while the workers still run: it ends with messages to actors of its own.
  virtual void stop() noexcept = 0;
  /// Waits until CAF has been told of every end. Requires: no actor lives.
  virtual void settle() noexcept = 0;

  /// Takes ids from CAF's own series, so that an actor has one id in both worlds. In blocks, since all workers share that counter.
  virtual void take_ids(std::span<std::uint64_t> ids) noexcept = 0;
  /// Runs one of CAF's own jobs on this worker.
  virtual void run_job(void* job, worker& on) noexcept = 0;
  /// Lets go of a job that will not run.
  virtual void drop_job(void* job) noexcept = 0;
};

/// Makes CAF's side of the system: its own caf::actor_system, which `team` runs if there is one, or the host's.
std::unique_ptr<border> make_border(worker_team* team, void* caf_host);

} // namespace greenroom::internal
