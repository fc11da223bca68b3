#include <greenroom/http/websocket.hpp>

#include <array>
#include <span>

#include <fmt/format.h>

#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/http/internal/websocket_core.hpp>
#include <greenroom/http/internal/websocket_handshake.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::http {
namespace {

using internal::frame_kind;
using internal::websocket_core;

time_point now() { return this_actor::system().now(); }

/// Waits until it may be worth looking again.
task<> wait_for_peer(websocket_core* c) {
  c->release_memory();
  const auto due = c->due(now());
  if (c->wants_input() && !c->has_output()) {
    co_await c->io().readable_until(due);
    co_return;
  }
  const auto input = c->wants_input() ? c->io().readable() : stream::not_ready();
  const auto output = c->has_output() ? c->io().writable() : stream::not_ready();
  co_await select(input, output, at(due));
}

task<result<websocket_message>> receive_from(websocket_core* c) {
  for (;;) {
    co_await greenroom::detail::io_step();
    auto got = c->try_receive(now());
    if (got || !got.error().is(errc::empty)) co_return got;
    auto waiting = wait_for_peer(c);
    co_await std::move(waiting);
  }
}

/// Writes all that is queued.
task<> flush(websocket_core* c) {
  for (;;) {
    co_await greenroom::detail::io_step();
    if (c->write(now())) co_return;
    co_await c->io().writable_until(c->write_deadline());
    // Tried in any case: a worker that is stuck may be late to learn that there is room.
    if (!c->write(now())) c->judge_output(now());
  }
}

task<result<void>> send_through(websocket_core* c, frame_kind kind, std::string payload) {
  auto before = flush(c); // of a send that was cancelled, or answers to pings
  co_await std::move(before);
  if (!c->is_open()) co_return c->why();
  c->begin(kind, std::move(payload), now());
  auto all = flush(c);
  co_await std::move(all);
  if (!c->is_open()) co_return c->why();
  c->release_memory();
  co_return result<void>();
}

task<result<void>> close_through(websocket_core* c, std::uint16_t code, std::string reason) {
  if (c->is_done()) co_return c->closed_in_order() ? result<void>() : result<void>(c->why());
  c->begin_close(code, reason, now());
  for (;;) {
    co_await greenroom::detail::io_step();
    const auto dropped = c->try_receive(now());
    if (c->is_done()) co_return c->closed_in_order() ? result<void>() : result<void>(c->why());
    if (dropped) continue;
    auto waiting = wait_for_peer(c);
    co_await std::move(waiting);
  }
}

task<result<void>> fail_with(error why) { co_return why; }

error invalid(const char* why) { return {errc::invalid_argument, why}; }

} // namespace

websocket::websocket() noexcept = default;
websocket::websocket(std::shared_ptr<stream> io, websocket_role me, const websocket_limits& limits,
                     std::string protocol, std::string input)
    : core_(std::make_unique<websocket_core>(std::move(io), me, limits, std::move(protocol), std::move(input))) {}
websocket::websocket(websocket&&) noexcept = default;
websocket& websocket::operator=(websocket&&) noexcept = default;
websocket::~websocket() = default;

task<result<websocket_message>> websocket::receive() { return receive_from(core_.get()); }
result<websocket_message> websocket::try_receive() { return core_->try_receive(now()); }
time_point websocket::due() noexcept { return core_->due(now()); }

task<result<void>> websocket::send_text(std::string text) {
  if (!internal::is_utf8(text)) return fail_with(invalid("a text for a websocket is not UTF-8: send it as binary"));
  return send_through(core_.get(), frame_kind::text, std::move(text));
}
task<result<void>> websocket::send_binary(std::string bytes) {
  return send_through(core_.get(), frame_kind::binary, std::move(bytes));
}
task<result<void>> websocket::ping(std::string payload) {
  if (payload.size() > internal::most_control) {
    return fail_with(invalid("the payload of a websocket's ping must have at most 125 bytes"));
  }
  return send_through(core_.get(), frame_kind::ping, std::move(payload));
}

