// accept_websocket: answers a request by making its connection a WebSocket, which an actor of its own then speaks.
//
//   task<> chat(http::websocket ws, room* r);
//   front.get("/chat", [](http::request q, room* r) { return http::accept_websocket(q, {}, chat, r); }, &the_room);
//
// Thread safety: pure functions. Lifetime: the function and its arguments live as long as the socket's actor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <greenroom/http/body.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/http/websocket.hpp>
#include <greenroom/http/websocket_options.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

namespace detail {

/// What a handshake has come to: the fields of a 101, or a refusal.
struct websocket_answer {
  bool accepted;
  response head;
  std::string protocol;
};
GREENROOM_EXPORT websocket_answer answer_websocket(const request& asked, const websocket_options& how);

/// Calls a function of a websocket with a connection.
template <class F>
struct websocket_speaker {
  F fn;
  websocket_limits limits;
  std::string protocol;

  template <class... Args>
  requires std::is_invocable_r_v<task<>, F&, websocket, Args...> task<> operator()(upgraded_connection with,
                                                                                   Args... args) {
    websocket ws(std::move(with.io), websocket_role::server, limits, std::move(protocol), std::move(with.rest));
    auto speaking = std::invoke(fn, std::move(ws), std::move(args)...);
    co_await std::move(speaking); // not just given back: it may refer to what is here
  }
};

} // namespace detail

/// Answers a request for a WebSocket: with 101, and then calls `fn(websocket, args...)`, a task<> that goes on in the request's actor without
/// a deadline; or with the refusal that RFC 6455 demands: 400, 403 for a foreign origin, 405, 426. When the server stops, `fn` is
/// cancelled at once, and the peer told 1001, going away. Errors: usage_error when an option is out of range.
template <class F, class... Args>
response accept_websocket(const request& asked, const websocket_options& how, F&& fn, Args&&... args) {
  auto answer = detail::answer_websocket(asked, how);
  if (!answer.accepted) return std::move(answer.head);
  detail::websocket_speaker<std::decay_t<F>> speaker{std::forward<F>(fn), how.limits, std::move(answer.protocol)};
  return detail::with_continuation(std::move(answer.head), detail::continue_with<upgraded_connection>(
                                                               detail::continuation::kind::upgrade, std::move(speaker),
                                                               std::forward<Args>(args)...));
}

} // namespace greenroom::http
