// gather: several calls at once, and what of their results is wanted: all of them, the first, some, or whatever came in time.
//
//   auto both = co_await all(price_of("EUR"), rate_of("USD"));     // result<std::tuple<price, rate>>
//   std::vector<task<result<price>>> asked = ...;
//   auto one = co_await first(std::move(asked));                   // result<price>: the first success
//   auto most = co_await quorum(2, std::move(asked));              // result<std::vector<price>>
//   auto some = co_await each_within(200ms, std::move(asked));     // result<std::vector<result<price>>>, in order
//
// A call is a task<result<T>> that nobody has awaited. Each runs as an actor of its own, under the context of the caller, so that it has
// its deadline. What is no longer wanted is cancelled, and none of these functions returns before all of its calls have ended: nothing is
// left behind. An exception of a call counts as its error errc::failed.
// When to use: for a handful of calls that wait. For many jobs with a bound on how many run, take a worker_pool.
// Thread safety: awaited by an actor; the calls may run on several workers. Lifetime: the calls own their arguments, also when the caller is
// killed: they are cancelled then, and end soon after it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/gathering.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// Waits for all calls and gives all values, in the order of the calls. The first error ends it: the other calls are cancelled.
/// Waits: until all have ended. Cancellation: cancels the calls, waits for their ends, and throws `cancelled`.
/// Errors: that of the call that failed first; errc::killed if one was killed.
template <class T>
task<result<std::vector<detail::value_or_mono<T>>>> all(std::vector<task<result<T>>> calls) {
  const auto n = calls.size();
  const auto got = std::make_shared<std::vector<detail::call_result<T>>>(n);
  const detail::gather_goal goal{n, n, 1};
  auto running = with_scope(detail::gather_list<T>, std::move(calls), got, goal);
  const auto order = co_await std::move(running);
  if (!order) co_return order.error();
  if (const auto failure = detail::first_failure(*order, *got)) co_return *failure;
  std::vector<detail::value_or_mono<T>> values;
  values.reserve(n);
  for (auto& each : *got) values.push_back(detail::take_value<T>(each));
  co_return values;
}

/// The same for calls of different kinds; one without a value gives std::monostate.
template <class... T>
task<result<std::tuple<detail::value_or_mono<T>...>>> all(task<result<T>>... calls) {
  const auto got = std::make_shared<std::tuple<detail::call_result<T>...>>();
  std::tuple<task<result<T>>...> list(std::move(calls)...);
  auto running = with_scope(detail::gather_tuple<T...>, std::move(list), got);
  const auto order = co_await std::move(running);
  if (!order) co_return order.error();
  if (const auto failure = detail::first_failure(*order, *got)) co_return *failure;
  co_return std::apply(
      [](auto&... each) { return std::tuple<detail::value_or_mono<T>...>(detail::take_value<T>(each)...); }, *got);
}

/// Waits for `needed` successes and gives their values, in the order in which they came; the other calls are cancelled then.
/// Waits: until all have ended. Cancellation: as all(). Errors: as soon as too few can succeed, the code of the failure that decided it,
/// and a sentence with the counts; invalid_argument if there are fewer calls than that.
template <class T>
task<result<std::vector<T>>> quorum(std::size_t needed, std::vector<task<result<T>>> calls) {
  static_assert(!std::is_void_v<T>, "quorum: calls without values have nothing to give; let them give a number");
  const auto n = calls.size();
  std::vector<T> values;
  if (needed > n)
    co_return error(errc::invalid_argument,
                    "quorum: " + std::to_string(needed) + " of " + std::to_string(n) + " calls can never succeed");
  const auto got = std::make_shared<std::vector<detail::call_result<T>>>(n);
  const detail::gather_goal goal{n, needed, n - needed + 1};
  auto running = with_scope(detail::gather_list<T>, std::move(calls), got, goal);
  const auto order = co_await std::move(running);
  if (!order) co_return order.error();
  for (const auto& each : *order) {
    if (each.success) values.push_back(detail::take_value<T>((*got)[each.index]));
  }
  if (values.size() < needed)
    co_return detail::too_few(*order, needed, n, detail::failure_of((*got)[order->back().index]));
  co_return values;
}

/// Waits for the first success and gives its value; the other calls are cancelled then. For several servers that can all answer.
/// Waits, Cancellation: as all(). Errors: when all have failed, the code of the last failure and a sentence; invalid_argument without calls.
template <class T>
task<result<T>> first(std::vector<task<result<T>>> calls) {
  auto running = quorum(1, std::move(calls));
  auto got = co_await std::move(running);
  if (!got) co_return got.error();
  co_return std::move(got->front());
}

/// Waits for all calls, but not longer than until `deadline`, and gives what each of them gave, in the order of the calls: for answers that
/// are better incomplete than late. Calls that are late are cancelled and give errc::timed_out.
/// Waits: until all have ended. Cancellation: as all(): make the deadline earlier than that of the context. Errors: errc::killed if a call
/// was killed; the errors of calls stand in the list.
template <class T>
task<result<std::vector<result<T>>>> each_until(time_point deadline, std::vector<task<result<T>>> calls) {
  const auto n = calls.size();
  const auto got = std::make_shared<std::vector<detail::call_result<T>>>(n);
  const detail::gather_goal goal{n, n + 1, n + 1, deadline};
  auto running = with_scope(detail::gather_list<T>, std::move(calls), got, goal);
  const auto order = co_await std::move(running);
  if (!order) co_return order.error();
  std::vector<result<T>> results;
  results.reserve(n);
  for (auto& each : *got) {
    if (each) {
      results.push_back(*std::move(each));
    } else {
      results.push_back(errc::timed_out);
    }
  }
  co_return results;
}
/// The limit counts from this call.
template <class T, class Rep, class Period>
task<result<std::vector<result<T>>>> each_within(std::chrono::duration<Rep, Period> limit,
                                                 std::vector<task<result<T>>> calls) {
  return each_until(detail::deadline_in(limit), std::move(calls));
}

} // namespace greenroom
