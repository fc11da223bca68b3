#include <greenroom/http/internal/incoming.hpp>

#include <array>
#include <span>
#include <utility>

#include <greenroom/runtime/select.hpp>

namespace greenroom::http::internal {
namespace {

// One read takes what a socket usually holds; each worker has one such buffer, whatever the number of connections.
constexpr std::size_t read_size = 65'536;
// A body up to this size goes with the head in one packet.
constexpr std::size_t most_joined = 16'384;
// What is taken in of an answer that nobody wants. More is cheaper to cut off with a new connection.
constexpr int most_drained = 4; // reads

std::span<std::byte> read_buffer() noexcept {
  alignas(64) static thread_local std::array<std::byte, read_size> buffer;
  return buffer;
}

} // namespace

bool incoming::receive() {
  const auto buffer = read_buffer();
  const auto got = held.io().try_read(buffer);
  if (!got) {
    if (got.error().is(errc::empty)) return false;
    parser.break_off(got.error());
  } else if (*got == 0) {
    parser.end_of_input();
  }
  const std::string_view bytes(reinterpret_cast<const char*>(buffer.data()), got ? *got : 0);
  const auto taken = parser.parse(bytes);
  if (ended()) finish(taken != bytes.size());
  return true;
}

void incoming::finish(bool surplus) noexcept {
  const bool sound = parser.at() == response_parser::state::complete && parser.keep_alive();
  if (sound && all_sent && !surplus) {
    held.give_back();
  } else if (!parser.begun()) { // the request may be sent again, and has its turn already
    held.disconnect();
  } else {
    held.close();
  }
}

void incoming::drain() {
  for (int reads = 0; reads < most_drained && !ended(); ++reads) {
    if (!receive()) return;
    (void)parser.take_content();
  }
}

namespace {

/// Sends all of `bytes`; false if the server takes no more of them, as it has answered or is gone.
task<bool> send_all(incoming* to, std::string_view bytes) {
  while (!bytes.empty()) {
    co_await greenroom::detail::io_step();
    const auto put = to->held.io().try_write(std::as_bytes(std::span(bytes)));
    if (put) {
      to->any_sent = true;
      bytes.remove_prefix(*put);
      continue;
    }
    if (!put.error().is(errc::full)) co_return false;
    // A server may refuse a request before it has read it, and then reads no more.
    auto& io = to->held.io();
    const auto s = co_await select(io.writable(), io.readable());
    if (s.index() == 0) continue;
    to->receive();
    if (to->parser.at() != response_parser::state::head) co_return false;
  }
  co_return true;
}

} // namespace

task<> converse(incoming* to, std::string head, std::string_view body) {
  if (body.size() <= most_joined) head.append(std::exchange(body, {}));
  auto sending = send_all(to, head);
  bool taken = co_await std::move(sending);
  if (taken && !body.empty()) {
    auto rest = send_all(to, body);
    taken = co_await std::move(rest);
  }
  to->all_sent = taken; // not before: an answer that comes earlier must not hand the connection on
  while (to->parser.at() == response_parser::state::head) {
    co_await greenroom::detail::io_step();
    const bool came = to->receive();
    if (!came) co_await to->held.io().readable();
  }
}

task<> receive_more(incoming* from) {
  while (!from->ended() && !from->parser.has_content()) {
    co_await greenroom::detail::io_step();
    const bool came = from->receive();
    if (!came) co_await from->held.io().readable();
  }
}

task<> receive_all(incoming* from) {
  while (!from->ended()) {
    co_await greenroom::detail::io_step();
    const bool came = from->receive();
    if (!came) co_await from->held.io().readable();
  }
}

} // namespace greenroom::http::internal
