// A one-byte lock for critical sections of a few instructions: queue ends, free lists, wait lists.
// Use std::mutex where the holder may allocate much, call user code or enter the kernel regularly.
// Thread safety: any thread; not recursive.
// Lifetime: must not be destroyed while held or waited for.
#pragma once

#include <atomic>
#include <cstdint>

#include <sched.h>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Counts the pauses that this thread has spent before held locks: what it loses by sharing. Its worker reads it and sets it back.
/// Units: pauses, of some 20 ns.
inline GREENROOM_EXPORT thread_local constinit std::uint32_t pauses_before_locks
    __attribute__((tls_model("initial-exec"))) = 0;

/// Tells the processor that the caller polls a memory location.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Mutual exclusion by spinning; fits std::lock_guard and std::unique_lock. Unfair.
/// Waits: blocks the thread, with `FirstPauses` pauses until the first poll, and twice as many until each next one up to
/// `MostPauses`. After some 20 us it yields to the operating system, as the holder may be preempted.
template <int FirstPauses, int MostPauses>
class basic_spin_lock {
public:
  basic_spin_lock() noexcept = default;
  basic_spin_lock(const basic_spin_lock&) = delete;
  basic_spin_lock& operator=(const basic_spin_lock&) = delete;

  // Proof of the orders: an exchange that reads false reads the release store of the last unlock()
  // (or the initial value), so with acquire everything done under the lock before happens before
  // everything done under it now. The relaxed load only decides when to try again.
  void lock() noexcept {
    while (held_.exchange(true, std::memory_order_acquire)) wait();
  }

  bool try_lock() noexcept {
    return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire);
  }

  void unlock() noexcept { held_.store(false, std::memory_order_release); }

private:
  // Out of line: keeps lock() to one exchange and one branch where it is inlined.
  [[gnu::noinline]] void wait() const noexcept {
    constexpr int patience = 1000; // pauses of some 20 ns; a section takes about as long as one of them
    int pauses = FirstPauses;
    for (int paused = 0;; paused += pauses) {
      if (paused >= patience) ::sched_yield();
      for (int i = 0; i < pauses; ++i) cpu_pause();
      pauses_before_locks += static_cast<std::uint32_t>(pauses);
      if (!held_.load(std::memory_order_relaxed)) return;
      pauses = 2 * pauses < MostPauses ? 2 * pauses : MostPauses;
    }
  }

  std::atomic<bool> held_{false};
};

/// For what both sides come back to at once, such as the queue of a mailbox: who waits stays away for long, so that what the lock
/// guards travels to another core once for many sections of each side. Two cores that send through one mailbox take half the
/// time that they take with a poll after each pause (tools/bench/compare fanin pool counter).
using spin_lock = basic_spin_lock<32, 256>;

/// For what another thread comes to now and then: who waits has it as soon as may be. (With a spin_lock in its place tools/bench/compare
/// spawn takes half as long again.)
using eager_spin_lock = basic_spin_lock<1, 1>;

static_assert(sizeof(spin_lock) == 1);

} // namespace greenroom::detail
