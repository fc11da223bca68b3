// A place in a wait queue, and the queue: circular, intrusive, first in first out.
// Thread safety: both are guarded by the lock of whatever owns the queue (mailbox, lock, context, ...), but for looks_empty().
#pragma once

#include <atomic>
#include <cstdint>

#include <greenroom/runtime/detail/actor_cell.hpp>

namespace greenroom::detail {

struct waiter {
  waiter() noexcept = default;
  // Operations are moved before they begin, never after: there is nothing to take over. (A copy of fields just written byte by
  // byte costs a store-forwarding stall of 5 ns each; measured on fan-in.)
  waiter(const waiter&) noexcept {}
  waiter& operator=(const waiter&) = delete;

  waiter* prev = nullptr;
  waiter* next = nullptr; // null when in no queue
  actor_cell* cell = nullptr;
  std::uint8_t index = 0; // the case that wins when this waiter is served

  bool linked() const noexcept { return next != nullptr; }
};

class wait_queue {
public:
  wait_queue() noexcept = default;
  wait_queue(wait_queue&& other) noexcept : head_(other.front()) { other.set_front(nullptr); }
  wait_queue& operator=(const wait_queue&) = delete;

  bool empty() const noexcept { return front() == nullptr; }
  /// The same, as a hint. Thread safety: any thread.
  bool looks_empty() const noexcept { return front() == nullptr; }
  waiter* front() const noexcept { return head_.load(std::memory_order_relaxed); }

  void push_back(waiter& w) noexcept {
    auto* const first = front();
    if (first == nullptr) {
      w.prev = w.next = &w;
      set_front(&w);
      return;
    }
    w.next = first;
    w.prev = first->prev;
    w.prev->next = &w;
    first->prev = &w;
  }

  void unlink(waiter& w) noexcept {
    if (w.next == &w) {
      set_front(nullptr);
    } else {
      w.prev->next = w.next;
      w.next->prev = w.prev;
      if (front() == &w) set_front(w.next);
    }
    w.prev = w.next = nullptr;
  }

  /// Counts the waiters whose wait is still open, up to `most`. Cost: visits each.
  std::uint32_t count_open(std::uint32_t most) const noexcept {
    std::uint32_t n = 0;
    const waiter* w = front();
    for (std::uint32_t i = 0; w != nullptr && i < most; ++i) {
      if ((w->cell->word.load(std::memory_order_relaxed) & actor_cell::armed) != 0) ++n;
      w = w->next == front() ? nullptr : w->next;
    }
    return n;
  }

  /// Unlinks and claims the first waiter whose wait is still open, with its own case as the outcome; null if there is none.
  /// Waiters that a time-out or a cancellation has claimed are dropped from the queue on the way.
  waiter* claim_front() noexcept {
    while (waiter* const w = front()) {
      unlink(*w);
      if (w->cell->claim(w->index)) return w;
    }
    return nullptr;
  }

private:
  // Relaxed: only a hint is read without the lock, and from it nothing else follows.
  void set_front(waiter* w) noexcept { head_.store(w, std::memory_order_relaxed); }

  std::atomic<waiter*> head_{nullptr};
};

} // namespace greenroom::detail
