// faults: what goes wrong in a simulation, drawn from the seed of the run: connections that are refused, break, lag, crawl or go
// silent; calls to the disk that fail, and power cuts; actors that are killed.
//
//   fault_plan trouble{.network = {.reset = 0.1, .delayed = 0.5}, .crashes = {.names = {"worker"}, .probability = 0.01}};
//   const auto found = explore({.runs = 1'000, .world = {.faults = trouble}}, pay_twice);
//
// Equal seeds meet equal faults, and what they met stands in run_report::faults. What happens to a connection hangs on the seed, its
// place among the connections of the run and how many bytes went through it; what happens to a call of the disk, on the path and how
// many such calls there were. So a replay, and a shorter schedule, meets them again. The default is that nothing goes wrong.
// Thread safety: as a value. Lifetime: copied by the simulation.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::testkit {

/// What goes wrong with connections that actors make through actor_system::net(). Each is drawn for itself, once for each connection.
/// Units: probabilities from 0, never, to 1, always.
struct network_faults {
  /// That connect() fails with errc::io, as when nobody listens.
  double refused = 0;
  /// That the connection breaks at a random moment: both ends fail with errc::io, and what was on its way is lost.
  double reset = 0;
  /// That it goes silent at a random moment: writes are taken and lost, nothing comes any more, not even the end. Only a time limit
  /// helps.
  double silent = 0;
  /// That bytes can be read only after a time, drawn for each write, up to longest_delay. They stay in order.
  double delayed = 0;
  /// That a call reads or writes only some bytes, from 1 to most_bytes, so that a program meets every split of what it expects.
  double slow = 0;

  duration longest_delay = std::chrono::milliseconds(100); ///< of `delayed`
  std::size_t most_bytes = 7;                              ///< of a slow connection in one call
  /// The moment of a reset or a silence: as often after so many bytes at most, both ways together (few are likelier than many),
  /// as after so much time at most.
  std::size_t latest_byte = 4'096;
  /// The same as a time.
  duration latest_time = std::chrono::seconds(1);
};

/// What goes wrong with the disk of the simulation, drawn for each call. Units: probabilities from 0 to 1.
struct disk_faults {
  double read = 0; ///< that read_all() or exists() fails with errc::io
  double write =
      0; ///< that a write fails with errc::io; half of what append_file::write() was given may then stand in the file
  double sync = 0; ///< that append_file::sync() or open_append() fails with errc::io
  /// That the disk loses power before a call, as memory_files::cut_power() says. The actors live on and find their open files
  /// unusable; to end actors too, add crashes.
  double power_cut = 0;
};

/// Which actors are killed, between two steps. The program itself never is.
struct crash_faults {
  std::vector<std::string> names; ///< of the actors that may be killed; see spawn_options::name
  double probability = 0;         ///< that one of those alive is killed before a step. Units: probability, 0 to 1
  std::uint64_t at_most = 1;      ///< in a run. Units: actors
};

/// Everything that goes wrong. Thread safety: as a value.
struct fault_plan {
  network_faults network = {}; ///< of connections
  disk_faults disk = {};       ///< of calls to the disk
  crash_faults crashes = {};   ///< of actors

  /// Finds the first number that is outside its range. Errors: invalid_argument, naming it, its value and the range.
  GREENROOM_EXPORT result<void> check() const;
};

} // namespace greenroom::testkit
