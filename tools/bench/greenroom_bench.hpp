// The workloads of greenroom_bench, one coroutine each; the bodies stand in greenroom_bench_*.cpp by theme. What one item of
// each is says tools/bench/compare --items.
// Thread safety and lifetime: each runs once, as an actor of a system of its own.
#pragma once

#include <cstdint>

#include <greenroom/runtime/task.hpp>
#include <greenroom/tools/bench/measure.hpp>

namespace greenroom::bench {

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
