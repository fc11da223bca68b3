// circuit_breaker: stops asking a service that fails, and tries it again after a while. Its callers know at once, and it can recover.
//
//   circuit_breaker to_bank({.name = "bank", .failure_share = 0.5, .slow_after = 200ms});
//   auto asking = to_bank.call(fetch_balance(id));       // any task<result<T>>
//   const auto balance = co_await std::move(asking);     // or unavailable: "circuit breaker 'bank' is open: 8 of 10 calls in 10 s failed ..."
//
// Closed, it lets every call through and counts them over a rolling window; when enough of them failed, it opens. Open, it refuses every call. When
// that time is over it is half open: a few calls go through as trials; if all succeed it closes, and if one fails it is open for twice as long. A
// call has failed when it gave an error that counts, threw, or was slow. A caller who leaves before that, or whose deadline passes, tells nothing of
// the service: else impatient callers could close it to all. So give calls a limit of their own inside of the breaker, or say what is slow;
// guards.hpp shows how it is stacked.
// Thread safety: any thread; copies share one state. Lifetime: counted; calls under way keep it.
// Source: Nygard, "Release It!", 2007.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// Whether calls are let through: all, none, or a few as trials.
enum class breaker_state : std::uint8_t { closed, open, half_open };

/// Returns "closed", "open" or "half_open"; "" for a number that is none of them.
GREENROOM_EXPORT const char* to_string(breaker_state state) noexcept;

/// When a breaker opens, and for how long. Thread safety: as a value.
struct circuit_breaker_options {
  /// Stands in errors and in the log, which tells of each opening and closing.
  std::string name = "service";
  /// It opens when this share of the calls in the window has failed, from above 0 to 1,
  double failure_share = 0.5;
  /// in so much time, from 1 ms; what is older is forgotten a tenth of it at a time,
  duration window = std::chrono::seconds(10);
  /// and there were so many calls at least, from 1. Units: calls.
  std::size_t least_calls = 10;
  /// A call that takes as long as this has failed, whatever it gave.
  duration slow_after = duration::max();
  /// How long it is open; twice as long each time that a trial fails,
  duration open_time = std::chrono::seconds(1);
  /// up to this.
  duration longest_open_time = std::chrono::seconds(30);
  /// So many calls are let through when it is half open, and must all succeed, from 1. Units: calls.
  std::size_t trials = 1;
  /// Which errors count as failures of the service; after the others it has done its part. Called without a lock, by any caller. None: all but
  /// invalid_argument, not_found, already_exists, unsupported and type_mismatch, by which a service refuses what is asked.
  std::function<bool(const error&)> counts = {};
};

/// What a breaker has seen. All of one moment.
struct circuit_breaker_stats {
  breaker_state state = breaker_state::closed; ///< open also when its time is over, until the next call comes
  std::optional<time_point> tries_at;          ///< while it is open: when it lets a call through
  std::size_t window_calls = 0;                ///< calls in the window, as it was at the last call
  std::size_t window_failures = 0;             ///< those of them that failed
  std::uint64_t succeeded = 0;                 ///< calls let through, by how they ended
  std::uint64_t failed = 0;                    ///< calls that failed, slow ones included
  std::uint64_t slow = 0;                      ///< of those that failed
  std::uint64_t unknown = 0;                   ///< their callers left, or met their deadline, before they were slow
  std::uint64_t refused = 0;                   ///< calls not let through
  std::uint64_t opened = 0;                    ///< times
};

namespace detail {

class breaker_core;
enum class call_outcome : std::uint8_t { succeeded, failed, slow, unknown };

/// One call on its way through a breaker, which learns how it ended, even if its frame is destroyed.
class GREENROOM_EXPORT breaker_pass {
public:
  /// Requires: in an actor.
  explicit breaker_pass(std::shared_ptr<breaker_core> through);
  breaker_pass(const breaker_pass&) = delete;
  breaker_pass& operator=(const breaker_pass&) = delete;
  ~breaker_pass();

  /// Returns why the call is not let through, if it is not.
  const std::optional<error>& refused() const noexcept { return refused_; }
  /// Each ends the call. One that ends by none of them was cancelled or killed.
  void succeeded();
  void gave(const error& why);
  void threw();

private:
  void end(call_outcome how);

  std::shared_ptr<breaker_core> core_; // null once the call has ended
  const actor_system& system_;
  const time_point begun_;
  std::uint64_t period_ = 0; // of the breaker's state, in which the call began
  std::optional<error> refused_;
};

} // namespace detail

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT circuit_breaker {
public:
  /// Errors: usage_error with a sentence if an option is out of range.
  explicit circuit_breaker(circuit_breaker_options how = {});

  /// Makes a call if it is let through. Waits: as the call does. Cancellation: that of the call. Errors: unavailable, at once, with a sentence that
  /// says why and when it tries again; those of the call. Exceptions of the call pass. Cost: a spin lock before and one after the call.
  template <class T>
  task<result<T>> call(task<result<T>> work) const {
    return run(core_, std::move(work));
  }

  /// Returns its state; open also when its time is over, until the next call comes.
  breaker_state state() const noexcept { return stats().state; }
  /// Returns what it has seen.
  circuit_breaker_stats stats() const noexcept;

private:
  template <class T>
  static task<result<T>> run(std::shared_ptr<detail::breaker_core> core, task<result<T>> work) {
    detail::breaker_pass pass(std::move(core));
    if (pass.refused()) co_return *pass.refused();
    try {
      auto got = co_await std::move(work);
      if (got) {
        pass.succeeded();
      } else {
        pass.gave(got.error());
      }
      co_return got;
    } catch (const cancelled&) {
      throw;
    } catch (...) {
      pass.threw();
      throw;
    }
  }

  std::shared_ptr<detail::breaker_core> core_;
};

} // namespace greenroom
