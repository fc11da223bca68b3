// A number of permits, handed out strictly in the order of asking: what mutex, shared_mutex and semaphore are made of. A mutex
// has one; a readers-writer lock has many, of which a reader takes one and a writer all.
// Thread safety: any thread; one spin lock guards all. Lifetime: outlives every wait for it and everything held of it.
#pragma once

#include <cassert>
#include <cstdint>
#include <mutex>
#include <utility>

#include <greenroom/runtime/detail/end_word.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/detail/wake_list.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::detail {

struct permit_waiter : waiter {
  explicit permit_waiter(std::int64_t count) noexcept : want(count) {}
  std::int64_t want;
  bool granted = false; // written under the lock, by the claimer or the waiter itself
};

class permits {
public:
  explicit permits(std::int64_t capacity) noexcept : capacity_(capacity), free_(capacity) {}
  permits(const permits&) = delete;
  permits& operator=(const permits&) = delete;
  ~permits() {
    assert(waiting_.empty() && "a lock or semaphore was destroyed while an actor waits for it");
    assert(free_ == capacity_ && "a lock or semaphore was destroyed while it is held");
  }

  spin_lock& lock() noexcept { return lock_; }
  wait_queue& queue() noexcept { return waiting_; }
  std::int64_t capacity() const noexcept { return capacity_; }
  std::int64_t available() noexcept {
    std::lock_guard guard(lock_);
    return free_;
  }

  /// Returns how many are in somebody's hands, for reports. Requires: the lock is held.
  std::int64_t held_locked() const noexcept { return capacity_ - free_; }

  /// Takes `want` permits unless somebody waits already: who comes later does not overtake.
  bool take_locked(std::int64_t want) noexcept {
    if (want > free_ || !waiting_.empty()) return false;
    free_ -= want;
    return true;
  }
  bool try_take(std::int64_t want) noexcept {
    std::lock_guard guard(lock_);
    return take_locked(want);
  }

  /// Frees `count` permits and hands over to those who wait, as far as the permits go. With 0: somebody has left the queue, and
  /// those behind may have waited for that only.
  void give_back(std::int64_t count) noexcept {
    wake_list woken;
    std::lock_guard guard(lock_);
    free_ += count;
    assert(free_ <= capacity_);
    while (auto* w = static_cast<permit_waiter*>(waiting_.front())) {
      if (w->want > free_) return;
      waiting_.unlink(*w);
      if (!w->cell->claim(w->index)) continue;
      free_ -= w->want;
      w->granted = true;
      woken.add(*w);
    }
  }

private:
  spin_lock lock_;
  const std::int64_t capacity_;
  std::int64_t free_;  // guarded by lock_, as is the following
  wait_queue waiting_; // the first wants more than is free, or is just leaving and then calls give_back()
};

/// Permits in somebody's hands, given back by the destructor.
class holding {
public:
  holding() noexcept = default;
  holding(permits& from, std::int64_t count) noexcept : from_(&from), sealed_count_(seal(count)) {}
  holding(holding&& other) noexcept : from_(std::move(other.from_)), sealed_count_(other.sealed_count_) {}
  holding& operator=(holding other) noexcept {
    from_.swap(other.from_);
    std::swap(sealed_count_, other.sealed_count_);
    return *this;
  }
  ~holding() { give_back(); }

  void give_back() noexcept {
    if (auto* const from = from_.take()) from->give_back(seal(sealed_count_));
  }
  permits* from() const noexcept { return from_; }
  std::int64_t count() const noexcept { return from_ == nullptr ? 0 : seal(sealed_count_); }

private:
  // In this order: a report reads the count behind the word.
  end_word<permits, end_kind::permit> from_;
  std::int64_t sealed_count_ = 0; // meaningless without from_
};

/// Waits for permits. Guard is made from a holding and names its wait_kind.
template <class Guard>
struct acquire_action : permit_waiter {
  static constexpr wait_kind kind = Guard::kind;
  acquire_action(permits& p, std::int64_t count) noexcept : permit_waiter(count), from(&p) {}
  acquire_action(acquire_action&& other) noexcept : permit_waiter(other), from(std::exchange(other.from, nullptr)) {}
  acquire_action& operator=(acquire_action&&) = delete;
  ~acquire_action() {
    if (cell != nullptr) leave(); // killed, perhaps with the grant in hand
  }

  spin_lock& queue_lock() noexcept { return from->lock(); }
  wait_queue& queue() noexcept { return from->queue(); }
  const void* place() const noexcept { return from; }
  bool try_locked(actor_cell*&) noexcept { return granted = from->take_locked(want); }
  Guard take(std::uint8_t) noexcept { return Guard(holding(*std::exchange(from, nullptr), want)); }

  /// Ends an await that gave no guard, and lets those behind it have what it was too early for. Requires: out of the queue.
  void leave() noexcept {
    if (from != nullptr) std::exchange(from, nullptr)->give_back(granted ? want : 0);
  }

  permits* from; // null once the guard is made
};

template <class Guard>
struct timed_acquire_action : acquire_action<Guard> {
  using acquire_action<Guard>::acquire_action;
  result<Guard> take(std::uint8_t outcome) noexcept {
    if (outcome != fired_timeout) return acquire_action<Guard>::take(outcome);
    this->leave();
    return errc::timed_out;
  }
};

template <class Guard>
auto acquire(permits& from, std::int64_t count) noexcept {
  return queued_op(acquire_action<Guard>(from, count));
}
template <class Guard>
auto acquire_until(permits& from, std::int64_t count, time_point deadline) noexcept {
  return queued_op(timed_acquire_action<Guard>(from, count), deadline);
}

} // namespace greenroom::detail
