// body: requests whose body comes, and answers whose body goes, in parts, with back-pressure: neither is ever held as a whole.
//
//   task<http::response> upload(http::request r, http::body_reader body, address<std::string> store);   // takes it as it comes
//
//   task<> write_rows(http::body_writer out, query q);                                                  // makes it as it goes
//   http::response rows(http::request r) { return http::streamed("text/csv", write_rows, parse(r)); }
//
// When to use: for what is large or has no end; a body of some KiB is simpler as a string, request::body() and http::text().
// Thread safety: reader and writer owner only; one may be handed on to another actor. Lifetime: both may outlive their request, and then
// give errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http {

namespace detail {
class body_pipe;
}

/// The body of one request, as it comes. A handler that takes one is called when the header section is complete.
/// A body beyond its limit (limits::streamed_body) or malformed is refused: the client gets 413 or 400, the handler is cancelled.
class GREENROOM_EXPORT body_reader {
public:
  body_reader(body_reader&&) noexcept = default;
  body_reader& operator=(body_reader&&) = delete;
  /// Drops what is left. The connection is closed behind the answer if the body was not read to its end.
  ~body_reader();

  /// Gives what has come since the last call, at least a byte; "" at the end.
  /// Waits: suspends the actor. The client sends no more than some 128 KiB ahead: back-pressure. A client that waits for
  /// 100 Continue gets it with the first call. Cancellation: throws `cancelled`; nothing is lost.
  /// Errors: closed when the client left before the end, for who is shielded; else the actor is cancelled.
  task<result<std::string>> read();
  /// Gives all that is left. Waits and errors as read(); limit when it is longer than `most`. Units: bytes.
  task<result<std::string>> read_all(std::size_t most);

  /// Returns the fields behind a chunked body, once the last part was read; none before. The client may write there what it likes, as
  /// in the head. Lifetime: as long as the reader.
  std::span<const field> trailers() const noexcept;

  /// For the server.
  explicit body_reader(std::shared_ptr<detail::body_pipe> from) noexcept : from_(std::move(from)) {}

private:
  std::shared_ptr<detail::body_pipe> from_;
};

/// The body of one answer, as it goes.
class GREENROOM_EXPORT body_writer {
public:
  body_writer(body_writer&&) noexcept = default;
  body_writer& operator=(body_writer&&) = delete;
  ~body_writer() = default;

  /// Sends a part; "" is nothing. What was written in one turn of the actor goes out together.
  /// Waits: suspends the actor while the client takes nothing and 64 KiB are under way: back-pressure. A client that takes nothing for
  /// limits::write_time is cut off. Cancellation: throws `cancelled`, having sent nothing of the part.
  /// Errors: closed when the connection is gone; mostly the actor has been cancelled by then.
  task<result<void>> write(std::string part);

  /// For the server.
  explicit body_writer(std::shared_ptr<detail::body_pipe> to) noexcept : to_(std::move(to)) {}

private:
  std::shared_ptr<detail::body_pipe> to_;
};

/// A connection that speaks another protocol from now on.
struct upgraded_connection {
  // No aggregate: g++ 12 copies one that is made by braces within a co_await expression bit by bit.
  /// For the server.
  upgraded_connection(std::shared_ptr<stream> with, std::string bytes) noexcept
      : io(std::move(with)), rest(std::move(bytes)) {}

  std::shared_ptr<stream> io; ///< the connection
  std::string rest;           ///< what the client has sent behind its request already
};

namespace detail {

/// What a request actor does when the head of its answer is given.
class GREENROOM_EXPORT continuation {
public:
  enum class kind : std::uint8_t {
    body,   // writes the body
    feed,   // the same, without an end of its own
    upgrade // takes the connection over
  };
  explicit continuation(kind what) noexcept : is(what) {}
  continuation(const continuation&) = delete;
  continuation& operator=(const continuation&) = delete;
  virtual ~continuation();

  /// Called once.
  virtual task<> write(body_writer out);
  virtual task<> take_over(upgraded_connection with);

