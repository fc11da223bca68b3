// The actors of a system that have not ended: counted, and listed for whoever looks at all of them. There is a list for each worker,
// and one for all other threads, so that spawning shares no lock. Many an actor ends on another worker than the one that spawned it:
// that one counts it, and takes it out of its list later, together with others.
// Thread safety: any thread; `here` is the caller's own number, from place().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

namespace greenroom::internal {

class live_actors {
public:
  explicit live_actors(std::size_t workers);

  /// Returns the number of a worker, by its index; 0 is for all threads that have none of their own.
  static std::size_t place(std::size_t worker) noexcept { return worker + 1 < most_lists ? worker + 1 : 0; }

  /// Lists and counts an actor before its first turn; false, and it is not, once closed.
  bool add(detail::actor_cell& cell, std::size_t here) noexcept;
  /// Marks the actor finished. Who sees that does not count it any more, and who counts none after close() sees each of them finished.
  /// Waits until nobody looks at all actors.
  void end(detail::actor_cell& cell, std::size_t here) noexcept;
  /// Gives up the reference of an actor to itself, after end(); now, or before long.
  void let_go(detail::actor_cell& cell, std::size_t here) noexcept;
  /// Gives up what let_go() has put off. For each worker, before it rests, and every now and then.
  void let_go_all(std::size_t here) noexcept {
    if (lists_[here].left_count != 0) unlink_left(lists_[here]);
  }

  /// Has add() refuse, from now on for ever.
  void close() noexcept { closed_.store(true, std::memory_order_seq_cst); }
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

  /// Counts those that have not ended. Cost: holds all lists for a moment.
  std::size_t count() const noexcept;
  /// Counts those that were ever added.
  std::uint64_t added() const noexcept;
  /// Shows each actor that has not ended, at one moment. Cost: holds off all spawns and ends meanwhile.
  void for_each(const std::function<void(detail::actor_cell&)>& look) const;

private:
  static constexpr std::size_t most_lists = detail::actor_cell::no_list;
  static constexpr std::size_t most_left = 32;

  struct list {
    alignas(64) mutable detail::eager_spin_lock lock;
    // Guarded by lock.
    detail::actor_cell* first = nullptr; // may hold some that have ended
    std::uint64_t added = 0;
    std::uint64_t ended = 0; // here, of whichever list

    // Owned by the worker of this number; the list 0 has none.
    alignas(64) std::size_t left_count = 0;
    std::array<detail::actor_cell*, most_left> left{}; // ended, but still in lists of others
  };

  class all_locked;

  static void unlink(list& from, detail::actor_cell& cell) noexcept;
  void unlink_left(list& mine) noexcept;

  std::vector<list> lists_; // constant size
  std::atomic<bool> closed_{false};
};

} // namespace greenroom::internal
