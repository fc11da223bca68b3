// simulation: an actor system on one thread, in virtual time, whose every step a schedule decides. The same actors, mailboxes,
// timers, scopes and HTTP servers run in it as outside, over a network and a disk in memory; two runs with the same schedule are
// equal.
//
//   simulation world;
//   random_schedule by(42);
//   run_report r = world.run(by, transfer_twice);        // ends when nothing is left to do
//   EXPECT_TRUE(r.passed()) << r.why;
//
// Actors switch behind their awaits, each of them, and nowhere else; time passes when all wait. blocking() runs on the
// spot. Use explore() of explore.hpp to try many schedules.
// Thread safety: owner only; actors that are made by it may be looked at between runs.
// Lifetime: outlives what was spawned in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/transport.hpp>
#include <greenroom/testkit/faults.hpp>
#include <greenroom/testkit/memory_files.hpp>
#include <greenroom/testkit/schedule.hpp>

namespace greenroom::testkit {

/// How a run ended.
enum class verdict : std::uint8_t {
  passed,      ///< the program ended normally and left nothing
  failed,      ///< the program was ended by an exception
  deadlocked,  ///< actors wait, and nothing will ever end their waits
  ran_too_long ///< the limit of steps was reached
};
/// Returns "passed" and so on.
GREENROOM_EXPORT const char* to_string(verdict v) noexcept;

/// One run. Thread safety: as a value.
struct run_report {
  verdict how = verdict::passed; ///< how it ended
  std::string why;               ///< a sentence; for a deadlock with a line for each actor that waits; "" if it passed
  std::uint64_t trace_hash = 0;  ///< of who ran at each step: equal runs have equal hashes
  std::uint64_t steps = 0;       ///< that were made
  std::vector<std::uint32_t> choices; ///< what the schedule chose, where there was a choice
  std::vector<std::uint32_t> widths;  ///< among how many
  /// What went wrong as the fault_plan wanted, in order: "step 41: connection 2 to here:80 reset".
  std::vector<std::string> faults;
  /// Returns whether it ended well.
  bool passed() const noexcept { return how == verdict::passed; }
};

/// What a simulation lets happen. Thread safety: as a value.
struct simulation_options {
  /// Steps after which a run is given up: one that never ends is a fault too. Units: steps.
  std::uint64_t most_steps = 1'000'000;
  /// Whether a timer may fire at any step, as on a machine that is late; without, time passes only when all wait. Any time limit may
  /// then pass first, however long it is: for programs that are right all the same.
  bool time_races = false;
  /// What goes wrong in each run, drawn from its seed. Nothing by default.
  fault_plan faults = {};
};

/// Thrown by require(). Thread safety: as std::logic_error.
class GREENROOM_EXPORT broken_requirement : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// Fails the run unless `holds`, with a sentence.
GREENROOM_EXPORT void require(bool holds, const std::string& sentence);

/// Thread safety: owner only.
class GREENROOM_EXPORT simulation {
public:
  /// Errors: usage_error if a number of the faults is out of range.
  explicit simulation(simulation_options how = {});
  ~simulation();
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  /// Runs `fn(args...)` as an actor, and all that it starts, until nothing is left to do. If that leaves something behind, the system
  /// is stopped, and the next run begins in a new one: what was made in the old one, a server say, must be gone by then.
  /// Waits: blocks the thread.
  template <class... Args>
  run_report run(schedule& by, greenroom::detail::target_for<Args...> fn, Args&&... args) {
    renew_if_stopped();
    const auto root = system().spawn(spawn_options{.name = "program"}, fn, std::forward<Args>(args)...);
    return drive(by, root);
  }

  /// Returns the system that its actors live in.
  actor_system& system() noexcept;
  /// Returns the network, the one of system().net(). A memory_transport, unless the faults have to do with connections.
  transport& net() noexcept;
  /// Returns the disk, the one of system().disk(). It keeps its files from run to run; explore() begins each with an empty one.
  memory_files& disk() noexcept;
  /// Returns the virtual time.
  time_point now() const noexcept;

private:
  struct world;
  void renew_if_stopped();
  run_report drive(schedule& by, const actor& root);
  void play(schedule& by, const actor& root, run_report& r);
  void judge(const actor& root, run_report& r);

  simulation_options how_;
  std::unique_ptr<memory_files> disk_; // outlives the system that a failed run leaves
  std::unique_ptr<world> world_;
};

} // namespace greenroom::testkit
