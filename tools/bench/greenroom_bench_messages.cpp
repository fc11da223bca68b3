// Workloads about messages: hand-overs, queues, and choosing among queues.
#include <greenroom/tools/bench/greenroom_bench.hpp>

#include <array>
#include <atomic>
#include <utility>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/tools/bench/countdown.hpp>

namespace greenroom::bench {
namespace {

using number = std::int64_t;

task<> send_numbers(address<number> out, number count) {
  for (number i = 0; i < count; ++i) {
    if (!co_await out.send(i)) co_return;
  }
}

task<> send_ones(address<number> out, number count) {
  const number one = 1;
  for (number i = 0; i < count; ++i) {
    if (!co_await out.send(one)) co_return;
  }
}

/// Adds up what comes until the mailbox closes.
task<number> sum_of(mailbox<number> in) {
  number sum = 0;
  while (const auto value = co_await in.receive()) sum += *value;
  co_return sum;
}

task<> answer_plus_one(mailbox<number> in, address<number> out) {
  while (const auto value = co_await in.receive()) {
    if (!co_await out.send(*value + 1)) co_return;
  }
}

task<outcome> pingpong_with(mailbox_limits limits, number n, meter* m) {
  auto [to_me, from_me] = make_mailbox<number>(limits);
  auto [to_other, from_other] = make_mailbox<number>(limits);
  spawn(answer_plus_one, std::move(to_me), std::move(from_other));
  m->start();
  number turn = 0;
  for (number i = 0; i < n / 2; ++i) {
    if (!co_await from_me.send(turn + 1)) break;
    const auto answer = co_await to_other.receive();
    if (!answer) break;
    turn = *answer;
  }
  m->stop();
  co_return outcome{turn};
}

task<> pass_on(mailbox<number> in, address<number> out, number hops, address<number> done, countdown* waiting) {
  waiting->count_one();
  while (const auto hop = co_await in.receive()) {
    if (*hop == hops) {
      (void)co_await done.send(*hop);
      co_return; // drops the next one's address: the ring ends one by one
    }
    if (!co_await out.send(*hop + 1)) co_return;
  }
}

task<outcome> fanin_with(mailbox_limits limits, number n, meter* m) {
  constexpr int senders = 8;
  auto [in, out] = make_mailbox<number>(limits);
  m->start();
  for (int i = 0; i < senders; ++i) spawn(send_numbers, out, n / senders);
  out = {}; // the mailbox closes when the last sender ends
  const auto sum = co_await sum_of(std::move(in));
  m->stop();
  co_return outcome{sum};
}

task<> work_off(mailbox<number> jobs, address<number> results) {
  while (const auto job = co_await jobs.receive()) {
    if (!co_await results.send(small_work(*job))) co_return;
  }
}

task<> work_off_atomic(mailbox<number> jobs, std::atomic<number>* sum, countdown* workers) {
  while (const auto job = co_await jobs.receive()) sum->fetch_add(small_work(*job), std::memory_order_relaxed);
  workers->count_one();
}

} // namespace

task<outcome> pingpong(number n, meter* m) { return pingpong_with(rendezvous(), n, m); }

task<outcome> pingpong_queued(number n, meter* m) { return pingpong_with(bounded(1), n, m); }

task<outcome> ring(number n, meter* m) {
  constexpr int actors = 10'000;
  auto [finished, done] = make_mailbox<number>(bounded(1));
  auto [first_in, first] = make_mailbox<number>(rendezvous());
  countdown waiting(actors);
  auto in = std::move(first_in);
  for (int i = 1; i < actors; ++i) {
    auto [next_in, next] = make_mailbox<number>(rendezvous());
    spawn(pass_on, std::move(in), std::move(next), n, done, &waiting);
    in = std::move(next_in);
  }
  spawn(pass_on, std::move(in), first, n, done, &waiting);
  co_await waiting.wait();
  m->start();
  if (!co_await first.send(0)) co_return outcome{};
  const auto hops = co_await finished.receive();
  m->stop();
  co_return outcome{*hops};
}

task<outcome> fanin(number n, meter* m) { return fanin_with(bounded(1024), n, m); }

task<outcome> fanin_unbounded(number n, meter* m) { return fanin_with(unbounded(), n, m); }

task<outcome> pool(number n, meter* m) {
  constexpr int workers = 8;
  auto [jobs, to_workers] = make_mailbox<number>(bounded(1024));
  auto [results, to_me] = make_mailbox<number>(bounded(1024));
  m->start();
  for (int i = 0; i < workers; ++i) spawn(work_off, jobs, to_me);
  spawn(send_numbers, std::move(to_workers), n);
  jobs = {};
  to_me = {};
  const auto sum = co_await sum_of(std::move(results));
  m->stop();
  co_return outcome{sum};
}

task<outcome> pool_atomic(number n, meter* m) {
  constexpr int workers = 8;
  auto [jobs, to_workers] = make_mailbox<number>(bounded(1024));
  std::atomic<number> sum{0};
  countdown left(workers);
  m->start();
  for (int i = 0; i < workers; ++i) spawn(work_off_atomic, jobs, &sum, &left);
  jobs = {};
  spawn(send_numbers, std::move(to_workers), n);
  co_await left.wait();
  m->stop();
  co_return outcome{sum.load()};
}

task<outcome> counter(number n, meter* m) {
  constexpr int clients = 1'000;
  auto [in, out] = make_mailbox<number>(bounded(1024));
  m->start();
  for (int i = 0; i < clients; ++i) spawn(send_ones, out, n / clients);
  out = {};
  const auto sum = co_await sum_of(std::move(in));
  m->stop();
  co_return outcome{sum};
}

task<outcome> select_of_four(number n, meter* m) {
  std::array<mailbox<number>, 4> in;
  std::array<address<number>, 4> out; // kept here, so that no mailbox closes before the count is full
  for (std::size_t i = 0; i < in.size(); ++i) {
    in[i] = mailbox<number>(bounded(128));
    out[i] = in[i].address();
  }
  m->start();
  for (auto& to_me : out) spawn(send_numbers, to_me, n / 4);
  number sum = 0;
  for (number i = 0; i < n; ++i) {
    auto got = co_await select(in[0].receive(), in[1].receive(), in[2].receive(), in[3].receive());
    switch (got.index()) {
    case 0: sum += *got.get<0>(); break;
    case 1: sum += *got.get<1>(); break;
    case 2: sum += *got.get<2>(); break;
    default: sum += *got.get<3>(); break;
    }
  }
  m->stop();
  co_return outcome{sum};
}

} // namespace greenroom::bench
