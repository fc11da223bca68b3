// system_stats: what a system has done and holds now, in numbers: for metrics (http/metrics.hpp) and for whoever looks.
//
//   const auto now = sys.stats();
//   log.info("{} actors, {} spawned in all", now.actors, now.spawned);
//
// Thread safety: as a value. Lifetime: owns what it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/request_counters.hpp>

namespace greenroom {

/// One worker thread.
struct worker_stats {
  std::uint64_t turns = 0;  ///< that actors have had on it
  std::uint64_t steals = 0; ///< how often it took what waited for another worker
  std::size_t queued = 0;   ///< actors that are ready and wait for it
  bool asleep = false;      ///< it waits for work now
  duration slept{};         ///< all together
};

/// Taken while the system works, the numbers may be of slightly different moments.
struct system_stats {
  std::size_t actors = 0;    ///< that have not ended
  std::uint64_t spawned = 0; ///< actors, since the start
  /// Returns how many actors have ended.
  std::uint64_t ended() const noexcept { return spawned - actors; }
  std::size_t timers = 0;            ///< that are armed
  request_stats asks;                ///< how they went
  std::vector<worker_stats> workers; ///< empty where the system has no threads of its own, as in a simulation
};

} // namespace greenroom
