// rate_limiter: so many calls in so much time, spread evenly, with a burst: for a service that allows no more. Callers wait for their turn, or are
// refused.
//
//   rate_limiter to_bank({.name = "bank", .calls = 100, .period = 1s, .burst = 10});
//   auto asking = to_bank.call(fetch_balance(id), 200ms);    // waits for its turn if that comes within 200 ms
//   if (const auto turn = to_bank.try_take(); !turn) ...     // limit: "rate limiter 'bank': ...; the next turn is in 0.010 s"
//
// It is a token bucket. Who waits has a turn of its own, reserved when it came; one whose turn would come too late is refused at once, so that nobody
// waits in vain. Requests of clients of an HTTP server are limited by http/rate_limit.hpp.
// Thread safety: any thread; copies share one state. Lifetime: counted. Order: turns are given first come, first served; a turn that is given back
// goes to nobody, unless it was the last one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// How many calls there may be. Thread safety: as a value.
struct rate_limiter_options {
  /// Stands in errors.
  std::string name = "service";
  /// So many calls in so much time, spread evenly: at least 1, at least 1 ns for each, and a day at most. Units: calls.
  std::uint64_t calls = 100;
  /// The time for so many calls.
  duration period = std::chrono::seconds(1);
  /// How many of them may come at once, from 1 to 1,000,000, and no more than come back in a year. Units: calls.
  std::uint64_t burst = 1;
};

/// All of one moment.
struct rate_limiter_stats {
  std::uint64_t taken = 0;   ///< turns, those that are still to come included
  std::uint64_t waited = 0;  ///< of them, those that had to be waited for
  std::uint64_t left = 0;    ///< turns given back, as the caller was cancelled before they came
  std::uint64_t refused = 0; ///< no turn in time
};

/// Thread safety, lifetime and order: see the file comment. Cost: a spin lock for each turn.
class GREENROOM_EXPORT rate_limiter {
public:
  /// Errors: usage_error with a sentence if an option is out of range.
  explicit rate_limiter(rate_limiter_options how = {});

  /// Takes a turn if there is one now. Requires: called by an actor. Waits: never. Errors: limit, with a sentence that says when there is one.
  result<void> try_take() const;

  /// Takes a turn, and waits for it if it comes within `longest_wait` and before the context's deadline.
  /// Cancellation: throws `cancelled`; the turn is given back. Errors: limit, at once, if it does not.
  task<result<void>> take(duration longest_wait) const { return wait_for_turn(core_, longest_wait); }

  /// Makes a call when its turn has come. Waits, Cancellation, Errors: as take(), and those of the call.
  template <class T>
  task<result<T>> call(task<result<T>> work, duration longest_wait) const {
    return run(core_, std::move(work), longest_wait);
  }

  /// Returns what it has done.
  rate_limiter_stats stats() const noexcept;

private:
  struct core;
  class turn;
  static task<result<void>> wait_for_turn(std::shared_ptr<core> at, duration longest_wait);

  template <class T>
  static task<result<T>> run(std::shared_ptr<core> at, task<result<T>> work, duration longest_wait) {
    auto waiting = wait_for_turn(std::move(at), longest_wait);
    const auto got = co_await std::move(waiting);
    if (!got) co_return got.error();
    co_return co_await std::move(work);
  }

  std::shared_ptr<core> core_;
};

} // namespace greenroom
