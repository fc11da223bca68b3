// What a worker has to run: actors and CAF's jobs, first in first out for the woken, last in first out for the newly spawned,
// and behind them those that let others go first. A tree of spawns is thus walked depth first and holds few actors at once,
// while everything that was begun keeps its turn.
// Thread safety: submit(), steal_half() and the counts are for any thread, the rest for the owner.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
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
  /// With `shared` other workers may take from it. The owner of one that is not needs no lock (two read-modify-writes for each actor
  /// that is spawned, four for a request to a server).
  explicit run_queue(bool shared) noexcept : shared_(shared) {}

  /// Counts the jobs; a hint for all but the owner.
  std::size_t size_approx() const noexcept {
    return size_.load(std::memory_order_relaxed) + submitted_size_.load(std::memory_order_relaxed);
  }
  /// Counts those of them that were spawned and have not run yet.
  std::size_t spawned_approx() const noexcept { return new_.load(std::memory_order_relaxed); }

  /// Takes a job from another thread, as one that was woken.
  void submit(job j) {
    if (shared_) return push_woken(j);
    std::lock_guard guard(lock_);
    submitted_.push_back(j);
    submitted_size_.store(submitted_.size(), std::memory_order_relaxed);
  }

  void push_woken(job j) { push(woken_, j); }
  void push_spawned(job j) { push(spawned_, j); }
  void push_last(job j) { push(last_, j); }
  /// Takes the oldest woken job, else the newest spawned one, else the oldest of the last. With `fair` those that would come later
  /// go first: the oldest of the spawned and of the last in turns.
  job pop(bool fair) noexcept {
    if (submitted_size_.load(std::memory_order_relaxed) != 0) {
      if (const job j = pop_submitted()) return j;
    }
    const auto guard = lock_if_shared();
    const job j = take(fair);
    note();
    return j;
  }
  /// Moves half of each kind, oldest first and 64 at most, to `thief`; false if there was nothing.
  bool steal_half(run_queue& thief) {
    job got[3][64];
    std::size_t count[3] = {};
    {
      std::lock_guard guard(lock_);
      for (std::size_t kind = 0; kind < 3; ++kind) {
        auto& from = of_kind(kind);
        auto n = std::min<std::size_t>((from.size() + 1) / 2, std::size(got[kind]));
        for (; n > 0; --n) got[kind][count[kind]++] = from.pop_front();
      }
      note();
    }
    if (count[0] + count[1] + count[2] == 0) return false;
    std::lock_guard guard(thief.lock_);
    for (std::size_t kind = 0; kind < 3; ++kind) {
      for (std::size_t i = 0; i < count[kind]; ++i) thief.of_kind(kind).push_back(got[kind][i]);
    }
    thief.note();
    return true;
  }

private:
  std::unique_lock<detail::eager_spin_lock> lock_if_shared() noexcept {
    return shared_ ? std::unique_lock(lock_) : std::unique_lock<detail::eager_spin_lock>();
  }
  void push(job_ring& to, job j) {
    const auto guard = lock_if_shared();
    to.push_back(j);
    note();
  }
  /// Takes a submitted job, in turns with the woken ones.
  [[gnu::noinline]] job pop_submitted() noexcept {
    submitted_first_ = !submitted_first_;
    if (!submitted_first_ && !woken_.empty()) return {};
    std::lock_guard guard(lock_);
    const job j = submitted_.pop_front();
    submitted_size_.store(submitted_.size(), std::memory_order_relaxed);
    return j;
  }
  job take(bool fair) noexcept {
    if (fair) {
      last_first_ = !last_first_;
      auto& first = last_first_ ? last_ : spawned_;
      auto& second = last_first_ ? spawned_ : last_;
      if (!first.empty()) return first.pop_front();
      if (!second.empty()) return second.pop_front();
    }
    if (!woken_.empty()) return woken_.pop_front();
    if (!spawned_.empty()) return spawned_.pop_back();
    return last_.empty() ? job() : last_.pop_front();
  }
  job_ring& of_kind(std::size_t kind) noexcept { return kind == 0 ? woken_ : kind == 1 ? spawned_ : last_; }
  void note() noexcept {
    new_.store(spawned_.size(), std::memory_order_relaxed);
    size_.store(woken_.size() + spawned_.size() + last_.size(), std::memory_order_relaxed);
  }

  const bool shared_;
  detail::eager_spin_lock lock_;
  std::atomic<std::size_t> size_{0};           // of the next three; written by who may change them
  std::atomic<std::size_t> new_{0};            // the same, of the spawned
  std::atomic<std::size_t> submitted_size_{0}; // written under lock_
  // Guarded by lock_ if the queue is shared, else the owner's.
  job_ring woken_;
  job_ring spawned_;
  job_ring last_; // let others go first
  bool last_first_ = false;
  bool submitted_first_ = false; // the owner's
  job_ring submitted_;           // guarded by lock_; empty in a shared queue
};

} // namespace greenroom::internal
