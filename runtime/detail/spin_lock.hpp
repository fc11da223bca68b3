// A one-byte lock for critical sections of a few instructions: queue ends, free lists, wait lists.
// Use std::mutex where the holder may allocate much, call user code or enter the kernel regularly.
// Thread safety: any thread; not recursive.
// Lifetime: must not be destroyed while held or waited for.
#pragma once

#include <atomic>
#include <thread>

namespace greenroom::detail {

/// Tells the processor that the caller polls a memory location.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Mutual exclusion by spinning; fits std::lock_guard and std::unique_lock. Unfair.
/// Waits: blocks the thread. After some 100 polls it yields to the operating system, as the holder
/// may be preempted.
class spin_lock {
public:
  spin_lock() noexcept = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;

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
    for (int polls = 0; held_.load(std::memory_order_relaxed); ++polls) {
      if (polls < 100) {
        cpu_pause();
      } else {
        std::this_thread::yield();
        polls = 100;
      }
    }
  }

  std::atomic<bool> held_{false};
};

static_assert(sizeof(spin_lock) == 1);

} // namespace greenroom::detail
