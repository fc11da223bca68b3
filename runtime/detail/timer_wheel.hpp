// A hierarchical timing wheel: many timers of which most are cancelled, as time-outs are.
// 8 levels of 64 slots; a tick is 2^16 ns (65.5 us), so the levels cover every steady_clock time
// and nothing overflows.
// Thread safety: none; the caller holds the lock that guards the wheel and its nodes.
// Lifetime: a node belongs to the wheel from arm() until cancel() or until advance() hands it out;
// until then it must neither move nor be destroyed. The wheel owns no node and allocates nothing.
// Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// One timer; derive from it or embed it. Only the wheel writes prev, next and due.
struct timer_node {
  timer_node* prev = nullptr; // both links are null while not armed
  timer_node* next = nullptr;
  std::uint64_t due = 0;                        // Units: ticks since the wheel's origin
  void (*fire)(timer_node&) noexcept = nullptr; // for the owner; the wheel does not call it

  [[nodiscard]] bool armed() const noexcept { return next != nullptr; }
};

static_assert(sizeof(timer_node) == 32);

/// Keeps timer nodes and hands them out when they are due.
class GREENROOM_EXPORT timer_wheel {
public:
  /// Starts at `origin`, which stands for tick 0. Requires: origin is not before the clock's epoch.
  explicit timer_wheel(time_point origin) noexcept;

  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Requires: no node is armed.
  ~timer_wheel();

  /// Arms `node` for `when`, rounded up to a tick: never early, up to one tick late. Moves it if it
  /// is armed already. A time that has been reached already is due at the next advance(), also when
  /// armed from within one. `never` is a time like any other: the node counts and can be cancelled,
  /// but no advance() reaches it.
  void arm(timer_node& node, time_point when) noexcept;

  /// Disarms `node`. Returns whether it was armed. Cost: O(1).
  bool cancel(timer_node& node) noexcept;

  /// Disarms every node that is due at `now` and calls expired(node) for each.
  /// Order: by due tick, then by the order of arming. `expired` may arm and cancel any node of this
  /// wheel, and destroy the one that it is given; what it arms for `now` or before waits for the
  /// next advance(). If it throws, the remaining nodes stay armed and due. Returns the number of
  /// calls.
  /// Requires: not called from `expired`. A `now` before the last one counts as the last one.
  /// Cost: O(nodes due + nodes cascaded, each at most 7 times in its life); empty stretches of any
  /// length cost O(levels).
  template <class F>
  std::size_t advance(time_point now, F&& expired) {
    collect_due(now);
    std::size_t calls = 0;
    for (; due_.next != &due_; ++calls) {
      timer_node& node = *due_.next;
      __builtin_prefetch(node.next->next); // a burst of old timers is a chain of cache misses
      unlink(node);
      --size_;
      expired(node);
    }
    return calls;
  }

  /// Returns a time before which advance() has nothing to do, or `never` when the wheel is empty.
  /// Exact within the current 64 ticks; beyond, a lower bound at which advance() sorts timers more
  /// finely without handing any out.
  /// Cost: O(levels).
  [[nodiscard]] time_point next_expiry() const noexcept;

  /// Counts the armed nodes.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

private:
  static constexpr unsigned tick_shift = 16;
  static constexpr unsigned slot_shift = 6;
  static constexpr std::size_t slot_count = std::size_t{1} << slot_shift;
  static constexpr std::size_t level_count = 8;

  struct position {
    std::size_t level;
    std::size_t slot;
  };

  position position_of(std::uint64_t due) const noexcept;
  bool find_first(position& found) const noexcept;
  std::uint64_t start_of(position at) const noexcept;
  timer_node& list_at(position at) noexcept { return slots_[at.level * slot_count + at.slot]; }

  void place(timer_node& node) noexcept;
  void cascade(timer_node& list) noexcept;
  void collect_due(time_point now) noexcept;

  static void append(timer_node& list, timer_node& node) noexcept {
    node.prev = list.prev;
    node.next = &list;
    list.prev->next = &node;
    list.prev = &node;
  }

  static void unlink(timer_node& node) noexcept {
    node.prev->next = node.next;
    node.next->prev = node.prev;
    node.prev = node.next = nullptr;
  }

  // Constant after construction.
  const time_point origin_;

  // All ticks up to this one have been handed out. A waiting node stands at the level of the
  // highest base-64 digit in which its due tick differs from now_ (level 0 if none does) and in the
  // slot of that digit's value. This stays true as now_ grows, because a slot is emptied when now_
  // reaches its first tick; so a node's slot follows from due and now_, and all nodes of a level
  // are due before those of the levels above.
  std::uint64_t now_ = 0;
  std::size_t size_ = 0;

  // Bit s of occupied_[l] is set if and only if slot s of level l has nodes.
  std::array<std::uint64_t, level_count> occupied_{};

  // Rings of nodes closed by a sentinel: the slots, and the nodes that the current advance() hands
  // out.
  std::array<timer_node, level_count * slot_count> slots_;
  timer_node due_;
};

} // namespace greenroom::detail
