// events: server-sent events, which a browser reads with EventSource: a feed of small texts from the server over one ordinary answer.
//
//   task<> count(http::event_writer out, int from) {
//     for (int i = from;; ++i) {
//       auto sent = co_await out.send(http::event(std::to_string(i), "tick"));
//       if (!sent) co_return;
//       co_await sleep_for(1s);
//     }
//   }
//   http::response ticks(http::request r) { return http::events(r, count, 1); }
//
// When to use: for a feed that is made for one client. One that many clients see is an event_channel; both directions: websocket.
// Thread safety: a writer owner only, as body_writer; the rest as values. Lifetime: a writer may outlive its request, and then gives errors.
// Source: WHATWG HTML standard, section Server-sent events.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <greenroom/http/body.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

/// One event. Thread safety: as a value.
struct event {
  // No aggregate: g++ 12 breaks those that are made within a co_await expression.
  event() = default;
  /// Makes an event of a text, and of the name that the page listens for.
  explicit event(std::string text, std::string type = {}) noexcept : data(std::move(text)), name(std::move(type)) {}

  /// UTF-8, of any number of lines. CR LF, CR and LF all end a line, and arrive as LF. It is sent as it is, unchecked, as are name and id: what is no UTF-8
  /// arrives as U+FFFD, by which clients decode it.
  std::string data;
  /// What the page listens for; "" is "message".
  std::string name;
  /// Comes back as Last-Event-ID when the client connects anew. "" leaves the one of the event before.
  std::string id;
  /// How long the client waits before it connects anew, from now on. Browsers begin with some seconds.
  std::optional<std::chrono::milliseconds> retry;
};

/// Returns the event as it is sent. Errors: invalid_argument when the name or the id holds CR, LF or NUL, which would let whoever
/// chose it make events of his own, or when `retry` is negative.
GREENROOM_EXPORT result<std::string> event_text(const event& e);

/// Returns a comment as it is sent, which a client ignores. The text may have any number of lines.
GREENROOM_EXPORT std::string event_comment(std::string_view text = {});

/// Returns the id that the client saw last, from the field Last-Event-ID; "" for one that comes for the first time. It is the client's
/// word: any text may stand there.
GREENROOM_EXPORT std::string_view last_event_id(const request& r) noexcept;

/// The way to one client.
class GREENROOM_EXPORT event_writer {
public:
  /// Writes events to the body of an answer.
  explicit event_writer(body_writer to, std::string last_id = {}) noexcept
      : to_(std::move(to)), last_id_(std::move(last_id)) {}

  /// Sends an event. Waits and Cancellation: as body_writer::write(). Errors: also those of event_text(), with nothing sent.
  task<result<void>> send(event e);
  /// Sends a comment. Send one when nothing was sent for 15 s: some proxies close a connection that is silent, and a client that has gone
  /// without a word is found out only by sending. Source: the advice of the standard, section Authoring notes.
  /// Waits, Cancellation, Errors: as body_writer::write().
  task<result<void>> comment(std::string text = {});

  /// Returns what last_event_id() of the request was.
  const std::string& last_id() const noexcept { return last_id_; }

private:
  body_writer to_;
  std::string last_id_;
};

namespace detail {

/// Makes a writer of events out of a writer of bytes, and calls with it.
template <class F>
struct event_call {
  F fn;
  std::string last_id;

  template <class... Args>
  task<> operator()(body_writer out, Args... args) {
    event_writer to(std::move(out), std::move(last_id));
    auto writing = std::invoke(fn, std::move(to), std::move(args)...);
    co_await std::move(writing); // not just given back: it may refer to what is here
  }
};

/// The head of a feed of events. What is between must not keep it: it is another one each time, and has no end.
GREENROOM_EXPORT response event_head();

} // namespace detail

/// Answers with the events that `fn(event_writer, args...)` sends, a task<> that goes on in the request's actor as feed() says: a stop of the
/// server cancels it at once and ends the body in good order, and the client comes back. When it returns the client comes back too; who
/// wants no client to come back answers with 204.
template <class F, class... Args>
response events(const request& r, F&& fn, Args&&... args) {
  static_assert(std::is_invocable_r_v<task<>, std::decay_t<F>&, event_writer, std::decay_t<Args>...>,
                "http::events needs a function (http::event_writer, arguments...) that returns greenroom::task<>");
  detail::event_call<std::decay_t<F>> call{std::forward<F>(fn), std::string(last_event_id(r))};
  return feed(detail::event_head(), std::move(call), std::forward<Args>(args)...);
}

} // namespace greenroom::http
