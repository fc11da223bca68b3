// A memory fence on behalf of all threads of the process, so that a thread which does something often needs none of its own.
// Thread safety: any thread.
// Source: membarrier(2); Dice, Huang and Yang, "Asymmetric Dekker Synchronization", 2001.
#pragma once

#include <atomic>

namespace greenroom::internal {

/// Has every thread of the process that runs pass a full fence. Does nothing where the kernel cannot, see has_process_fence().
/// Order: of a store before light_fence() in one thread and a store before process_fence() in another, at least one is seen by the
/// load that follows the other's fence.
/// Cost: a system call of a microsecond, and an interrupt of each other thread of the process that runs.
void process_fence() noexcept;

/// Returns whether process_fence() works. Cost: the first call in a process registers it, which can take some milliseconds.
bool has_process_fence() noexcept;

/// The side that is often: keeps the compiler from moving a load before a store, and costs nothing.
inline void light_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

} // namespace greenroom::internal
