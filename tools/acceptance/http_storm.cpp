// acceptance http_storm N: N requests of clients that behave as clients do at their worst: they leave in mid-request, send half of one
// and go, send garbage, ask for what throws, takes too much memory or takes too long. Server and clients are two actor systems in
// one process, over TCP. Prints what is left of it all.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/transport.hpp>
#include <greenroom/tools/acceptance/acceptance.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

// -- the server -----------------------------------------------------------------------------------------

http::response fast() { return http::text("Hello, World!"); }
http::response throwing() { throw std::runtime_error("as asked"); }
http::response hungry() { return http::text(std::string(std::string().max_size(), 'x')); } // more than there can be
http::response echo(http::request r) { return http::text(r.take_body()); }
task<> a_part_of_it() { co_await sleep_for(1h); }
task<> two_parts(scope& s, std::chrono::microseconds wait) {
  s.spawn(a_part_of_it);
  co_await sleep_for(wait);
  s.cancel();
}
task<http::response> wait(http::request r) {
  const std::chrono::microseconds us(std::atol(r.query_value("us").value_or("0").c_str()));
  (void)co_await with_scope(two_parts, us);
  co_return http::text("waited");
}

// -- the clients ----------------------------------------------------------------------------------------

struct tally {
  std::atomic<long> answered{0};
  std::atomic<long> left{0};
  std::atomic<long> wrong{0};
};

/// One connection of a client, made anew when it was lost.
struct client {
  std::uint16_t port;
  std::unique_ptr<stream> io;
  std::string got;
};

task<bool> send(client* c, std::string bytes) {
  if (!c->io) {
    auto made = co_await this_actor::system().net().connect({"127.0.0.1", c->port});
    if (!made) co_return false;
    c->io = *std::move(made);
    c->got.clear();
  }
  const auto put = co_await c->io->write_all(std::as_bytes(std::span(bytes)));
  co_return put.has_value();
}

/// Reads one answer and gives its status; 0 if the connection ended first.
task<int> read_answer(client* c) {
  for (;;) {
    const auto head = c->got.find("\r\n\r\n");
    const auto field = c->got.find("Content-Length: ");
    if (head != std::string::npos && field < head) {
      const auto size = std::strtoul(c->got.c_str() + field + 16, nullptr, 10);
      if (c->got.size() >= head + 4 + size) {
        const int status = std::atoi(c->got.c_str() + 9);
        const bool ends = c->got.find("Connection: close") < head;
        c->got.erase(0, head + 4 + size);
        if (ends) c->io.reset();
        co_return status;
      }
    }
    std::array<char, 4096> part;
    const auto n = co_await c->io->read_some(std::as_writable_bytes(std::span(part)));
    if (!n || *n == 0) co_return 0;
    c->got.append(part.data(), *n);
  }
}

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: here\r\n\r\n"; }

struct asked {
  std::string bytes;
  int status;          // what must come
  int or_status = 0;   // or this
  bool leaves = false; // the client closes after a while instead of reading
};

asked choose(xoshiro& random) {
  const auto us = std::to_string(random.below(6'000));
  switch (random.below(10)) {
  case 0:
  case 1:
  case 2:
  case 3: return {get("/fast"), 200};
  case 4:
  case 5: return {get("/wait?us=" + us), 200, 503};
  case 6: return {get("/wait?us=" + us), 0, 0, true};
  case 7: return {"GET /fast HTTP/1.1\r\nHo", 0, 0, true};
  case 8: return {get(random.below(2) == 0 ? "/throwing" : "/hungry"), 500};
  default:
    if (random.below(2) == 0) return {"GARBAGE\r\n\r\n", 400};
    return {"POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200};
  }
}

task<> run_client(std::uint16_t port, long requests, std::uint64_t seed, tally* seen) {
  client c{port, nullptr, {}};
  xoshiro random(seed);
  for (long i = 0; i < requests; ++i) {
    const auto next = choose(random);
    const bool sent = co_await send(&c, next.bytes);
    if (!sent) {
      ++seen->wrong;
      c.io.reset();
      continue;
    }
    if (next.leaves) {
      co_await sleep_for(std::chrono::microseconds(random.below(3'000)));
      c.io.reset();
      ++seen->left;
      continue;
    }
    const int status = co_await read_answer(&c);
    if (status == 0) c.io.reset();
    ++(status == next.status || (status != 0 && status == next.or_status) ? seen->answered : seen->wrong);
  }
}

task<> all_clients(scope& s, std::uint16_t port, long n, std::uint64_t seed, tally* seen) {
  constexpr long clients = 64;
  for (long i = 0; i < clients; ++i) s.spawn(run_client, port, n / clients, seed + static_cast<std::uint64_t>(i), seen);
  co_return;
}

/// Waits until the server has noticed that its clients are gone.
bool settled(const http::server& front) {
  for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;) {
    const auto now = front.stats();
    if (now.in_flight == 0 && now.connections_open == 0) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

} // namespace

int acceptance::http_storm(long n) {
  options quiet;
  quiet.log_level = "off"; // a tenth of the requests throw
  actor_system service(quiet);
  http::server front(service, {.port = 0});
  front.get("/fast", fast).get("/throwing", throwing).get("/hungry", hungry).post("/echo", echo);
  front.get("/wait", supervised(3ms, wait));
  front.start().value();

  actor_system outside(quiet);
  tally seen;
  (void)outside.run([](std::uint16_t port, long count, tally* t) { return with_scope(all_clients, port, count, 7, t); },
                    front.port(), n / 10, &seen);
  bool ok = settled(front);
  const auto before = resident_bytes();
  (void)outside.run([](std::uint16_t port, long count, tally* t) { return with_scope(all_clients, port, count, 8, t); },
                    front.port(), n, &seen);
  ok = settled(front) && ok;
  const auto grown = resident_bytes() - before;
  const auto s = front.stats();
  const auto asks = service.requests();
  const auto print = [](const char* name, auto value) {
    std::printf("\"%s\":%lld,", name, static_cast<long long>(value));
  };
  std::printf("{\"ok\":%s,", ok ? "true" : "false");
  print("answered", seen.answered.load()), print("left", seen.left.load()), print("wrong", seen.wrong.load());
  print("requests", s.requests), print("in_flight", s.in_flight), print("connections_open", s.connections_open);
  print("timed_out", s.timed_out), print("abandoned", s.abandoned), print("failed", s.failed),
      print("refused", s.refused);
  print("actors", service.live_actors()), print("timers", service.live_timers()), print("asks", asks.pending());
  std::printf("\"grown_bytes\":%ld}\n", grown);
  return 0;
}
