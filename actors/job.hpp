// job: the words of scheduled_jobs: what a job is to do and when, what became of its runs, and how it stands.
//
//   job_spec report{.name = "report", .when = schedule::every(1min), .overlap = overlap_rule::queue, .limit = 10s};
//
// Thread safety: as values. Lifetime: they own what they hold.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/actors/schedule.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// What happens if a job is due while its last run goes on. Two runs of one job never overlap.
enum class overlap_rule : std::uint8_t {
  skip,   ///< it is left out, and counted
  queue,  ///< it begins behind that run, and those that are queued; left out if job_spec::queue are
  replace ///< that run is cancelled, and the new one begins when it has unwound
};

/// What happens about times that have passed while nothing could begin: the program or the machine was off or asleep, the job was paused, the clock was set
/// forward. A run that was interrupted by the program's end counts as missed, too.
enum class missed_rule : std::uint8_t {
  skip, ///< they are left out: each time is worked for once at most
  once, ///< the job runs once for all of them
  all   ///< it runs for each, one after the other; for the last job_spec::most_missed, if there are more
};

/// A job: its name, when it is due, and the rules for its runs. Thread safety: as a value.
struct job_spec {
  /// By what it is found: 1 to 64 letters, digits, '.', '_' and '-'.
  std::string name;
  /// When it is due.
  schedule when;
  /// What happens if it is due while its last run goes on.
  overlap_rule overlap = overlap_rule::skip;
  /// How many wait behind a run by overlap_rule::queue, from 1 to 10,000. Units: runs.
  std::size_t queue = 1;
  /// What happens about times that have passed while nothing could begin.
  missed_rule missed = missed_rule::skip;
  /// From 1 to 10,000. Units: runs.
  std::size_t most_missed = 100;
  /// A time that could not be kept counts as missed when it is past by more than this.
  duration grace = std::chrono::minutes(1);
  /// Each run begins later by up to this, drawn anew each time: so that not all begin at the full hour. 31 days at most, and less than the period of every().
  duration jitter = duration::zero();
  /// How long a run may take: the deadline of its context. duration::max(): as long as it likes.
  duration limit = duration::max();
  /// How many runs that have ended are remembered, 10,000 at most. Units: runs.
  std::size_t history = 20;
};

/// What became of a run.
enum class run_outcome : std::uint8_t {
  running,
  succeeded,
  failed,     ///< by an error or an exception, or it was killed
  timed_out,  ///< it took longer than job_spec::limit
  cancelled,  ///< by cancel(), or by the run that replaced it
  interrupted ///< the jobs were stopped while it went on, or the program crashed
};
GREENROOM_EXPORT const char* to_string(run_outcome outcome) noexcept;
/// Returns the outcome of that name, or nothing.
GREENROOM_EXPORT std::optional<run_outcome> parse_run_outcome(std::string_view name) noexcept;

/// One run. Thread safety: as a value.
struct job_run {
  std::uint64_t number = 0;                   ///< from 1, of this job
  wall_time due{};                            ///< when it should have begun
  wall_time started{};                        ///< when it began
  wall_time ended{};                          ///< an interrupted one: when that was found
  run_outcome outcome = run_outcome::running; ///< what became of it
  std::string error = {};                     ///< why it failed; "" if it did not
  bool by_hand = false;                       ///< by run_now()
};

/// How a job stands.
struct job_info {
  std::string name;                    ///< of the job
  std::string when;                    ///< the text of its schedule
  bool paused = false;                 ///< its times pass until it is resumed
  std::optional<wall_time> next = {};  ///< none: paused, or there is no next time
  std::optional<job_run> running = {}; ///< the run that goes on; none: none does
  std::size_t queued = 0;              ///< runs
  std::uint64_t runs = 0;              ///< begun, those before the last start of the program included
  std::uint64_t failures = 0;          ///< since the start: failed and timed out
  std::uint64_t skipped = 0;           ///< since the start: by the overlap rule
  std::vector<job_run> history = {};   ///< the newest first; empty in a list
};

} // namespace greenroom
