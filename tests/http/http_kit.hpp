// What the tests of the server share: a server in memory and in manual time, and a client that speaks bytes.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::http::test {

using namespace greenroom::test;

/// One answer as a client sees it.
struct reply {
  int status = 0; // 0: the connection ended before it was complete
  std::string head;
  std::string body;

  /// The value of a field, or "none".
  std::string field(std::string_view name) const {
    const auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return "none";
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// A client's end of one connection.
class raw_client {
public:
  explicit raw_client(std::unique_ptr<stream> io) noexcept : io_(std::move(io)) {}

  task<> say(std::string bytes) {
    const auto put = co_await io_->write_all(std::as_bytes(std::span(bytes)));
    (void)put; // the server may have closed: what it says tells
  }
  /// Reads one answer; `bodiless` for those to HEAD.
  task<reply> hear(bool bodiless = false) {
    reply r;
    for (;;) {
      if (const auto end = got_.find("\r\n\r\n"); end != std::string::npos) {
        r.head = got_.substr(0, end + 2);
        const auto length = r.field("Content-Length");
        const auto size = bodiless || length == "none" ? 0 : std::strtoul(length.c_str(), nullptr, 10);
        if (got_.size() >= end + 4 + size) {
          r.status = std::atoi(r.head.c_str() + 9);
          r.body = got_.substr(end + 4, size);
          got_.erase(0, end + 4 + size);
          co_return r;
        }
      }
      const bool more = co_await read();
      if (!more) co_return reply();
    }
  }
  /// Reads until the server closes and returns what came.
  task<std::string> hear_all() {
    for (bool more = true; more;) more = co_await read();
    co_return std::exchange(got_, {});
  }
  /// Reads up to and with `mark`, or until the server closes.
  task<std::string> hear_until(std::string mark) {
    for (bool more = true; more;) {
      if (const auto at = got_.find(mark); at != std::string::npos) {
        auto part = got_.substr(0, at + mark.size());
        got_.erase(0, part.size());
        co_return part;
      }
      more = co_await read();
    }
    co_return std::exchange(got_, {});
  }
  /// Takes so many bytes off the connection.
  task<> hear_some(std::size_t size) {
    std::string part(size, ' ');
    const auto n = co_await io_->read_some(std::as_writable_bytes(std::span(part)));
    if (n) got_.append(part, 0, *n);
  }
  void leave() noexcept { io_.reset(); }
  void reset() noexcept { memory_transport::reset(*io_); }
  void end_sending() noexcept { io_->shutdown_send(); }

private:
  task<bool> read() {
    std::array<char, 4096> part;
    const auto n = co_await io_->read_some(std::as_writable_bytes(std::span(part)));
    if (!n || *n == 0) co_return false;
    got_.append(part.data(), *n);
    co_return true;
  }

  std::unique_ptr<stream> io_;
  std::string got_;
};

/// A server in memory, in manual time, on one worker.
struct rig {
  explicit rig(server_options how = {}, std::optional<logger> log = std::nullopt)
      : sys(quiet(1), environment{.time = &time, .net = &net, .log = std::move(log)}),
        front(sys, in_memory(std::move(how))) {}

  manual_clock time;
  memory_transport net;
  actor_system sys;
  server front;

  static server_options in_memory(server_options how) {
    how.port = 0;
    return how;
  }
  void start() { ASSERT_TRUE(front.start()); }
  raw_client connect() { return connect(front); }
  raw_client connect(const server& to) { return raw_client(try_connect(to).value()); }
  result<std::unique_ptr<stream>> try_connect(const server& to) {
    return sys.run(
        [](transport* through, std::uint16_t port) {
          return through->connect({"127.0.0.1", port});
        },
        &net, to.port());
  }
  /// Sends `bytes` on a connection of their own and returns the first answer.
  reply ask(std::string bytes) {
    auto c = connect();
    return say_and_hear(c, std::move(bytes));
  }
  reply say_and_hear(raw_client& c, std::string bytes) {
    say(c, std::move(bytes));
    return hear(c);
  }
  void say(raw_client& c, std::string bytes) {
    (void)sys.run([](raw_client* who, std::string what) { return who->say(std::move(what)); }, &c, std::move(bytes));
  }
  reply hear(raw_client& c, bool bodiless = false) {
    return sys.run([](raw_client* who, bool without) { return who->hear(without); }, &c, bodiless).value();
  }
  /// Everything until the server closes.
  std::string hear_all(raw_client& c) {
    return sys.run([](raw_client* who) { return who->hear_all(); }, &c).value();
  }
  std::string hear_until(raw_client& c, std::string mark) {
    return sys
        .run([](raw_client* who, std::string what) { return who->hear_until(std::move(what)); }, &c, std::move(mark))
        .value();
  }
  void hear_some(raw_client& c, std::size_t size) {
    (void)sys.run([](raw_client* who, std::size_t n) { return who->hear_some(n); }, &c, size);
  }
  /// Lets all actors run until they wait.
  void settle() { (void)sys.run(test::settle); }
  void advance(duration by) {
    settle(); // or whoever is about to wait for a time would count from the new one
    time.advance(by);
    settle();
  }
  /// Lets time pass, ten seconds at most, until the actor has ended.
  void advance_until_end(const actor& who) {
    for (int i = 0; i < 2'000 && !who.finished(); ++i) advance(5ms);
    EXPECT_TRUE(who.finished());
  }
};

inline std::string get(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: here\r\n" + std::string(more) + "\r\n";
}
inline std::string post(std::string_view target, std::string_view body, std::string_view more = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: here\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

} // namespace greenroom::http::test