  const kind is;
  std::optional<greenroom::context> made_under; ///< whose values it sees; none if no actor made it
};

template <class Port, class F, class... Args>
class bound_continuation final : public continuation {
  static_assert(
      std::is_invocable_r_v<task<>, F&, Port, Args...>,
      "http: a streamed answer needs a function (http::body_writer, arguments...), and an upgraded connection one "
      "(http::upgraded_connection, arguments...), that returns greenroom::task<>");

public:
  template <class... A>
  explicit bound_continuation(kind what, F fn, A&&... args)
      : continuation(what), fn_(std::move(fn)), args_(std::forward<A>(args)...) {}

  task<> write(body_writer out) override {
    if constexpr (std::is_same_v<Port, body_writer>) {
      return call(std::move(out));
    } else {
      return continuation::write(std::move(out));
    }
  }
  task<> take_over(upgraded_connection with) override {
    if constexpr (std::is_same_v<Port, upgraded_connection>) {
      return call(std::move(with));
    } else {
      return continuation::take_over(std::move(with));
    }
  }

private:
  /// A coroutine, so that the port stays for a function that refers to it.
  task<> call(Port port) {
    auto body = std::apply([&](auto&... arg) { return std::invoke(fn_, std::move(port), std::move(arg)...); }, args_);
    co_await std::move(body);
  }

  F fn_;
  std::tuple<Args...> args_;
};

template <class Port, class F, class... Args>
std::shared_ptr<continuation> continue_with(continuation::kind what, F&& fn, Args&&... args) {
  using bound = bound_continuation<Port, std::decay_t<F>, std::decay_t<Args>...>;
  return std::make_shared<bound>(what, std::forward<F>(fn), std::forward<Args>(args)...);
}

GREENROOM_EXPORT response with_continuation(response head, std::shared_ptr<continuation> next);

} // namespace detail

/// Answers with `head`, and then what `fn(body_writer, args...)` writes, a task<> that goes on in the request's actor. The body ends when it
/// returns. When it throws or is cancelled the connection is closed without an end of the body, which tells the client that it is
/// not whole (an HTTP/1.0 client without a length cannot tell). The time limit of the request holds up to here; then the time for each
/// part does (limits::write_time). A request for HEAD gets the head alone, and `fn` is not called. It sees the values of the context in
/// which streamed() was called, as those that a middleware has put there. Errors: usage_error when `head` has a body.
template <class F, class... Args>
response streamed(response head, F&& fn, Args&&... args) {
  return detail::with_continuation(std::move(head), detail::continue_with<body_writer>(detail::continuation::kind::body,
                                                                                       std::forward<F>(fn),
                                                                                       std::forward<Args>(args)...));
}
template <class F, class... Args>
response streamed(std::string_view content_type, F&& fn, Args&&... args) {
  return streamed(response(200, content_type, {}), std::forward<F>(fn), std::forward<Args>(args)...);
}

/// The same for a body that has no end of its own, as events: when the server begins to stop, `fn` is cancelled at once, and the body
/// ends as if it had returned.
template <class F, class... Args>
response feed(response head, F&& fn, Args&&... args) {
  return detail::with_continuation(std::move(head), detail::continue_with<body_writer>(detail::continuation::kind::feed,
                                                                                       std::forward<F>(fn),
                                                                                       std::forward<Args>(args)...));
}

/// Answers with 101 and the fields of `head`, and gives the connection to `fn(upgraded_connection, args...)`, a task<> that goes on in the
/// request's actor without a deadline. The connection is closed when it has returned and let go of the stream; a stop of the server cancels
/// it at once. The fields Upgrade and Connection are added. Requires: the request asked for `protocol`, in HTTP/1.1.
template <class F, class... Args>
response upgraded(std::string_view protocol, response head, F&& fn, Args&&... args) {
  head.header("Upgrade", protocol);
  return detail::with_continuation(
      std::move(head), detail::continue_with<upgraded_connection>(detail::continuation::kind::upgrade,
                                                                  std::forward<F>(fn), std::forward<Args>(args)...));
}

} // namespace greenroom::http
