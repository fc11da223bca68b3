#include <atomic>
#include <chrono>
#include <thread>

#include <greenroom/tools/bench/greenroom_bench.hpp>

namespace greenroom::bench {
namespace {

// The check values of right runs.
std::int64_t all(std::int64_t n) { return n; }
std::int64_t none(std::int64_t) { return 0; }
std::int64_t sum_below(std::int64_t n) { return n * (n - 1) / 2; }
template <std::int64_t Senders>
std::int64_t of_senders(std::int64_t n) {
  return Senders * sum_below(n / Senders);
}
template <std::int64_t Clients>
std::int64_t of_calls(std::int64_t n) {
  const auto calls = n / Clients;
  return Clients * (sum_below(calls + 1) + calls);
}
std::int64_t of_pool(std::int64_t n) {
  std::int64_t sum = 0;
  for (std::int64_t job = 0; job < n; ++job) sum += small_work(job);
  return sum;
}

template <task<outcome> (*Body)(std::int64_t, meter*)>
outcome as_actor(actor_system& system, std::int64_t n, meter& m) {
  return system.run(Body, n, &m).value();
}

/// What a system without work costs: n milliseconds of it.
outcome idle(actor_system& system, std::int64_t n, meter& m) {
  std::this_thread::sleep_for(std::chrono::milliseconds(100)); // the workers have come to rest
  m.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(n));
  m.stop();
  return {static_cast<std::int64_t>(system.live_actors())};
}

/// What the machine does between two threads, without any actor: rows on two threads follow it. In a virtual machine it can change from
/// one minute to the next, as the host places the processors.
outcome cache_line(actor_system&, std::int64_t n, meter& m) {
  alignas(64) std::atomic<std::int64_t> line = 0;
  const auto wait_for = [&line](std::int64_t value) {
    for (int polls = 1; line.load(std::memory_order_acquire) != value; ++polls) {
      if (polls % 10'000 == 0) std::this_thread::yield(); // there may be one processor only
    }
  };
  std::thread other([n, &line, &wait_for] {
    for (std::int64_t i = 1; i <= n; ++i) {
      wait_for(2 * i - 1);
      line.store(2 * i, std::memory_order_release);
    }
  });
  m.start();
  for (std::int64_t i = 1; i <= n; ++i) {
    line.store(2 * i - 1, std::memory_order_release);
    wait_for(2 * i);
  }
  m.stop();
  other.join();
  return {line.load() / 2};
}

constexpr workload<actor_system> table[] = {
    {"spawn", 1'000'000, 1, as_actor<spawn_and_end>, "a task is spawned by one parent, counts itself and ends", all},
    {"spawn_identity", 1'000'000, 1, as_actor<spawn_with_identity>, "the same, and CAF's handle of each is made", all},
    {"idle_mem", 1'000'000, 1, as_actor<idle_memory>, "a task is spawned and waits for a message of its own queue",
     all},
    {"pingpong", 2'000'000, 2, as_actor<pingpong>, "a hand-over between two tasks, without a queue", all},
    {"pingpong_cap1", 2'000'000, 2, as_actor<pingpong_queued>, "the same through queues of one", all},
    {"ring", 5'000'000, 1, as_actor<ring>, "a hop of one token through 10,000 tasks", all},
    {"fanin", 5'000'000, 8, as_actor<fanin>, "a message of 8 senders to one receiver, queue of 1024", of_senders<8>},
    {"fanin_unbounded", 5'000'000, 8, as_actor<fanin_unbounded>, "the same with an unbounded queue", of_senders<8>},
    {"pool", 2'000'000, 1, as_actor<pool>, "a job pulled by 8 workers from a queue of 1024, its result through another",
     of_pool},
    {"pool_atomic", 2'000'000, 1, as_actor<pool_atomic>, "the same, results added to an atomic", of_pool},
    {"counter", 1'000'000, 1'000, as_actor<counter>, "an add of one of 1,000 clients to a sum that one task owns", all},
    {"select", 2'000'000, 4, as_actor<select_of_four>, "a message from whichever of 4 queues of 128 has one",
     of_senders<4>},
    {"timers", 1'000'000, 1, as_actor<timers>, "a deadline of 1 h made and taken back, all pending at once", all},
    {"timers_sleep", 2'000'000, 2, as_actor<timed_pingpong>, "pingpong in which each wait has a limit of 1 h", all},
    {"rpc", 500'000, 1, as_actor<rpc>, "a call with a limit of 1 s, one client", of_calls<1>},
    {"rpc64", 500'000, 64, as_actor<rpc64>, "the same with 64 clients", of_calls<64>},
    {"skynet", 1'000'000, 0, as_actor<skynet>, "a leaf of a tree of ten-way spawns, sums sent up", sum_below},
    {"idle", 3'000, 1, idle, "a millisecond without work", none},
    {"cache_line", 1'000'000, 1, cache_line, "a cache line goes to another processor and back, without actors", all},
};

} // namespace

std::span<const workload<actor_system>> workloads() { return table; }

measured run_workload(const workload<actor_system>& which, const arguments& args) {
  meter m;
  outcome found;
  {
    actor_system system(options{.workers = args.threads});
    found = which.run(system, args.n, m);
  }
  return result_of(m, found); // after the end of the system: a fault there is a fault of the bench
}

} // namespace greenroom::bench
