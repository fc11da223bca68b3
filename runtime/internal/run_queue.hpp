// What a worker has to run: actors and CAF's jobs, first in first out for the woken, last in first out for the newly spawned.
// A tree of spawns is thus walked depth first and holds few actors at once, while everything that was begun keeps its turn.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

namespace greenroom::internal {

/// An actor, or a job of CAF's. Zero: none.
class job {
public:
  job() noexcept = default;
  explicit job(detail::actor_cell& cell) noexcept : bits_(reinterpret_cast<std::uintptr_t>(&cell)) {}
  static job foreign(void* p) noexcept { return job(reinterpret_cast<std::uintptr_t>(p) | 1U); }
  explicit operator bool() const noexcept { return bits_ != 0; }
  bool is_foreign() const noexcept { return (bits_ & 1U) != 0; }
  detail::actor_cell& cell() const noexcept { return *reinterpret_cast<detail::actor_cell*>(bits_); }
  std::uintptr_t bits() const noexcept { return bits_; }
  explicit job(std::uintptr_t bits) noexcept : bits_(bits) {}
  void* foreign_job() const noexcept { return reinterpret_cast<void*>(bits_ & ~std::uintptr_t{1}); }

private:
  std::uintptr_t bits_ = 0;
};

/// A ring that keeps its storage: run queues fill and empty all the time.
class job_ring {
public:
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }
  void push_back(job j) {
    if (count_ == jobs_.size()) grow();
    jobs_[(head_ + count_++) & (jobs_.size() - 1)] = j;
  }
  job pop_front() noexcept {
    const job j = jobs_[head_];
    head_ = (head_ + 1) & (jobs_.size() - 1);
    --count_;
    return j;
  }
  job pop_back() noexcept { return jobs_[(head_ + --count_) & (jobs_.size() - 1)]; }

private:
  void grow() {
    std::vector<job> bigger(jobs_.empty() ? 64 : jobs_.size() * 2);
    for (std::size_t i = 0; i < count_; ++i) bigger[i] = jobs_[(head_ + i) & (jobs_.size() - 1)];
    jobs_.swap(bigger);
    head_ = 0;
  }
  std::vector<job> jobs_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

class run_queue {
public:
  /// Counts the jobs; a hint for all but the owner.
  std::size_t size_approx() const noexcept { return size_.load(std::memory_order_relaxed); }

  void push_woken(job j) {
    std::lock_guard guard(lock_);
    woken_.push_back(j);
    note();
  }
  void push_spawned(job j) {
    std::lock_guard guard(lock_);
    spawned_.push_back(j);
    note();
  }
  /// Takes the oldest woken job, else the newest spawned one; with `oldest` the oldest spawned one first.
  job pop(bool oldest) noexcept {
    std::lock_guard guard(lock_);
    job j;
    if (!spawned_.empty() && (oldest || woken_.empty())) {
      j = oldest ? spawned_.pop_front() : spawned_.pop_back();
    } else if (!woken_.empty()) {
      j = woken_.pop_front();
    }
    note();
    return j;
  }
  /// Moves half of each kind, oldest first and 128 at most, to `thief`; false if there was nothing.
  bool steal_half(run_queue& thief) {
    job got[128];
    std::size_t woken = 0;
    std::size_t all = 0;
    {
      std::lock_guard guard(lock_);
      for (auto n = (woken_.size() + 1) / 2; woken < n && woken < 64; ++woken) got[all++] = woken_.pop_front();
      for (auto n = (spawned_.size() + 1) / 2; n > 0 && all < 128; --n) got[all++] = spawned_.pop_front();
      note();
    }
    if (all == 0) return false;
    std::lock_guard guard(thief.lock_);
    for (std::size_t i = 0; i < all; ++i) (i < woken ? thief.woken_ : thief.spawned_).push_back(got[i]);
    thief.note();
    return true;
  }

private:
  void note() noexcept { size_.store(woken_.size() + spawned_.size(), std::memory_order_relaxed); }

  detail::spin_lock lock_;
  std::atomic<std::size_t> size_{0}; // written under lock_
  job_ring woken_;                   // guarded by lock_, as is spawned_
  job_ring spawned_;
};

} // namespace greenroom::internal
