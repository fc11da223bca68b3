// handler: a function that answers requests, and supervised(), which gives it a time limit of its own.
//
//   task<http::response> slow_task(http::request);                       // may wait
//   http::response hello();                                              // needs nothing, waits for nothing
//   task<http::response> upload(http::request, http::body_reader);       // takes the body as it comes: see body.hpp
//   front.get("/task", supervised(2s, slow_task));                       // 503 after 2 s, the work cancelled
//   front.get("/users/{id}", show_user, users);                          // called as show_user(request, users)
//   front.post("/notes", http::handler(take_note, notes).body_limit(10'000));          // 413 beyond
//   front.post("/orders", supervised(2s, http::handler(take_order, orders).body_limit(10'000)));       // both, in either order
//
// A handler is called once for each request, each time in an actor of its own, so many calls may run at once. It takes the request
// or not, then copies of the arguments that were given with it; it returns a response or a task<response>. Put what it shares
// behind a mailbox, a guarded<T> or an atomic, and pass it by address or std::ref.
// Thread safety: calls come from any worker. Lifetime: function and arguments live as long as the server.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <greenroom/http/body.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

/// The time a handler may take, and what the client gets when it is over.
struct supervision {
  duration limit; ///< from the end of the request
  response late;  ///< the answer when it is over
};

namespace detail {

/// A function with its arguments, its type forgotten.
class GREENROOM_EXPORT any_handler {
public:
  /// Which of the three is to be called.
  enum class kind : std::uint8_t { answers, waits, reads_body };
  explicit any_handler(kind what, bool also_bare = false) noexcept : is(what), bare(also_bare) {}
  any_handler(const any_handler&) = delete;
  any_handler& operator=(const any_handler&) = delete;
  virtual ~any_handler();

  virtual response answer(request r) const = 0;
  virtual task<response> begin(request r) const = 0;
  virtual task<response> begin_reading(request r, body_reader body) const = 0;

