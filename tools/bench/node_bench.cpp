// node_bench serve | roundtrip PORT N | calls PORT N | items PORT N: addresses across two processes, for tools/bench/compare_nodes.
// roundtrip: N calls, one at a time. calls: 64 at a time. items: N items one way, then one call that says what has come.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tools/bench/measure.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace node_bench {

struct add_one {
  std::int64_t n = 0;
  using reply = std::int64_t;
};
struct sum_of {
  std::int64_t items = 0;
  using reply = std::int64_t;
};
template <class Inspector>
bool inspect(Inspector& f, add_one& x) {
  return f.object(x).fields(f.field("n", x.n));
}
template <class Inspector>
bool inspect(Inspector& f, sum_of& x) {
  return f.object(x).fields(f.field("items", x.items));
}

namespace {

struct tally {
  std::atomic<std::int64_t> count{0}, sum{0};
};

task<> answer(mailbox<request<add_one>> in) {
  while (auto r = co_await in.receive()) r->reply(r->message.n + 1);
}
task<> add_up(mailbox<std::int64_t> in, tally* all) {
  while (const auto item = co_await in.receive()) {
    all->sum += *item;
    ++all->count;
  }
}
/// Each run begins anew.
task<> tell(mailbox<request<sum_of>> in, tally* all) {
  while (auto r = co_await in.receive()) {
    while (all->count < r->message.items) co_await sleep_for(100us);
    all->count = 0;
    r->reply(all->sum.exchange(0));
  }
}

task<std::int64_t> call_one_by_one(address<request<add_one>> to, std::int64_t n) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const add_one message{i};
    sum += (co_await ask(to, message, 10s)).value();
  }
  co_return sum;
}
task<> one_of_many(address<request<add_one>> to, std::int64_t n, std::int64_t* sum) {
  auto calling = call_one_by_one(to, n);
  *sum += co_await std::move(calling); // one worker: see main()
}
task<> all_of_many(scope& s, address<request<add_one>> to, std::int64_t n, std::int64_t* sum) {
  for (int i = 0; i < 64; ++i) s.spawn(one_of_many, to, n / 64, sum);
  co_return;
}
task<std::int64_t> call_at_once(address<request<add_one>> to, std::int64_t n) {
  std::int64_t sum = 0;
  const auto ended = co_await with_scope(all_of_many, to, n, &sum);
  co_return ended ? sum : -1;
}
task<std::int64_t> send_items(address<std::int64_t> to, address<request<sum_of>> told, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto sent = co_await to.send(i);
    if (!sent) co_return -1;
  }
  const sum_of message{n};
  co_return (co_await ask(told, message, 60s)).value();
}
template <class T>
task<result<address<T>>> look_up(node_peer at, std::string name) {
  auto looking = at.lookup<T>(std::move(name));
  co_return co_await std::move(looking);
}

int serve(actor_system& sys) {
  stop_signal asked;
  tally all;
  auto calls = make_mailbox<request<add_one>>(bounded(256));
  auto items = make_mailbox<std::int64_t>(bounded(1024));
  auto sums = make_mailbox<request<sum_of>>(bounded(1));
  sys.spawn(answer, std::move(calls.in));
  sys.spawn(add_up, std::move(items.in), &all);
  sys.spawn(tell, std::move(sums.in), &all);
  node here(sys, {.name = "bench", .listen = true});
  here.publish("calls", calls.out).value();
  here.publish("items", items.out).value();
  here.publish("sums", sums.out).value();
  here.start().value();
  std::printf("%u\n", static_cast<unsigned>(here.port()));
  std::fflush(stdout);
  asked.wait();
  return 0;
}

int run(actor_system& sys, std::string_view what, std::uint16_t port, std::int64_t n) {
  node here(sys, {.name = "asker"});
  const auto peer = here.connect("127.0.0.1", port);
  const auto calls = sys.run(look_up<request<add_one>>, peer, "calls").value();
  const auto items = sys.run(look_up<std::int64_t>, peer, "items").value();
  const auto sums = sys.run(look_up<request<sum_of>>, peer, "sums").value();
  bench::meter m;
  m.start();
  std::int64_t found = 0;
  if (what == "roundtrip") found = sys.run(call_one_by_one, calls, n).value();
  if (what == "calls") found = sys.run(call_at_once, calls, n).value();
  if (what == "items") found = sys.run(send_items, items, sums, n).value();
  m.stop();
  bench::print_line({what, 1, n, {}}, "greenroom", m, {found});
  return 0;
}

} // namespace
} // namespace node_bench

int main(int argc, char** argv) {
  actor_system sys(options{.workers = 1, .log_level = "warn"});
  if (argc == 2 && std::string_view(argv[1]) == "serve") return node_bench::serve(sys);
  if (argc == 4)
    return node_bench::run(sys, argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])), std::atoll(argv[3]));
  std::fputs("usage: node_bench serve | roundtrip PORT N | calls PORT N | items PORT N\n", stderr);
  return 2;
}
