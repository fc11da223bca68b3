#include <greenroom/http/internal/serve_connection.hpp>

#include <optional>
#include <utility>

#include <greenroom/http/internal/connection.hpp>
#include <greenroom/runtime/detail/in_order.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http::internal {
namespace {

// How long a client gets to read our last answer and close, before we do.
constexpr auto linger_time = std::chrono::seconds(1);

task<> send_all(connection* c) {
  while (!c->write() && !c->broken()) {
    const bool taken = co_await c->io().writable_until(c->output_deadline());
    if (!taken) c->output_is_late();
  }
}

/// Sends what is left of an answer whose actor has ended.
task<> finish_body(connection* c) {
  do {
    auto sending = send_all(c);
    co_await std::move(sending);
  } while (!c->broken() && c->pump());
  c->end_body();
}

/// The request actor has the connection; we wait for its end. A stop of the server cancels it.
task<> wait_for_upgrade(connection* c) {
  auto sending = send_all(c);
  co_await std::move(sending);
  if (c->broken()) co_return;
  c->hand_over();
  auto& x = c->under_way();
  const auto ended = co_await select(x.end(), c->server().stopping().done());
  if (ended.index() != 0) {
    c->end_feed();
    co_await x.end();
  }
  c->upgrade_has_ended();
}

/// Waits for the request actor, hands it what comes of a body, sends what is due meanwhile, and looks whether the client is still there.
task<> await_answer(connection* c) {
  auto& x = c->under_way();
  std::optional<waiting_request> counted(c->server()); // as long as its head is not given
  for (;;) {
    c->feed();
    if (c->finished_early()) co_return; // the body was refused
    if (c->gone()) c->look_for_client();
    c->pump();
    c->write();
    c->end_feed();
    if (c->broken()) break;
    const auto change = c->head_taken() ? x.end() : x.end_or_head();
    const auto input = c->may_read_ahead() && !c->gone() ? c->io().readable() : stream::not_ready();
    const auto output = c->has_output() ? c->io().writable() : stream::not_ready();
    const auto room = detail::body_pipe::with_room(c->full_pipe());
    const auto bytes = detail::body_pipe::with_bytes(c->empty_pipe());
    const auto stop = greenroom::detail::queued_op(greenroom::detail::done_action(c->feed_ends_with()));
    auto s = co_await select(change, input, output, room, bytes, at(c->answer_deadline()), stop);
    if (s.index() == 1) {
      c->read_ahead();
    } else if (s.index() == 5) {
      c->something_is_late();
      if (c->finished_early()) co_return;
    } else if (s.index() == 0) {
      if (x.ended()) break;
      c->take_head();
      counted.reset();
      if (c->upgrades()) {
        auto upgraded = wait_for_upgrade(c);
        co_await std::move(upgraded);
        co_return;
      }
    }
  }
  if (!c->broken() && !c->head_taken() && x.goes_on_behind_head()) c->take_head();
  if (c->broken() || c->upgrades()) {
    c->connection_is_lost();
  } else if (c->head_taken()) {
    auto rest = finish_body(c);
    co_await std::move(rest);
  } else {
    c->take_answer();
  }
}

/// Lets the client read our last answer: closing on unread input resets the connection, and the answer may be lost with it.
/// Source: RFC 9112 section 9.6.
task<> linger(connection* c) {
  c->io().shutdown_send();
  const auto end = saturating_add(c->now(), linger_time);
  for (bool more = true; more && c->now() < end;) {
    more = co_await c->io().readable_until(end);
    if (more) more = c->read_on();
  }
}

/// Gives the stream over TLS, or null. A stop of the server ends it: nobody has asked for anything yet.
task<std::unique_ptr<stream>> shake_hands(server_core* server, std::unique_ptr<stream> raw) {
  const auto& options = server->options;
  auto peer = raw->peer();
  const auto limit = server->stopping().with_timeout(options.limits.head_time);
  auto shaking = within(limit, options.tls->accept(std::move(raw)));
  auto made = co_await std::move(shaking);
  if (made) co_return *std::move(made);
  server->count(event::handshake_failed);
  server->system.log().debug("no TLS with {}: {}", peer, made.error().message());
  co_return nullptr;
}

} // namespace

task<> serve_connection(open_connection here, lane* in, std::unique_ptr<stream> io) {
  connection c(here.server(), *in, std::move(io), here.peer());
  for (;;) {
    const auto next = c.advance();
    const bool asked = next == connection::step::wait_for_answer;
    if (asked) {
      co_await greenroom::detail::
          yield_in_order(); // most requests are then answered, and nothing need be armed for them
      if (c.answered()) {
        c.take_answer();
        continue;
      }
    }
    if (asked || (c.has_output() && !c.write() && !c.broken())) { // most is taken at once
      // One variable and one wait for both: each would have its place in the frame of every idle connection.
      auto part = asked ? await_answer(&c) : send_all(&c);
      co_await std::move(part);
    }
    if (asked) continue;
    if (next == connection::step::finish || c.broken()) break;
    if (next == connection::step::send) continue;
    if (c.gone()) break;
    if (c.should_close()) {
      if (!c.read()) break; // nothing came in the last moment
      continue;
    }
    c.release_memory();
    const bool came = co_await c.io().readable_until(c.input_deadline());
    // Tried in both cases: a worker that is stuck may be late to learn that something has come.
    if (!c.read() && !came) c.input_is_late();
  }
  if (c.must_linger()) {
    auto lingering = linger(&c);
    co_await std::move(lingering);
  }
}

task<> serve_secure_connection(open_connection here, lane* in, std::unique_ptr<stream> io) {
  auto shaking = shake_hands(&here.server(), std::move(io));
  auto made = co_await std::move(shaking);
  if (!made) co_return;
  auto serving = serve_connection(std::move(here), in, std::move(made));
  co_await std::move(serving);
}

} // namespace greenroom::http::internal
