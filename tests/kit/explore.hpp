// explore: runs a program under many schedules until one breaks it, and says how to see that again.
//
//   TEST(Ledger, NeverOverdraws) {
//     const auto found = explore({.runs = 10'000}, two_withdrawals);
//     EXPECT_TRUE(found.nothing()) << found.to_string();      // names the seed, and the shortest schedule that fails
//   }
//
// TESTKIT_REPLAY in the environment, set to what a failing test printed, has every exploration run that one schedule only.
// Thread safety: any thread. Lifetime: the program is copied for each run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include <greenroom/testkit/simulation.hpp>

namespace greenroom::testkit {

/// How to look for faults.
struct exploration {
  /// How schedules are chosen.
  enum class strategy : std::uint8_t {
    random, ///< each step at random
    pct,    ///< by priorities, see schedule.hpp
    all     ///< every schedule, depth first; for small programs
  };
  strategy how = strategy::random; ///< which of them
  std::uint64_t runs = 1'000;      ///< at most
  std::uint64_t first_seed = 1;    ///< run i has the seed first_seed + i
  std::size_t pct_depth = 3;       ///< switches of the pct strategy,
  std::size_t pct_length = 100;    ///< among so many choices from the start
  bool shrink = true;              ///< whether to look for a shorter schedule that fails
  simulation_options world = {};   ///< of each run
};

/// What was found. Thread safety: as a value.
struct exploration_report {
  std::uint64_t runs = 0;       ///< that were made
  bool complete = false;        ///< every schedule was run (strategy::all)
  std::uint64_t trace_hash = 0; ///< of all runs: equal explorations have equal hashes
  run_report failure;           ///< passed() if nothing was found
  std::string replay;           ///< for TESTKIT_REPLAY: "random:17"
  std::string shortest;         ///< the same for the shortest schedule found: "path:17:0,2,1"

  /// Returns whether no run has failed.
  bool nothing() const noexcept { return failure.passed(); }
  /// Returns what went wrong, the first faults of the plan that came before it and how to replay it; if nothing was found, how much
  /// was tried.
  GREENROOM_EXPORT std::string to_string() const;
};

/// Runs `program` again and again, with the seed of the run if it takes one. A run fails if the program throws (see require()), waits
/// for ever, leaves an actor behind, or does not end. Each begins with an empty disk. Errors: usage_error if TESTKIT_REPLAY cannot be
/// read.
GREENROOM_EXPORT exploration_report explore(const exploration& how, std::function<task<>(std::uint64_t)> program);

template <class F>
requires std::is_invocable_r_v<task<>, F&> exploration_report explore(const exploration& how, F program) {
  return explore(how, std::function<task<>(std::uint64_t)>([program](std::uint64_t) { return program(); }));
}

} // namespace greenroom::testkit
