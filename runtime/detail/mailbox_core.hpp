// The queue behind mailbox<T> and address<T>.
// Thread safety: any thread; one spin lock guards all but the counts of ends.
// Lifetime: counted, see mailbox_base.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/detail/frame_pool.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/detail/mailbox_base.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/detail/ring.hpp>
#include <greenroom/runtime/detail/timer_queue.hpp>

namespace greenroom {

/// What a full mailbox does with one item more.
enum class overflow : std::uint8_t {
  wait,        ///< the sender waits: back-pressure
  reject,      ///< the send fails with errc::full and hands the item back
  drop_newest, ///< the new item is dropped and counted
  drop_oldest  ///< the oldest queued item is dropped and counted
};

/// What becomes of queued items when a mailbox is closed.
enum class queued : std::uint8_t {
  deliver, ///< receivers get them before they see the end
  drop     ///< they are destroyed and counted as dropped
};

namespace detail {

inline constexpr std::uint32_t no_bound = UINT32_MAX;

template <class T>
struct receive_place : waiter {
  receive_place() noexcept = default;
  receive_place(const receive_place&) noexcept : waiter() {} // as waiter's
  // Written by the claimer; stay empty when the mailbox was closed.
  std::optional<T> item;
  trace_context trace;
};

template <class T>
struct send_place : waiter {
  send_place() noexcept = default;
  send_place(const send_place&) noexcept : waiter() {} // as waiter's
  T* item = nullptr;                                   // the sender's; moved from by the claimer
  bool was_closed = false;                             // written by the claimer
};

enum class send_outcome : std::uint8_t { sent, must_wait, closed, full };

template <class T>
class mailbox_core : public mailbox_base {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "a mailbox carries plain values: mailbox<T> with an object type T");
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "a mailbox item must be nothrow move constructible: it is moved while the mailbox is locked");
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                "a mailbox item must not be over-aligned: coroutine frames, where it waits, are aligned to 16 bytes");

