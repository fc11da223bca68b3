// A pool: so many jobs at once, from one queue; and a counter that an actor owns.
#include <iostream>
#include <string>

#include <greenroom/actors/counter.hpp>
#include <greenroom/actors/worker_pool.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<result<int>> square(int n) {
  co_await sleep_for(1ms); // asks a database, say
  if (n == 13) co_return error(errc::invalid_argument, "thirteen");
  co_return n* n;
}

task<> program() {
  auto& sys = this_actor::system();
  auto [results, to_results] = make_mailbox<int>(bounded(4));
  worker_pool<int, int> pool(sys, {.workers = 3, .queue = bounded(8), .results = std::move(to_results)}, square);

  const auto one = co_await pool.run(12, 1s); // one job, and its own result
  std::cout << "12 gives " << *one << '\n';
  const auto bad = co_await pool.run(13, 1s);
  std::cout << "13 gives: " << bad.error().message() << '\n';

  for (int n = 1; n <= 4; ++n) (void)co_await pool.submit(n); // waits while 8 are queued
  counter sum(sys);
  for (int i = 0; i < 4; ++i) {
    const auto got = co_await results.receive();
    (void)co_await sum.add(*got);
  }
  const auto total = co_await sum.read(1s);
  const auto finished = co_await pool.drain(5s);
  const auto stats = pool.stats();
  std::cout << "sum " << *total << "; done " << stats.done << ", failed " << stats.failed << ", drained "
            << finished.has_value() << '\n';
}

int main() {
  actor_system sys;
  return sys.run(program) ? 0 : 1;
}
