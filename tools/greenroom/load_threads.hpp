// load_threads: a load by several threads, each with an actor system of its own, until it has ended or somebody ends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include <greenroom/runtime/error.hpp>
#include <greenroom/tools/greenroom/load_run.hpp>

namespace load {

struct load_job {
  load_plan plan; ///< of all threads: they share its connections
  load_shape shape;
  std::size_t threads = 1; ///< at most as many as connections
  std::uint64_t seed = 1;
};

/// Runs it and gives what all threads have found. `ended` is asked now and then: once it says so what is under way is cut off.
/// Waits: blocks the thread. Errors: those of generate(), if no thread got a connection; limit, if so many connections need more open files than the process may have.
greenroom::result<load_tally> run_load(const load_job& job, const std::function<bool()>& ended);

} // namespace load
