// acceptance http_storm N, http_overload SECONDS, quotes N: see the files so called. acceptance deadlocks, soak N: see deadlocks.cpp.
// acceptance asks N: four times N asks of 1 ms each to a server that answers too late; prints what they left behind as one JSON line.
// A round's memory is its largest backlog, which is kept for the next: what every round adds would be a leak.
// tools/acceptance/run judges it, with the other promises that a timed test must not make.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tools/acceptance/acceptance.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

struct question {
  long number;
  using reply = long;
};

/// Answers each question after its asker has given up.
task<> late_server(mailbox<request<question>> in) {
  while (auto asked = co_await in.receive()) {
    spawn(
        [](request<question> r) -> task<> {
          co_await sleep_for(20ms);
          r.reply(r.message.number);
        },
        std::move(*asked));
  }
}

struct tally {
  std::atomic<long> timed_out{0};
};

task<> asker(address<request<question>> to, long first, long count, tally* seen) {
  for (long i = 0; i < count; ++i) {
    const question q{first + i};
    const auto answer = co_await ask(to, q, 1ms);
    if (!answer && answer.error().is(errc::timed_out)) ++seen->timed_out;
  }
}

task<> all_askers(scope& s, address<request<question>> to, long n, tally* seen) {
  constexpr long askers = 2000;
  for (long i = 0; i < askers; ++i) s.spawn(asker, to, i * (n / askers), n / askers, seen);
  co_return;
}

task<bool> ask_in_vain(long n, tally* seen) {
  auto [in, out] = make_mailbox<request<question>>(unbounded());
  spawn({.name = "late server"}, late_server, std::move(in));
  const auto ended = co_await with_scope(all_askers, out, n, seen);
  co_return ended.has_value();
}

} // namespace

int acceptance::asks(long n) {
  actor_system sys;
  tally seen;
  bool ok = true;
  long grown = LONG_MAX;
  for (int round = 0; round < 4; ++round) {
    const auto before = acceptance::resident_bytes();
    ok = sys.run(ask_in_vain, n, &seen).value_or(false) && ok;
    while (sys.live_actors() != 0) std::this_thread::sleep_for(1ms); // late answers are still under way
    if (round > 0) grown = std::min(grown, acceptance::resident_bytes() - before);
  }
  const auto asked = sys.requests();
  std::printf("{\"ok\":%s,\"timed_out\":%ld,\"answered\":%llu,\"late\":%llu,\"pending\":%llu,\"timers\":%zu,"
              "\"grown_bytes\":%ld}\n",
              ok ? "true" : "false", seen.timed_out.load(), static_cast<unsigned long long>(asked.answered),
              static_cast<unsigned long long>(asked.late), static_cast<unsigned long long>(asked.pending()),
              sys.live_timers(), grown);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "asks") return acceptance::asks(std::atol(argv[2]));
  if (argc == 3 && std::string_view(argv[1]) == "http_storm") return acceptance::http_storm(std::atol(argv[2]));
  if (argc == 3 && std::string_view(argv[1]) == "http_overload") return acceptance::http_overload(std::atol(argv[2]));
  if (argc == 3 && std::string_view(argv[1]) == "quotes") return acceptance::quotes(std::atol(argv[2]));
  if (argc == 2 && std::string_view(argv[1]) == "deadlocks") return acceptance::deadlocks();
  if (argc == 3 && std::string_view(argv[1]) == "fairness") return acceptance::fairness(std::atol(argv[2]));
  if (argc == 3 && std::string_view(argv[1]) == "soak") return acceptance::soak(std::atol(argv[2]));
  std::fputs("usage: acceptance asks N | http_storm N | http_overload SECONDS | quotes N | deadlocks | fairness "
             "SECONDS | soak "
             "N\n",
             stderr);
  return 2;
}
