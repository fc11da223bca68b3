// fault_source: what a fault_plan comes to in one run: the draws, the moments in virtual time at which something breaks or becomes
// readable, and the list of what happened.
//
// A draw is a function of the seed, of what is drawn and of its place (a number, an offset): it takes nothing from a common stream,
// so that one more or one less elsewhere changes nothing here.
// Thread safety: any thread. Its lock is the innermost.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/testkit/faults.hpp>
#include <greenroom/testkit/memory_files.hpp>

namespace greenroom::testkit::internal {

/// What is drawn; each kind has numbers of its own.
enum class draw : std::uint8_t {
  refused,
  reset,
  silent,
  delayed,
  slow,
  moment_kind,
  moment,
  delay,
  amount,
  read,
  write,
  sync,
  power_cut,
  lost_bytes,
  crash,
  victim
};

/// Something that has to look at itself at some moments of virtual time.
class has_moments {
public:
  virtual ~has_moments() = default;
  virtual void moment_came() = 0;
};

class fault_source {
public:
  /// Errors: usage_error if a number of the plan is out of range.
  explicit fault_source(fault_plan plan);

  // -- a run; called by the simulation --------------------------------------------------------------------
  void begin(std::uint64_t seed, time_point now);
  /// Returns the faults that happened. Until the next begin() nothing fails.
  std::vector<std::string> end();
  /// Called before each step.
  void set_time(std::uint64_t step, time_point now) noexcept;
  /// Returns the next moment somebody asked for, or `never`.
  time_point next_moment();
  /// Shows those their moments who asked for `now` or earlier.
  void pass(time_point now);
  /// Says whether an actor is to be killed before this step; and which of `n`.
  bool wants_crash();
  std::uint64_t pick_victim(std::uint64_t n);
  /// Notes a crash, which counts towards the most there may be.
  void note_crash(const std::string& sentence);
  /// Decides about a call to the disk, whose power it may cut. True: the call fails.
  bool disk_fails(memory_files& disk, disk_call call, const std::string& path);

  // -- for connections ------------------------------------------------------------------------------------
  const fault_plan& plan() const noexcept { return plan_; }
  time_point now();
  std::uint64_t next_connection();
  std::uint64_t number(draw what, std::uint64_t place, std::uint64_t below, std::uint64_t more = 0);
  bool happens(draw what, double probability, std::uint64_t place, std::uint64_t more = 0);
  /// Returns a random time from now on, at most `longest` later, at which timers may fire too.
  time_point later(draw what, duration longest, std::uint64_t place, std::uint64_t more = 0);
  /// Adds "step 41: " and the sentence to the list.
  void note(const std::string& sentence);
  void call_at(time_point when, std::weak_ptr<has_moments> who);

private:
  std::uint64_t bits(draw what, std::uint64_t place, std::uint64_t more) const noexcept;

  const fault_plan plan_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::uint64_t seed_ = 0;
  bool running_ = false;
  std::uint64_t step_ = 0;
  time_point now_{};
  std::uint64_t connections_ = 0;
  std::uint64_t crashes_ = 0;
  std::map<std::pair<disk_call, std::string>, std::uint64_t> calls_;
  std::vector<std::string> happened_;
  std::multimap<time_point, std::weak_ptr<has_moments>> moments_; // those of one time in the order of asking
};

/// Say whether a plan has to do with connections, or with the disk, at all.
bool touches_connections(const network_faults& plan) noexcept;
bool touches_disk(const disk_faults& plan) noexcept;

} // namespace greenroom::testkit::internal