public:
  mailbox_core(std::uint32_t capacity, overflow policy) noexcept
      : mailbox_base(capacity, static_cast<std::uint8_t>(policy), viewer) {}
  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { frame_free(p, bytes); }

  // -- ends ---------------------------------------------------------------------------------------
  void drop_receiver() noexcept {
    if (receivers_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    close(queued::drop); // nobody can receive what is queued
    release();
  }
  void drop_sender() noexcept {
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    close(queued::deliver);
    release();
  }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  void drop_observer() noexcept {
    forget_observer();
    release();
  }

  // -- items --------------------------------------------------------------------------------------
  wait_queue& receive_queue() noexcept { return receive_queue_; }
  wait_queue& send_queue() noexcept { return send_queue_; }

  /// The running actor asks for an item: what it had in hand from here is handled.
  void ask_locked() noexcept {
    if (metered()) [[unlikely]]
      meter_locked()->ask(this_turn.cell, false);
  }
  /// Says whether receive_locked() would not have to wait, as a hint. Thread safety: any thread.
  bool looks_ready() const noexcept {
    return (!items_.looks_empty() | !send_queue_.looks_empty() | is_closed()) != 0; // without a branch for each
  }
  /// Takes the next item, or sees the end; false if the receiver has to wait.
  bool receive_locked(std::optional<T>& out, trace_context& trace, actor_cell*& wake) noexcept {
    if (!send_queue_.empty() || metered()) [[unlikely]] {
      // One of our own: the caller's, which is known to be null otherwise, can then stay in a register.
      actor_cell* woken = nullptr;
      const bool done = receive_fully_locked(out, trace, woken);
      wake = woken;
      return done;
    }
    return items_.try_pop_front(out) || is_closed();
  }

  /// Sends, or says why not. Moves from `item` only if it is sent (or dropped by policy). `victim` takes what drop_oldest
  /// pushed out, to be destroyed after the lock is released.
  send_outcome send_locked(T& item, actor_cell*& wake, std::optional<T>& victim) {
    const bool only_queues = !is_closed() && receive_queue_.empty() && !metered() && !is_traced(this_turn.cell);
    if (only_queues && items_.try_push_back(item, capacity_)) [[likely]]
      return send_outcome::sent;
    actor_cell* woken = nullptr; // as in receive_locked()
    const auto outcome = send_fully_locked(item, woken, victim);
    wake = woken;
    return outcome;
  }

  /// Gives an item that was taken, and not handled, to a receiver, or else puts it first in the queue, whatever the capacity. Errors:
  /// std::bad_alloc; the item has then not been moved from.
  void put_back_locked(T& item, actor_cell*& wake) {
    if (auto* receiver = static_cast<receive_place<T>*>(receive_queue_.claim_front())) {
      receiver->item.emplace(std::move(item));
      wake = receiver->cell;
      receiver->trace = meter_locked()->trace();
      meter_locked()->take(wake, &*receiver->item);
      return;
    }
    meter_locked()->push_front();
    try {
      items_.push_front(std::move(item));
    } catch (...) {
      meter_locked()->pop();
      throw;
    }
  }

  void close(queued fate) noexcept {
    ring<T> doomed; // destroyed after the lock is released: an item may hold an address of this very mailbox
    std::lock_guard guard(lock_);
    closed_.store(true, std::memory_order_relaxed);
    if (fate == queued::drop) {
      dropped_ += items_.size();
      doomed.swap(items_);
      if (metered()) [[unlikely]]
        meter_locked()->clear();
    }
    while (auto* receiver = receive_queue_.claim_front()) make_ready(*receiver->cell);
    while (auto* sender = claim_sender()) {
      sender->was_closed = true;
      make_ready(*sender->cell);
    }
  }

  /// Drops as many items as are queued now, one by one: senders that wait then have room, and what they send stays.
  std::size_t discard() noexcept {
    const std::size_t count = look().queued;
    for (std::size_t i = 0; i < count; ++i) {
      std::optional<T> victim; // destroyed after the lock is released
      trace_context trace;
      actor_cell* wake = nullptr;
      {
        std::lock_guard guard(lock_);
        if (items_.empty()) return i; // a receiver was faster
        (void)pop_locked(victim, trace, wake);
        ++dropped_;
        if (metered()) [[unlikely]]
          meter_locked()->discard();
      }
      if (wake != nullptr) make_ready(*wake);
    }
    return count;
  }

  // -- items that expire ----------------------------------------------------------------------------
  /// Requires: nobody else has an end yet.
  void expire_after(duration limit) {
    need_meter_locked().expire_after(limit);
    add_chore(drops_expired);
  }
  /// Goes before a receive, without the lock. Returns whether the flight recorder keeps the text of the item.
  bool before_receive(actor_cell& who) noexcept {
    const int traced = who.traces & actor_cell::by_item;
    if ((traced | chores()) != 0) [[unlikely]]
      return do_chores(traced != 0 ? &who : nullptr);
    return false;
  }
  /// The same, of who is no actor.
  bool before_receive() noexcept { return chores() != 0 && do_chores(nullptr); }
  void before_send() noexcept {
    if ((chores() & drops_expired) != 0) [[unlikely]]
      look_for_expired();
  }
  std::uint64_t expired() noexcept {
    std::lock_guard guard(lock_);
    return metered() ? meter_locked()->expired() : 0;
  }

  queue_look look() noexcept {
    std::lock_guard guard(lock_);
    return look_locked();
  }

private:
  // The whole operations, of which those in line above are the case that most are. Out of line: these would have them save more registers.
  [[gnu::noinline]] bool receive_fully_locked(std::optional<T>& out, trace_context& trace, actor_cell*& wake) noexcept {
    if (metered()) [[unlikely]]
      meter_locked()->ask(this_turn.cell, !items_.empty());
    if (!pop_locked(out, trace, wake)) return is_closed();
    if (metered()) [[unlikely]]
      meter_locked()->take(this_turn.cell, &*out);
    return true;
  }
  [[gnu::noinline]] send_outcome send_fully_locked(T& item, actor_cell*& wake, std::optional<T>& victim) {
    if (is_closed()) return send_outcome::closed;
    if (auto* receiver = static_cast<receive_place<T>*>(receive_queue_.claim_front())) {
      receiver->item.emplace(std::move(item));
      wake = receiver->cell;
      carry_trace(receiver->trace, this_turn.cell);
      if (metered()) [[unlikely]] {
        meter_locked()->pass(receiver->trace);
        meter_locked()->take(wake, &*receiver->item);
      }
      return send_outcome::sent;
    }
    if (items_.size() < capacity_) {
      push_locked(item, this_turn.cell);
      return send_outcome::sent;
    }
    switch (static_cast<overflow>(policy_)) {
    case overflow::wait: return send_outcome::must_wait;
    case overflow::reject: return send_outcome::full;
    case overflow::drop_newest:
      victim.emplace(std::move(item));
      if (metered()) [[unlikely]]
        meter_locked()->refuse();
      break;
    case overflow::drop_oldest:
      victim.emplace(pop_front_locked());
      push_locked(item, this_turn.cell);
      break;
    }
    ++dropped_;
    return send_outcome::sent;
  }

  [[gnu::noinline]] bool do_chores(actor_cell* traced) noexcept {
    if (traced != nullptr) let_go_of_trace(*traced, static_cast<mailbox_base*>(this));
    if ((chores() & drops_expired) != 0) look_for_expired();
    if ((chores() & drops_copies) != 0) drop_copy();
    return (chores() & keeps_texts) != 0;
  }
  /// Drops those whose time in the queue is over.
  [[gnu::noinline]] void look_for_expired() noexcept {
    const auto now = deadline_after(duration::zero());
    for (std::optional<T> victim;; victim.reset()) { // destroyed after the lock is released
      trace_context trace;
      actor_cell* wake = nullptr;
      {
        std::lock_guard guard(lock_);
        if (!meter_locked()->front_expires(now)) return;
        (void)pop_locked(victim, trace, wake);
        meter_locked()->expire();
      }
      if (wake != nullptr) make_ready(*wake);
    }
  }

  // What is copied byte by byte counts nothing, so it holds no end.
  static constexpr bool items_can_hold_ends = !std::is_trivially_copyable_v<T>;
  static void show_items(mailbox_base& self, memory_reader& reader) {
    static_cast<mailbox_core&>(self).items_.show_memory(reader);
  }

  inline static item_viewer viewer{items_can_hold_ends ? &show_items : nullptr,
                                   [](mailbox_base& self) -> queue_look {
                                     auto& me = static_cast<mailbox_core&>(self);
                                     return {me.items_.size(), me.dropped_, me.is_closed()};
                                   },
                                   [](mailbox_base& self) { static_cast<mailbox_core&>(self).close(queued::deliver); },
                                   [](mailbox_base& self, std::uint32_t most) {
                                     return static_cast<mailbox_core&>(self).send_queue().count_open(most);
                                   }};

  /// Takes the next item; false if there is none. Inline always: where a sender waits, a call more was 3 % of a ping-pong.
  [[gnu::always_inline]] bool pop_locked(std::optional<T>& out, trace_context& trace, actor_cell*& wake) noexcept {
    if (!items_.empty()) {
      out.emplace(pop_front_locked());
      if (metered()) [[unlikely]]
        trace = meter_locked()->trace();
      if (items_.size() >= capacity_) return true; // what was put back goes beyond it
      if (auto* sender = claim_sender()) {
        push_locked(*sender->item, sender->cell); // into the place just freed: does not allocate
        wake = sender->cell;
      }
      return true;
    }
    auto* const sender = claim_sender();
    if (sender == nullptr) return false;
    out.emplace(std::move(*sender->item));
    wake = sender->cell;
    carry_trace(trace, sender->cell);
    if (metered()) [[unlikely]]
      meter_locked()->pass(trace);
    return true;
  }

  T pop_front_locked() noexcept {
    if (metered()) [[unlikely]]
      meter_locked()->pop();
    return items_.pop_front();
  }
  void push_locked(T& item, const actor_cell* from) {
    if (metered() || is_traced(from)) [[unlikely]]
      return push_counted(item, from);
    items_.push_back(std::move(item));
  }
  /// A mailbox gets its meter with the first item that belongs to a trace: its tags go beside the items.
  [[gnu::noinline]] void push_counted(T& item, const actor_cell* from) {
    try {
      (void)need_meter_locked();
    } catch (const std::bad_alloc&) { // the trace ends here
      return items_.push_back(std::move(item));
    }
    trace_context trace;
    carry_trace(trace, from);
    meter_locked()->push(std::move(trace));
    try {
      items_.push_back(std::move(item));
    } catch (...) {
      meter_locked()->take_back_push();
      throw;
    }
  }

  send_place<T>* claim_sender() noexcept { return static_cast<send_place<T>*>(send_queue_.claim_front()); }

  // Guarded by lock_. Receivers wait only while there are no items; senders wait only while items_ is full.
  ring<T> items_;
  wait_queue receive_queue_;
  wait_queue send_queue_;
  std::uint64_t dropped_ = 0; // last, as it is rare: what every send touches lies in 64 bytes
};

/// What can be done with items of type T.
template <class T>
const item_kind& kind_of_item() {
  static constexpr auto made = [] {
    item_kind kind{
        .type = typeid(T),
        .size = sizeof(T),
        .copied_at_no_cost = std::is_arithmetic_v<T> || std::is_enum_v<T>,
        .move = [](void* to,
                   void* from) noexcept { std::construct_at(static_cast<T*>(to), std::move(*static_cast<T*>(from))); },
        .destroy = [](void* item) noexcept { std::destroy_at(static_cast<T*>(item)); }};
    if constexpr (std::is_copy_constructible_v<T>) {
      kind.copy = [](void* to, const void* item) {
        std::construct_at(static_cast<T*>(to), *static_cast<const T*>(item));
      };
      kind.to_any = [](const void* item) { return std::any(*static_cast<const T*>(item)); };
      kind.put_back = [](mailbox_base& box, void* item, actor_cell*& wake) {
        static_cast<mailbox_core<T>&>(box).put_back_locked(*static_cast<T*>(item), wake);
      };
    }
    if constexpr (has_text<T>)
      kind.write = [](std::ostream& out, const void* item) { out << *static_cast<const T*>(item); };
    return kind;
  }();
  return made;
}

} // namespace detail
} // namespace greenroom
