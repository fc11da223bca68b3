// Workloads about actors themselves: how long they take to make, and how much memory they hold.
#include <greenroom/tools/bench/greenroom_bench.hpp>

#include <utility>
#include <vector>

#include <greenroom/runtime/spawn.hpp>
#include <greenroom/tools/bench/countdown.hpp>

namespace greenroom::bench {
namespace {

task<> count_one(countdown* left) {
  left->count_one();
  co_return;
}

/// What the idle actors count on; not their arguments, which would be measured with them.
struct {
  countdown* waiting;
  countdown* ended;
} idle_run;

task<> wait_for_item(mailbox<int> in) {
  idle_run.waiting->count_one();
  // The item has a name because of g++ 12: it miscompiles a coroutine that awaits in a condition and has no local variable.
  while (const auto item = co_await in.receive()) {}
  idle_run.ended->count_one();
}

task<> skynet_node(address<std::int64_t> out, std::int64_t first, std::int64_t leaves) {
  if (leaves == 1) {
    (void)co_await out.send(first);
    co_return;
  }
  auto [in, to_me] = make_mailbox<std::int64_t>(bounded(10));
  const auto part = leaves / 10;
  for (int child = 0; child < 10; ++child) spawn(skynet_node, to_me, first + child * part, part);
  std::int64_t sum = 0;
  for (int child = 0; child < 10; ++child) {
    const auto value = co_await in.receive();
    sum += *value;
  }
  (void)co_await out.send(sum);
}

} // namespace

task<outcome> spawn_and_end(std::int64_t n, meter* m) {
  countdown left(n);
  m->start();
  for (std::int64_t i = 0; i < n; ++i) spawn(count_one, &left);
  co_await left.wait();
  m->stop();
  co_return outcome{n - left.left()};
}

task<outcome> idle_memory(std::int64_t n, meter* m) {
  std::vector<address<int>> addresses(static_cast<std::size_t>(n)); // its memory is touched before the first look
  countdown waiting(n);
  countdown ended(n);
  idle_run = {&waiting, &ended};
  const auto before = resident_bytes();
  m->start();
  for (auto& to_actor : addresses) {
    auto [in, out] = make_mailbox<int>(bounded(16));
    spawn({.name = "idle"}, wait_for_item, std::move(in));
    to_actor = std::move(out);
  }
  co_await waiting.wait();
  m->stop();
  const auto grown = resident_bytes() - before;
  addresses.clear(); // closes every mailbox
  co_await ended.wait();
  co_return outcome{n - ended.left(), grown / static_cast<double>(n)};
}

task<outcome> skynet(std::int64_t n, meter* m) {
  auto [in, out] = make_mailbox<std::int64_t>(bounded(1));
  m->start();
  spawn(skynet_node, out, std::int64_t{0}, n);
  const auto sum = co_await in.receive();
  m->stop();
  co_return outcome{*sum};
}

} // namespace greenroom::bench
