// handler: a function that answers requests, and supervised(), which gives it a time limit of its own.
//
//   task<http::response> slow_task(http::request);                       // may wait
//   http::response hello();                                              // needs nothing, waits for nothing
//   front.get("/task", supervised(2s, slow_task));                       // 503 after 2 s, the work cancelled
//   front.get("/users/{id}", show_user, users);                          // called as show_user(request, users)
//
// A handler is called once for each request, each time in an actor of its own, so many calls may run at once. It takes the request
// or not, then copies of the arguments that were given with it; it returns a response or a task<response>. Put what it shares
// behind a mailbox, a guarded<T> or an atomic, and pass it by address or std::ref.
// Thread safety: calls come from any worker. Lifetime: function and arguments live as long as the server.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

/// The time a handler may take, and what the client gets when it is over.
struct supervision {
  duration limit;
  response late;
};

namespace detail {

/// A function with its arguments, its type forgotten.
class GREENROOM_EXPORT any_handler {
public:
  any_handler() = default;
  any_handler(const any_handler&) = delete;
  any_handler& operator=(const any_handler&) = delete;
  virtual ~any_handler();

  /// Says whether begin() is to be called, or answer().
  virtual bool may_wait() const noexcept = 0;
  virtual task<response> begin(request r) const;
  virtual response answer(request r) const;
};

template <class F, class... Args>
class bound_handler final : public any_handler {
  static constexpr bool takes_request = std::is_invocable_v<const F&, request, Args...>;
  static_assert(takes_request || std::is_invocable_v<const F&, Args...>,
                "an HTTP handler must be callable with (http::request, arguments...) or with (arguments...), where the "
                "arguments are those given with the route; a function object must be callable when const");

  /// Calls with what the caller holds, as rvalues.
  static auto call(const F& fn, request& r, std::tuple<Args...>& args) {
    return std::apply(
        [&fn, &r](auto&... arg) {
          if constexpr (takes_request) {
            return std::invoke(fn, std::move(r), std::move(arg)...);
          } else {
            return std::invoke(fn, std::move(arg)...);
          }
        },
        args);
  }
  using answer_type = typename std::conditional_t<takes_request, std::invoke_result<const F&, request, Args...>,
                                                  std::invoke_result<const F&, Args...>>::type;
  static constexpr bool waits = std::is_same_v<answer_type, task<response>>;
  static_assert(waits || std::is_same_v<answer_type, response>,
                "an HTTP handler must return http::response or greenroom::task<http::response>");

  // True when the coroutine's own frame takes over all that it is given.
  static constexpr bool keeps_all = takes_request ? greenroom::detail::self_contained<F, request, Args...>()
                                                  : greenroom::detail::self_contained<F, Args...>();
  /// Keeps request and arguments until the handler has ended, for one that refers to them.
  static task<response> begin_keeping(const F* fn, request r, std::tuple<Args...> args) {
    auto body = call(*fn, r, args);
    co_return co_await std::move(body);
  }

public:
  template <class... A>
  explicit bound_handler(F fn, A&&... args) : fn_(std::move(fn)), args_(std::forward<A>(args)...) {}

  bool may_wait() const noexcept override { return waits; }
  task<response> begin(request r) const override {
    if constexpr (waits && keeps_all) {
      auto args = args_;
      return call(fn_, r, args);
    } else if constexpr (waits) {
      return begin_keeping(&fn_, std::move(r), args_);
    } else {
      return any_handler::begin(std::move(r));
    }
  }
  response answer(request r) const override {
    if constexpr (!waits) {
      auto args = args_;
      return call(fn_, r, args);
    } else {
      return any_handler::answer(std::move(r));
    }
  }

private:
  F fn_;
  std::tuple<Args...> args_;
};

GREENROOM_EXPORT supervision make_supervision(duration limit, std::optional<response> late);

} // namespace detail

/// A handler with its time limit; made by supervised().
template <class F>
struct supervised_handler {
  F fn;
  supervision how;
};

/// Gives a handler `limit` for each request. When it is over the client gets `late`, or else 503 with a sentence, and the handler is
/// cancelled: its next wait throws, what it asked or spawned in scopes ends, nothing of it stays. A part that computes on without
/// waiting cannot be stopped; the client gets its answer meanwhile if another worker is free.
/// Errors: usage_error unless the limit is positive.
template <class Rep, class Period, class F>
supervised_handler<std::decay_t<F>> supervised(std::chrono::duration<Rep, Period> limit, F&& fn,
                                               std::optional<response> late = std::nullopt) {
  const auto span = greenroom::detail::saturating_nanoseconds(limit);
  return {std::forward<F>(fn), detail::make_supervision(span, std::move(late))};
}

/// What a route calls. Converts from a function, or is made of one and its arguments.
/// Thread safety: owner only.
class handler {
public:
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, handler>)
  handler(F&& fn, Args&&... args) : call(bind(std::forward<F>(fn), std::forward<Args>(args)...)) {}
  template <class F, class... Args>
  handler(supervised_handler<F> supervised, Args&&... args)
      : call(bind(std::move(supervised.fn), std::forward<Args>(args)...)), how(std::move(supervised.how)) {}

  /// For the server.
  std::unique_ptr<const detail::any_handler> call;
  std::optional<supervision> how; ///< none: as the server's limits say

private:
  template <class F, class... Args>
  static auto bind(F&& fn, Args&&... args) {
    using bound = detail::bound_handler<std::decay_t<F>, std::decay_t<Args>...>;
    return std::make_unique<const bound>(std::forward<F>(fn), std::forward<Args>(args)...);
  }
};

} // namespace greenroom::http
