// What the pieces around calls take: a call is a task<result<T>> that nobody has awaited, and a maker gives a new one for each attempt.
// Thread safety: compile-time constants.
#pragma once

#include <type_traits>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

template <class C>
struct call_traits;
template <class T>
struct call_traits<task<result<T>>> {
  using value = T;
};

/// A function that makes a call of its arguments.
template <class F, class... Args>
concept call_maker = requires {
  typename call_traits<std::invoke_result_t<F&, Args...>>::value;
};

/// The call that a maker makes, and the value that it gives.
template <class F>
using call_of = std::invoke_result_t<F&>;
template <class F>
using value_of_call = typename call_traits<call_of<F>>::value;

} // namespace greenroom::detail
