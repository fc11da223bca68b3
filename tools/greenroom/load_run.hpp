// load_run: sends requests when they are due, whatever became of those before them, and counts what comes of it. The time of a request begins
// when it is due by the schedule: a server that stops for a second makes all wait that were due in that second, and each of them is counted so.
//
//   load_tally found;
//   co_await generate(&plan, load_schedule(shape, 0, 1, seed), &found);   // one thread's share, as an actor
//
// An actor keeps the schedule, and one for each connection sends and waits; between them a queue, without bound so that it never holds the schedule up.
// Thread safety: a plan may be shared; all of one generate() runs on one worker, so give each thread a system of its own.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/tls.hpp>
#include <greenroom/runtime/transport.hpp>
#include <greenroom/tools/greenroom/latency_histogram.hpp>
#include <greenroom/tools/greenroom/load_course.hpp>
#include <greenroom/tools/greenroom/load_schedule.hpp>

namespace load {

/// What is sent, and how.
struct load_plan {
  greenroom::endpoint to;
  const greenroom::tls_client* tls = nullptr;             ///< null: plain HTTP
  std::string bytes;                                      ///< of the request, as it goes over the wire
  bool to_head = false;                                   ///< it is a HEAD
  std::size_t connections = 64;                           ///< at most, of this share
  greenroom::duration time_out = std::chrono::seconds(5); ///< for an answer, from when the request was sent
  /// How long before a request is due to stop sleeping and look at the clock all the time: a worker that sleeps wakes up to a millisecond late.
  greenroom::duration watchful = std::chrono::microseconds(1'100);
  /// So many requests may wait for a connection; with one more the run ends, as it would soon need more memory than there is.
  std::size_t most_waiting = 10'000'000;
};

/// Why a request has no answer.
enum class load_fault : std::uint8_t { no_connection, timed_out, broken, malformed };
inline constexpr std::size_t load_faults = 4;
const char* name_of(load_fault why) noexcept;

struct fault_count {
  std::uint64_t times = 0;
  std::string first; ///< what the first of them said
};

/// What came of the requests that were due behind the warm-up. Thread safety: as a value.
struct load_tally {
  latency_histogram
      response; ///< from due to answered; of what had no answer the time until it was given up, so of those `at least`
  latency_histogram service;  ///< from sent to answered
  latency_histogram lateness; ///< from due until the generator noticed: its own fault
  load_course course;         ///< as `response`, by when due

  std::uint64_t due = 0;              ///< all of them; each is one of the following four
  std::uint64_t answered = 0;         ///< whatever the status
  std::uint64_t failed = 0;           ///< see faults
  std::uint64_t unsent = 0;           ///< no connection was free until the end
  std::uint64_t cut_off = 0;          ///< under way when the run was ended
  std::uint64_t answered_in_time = 0; ///< before the measured time was over: what the rate is made of
  std::uint64_t queued = 0;           ///< found no connection free when they were due
  std::uint64_t warm_up = 0;          ///< requests before all of these
  std::uint64_t connects = 0;         ///< connections made, and
  std::uint64_t reconnects = 0;       ///< those of them that replaced one which the server had closed
  std::uint64_t bytes_in = 0;
  std::array<std::uint64_t, 1'000> statuses{};
  std::array<fault_count, load_faults> faults{};
  std::chrono::nanoseconds all_busy{0}; ///< how long no connection was free, over all threads; and how much the threads
  std::chrono::nanoseconds all_busy_cpu{
      0};                             ///< computed meanwhile: almost as much, if they are what the connections wait for
  std::chrono::nanoseconds lasted{0}; ///< of the measured time, as much as there was before the run was ended
  bool overrun = false;               ///< too many waited, and so it was ended

  void merge(const load_tally& other);
};

/// Runs one share of a schedule. Ends when all of it has been answered or given up: what is not sent a tenth of
/// the time behind the end, 1 s at least and a time-out at most, is not sent any more.
/// Waits: suspends the actor. Cancellation: throws `cancelled`; what is under way then counts as cut off, and the tally is whole.
/// Errors: as transport::connect(), if not a single connection can be made at the start.
greenroom::task<greenroom::result<void>> generate(const load_plan* plan, load_schedule when, load_tally* found);

} // namespace load
