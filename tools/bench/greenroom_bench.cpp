// greenroom_bench NAME [--threads N] [--n N]: runs one workload and prints one JSON line.
// tools/bench/compare runs them all beside the same in other languages and says what an item of each is (--items).
#include <greenroom/tools/bench/greenroom_bench.hpp>

#include <chrono>
#include <exception>
#include <thread>

#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::bench {
namespace {

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

constexpr workload<actor_system> workloads[] = {
    {"spawn", 1'000'000, 1, as_actor<spawn_and_end>},
    {"spawn_identity", 1'000'000, 1, as_actor<spawn_with_identity>},
    {"idle_mem", 1'000'000, 1, as_actor<idle_memory>},
    {"pingpong", 2'000'000, 2, as_actor<pingpong>},
    {"pingpong_cap1", 2'000'000, 2, as_actor<pingpong_queued>},
    {"ring", 5'000'000, 1, as_actor<ring>},
    {"fanin", 5'000'000, 8, as_actor<fanin>},
    {"fanin_unbounded", 5'000'000, 8, as_actor<fanin_unbounded>},
    {"pool", 2'000'000, 1, as_actor<pool>},
    {"pool_atomic", 2'000'000, 1, as_actor<pool_atomic>},
    {"counter", 1'000'000, 1'000, as_actor<counter>},
    {"select", 2'000'000, 4, as_actor<select_of_four>},
    {"timers", 1'000'000, 1, as_actor<timers>},
    {"timers_sleep", 2'000'000, 2, as_actor<timed_pingpong>},
    {"rpc", 500'000, 1, as_actor<rpc>},
    {"rpc64", 500'000, 64, as_actor<rpc64>},
    {"skynet", 1'000'000, 0, as_actor<skynet>},
    {"idle", 3'000, 1, idle},
};

int run(int argc, char** argv) {
  const std::span<const workload<actor_system>> all = workloads;
  auto args = parse(argc, argv);
  const auto* chosen = args ? choose(all, *args) : nullptr;
  if (chosen == nullptr) return print_usage("greenroom_bench", all);
  meter m;
  outcome found;
  {
    actor_system system(options{.workers = args->threads});
    found = chosen->run(system, args->n, m);
  }
  print_line(*args, "greenroom", m, found); // after the end of the system: a fault there is a fault of the bench
  return 0;
}

} // namespace
} // namespace greenroom::bench

int main(int argc, char** argv) {
  try {
    return greenroom::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "greenroom_bench: %s\n", e.what());
    return 1;
  }
}
