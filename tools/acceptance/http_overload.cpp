// acceptance http_overload SECONDS: a server whose handler computes for a millisecond, on one worker, is asked four times as much as it can do,
// for so many seconds, by clients that do not wait for each other. Prints its peak, what it still did, how fast it refused the rest,
// and how soon it was as before.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/transport.hpp>
#include <greenroom/tools/acceptance/acceptance.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

double thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

http::response compute() {
  for (const auto end = thread_seconds() + 0.001; thread_seconds() < end;) {}
  return http::text("done");
}

/// What the clients have seen. They are actors of one worker, so they share it without a lock.
struct tally {
  std::vector<double> served; // milliseconds from the send to the answer
  std::vector<double> refused;
  long failed = 0;
};

struct client {
  std::uint16_t port;
  std::unique_ptr<stream> io;
};

/// Asks once, on a connection that is kept. Gives the status, 0 if there was none.
task<int> ask(client* c) {
  if (!c->io) {
    auto made = co_await this_actor::system().net().connect({"127.0.0.1", c->port});
    if (!made) co_return 0;
    c->io = *std::move(made);
  }
  static constexpr std::string_view request = "GET /compute HTTP/1.1\r\nHost: here\r\n\r\n";
  auto sent = co_await c->io->write_all(std::as_bytes(std::span(request)));
  std::string got;
  while (sent && !(got.ends_with("done") || got.ends_with("later\n"))) {
    char part[1024];
    auto n = co_await c->io->read_some(std::as_writable_bytes(std::span(part)));
    if (!n || *n == 0) break;
    got.append(part, *n);
  }
  const int status = got.size() > 12 ? std::atoi(got.c_str() + 9) : 0;
  if (status == 0) c->io.reset();
  co_return status;
}

task<int> ask_and_note(client* c, tally* seen) {
  const auto started = clock_type::now();
  const int status = co_await ask(c);
  const auto ms = std::chrono::duration<double, std::milli>(clock_type::now() - started).count();
  if (status == 200)
    seen->served.push_back(ms);
  else if (status == 503)
    seen->refused.push_back(ms);
  else
    ++seen->failed;
  co_return status;
}

/// One client: asks every `period`, or when its last answer has come if that is later; without a period as soon as it can.
task<> keep_asking(std::uint16_t port, duration first, duration period, clock_type::time_point end, tally* seen) {
  client c{port, nullptr};
  co_await sleep_for(first);
  for (auto next = clock_type::now(); clock_type::now() < end; next += period) {
    const auto wait = next - clock_type::now();
    if (wait > 0s) co_await sleep_for(wait);
    if (period == 0s) next = clock_type::now();
    co_await ask_and_note(&c, seen);
  }
}

task<> all_clients(scope& s, std::uint16_t port, int count, duration period, duration length, tally* seen) {
  const auto end = clock_type::now() + length;
  for (int i = 0; i < count; ++i) s.spawn(keep_asking, port, period * i / count, period, end, seen);
  co_return;
}

task<tally> load(std::uint16_t port, int count, duration period, duration length) {
  tally seen;
  (void)co_await with_scope(all_clients, port, count, period, length, &seen);
  co_return seen;
}

/// The seconds until ten requests in a row were served within 10 ms.
task<double> recover(std::uint16_t port) {
  const auto started = clock_type::now();
  client c{port, nullptr};
  for (int good = 0; good < 10 && clock_type::now() - started < 10s;) {
    tally one;
    const int status = co_await ask_and_note(&c, &one);
    good = status == 200 && one.served.front() < 10 ? good + 1 : 0;
  }
  co_return std::chrono::duration<double>(clock_type::now() - started).count();
}

double percentile(std::vector<double> of, double share) {
  if (of.empty()) return 0;
  std::sort(of.begin(), of.end());
  return of[static_cast<std::size_t>(share * static_cast<double>(of.size() - 1))];
}

} // namespace

int acceptance::http_overload(long seconds) {
  options one;
  one.workers = 1;
  actor_system serving(one);
  actor_system asking(one);
  http::server front(serving, {.port = 0});
  front.get("/compute", compute);
  front.start().value();

  constexpr duration peak_time = 5s;
  const auto peak = asking.run(load, front.port(), 16, duration(0), peak_time).value();
  const double peak_rate = static_cast<double>(peak.served.size()) / 5;

  constexpr int clients = 1'000;
  const auto period = std::chrono::nanoseconds(static_cast<long>(1e9 * clients / (4 * peak_rate)));
  const auto over =
      asking.run(load, front.port(), clients, duration(period), duration(std::chrono::seconds(seconds))).value();
  const double recovered = asking.run(recover, front.port()).value();

  const auto all = over.served.size() + over.refused.size() + static_cast<std::size_t>(over.failed);
  std::printf(
      R"({"bench":"http_overload","peak":%.0f,"offered":%.0f,"goodput":%.0f,"failed":%ld,)"
      R"("served_ms_p99":%.1f,"refused_ms_p50":%.1f,"refused_ms_p99":%.1f,"refused_ms_max":%.1f,"recovered_seconds":%.3f,)"
      R"("shed":%llu})"
      "\n",
      peak_rate, static_cast<double>(all) / static_cast<double>(seconds),
      static_cast<double>(over.served.size()) / static_cast<double>(seconds), over.failed,
      percentile(over.served, 0.99), percentile(over.refused, 0.5), percentile(over.refused, 0.99),
      percentile(over.refused, 1), recovered, static_cast<unsigned long long>(front.stats().shed));
  return over.failed == 0 ? 0 : 1;
}
