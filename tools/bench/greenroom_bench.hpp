// The workloads of greenroom_bench and of `greenroom bench`, one coroutine each; the bodies stand in greenroom_bench_*.cpp by theme.
// Thread safety and lifetime: each runs once, as an actor of a system of its own.
#pragma once

#include <cstdint>
#include <span>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/tools/bench/measure.hpp>

namespace greenroom::bench {

/// All of them, as a table.
std::span<const workload<actor_system>> workloads();

/// Runs one with as many items and threads as the arguments say, in a system of its own, which has ended when this returns.
measured run_workload(const workload<actor_system>& which, const arguments& args);

// Actors that come, wait and go.
task<outcome> spawn_and_end(std::int64_t n, meter* m);
task<outcome> idle_memory(std::int64_t n, meter* m);
task<outcome> skynet(std::int64_t n, meter* m);
task<outcome> spawn_with_identity(std::int64_t n, meter* m);

// Messages.
task<outcome> pingpong(std::int64_t n, meter* m);
task<outcome> pingpong_queued(std::int64_t n, meter* m);
task<outcome> ring(std::int64_t n, meter* m);
task<outcome> fanin(std::int64_t n, meter* m);
task<outcome> fanin_unbounded(std::int64_t n, meter* m);
task<outcome> pool(std::int64_t n, meter* m);
task<outcome> pool_atomic(std::int64_t n, meter* m);
task<outcome> counter(std::int64_t n, meter* m);
task<outcome> select_of_four(std::int64_t n, meter* m);

// Deadlines.
task<outcome> timers(std::int64_t n, meter* m);
task<outcome> timed_pingpong(std::int64_t n, meter* m);
task<outcome> rpc(std::int64_t n, meter* m);
task<outcome> rpc64(std::int64_t n, meter* m);

} // namespace greenroom::bench
