// middleware: functions around handlers. Each is given the request and what comes next; it may answer by itself, change the request or
// the answer, or look at both.
//
//   task<http::response> only_members(http::request r, http::next next, member_list members) {
//     if (!members.know(r.header("Authorization"))) co_return http::text("who are you?\n", 401);
//     co_return co_await next(std::move(r));
//   }
//   front.use(only_members, members);                    // around all routes that are added from here on
//
// They run in the request's actor, under its time limit, in the order in which they were given. What the server answers by itself, as
// refusals and time-outs, does not pass through them: request::mark_answer() adds fields to what stands in the place of their answer, and
// server_options::on_answer sees all.
// Thread safety: calls come from any worker. Lifetime: function and arguments live as long as the server.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/http/body.hpp>
#include <greenroom/http/handler.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

namespace detail {

class any_middleware;

/// What is around a handler, outermost first, and the handler.
struct chain {
  std::vector<std::shared_ptr<const any_middleware>> steps;
  std::shared_ptr<const any_handler> last;
};

} // namespace detail

/// The rest of the way to the handler. Thread safety: owner only. Lifetime: that of the call it is given to.
class GREENROOM_EXPORT next {
public:
  next(next&&) noexcept = default;
  next& operator=(next&&) = delete;
  ~next() = default;

  /// Has the request answered by what comes next. It takes the request along: what is needed of it afterwards is to be copied before.
  /// Requires: called once at most. Waits: as the handler does.
  /// Errors: what the handler throws passes.
  task<response> operator()(request r);

  /// For the server.
  explicit next(const detail::chain& of) noexcept : of_(&of) {}
  next(const detail::chain& of, body_reader body) noexcept : of_(&of), body_(std::move(body)) {}

private:
  const detail::chain* of_;
  std::size_t step_ = 0;
  std::optional<body_reader> body_; // for a handler that takes one
};

namespace detail {

class GREENROOM_EXPORT any_middleware {
public:
  any_middleware() = default;
  any_middleware(const any_middleware&) = delete;
  any_middleware& operator=(const any_middleware&) = delete;
  virtual ~any_middleware();
  virtual task<response> begin(request r, next n) const = 0;
};

template <class F, class... Args>
class bound_middleware final : public any_middleware {
  static_assert(
      std::is_invocable_r_v<task<response>, const F&, request, next, Args...>,
      "an HTTP middleware must be callable with (http::request, http::next, arguments...), where the arguments are "
      "those given with it, and return greenroom::task<http::response>");

public:
  template <class... A>
  explicit bound_middleware(F fn, A&&... args) : fn_(std::move(fn)), args_(std::forward<A>(args)...) {}
  task<response> begin(request r, next n) const override {
    return start_handler(fn_, args_, std::move(r), std::move(n));
  }

private:
  F fn_;
  std::tuple<Args...> args_;
};

} // namespace detail

/// A middleware, its type forgotten: converts from a function, or is made of one and its arguments.
/// Thread safety: as a value.
class middleware {
public:
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, middleware> &&
             !std::convertible_to<F, std::shared_ptr<const detail::any_middleware>>)
  middleware(F&& fn, Args&&... args)
      : call(std::make_shared<const detail::bound_middleware<std::decay_t<F>, std::decay_t<Args>...>>(
            std::forward<F>(fn), std::forward<Args>(args)...)) {}
  /// For the middlewares of this library, which need no copies of arguments.
  explicit middleware(std::shared_ptr<const detail::any_middleware> made) noexcept : call(std::move(made)) {}

  /// For the server.
  std::shared_ptr<const detail::any_middleware> call;
};

} // namespace greenroom::http
