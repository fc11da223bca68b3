// The jobs on disk, in SQLite. Waits: every call blocks the thread. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/actors/job.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

/// A job as it is kept.
struct kept_job {
  std::string name;
  std::string when;
  bool paused = false;
  wall_time settled{}; ///< the times up to here are dealt with
  std::uint64_t runs = 0;
  std::uint64_t oldest = 0;   ///< runs before this one are forgotten
  std::vector<job_run> found; ///< to write: those that have changed; read: all, the newest first
};

struct job_changes {
  std::vector<kept_job> jobs;
  std::vector<std::string> gone;
  bool empty() const noexcept { return jobs.empty() && gone.empty(); }
};

class job_store {
public:
  job_store() = default;
  job_store(const job_store&) = delete;
  job_store& operator=(const job_store&) = delete;
  virtual ~job_store();

  /// Errors: io; parse; unsupported.
  static result<std::unique_ptr<job_store>> open(const std::string& file, const std::string& vfs);

  virtual result<std::vector<kept_job>> load() = 0;
  /// Writes all or nothing; returns when it would survive a power failure. Errors: io; the database is then opened anew by the next call, which must be given
  /// everything: what is on disk is not known.
  virtual result<void> save(const job_changes& changes) = 0;
};

} // namespace greenroom::internal
