// What the tests of the client share: a client in memory and in manual time, and servers whose every byte the test decides.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/http/client.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::http::test {

using namespace greenroom::test;

/// The server's end of one connection, played by the test. It never waits: what it hears has come already.
class peer {
public:
  explicit peer(std::unique_ptr<stream> io) noexcept : io_(std::move(io)) {}

  /// All that has come since the last call.
  std::string heard() {
    std::string text;
    std::array<char, 65'536> part;
    for (;;) {
      const auto n = io_->try_read(std::as_writable_bytes(std::span(part)));
      if (!n || *n == 0) return text;
      text.append(part.data(), *n);
    }
  }
  /// Returns how much the client's side takes.
  std::size_t say(std::string_view bytes) {
    const auto put = io_->try_write(std::as_bytes(std::span(bytes)));
    return put ? *put : 0;
  }
  /// Says whether the client has closed its side. What it has sent is lost.
  bool is_left() {
    (void)heard();
    std::array<std::byte, 1> one;
    const auto n = io_->try_read(one);
    return n ? *n == 0 : !n.error().is(errc::empty);
  }
  void leave() noexcept { io_.reset(); }
  void reset() noexcept { memory_transport::reset(*io_); }

private:
  std::unique_ptr<stream> io_;
};

/// One call of the client, and what came of it.
struct call {
  std::optional<result<client_response>> got;
  std::optional<result<streamed_response>> opened;
  std::optional<result<std::string>> piece;
  actor who;

  /// "200 the body", the sentence of the error, "cancelled" or "under way".
  std::string told() const {
    if (got) return *got ? std::to_string((*got)->status()) + " " + std::string((*got)->body()) : text_of(got->error());
    if (opened) return *opened ? std::to_string((*opened)->status()) + " open" : text_of(opened->error());
    return who.finished() ? "cancelled" : "under way";
  }
  errc code() const { return got->error().code(); }

private:
  static std::string text_of(const error& e) { return std::string(e.message()); }
};

inline task<> do_send(client* web, client_request q, call* into) {
  auto sending = web->send(std::move(q));
  auto got = co_await std::move(sending);
  into->got.emplace(std::move(got));
}
inline task<> do_open(client* web, client_request q, call* into) {
  auto opening = web->open(std::move(q));
  auto got = co_await std::move(opening);
  into->opened.emplace(std::move(got));
}
inline task<> do_read(call* of) {
  auto reading = (*of->opened)->read();
  auto got = co_await std::move(reading);
  of->piece.emplace(std::move(got));
}

/// A client and the hosts that it can reach. Nothing may be left of them at the end of a test.
struct wire {
  explicit wire(client_options how = {}, std::size_t capacity = 65'536)
      : net(capacity), web(std::make_unique<client>(sys, std::move(how))) {
    listen("server", 80);
  }
  ~wire() {
    web.reset();
    settle();
    EXPECT_EQ(sys.live_actors(), 0u);
    EXPECT_EQ(sys.live_timers(), 0u);
  }

  manual_clock time;
  memory_transport net;
  actor_system sys{quiet(1), environment{.time = &time, .net = &net}};
  std::map<std::string, std::unique_ptr<listener>> doors;
  std::unique_ptr<client> web;

  void listen(const std::string& host, std::uint16_t port) { doors[host] = net.listen(endpoint(host, port)).value(); }
  /// Sends a request, as an actor of its own, and lets it run until it waits.
  std::unique_ptr<call> send(client_request q, std::optional<context> under = std::nullopt) {
    auto c = std::make_unique<call>();
    c->who = sys.spawn({.name = "caller", .ctx = std::move(under)}, do_send, web.get(), std::move(q), c.get());
    settle();
    return c;
  }
  std::unique_ptr<call> get(std::string path = "/") {
    return send(client_request(method::get, "http://server" + std::move(path)));
  }
  std::unique_ptr<call> post(std::string body) {
    client_request q(method::post, "http://server/");
    q.body(std::move(body));
    return send(std::move(q));
  }
  std::unique_ptr<call> open(client_request q) {
    auto c = std::make_unique<call>();
    c->who = sys.spawn(do_open, web.get(), std::move(q), c.get());
    settle();
    return c;
  }
  /// Reads a piece of a streamed answer, and returns it, the sentence of the error, or "under way".
  std::string read(call& c) {
    begin_read(c);
    return piece(c);
  }
  void begin_read(call& c) {
    c.piece.reset();
    c.who = sys.spawn(do_read, &c);
    settle();
  }
  static std::string piece(call& c) {
    if (!c.piece) return c.who.finished() ? "cancelled" : "under way";
    return *c.piece ? **c.piece : std::string(c.piece->error().message());
  }

  /// The next connection; a test that expects one fails without it.
  peer accept(const std::string& host = "server") {
    auto next = doors.at(host)->try_accept();
    EXPECT_TRUE(next) << "nobody has connected";
    return peer(std::move(next).value());
  }
  bool nobody_came(const std::string& host = "server") { return !doors.at(host)->try_accept(); }
  void say(peer& p, std::string_view bytes) {
    EXPECT_EQ(p.say(bytes), bytes.size());
    settle();
  }
  /// Lets all actors run until they wait.
  void settle() { (void)sys.run(test::settle); }
  /// Lets time pass, and a little more: timers are never early, and may be late by their resolution.
  void advance(duration by) {
    time.advance(by);
    settle();
    time.advance(2ms);
    settle();
  }
};

inline std::string answer(std::string_view body, std::string_view more = "", std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

} // namespace greenroom::http::test
