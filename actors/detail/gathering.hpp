// What all(), first(), quorum() and each_within() share: each call as an actor of one scope, and one who counts how they end.
// Thread safety: awaited by one actor. Lifetime: the results are counted: calls end after their caller if that is killed.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

/// How a call ended.
struct call_end {
  std::size_t index = 0;
  bool success = false;
};

/// Tells of the end of a call, whatever it is, when it goes: one that is killed or cancelled is told of as well.
class GREENROOM_EXPORT call_witness {
public:
  call_witness(address<call_end> to, std::size_t index) noexcept : to_(std::move(to)), end_{index, false} {}
  call_witness(const call_witness&) = delete;
  call_witness& operator=(const call_witness&) = delete;
  ~call_witness();
  void note(bool success) noexcept { end_.success = success; }

private:
  address<call_end> to_;
  call_end end_;
};

/// When enough is known: so many successes, or so many failures, or the time.
struct gather_goal {
  std::size_t calls;
  std::size_t successes;
  std::size_t failures;
  time_point deadline = never;
};

/// Reports the ends of calls in their order, up to the one that decides. Waits: until then.
GREENROOM_EXPORT task<std::vector<call_end>> await_goal(mailbox<call_end> ends, gather_goal goal);

/// What a call gave; empty while it has given nothing.
template <class T>
using call_result = std::optional<result<T>>;

template <class T>
using value_or_mono = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
value_or_mono<T> take_value(call_result<T>& from) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return **std::move(from);
  }
}

/// Refers to a part of a counted object.
template <class Whole, class Part>
std::shared_ptr<Part> part_of(const std::shared_ptr<Whole>& whole, Part& part) noexcept {
  return {whole, &part};
}

template <class T>
task<> run_call(task<result<T>> call, std::shared_ptr<call_result<T>> into, address<call_end> to, std::size_t index) {
  call_witness witness(std::move(to), index);
  try {
    auto got = co_await std::move(call);
    witness.note(got.has_value());
    into->emplace(std::move(got));
  } catch (const cancelled&) {
    throw;
  } catch (const std::exception& e) {
    into->emplace(error(errc::failed, e.what()));
  } catch (...) {
    into->emplace(error(errc::failed, "an exception that is no std::exception"));
  }
}

template <class T>
task<std::vector<call_end>> gather_list(scope& here, std::vector<task<result<T>>> calls,
                                        std::shared_ptr<std::vector<call_result<T>>> into, gather_goal goal) {
  auto ends = make_mailbox<call_end>(bounded(static_cast<std::int64_t>(calls.size())));
  for (std::size_t i = 0; i < calls.size(); ++i)
    here.spawn({.name = "gather"}, run_call<T>, std::move(calls[i]), part_of(into, (*into)[i]), ends.out, i);
  ends.out = {};
  auto waiting = await_goal(std::move(ends.in), goal);
  auto order = co_await std::move(waiting);
  here.cancel();
  co_return order;
}

template <class... T>
task<std::vector<call_end>> gather_tuple(scope& here, std::tuple<task<result<T>>...> calls,
                                         std::shared_ptr<std::tuple<call_result<T>...>> into) {
  auto ends = make_mailbox<call_end>(bounded(sizeof...(T)));
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (here.spawn({.name = "gather"}, run_call<T>, std::move(std::get<I>(calls)), part_of(into, std::get<I>(*into)),
                ends.out, I),
     ...);
  }
  (std::index_sequence_for<T...>());
  ends.out = {};
  const gather_goal goal{sizeof...(T), sizeof...(T), 1};
  auto waiting = await_goal(std::move(ends.in), goal);
  auto order = co_await std::move(waiting);
  here.cancel();
  co_return order;
}

/// The error of a call that did not succeed.
template <class T>
error failure_of(const call_result<T>& call) {
  return call && !call->has_value() ? call->error() : error(errc::cancelled);
}

/// Returns the failure that came first, if there is one.
template <class T>
std::optional<error> first_failure(const std::vector<call_end>& order, const std::vector<call_result<T>>& calls) {
  for (const auto& each : order) {
    if (!each.success) return failure_of(calls[each.index]);
  }
  return std::nullopt;
}
template <class... T>
std::optional<error> first_failure(const std::vector<call_end>& order, const std::tuple<call_result<T>...>& calls) {
  for (const auto& end : order) {
    if (end.success) continue;
    std::optional<error> found;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)((I == end.index && (found = failure_of(std::get<I>(calls)), true)) || ...);
    }
    (std::index_sequence_for<T...>());
    return found;
  }
  return std::nullopt;
}

/// Says why fewer than `needed` calls succeeded. Requires: the last of `order` is a failure, `why`.
GREENROOM_EXPORT error too_few(const std::vector<call_end>& order, std::size_t needed, std::size_t calls,
                               const error& why);

} // namespace greenroom::detail
