// A place in a wait queue, and the queue: circular, intrusive, first in first out.
// Thread safety: both are guarded by the lock of whatever owns the queue (mailbox, lock, context, ...).
#pragma once

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
  bool empty() const noexcept { return head_ == nullptr; }
  waiter* front() const noexcept { return head_; }

  void push_back(waiter& w) noexcept {
    if (head_ == nullptr) {
      w.prev = w.next = &w;
      head_ = &w;
      return;
    }
    w.next = head_;
    w.prev = head_->prev;
    w.prev->next = &w;
    head_->prev = &w;
  }

  void unlink(waiter& w) noexcept {
    if (w.next == &w) {
      head_ = nullptr;
    } else {
      w.prev->next = w.next;
      w.next->prev = w.prev;
      if (head_ == &w) head_ = w.next;
    }
    w.prev = w.next = nullptr;
  }

  /// Counts the waiters whose wait is still open, up to `most`. Cost: visits each.
  std::uint32_t count_open(std::uint32_t most) const noexcept {
    std::uint32_t n = 0;
    const waiter* w = head_;
    for (std::uint32_t i = 0; w != nullptr && i < most; ++i) {
      if ((w->cell->word.load(std::memory_order_relaxed) & actor_cell::armed) != 0) ++n;
      w = w->next == head_ ? nullptr : w->next;
    }
    return n;
  }

  /// Unlinks and claims the first waiter whose wait is still open, with its own case as the outcome; null if there is none.
  /// Waiters that a time-out or a cancellation has claimed are dropped from the queue on the way.
  waiter* claim_front() noexcept {
    while (head_ != nullptr) {
      waiter* const w = head_;
      unlink(*w);
      if (w->cell->claim(w->index)) return w;
    }
    return nullptr;
  }

private:
  waiter* head_ = nullptr;
};

} // namespace greenroom::detail
