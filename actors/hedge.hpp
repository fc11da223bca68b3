// hedge: makes a call a second time when the first is slow, and takes what comes first: against the few answers that take ten times as long as the
// others.
//
//   retry_budget again;
//   auto asking = hedge(again, 50ms, [=] { return fetch(symbol); });    // 50 ms: longer than 95 of 100 answers take
//   const auto quote = co_await std::move(asking);
//
// Only for what may be done twice, and with a time that most calls keep: the budget bounds by how much the load grows. The call that loses is
// cancelled. A failure before the time ends it: that is for retry(). Stacked under retry() it has a budget of its own, as both count calls.
// Thread safety: awaited by an actor. Lifetime: as retry(); both calls have ended when it returns.
// Source: Dean and Barroso, "The Tail at Scale", CACM 56 (2013).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include <greenroom/actors/detail/call.hpp>
#include <greenroom/actors/detail/gathering.hpp>
#include <greenroom/actors/retry.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>

namespace greenroom {
namespace detail {

template <class T>
using call_pair = std::array<call_result<T>, 2>;

/// Starts one call, and another one if the first is slow. Returns which one counts: the first that succeeded, or else the last to fail.
template <class F, class T = value_of_call<F>>
task<std::size_t> race(scope& both, retry_budget budget, duration after, F make, std::shared_ptr<call_pair<T>> into) {
  auto ends = make_mailbox<call_end>(bounded(2));
  both.spawn({.name = "call"}, run_call<T>, make(), part_of(into, (*into)[0]), ends.out, std::size_t{0});
  const auto in_time = co_await ends.in.receive_for(after);
  if (in_time) co_return in_time->index;
  std::size_t running = 1;
  if (budget.allows_hedge()) {
    both.spawn({.name = "hedge"}, run_call<T>, make(), part_of(into, (*into)[1]), ends.out, std::size_t{1});
    ++running;
  }
  ends.out = {};
  const gather_goal goal{running, 1, running};
  auto waiting = await_goal(std::move(ends.in), goal);
  const auto order = co_await std::move(waiting);
  both.cancel();
  co_return order.empty() ? 0 : order.back().index;
}

} // namespace detail

/// Makes a call, makes it once more if it has not ended `after` that, and gives the value that comes first.
/// Waits: until one has succeeded, or all have failed, and the other has unwound. Cancellation: cancels them and throws `cancelled`. Errors: that of
/// the call which failed last; an exception counts as errc::failed.
template <detail::call_maker F>
auto hedge(retry_budget budget, duration after, F make) -> detail::call_of<F> {
  using T = detail::value_of_call<F>;
  budget.count_call();
  const auto got = std::make_shared<detail::call_pair<T>>();
  auto racing = with_scope(detail::race<F>, std::move(budget), after, std::move(make), got);
  const auto counts = co_await std::move(racing);
  if (!counts) co_return counts.error();
  auto& best = (*got)[*counts];
  if (!best) co_return errc::cancelled;
  co_return *std::move(best);
}

} // namespace greenroom