task<result<void>> websocket::close(std::uint16_t code, std::string reason) {
  if (!internal::may_be_sent(code)) {
    return fail_with(
        {errc::invalid_argument,
         fmt::format("a websocket cannot be closed with code {}: it must be 1000 to 1003, 1007 to 1014, or "
                     "3000 to 4999",
                     code)});
  }
  if (!internal::is_utf8(reason)) return fail_with(invalid("the reason for closing a websocket is not UTF-8"));
  return close_through(core_.get(), code, std::move(reason));
}

bool websocket::is_open() const noexcept { return core_->is_open(); }
std::uint16_t websocket::peer_code() const noexcept { return core_->peer_code(); }
std::string_view websocket::peer_reason() const noexcept { return core_->peer_reason(); }
std::string_view websocket::protocol() const noexcept { return core_->protocol(); }
std::string websocket::peer() const { return core_->io().peer(); }

stream& websocket::connection() noexcept { return core_->io(); }
bool websocket::wants_input() noexcept {
  core_->expect_input();
  return core_->wants_input();
}
bool websocket::wants_output() const noexcept { return core_->has_output(); }
bool websocket::other_goes_first() noexcept { return core_->other_goes_first(); }
void websocket::release_memory() noexcept { core_->release_memory(); }

// -- the client's handshake -----------------------------------------------------------------------------------

namespace {

/// Reads up to the end of the answer's head; what follows it stays behind in the text.
task<result<std::size_t>> read_answer(stream* io, std::string* text, time_point deadline) {
  std::array<char, 2'048> part;
  for (;;) {
    co_await greenroom::detail::io_step();
    const auto got = io->try_read(std::as_writable_bytes(std::span(part)));
    if (got && *got != 0) {
      const auto seen = text->size() < 3 ? 0 : text->size() - 3;
      text->append(part.data(), *got);
      const auto end = text->find("\r\n\r\n", seen);
      if (end != std::string::npos && end + 4 <= internal::most_answer) co_return end;
      if (text->size() < internal::most_answer) continue;
      co_return error(errc::limit, fmt::format("cannot open a websocket: {}: the head of the answer is longer than the "
                                               "limit of {} bytes",
                                               io->peer(), internal::most_answer));
    }
    if (got) {
      co_return error(errc::io,
                      fmt::format("cannot open a websocket: {}: the server ended the connection", io->peer()));
    }
    if (!got.error().is(errc::empty)) co_return got.error();
    if (now() >= deadline) {
      co_return error(errc::timed_out,
                      fmt::format("cannot open a websocket: {}: the server has not answered in time", io->peer()));
    }
    co_await io->readable_until(deadline);
  }
}

/// Writes the request. Errors: also timed_out.
task<result<void>> write_request(stream* io, std::string head, time_point deadline) {
  auto rest = std::as_bytes(std::span(head));
  while (!rest.empty()) {
    co_await greenroom::detail::io_step();
    const auto put = io->try_write(rest);
    if (put) {
      rest = rest.subspan(*put);
      continue;
    }
    if (!put.error().is(errc::full)) co_return put.error();
    if (now() >= deadline) {
      co_return error(
          errc::timed_out,
          fmt::format("cannot open a websocket: {}: the server has not taken the request in time", io->peer()));
    }
    co_await io->writable_until(deadline);
  }
  co_return result<void>();
}

} // namespace

task<result<websocket>> websocket_handshake(std::unique_ptr<stream> io, std::string host, std::string target,
                                            websocket_options how) {
  const auto deadline = saturating_add(now(), how.limits.handshake_time);
  const auto key = internal::new_key();
  auto head = internal::upgrade_request(host, target, key, how);
  if (!head) co_return head.error();
  auto writing = write_request(io.get(), *std::move(head), deadline);
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error();
  std::string text;
  auto reading = read_answer(io.get(), &text, deadline);
  const auto end = co_await std::move(reading);
  if (!end) co_return end.error();
  auto protocol = internal::check_upgrade(std::string_view(text).substr(0, *end), key, how);
  if (!protocol) co_return protocol.error();
  text.erase(0, *end + 4);
  co_return websocket(std::move(io), websocket_role::client, how.limits, *std::move(protocol), std::move(text));
}

} // namespace greenroom::http