  const kind is;
  const bool bare; ///< "/files/{rest...}" with it takes "/files" too
};

/// Whether a function object says that it serves a folder, and so also the folder's path without its last slash.
template <class F>
inline constexpr bool takes_bare_path = requires {
  requires F::takes_bare_path;
};

/// Calls with what the caller holds, as rvalues: first the ports, then the arguments.
template <class F, class... Args, class... Ports>
auto call_handler(const F& fn, std::tuple<Args...>& args, Ports&... ports) {
  return std::apply([&](auto&... arg) { return std::invoke(fn, std::move(ports)..., std::move(arg)...); }, args);
}

// g++ 12 takes the frame of a coroutine template for a type of this header, and warns where a type of an unnamed namespace is in it.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

/// Keeps the ports and the arguments until the handler has ended, for one that refers to them.
template <class F, class... Args, class... Ports>
task<response> call_keeping(const F* fn, std::tuple<Args...> args, Ports... ports) {
  auto body = call_handler(*fn, args, ports...);
  co_return co_await std::move(body);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Calls a function that returns a task. Either the coroutine's own frame takes over all that it is given, or it is kept beside it.
template <class F, class... Args, class... Ports>
task<response> start_handler(const F& fn, const std::tuple<Args...>& kept, Ports... ports) {
  if constexpr (greenroom::detail::self_contained<F, Ports..., Args...>()) {
    auto args = kept;
    return call_handler(fn, args, ports...);
  } else {
    return call_keeping(&fn, kept, std::move(ports)...);
  }
}

template <class F, class... Args>
class bound_handler final : public any_handler {
  static constexpr bool takes_request = std::is_invocable_v<const F&, request, Args...>;
  static constexpr bool takes_nothing = !takes_request && std::is_invocable_v<const F&, Args...>;
  static constexpr bool takes_body =
      !takes_request && !takes_nothing && std::is_invocable_v<const F&, request, body_reader, Args...>;
  static_assert(
      takes_request || takes_nothing || takes_body,
      "an HTTP handler must be callable with (http::request, arguments...), with (http::request, http::body_reader, "
      "arguments...) or with (arguments...), where the arguments are those given with the route; a function object "
      "must be callable when const");

  template <class... Ports>
  static constexpr bool waits_with = std::is_same_v<std::invoke_result_t<const F&, Ports..., Args...>, task<response>>;
  static constexpr bool returns_task() {
    if constexpr (takes_request)
      return waits_with<request>;
    else if constexpr (takes_body)
      return waits_with<request, body_reader>;
    else
      return waits_with<>;
  }
  static constexpr bool returns_response() {
    if constexpr (takes_request)
      return std::is_same_v<std::invoke_result_t<const F&, request, Args...>, response>;
    else if constexpr (takes_body)
      return false; // it has to wait for the body
    else
      return std::is_same_v<std::invoke_result_t<const F&, Args...>, response>;
  }
  static constexpr bool waits = returns_task();
  static_assert(waits || returns_response(),
                "an HTTP handler must return http::response or greenroom::task<http::response>; one that takes a "
                "body_reader, a task");

public:
  template <class... A>
  explicit bound_handler(F fn, A&&... args)
      : any_handler(takes_body ? kind::reads_body
                    : waits    ? kind::waits
                               : kind::answers,
                    takes_bare_path<F>),
        fn_(std::move(fn)),
        args_(std::forward<A>(args)...) {}

  response answer([[maybe_unused]] request r) const override {
    if constexpr (waits) {
      not_this();
    } else {
      auto args = args_;
      if constexpr (takes_request)
        return call_handler(fn_, args, r);
      else
        return call_handler(fn_, args);
    }
  }
  task<response> begin([[maybe_unused]] request r) const override {
    if constexpr (!waits || takes_body)
      not_this();
    else if constexpr (takes_request)
      return start_handler(fn_, args_, std::move(r));
    else
      return start_handler(fn_, args_);
  }
  task<response> begin_reading([[maybe_unused]] request r, [[maybe_unused]] body_reader body) const override {
    if constexpr (takes_body)
      return start_handler(fn_, args_, std::move(r), std::move(body));
    else
      not_this();
  }

private:
  [[noreturn]] static void not_this() { throw usage_error("http: a handler was called as what it is not"); }

  F fn_;
  std::tuple<Args...> args_;
};

GREENROOM_EXPORT supervision make_supervision(duration limit, std::optional<response> late);

} // namespace detail

/// A handler with its time limit; made by supervised().
template <class F>
struct supervised_handler {
  F fn;            ///< the function, or a handler
  supervision how; ///< its limit
};

/// Gives a handler `limit` for each request. When it is over the client gets `late`, or else 503 with a sentence, and the handler is
/// cancelled: its next wait throws, what it asked or spawned in scopes ends, nothing of it stays. A part that computes on without
/// waiting cannot be stopped; the client gets its answer meanwhile if another worker is free. Of an answer that is streamed only the
/// head must be there in time. `fn` may be a handler with its arguments and its limits, http::handler(fn, args...).body_limit(n).
/// Errors: usage_error unless the limit is positive.
template <class Rep, class Period, class F>
supervised_handler<std::decay_t<F>> supervised(std::chrono::duration<Rep, Period> limit, F&& fn,
                                               std::optional<response> late = std::nullopt) {
  const auto span = greenroom::detail::saturating_nanoseconds(limit);
  return {std::forward<F>(fn), detail::make_supervision(span, std::move(late))};
}

namespace detail {

struct operation; // what is known of a call: see json.hpp

/// What a function object knows of its calls; null for most.
template <class F>
std::shared_ptr<const operation> operation_of([[maybe_unused]] const F& fn) {
  if constexpr (requires {
                  { fn.about() } -> std::same_as<std::shared_ptr<const operation>>;
                }) {
    return fn.about();
  } else {
    return nullptr;
  }
}

} // namespace detail

/// What a route calls. Converts from a function, or is made of one and its arguments.
/// Thread safety: owner only.
class GREENROOM_EXPORT handler {
public:
  /// Makes a handler of a function and the arguments that it gets behind its own, or of a supervised one.
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, handler>)
  handler(F&& fn, Args&&... args)
      : about(detail::operation_of(fn)), call(bind(std::forward<F>(fn), std::forward<Args>(args)...)) {}
  template <class F, class... Args>
    requires(!std::same_as<F, handler>)
  handler(supervised_handler<F> supervised, Args&&... args)
      : about(detail::operation_of(supervised.fn)),
        call(bind(std::move(supervised.fn), std::forward<Args>(args)...)),
        how(std::move(supervised.how)) {}
  /// Makes a handler of a function and the arguments that it gets behind its own, or of a supervised one.
  template <std::same_as<handler> F, class... Args>
  handler(supervised_handler<F> supervised, [[maybe_unused]] Args&&... args) : handler(std::move(supervised.fn)) {
    static_assert(sizeof...(Args) == 0,
                  "supervised(limit, http::handler(fn, arguments...)): the arguments go into the handler, not behind "
                  "supervised()");
    how = std::move(supervised.how);
  }

  /// Sets the longest body of its requests, in place of limits::body, or of limits::streamed_body where it takes a body_reader.
  /// Units: bytes.
  handler& body_limit(std::uint64_t bytes) & noexcept { return most_body = bytes, *this; }
  handler&& body_limit(std::uint64_t bytes) && noexcept { return std::move(body_limit(bytes)); }

  /// Says in a line what the route does, for server::openapi().
  handler& summary(std::string text) & noexcept { return says = std::move(text), *this; }
  handler&& summary(std::string text) && noexcept { return std::move(summary(std::move(text))); }

  /// For the server.
  std::string says;
  std::shared_ptr<const detail::operation> about;  ///< what is known of its calls; null for most
  std::shared_ptr<const detail::any_handler> call; ///< the function and its arguments
  std::optional<supervision> how;                  ///< none: as the server's limits say
  std::optional<std::uint64_t> most_body;          ///< none: as the server's limits say. Units: bytes

private:
  template <class F, class... Args>
  static auto bind(F&& fn, Args&&... args) {
    using bound = detail::bound_handler<std::decay_t<F>, std::decay_t<Args>...>;
    return std::make_shared<const bound>(std::forward<F>(fn), std::forward<Args>(args)...);
  }
};

} // namespace greenroom::http
