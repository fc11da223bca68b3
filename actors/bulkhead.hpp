// bulkhead: at most so many calls at once, and so many more that wait. A service that becomes slow then holds up those few, and not all that the
// program does.
//
//   bulkhead to_bank({.name = "bank", .at_once = 8, .queue = 16, .wait = 100ms});
//   auto asking = to_bank.call(fetch_balance(id));       // any task<result<T>>; it begins when there is room
//   const auto balance = co_await std::move(asking);     // or full: "bulkhead 'bank' is full: 8 calls run and 16 wait, its limits"
//
// For jobs that nobody waits for take a worker_pool. guards.hpp shows how it is stacked with others.
// Thread safety: any thread; copies share one state. Lifetime: counted; calls under way keep it. Order: those that wait, first come, first served.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// How much room there is. Thread safety: as a value.
struct bulkhead_options {
  /// Stands in errors.
  std::string name = "service";
  /// Calls that run at once, from 1 to 1,000,000. Units: calls.
  std::int64_t at_once = 16;
  /// Calls that wait for room, from 0, where one more is refused at once, to 1,000,000. Units: calls.
  std::int64_t queue = 64;
  /// How long one waits; then it is refused.
  duration wait = duration::max();
};

/// Taken while calls begin and end, the numbers may be of slightly different moments.
struct bulkhead_stats {
  std::int64_t running = 0;   ///< calls that run now
  std::int64_t waiting = 0;   ///< calls that wait for room now
  std::uint64_t admitted = 0; ///< calls that began
  std::uint64_t refused = 0;  ///< at once, as it was full
  std::uint64_t late = 0;     ///< refused after they had waited
};

/// Thread safety, lifetime and order: see the file comment.
class GREENROOM_EXPORT bulkhead {
public:
  /// Errors: usage_error with a sentence if an option is out of range.
  explicit bulkhead(bulkhead_options how = {});

  /// Makes a call once there is room. Waits: for room, as long as the options say, and as the call does. Cancellation: throws `cancelled`; a call
  /// that waits has not begun.
  /// Errors: full, at once or after the wait, with a sentence; those of the call. Exceptions of the call pass.
  template <class T>
  task<result<T>> call(task<result<T>> work) const {
    return run(core_, std::move(work));
  }

  /// Returns what it has done.
  bulkhead_stats stats() const noexcept;

private:
  struct core;
  /// Room for a call, given up when it goes.
  struct room {
    room(permit running, permit in) noexcept : runs(std::move(running)), is_in(std::move(in)) {}
    permit runs;
    permit is_in; // goes first: then the next may queue before this one's turn is passed on
  };
  static task<result<room>> enter(std::shared_ptr<core> at);

  template <class T>
  static task<result<T>> run(std::shared_ptr<core> at, task<result<T>> work) {
    auto entering = enter(at);
    const auto held = co_await std::move(entering);
    if (!held) co_return held.error();
    co_return co_await std::move(work);
  }

  std::shared_ptr<core> core_;
};

} // namespace greenroom
