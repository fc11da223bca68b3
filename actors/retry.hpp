// retry: makes a call again when it failed in a way that may pass: after a pause, a few times, within the time of whoever asks, and never so often
// that a service which fails under its load gets more of it.
//
//   retry_budget again;                                             // one for each service, kept beside what asks it
//   auto asking = retry(again, {.retries = 2}, [=] { return fetch(symbol); });      // any function that makes a task<result<T>>
//   const auto quote = co_await std::move(asking);                  // the value, or the last error and why it is not asked again
//
// Only for what may be done twice. Make the call as above, outside of the co_await expression: g++ 12 copies a closure that is made inside byte by
// byte. guards.hpp shows how it is stacked with a circuit breaker, a bulkhead and a hedge.
// Thread safety: a budget any thread; a retry is awaited by an actor. Lifetime: the budget is counted; retry() owns the function, and its calls.
// Source: Brooker, "Exponential Backoff And Jitter", 2015; gRPC A6 (retry throttling).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <greenroom/actors/detail/call.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom {

/// How much more than once calls may be made. Thread safety: as a value.
struct retry_budget_options {
  /// What retries and hedges may be of all calls, from 0 to 1.
  double share = 0.1;
  /// So many are free before that share counts, from 0 to 1,000,000. Units: calls.
  int reserve = 10;
};

/// What was done under a budget. Taken while it is used, the numbers may be of slightly different moments.
struct retry_stats {
  std::uint64_t calls = 0;   ///< of retry() and hedge()
  std::uint64_t retries = 0; ///< calls made again after a failure, and
  std::uint64_t hedges = 0;  ///< made a second time as the first was slow
  std::uint64_t denied = 0;  ///< neither, as the budget was used up
};

/// How much more than once all calls of some kind may be made. Copies share it.
/// Thread safety: any thread. Its state is atomic counters.
class GREENROOM_EXPORT retry_budget {
public:
  /// Errors: usage_error with a sentence if an option is out of range.
  explicit retry_budget(retry_budget_options how = {});
  /// Returns what was done under it.
  retry_stats stats() const noexcept;

  /// For retry() and hedge(): each counts its call, and asks before it makes it once more.
  void count_call() const noexcept;
  /// Returns whether one more retry is allowed, and counts it.
  bool allows_retry() const noexcept;
  /// Returns whether one more hedge is allowed, and counts it.
  bool allows_hedge() const noexcept;

private:
  struct book;
  std::shared_ptr<book> book_;
};

/// How often a call is made again, and when. Thread safety: as a value.
struct retry_options {
  /// How often a call is made again at most. Units: calls.
  int retries = 2;
  /// The longest pause before the first retry. It doubles with each; the pause itself is drawn from 0 up to it, so that callers that failed together
  /// do not come back together.
  duration pause = std::chrono::milliseconds(100);
  /// No pause is longer.
  duration longest_pause = std::chrono::seconds(30);
  /// How long an attempt takes at the least: with less time left none is begun.
  duration attempt_takes = duration::zero();
  /// Which errors may pass. None: may_pass().
  std::function<bool(const error&)> passing = {};
};

/// Returns true for upstream, timed_out, io and no_reply: the same call may succeed a moment later. Not for unavailable, full and limit: who
/// refuses so, a circuit breaker, a bulkhead, a rate limiter, wants less to be asked.
GREENROOM_EXPORT bool may_pass(const error& why) noexcept;

namespace detail {

/// Whether there is another attempt, and when; or the error to give.
struct retry_decision {
  std::optional<duration> pause;
  error why = errc::failed;
};
/// Requires: in an actor.
GREENROOM_EXPORT retry_decision decide_retry(const retry_budget& budget, const retry_options& how, const error& why,
                                             int retries);

} // namespace detail

/// Makes a call until it succeeds, and gives its value.
/// Waits: for the calls, and for the pauses between them. Cancellation: ends the call or the pause and throws `cancelled`. Errors: the last error of
/// the call, with a sentence that says how often it was made and why not once more: it does not pass, it was made often enough, the budget is used
/// up, or the context's deadline comes before another attempt could end. Exceptions of a call pass: they are no failures of a service.
template <detail::call_maker F>
auto retry(retry_budget budget, retry_options how, F make) -> detail::call_of<F> {
  budget.count_call();
  for (int retries = 0;; ++retries) {
    auto attempt = make();
    auto got = co_await std::move(attempt);
    if (got) co_return got;
    const auto next = detail::decide_retry(budget, how, got.error(), retries);
    if (!next.pause) co_return next.why;
    co_await sleep_for(*next.pause);
  }
}

} // namespace greenroom
