// The function object that json_handler() makes: reads the body, calls, and answers with what comes back.
// Thread safety: calls come from any worker. Lifetime: as its handler.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <greenroom/http/detail/json_type.hpp>
#include <greenroom/http/detail/operation.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

template <class T>
class created;

namespace detail {

/// Errors: parse for what is no JSON; invalid_argument with the first fault for what is none of the type.
GREENROOM_EXPORT result<void> read_json(std::string_view text, const json_type& type, void* to);
/// Reads the body of a request; returns the answer in place of the handler's if that cannot be.
GREENROOM_EXPORT std::optional<response> read_json_body(const request& r, const json_type& type, void* to);
GREENROOM_EXPORT response json_response(int status, const json_type& type, const void* value);
/// Answers with the problem of an error, and logs an error of which the client learns nothing.
GREENROOM_EXPORT response json_failure(const error& why);
/// Errors: usage_error unless the build reads JSON.
GREENROOM_EXPORT void check_json_build();

template <class... T>
struct type_list {
  static constexpr std::size_t size = sizeof...(T);
};

template <class F>
struct signature;
template <class R, class... P>
struct signature<R (*)(P...)> {
  using returns = R;
  using takes = type_list<std::decay_t<P>...>;
};
template <class R, class... P>
struct signature<R (*)(P...) noexcept> : signature<R (*)(P...)> {};
template <class C, class R, class... P>
struct signature<R (C::*)(P...) const> : signature<R (*)(P...)> {};
template <class C, class R, class... P>
struct signature<R (C::*)(P...) const noexcept> : signature<R (*)(P...)> {};
template <class F>
  requires requires { &F::operator(); }
struct signature<F> : signature<decltype(&F::operator())> {};

template <class F>
concept has_signature = requires {
  typename signature<F>::returns;
};

template <class List>
struct without_request {
  static constexpr bool takes_request = false;
  using rest = List;
};
template <class... T>
struct without_request<type_list<request, T...>> {
  static constexpr bool takes_request = true;
  using rest = type_list<T...>;
};

template <class List, bool HasBody>
struct body_of {
  using type = void;
};
template <class Body, class... T>
struct body_of<type_list<Body, T...>, true> {
  using type = Body;
};

template <class R>
struct awaited {
  using type = R;
  static constexpr bool waits = false;
};
template <class R>
struct awaited<task<R>> {
  using type = R;
  static constexpr bool waits = true;
};

/// What a value that a handler returns becomes.
template <class R>
struct json_answer {
  static void tell(operation& o) { o.gives = operation::answer::value, o.value = &json_type_of<R>(); }
  static response of(const R& value) { return json_response(200, json_type_of<R>(), &value); }
};
template <>
struct json_answer<response> {
  static void tell(operation& o) noexcept { o.gives = operation::answer::unknown; }
  static response of(response r) { return r; }
};
template <>
struct json_answer<void> {
  static void tell(operation& o) noexcept { o.gives = operation::answer::nothing; }
};
template <class T>
struct json_answer<created<T>> {
  static void tell(operation& o) { o.gives = operation::answer::created, o.value = &json_type_of<T>(); }
  static response of(const created<T>& c) {
    return json_response(201, json_type_of<T>(), &c.value).header("Location", c.location);
  }
};
template <class T>
struct json_answer<result<T>> {
  static void tell(operation& o) { json_answer<T>::tell(o), o.may_fail = true; }
  static response of(result<T> r) {
    if (!r) return json_failure(r.error());
    if constexpr (std::is_void_v<T>)
      return response(204);
    else
      return json_answer<T>::of(*std::move(r));
  }
};

// g++ 12 takes the frame of a coroutine template for a type of this header, and warns where a type of an unnamed namespace is in it.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

template <class F, class... Args>
class json_function {
  static_assert(has_signature<F>,
                "http::json_handler needs a function, or a function object that is callable when const, with one "
                "signature: no template and no overloads, since the type of the body is read off it");
  using takes = without_request<typename signature<F>::takes>;
  using parameters = typename takes::rest;
  static constexpr bool has_body = parameters::size == sizeof...(Args) + 1;
  static_assert(
      has_body || parameters::size == sizeof...(Args),
      "http::json_handler: the function must take ([http::request,] [body,] arguments...), where the arguments "
      "are those given with it");
  using body = typename body_of<parameters, has_body>::type;
  using returns = awaited<typename signature<F>::returns>;
  using answer = json_answer<typename returns::type>;

public:
  template <class... A>
  explicit json_function(F fn, A&&... args) : fn_(std::move(fn)), args_(std::forward<A>(args)...) {
    if constexpr (has_body) check_json_build();
  }

  task<response> operator()(request r) const {
    if constexpr (has_body)
      return run_with_body(this, std::move(r));
    else
      return run(this, std::move(r));
  }

  /// For documents.
  std::shared_ptr<const operation> about() const {
    auto o = std::make_shared<operation>();
    if constexpr (has_body) o->takes = &json_type_of<body>();
    answer::tell(*o);
    return o;
  }

private:
  static task<response> run(const json_function* self, request r) {
    auto args = self->args_; // in this frame, for a function that refers to them
    if constexpr (!returns::waits && std::is_void_v<typename returns::type>) {
      self->call(args, r);
      co_return response(204);
    } else if constexpr (!returns::waits) {
      co_return answer::of(self->call(args, r));
    } else if constexpr (std::is_void_v<typename returns::type>) {
      auto asked = self->call(args, r);
      co_await std::move(asked);
      co_return response(204);
    } else {
      auto asked = self->call(args, r);
      auto got = co_await std::move(asked);
      co_return answer::of(std::move(got));
    }
  }
  static task<response> run_with_body(const json_function* self, request r) {
    body what{};
    auto refusal = read_json_body(r, json_type_of<body>(), &what);
    if (refusal) co_return *std::move(refusal);
    auto args = self->args_;
    if constexpr (!returns::waits && std::is_void_v<typename returns::type>) {
      self->call(args, r, what);
      co_return response(204);
    } else if constexpr (!returns::waits) {
      co_return answer::of(self->call(args, r, what));
    } else if constexpr (std::is_void_v<typename returns::type>) {
      auto asked = self->call(args, r, what);
      co_await std::move(asked);
      co_return response(204);
    } else {
      auto asked = self->call(args, r, what);
      auto got = co_await std::move(asked);
      co_return answer::of(std::move(got));
    }
  }

  template <class... Body>
  auto call(std::tuple<Args...>& args, request& r, Body&... what) const {
    return std::apply(
        [&](auto&... arg) {
          if constexpr (takes::takes_request)
            return std::invoke(fn_, std::move(r), std::move(what)..., std::move(arg)...);
          else
            return std::invoke(fn_, std::move(what)..., std::move(arg)...);
        },
        args);
  }

  F fn_;
  std::tuple<Args...> args_;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

} // namespace detail
} // namespace greenroom::http
