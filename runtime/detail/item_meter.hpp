// Follows the items of one mailbox: each accepted one is queued, in somebody's hand, handled, failed, expired or dropped, at any moment.
// It knows when queued items expire, and keeps copies of those in hand, for who wants to see or have them after a failure.
// A mailbox without a meter pays a look at one flag.
// Thread safety: all of it under the mailbox's lock. Lifetime: the mailbox owns it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/item_copy.hpp>
#include <greenroom/runtime/detail/ring.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom::detail {

struct actor_cell;
class mailbox_base;
class memory_reader;

/// What a mailbox is like now. Units: items.
struct queue_look {
  std::uint64_t queued = 0;
  std::uint64_t dropped = 0; ///< by the policy, a close, or discard()
  bool closed = false;
};

/// What is done with a mailbox whose items are of a type unknown. The same for all mailboxes of one type, unless one has a meter.
struct item_viewer {
  void (*show)(mailbox_base&, memory_reader&);                 ///< null: the items can hold no ends of mailboxes
  queue_look (*look)(mailbox_base&);                           ///< requires the lock
  void (*close)(mailbox_base&);                                ///< what is queued is still delivered
  std::uint32_t (*senders)(mailbox_base&, std::uint32_t most); ///< that wait for room; requires the lock
};

/// What an actor that has ended leaves behind; to be destroyed without the lock.
struct left_item {
  bool failed = false;             ///< an item was in hand, and was not handled
  bool comes_again = false;        ///< it is queued again, or with another receiver
  std::uint32_t deliveries = 0;    ///< how often it was taken, this time included
  std::uint64_t number = 0;        ///< of all that were taken from the mailbox, from 1
  trace_context trace = {};        ///< of the handling that failed
  const item_kind* kind = nullptr; ///< null: nobody watches
  item_copy copy = {};             ///< empty: none was kept
  item_copy outdated = {};         ///< of an item before it, that could not be destroyed under the lock
};

class GREENROOM_EXPORT item_meter : public item_viewer {
public:
  explicit item_meter(item_viewer as) noexcept : item_viewer(as) {}

  /// From now on items have this kind, so that those in hand can be told; `keeps`: they are copied when they are taken, even at a cost.
  void watch(const item_kind& kind, bool keeps) noexcept {
    kind_ = &kind;
    keeps_ = keeps_ || keeps;
  }
  /// Has items expire that are queued longer. Requires: none was sent yet.
  void expire_after(duration limit) noexcept { expires_after_ = limit; }
  /// Notes the items that are queued when the meter comes. Errors: std::bad_alloc.
  void begin_with(const queue_look& now);

  /// `who` will receive: what it takes is in its hand until it asks for the next, or ends.
  void enter(const actor_cell* who) { holders_.push_back({.who = who}); }
  /// It has ended: what it had in hand was handled if it ended in order. Otherwise it comes again if it was taken less than `most_deliveries` times and a
  /// copy was kept. `wake` names a receiver that has it then.
  left_item leave(const actor_cell* who, bool in_order, std::uint32_t most_deliveries, mailbox_base& box,
                  actor_cell*& wake) noexcept;

  /// `who` asks for the next item: the one in hand is handled. `gets_one`: it gets the next before the lock is released; the clock then needs no look.
  void ask(const actor_cell* who, bool gets_one) noexcept;
  /// The same, and returns the copy of that item, to be destroyed without the lock.
  item_copy let_go(const actor_cell* who) noexcept;

  // -- an item on its way: each call goes with what the mailbox does itself ---------------------------
  /// It comes into the queue. Errors: std::bad_alloc, and nothing has changed.
  void push(trace_context trace = {});
  /// The newest does not come into the queue after all.
  void take_back_push() noexcept;
  /// One that was taken goes to the front of the queue again. Errors: as push().
  void push_front();
  /// It leaves the front of the queue.
  void pop() noexcept;
  /// It goes from the sender to the receiver.
  void pass(const trace_context& trace = {}) noexcept;
  /// Returns the trace of what was popped or passed.
  const trace_context& trace() const noexcept { return on_the_way_.trace; }
  /// What was popped or passed is in this hand now.
  void take(const actor_cell* who, const void* item) noexcept;
  /// A new one is dropped, since there is no room.
  void refuse() noexcept { ++accepted_; }
  void discard() noexcept { ++discarded_; }
  /// All that are queued are dropped by a close.
  void clear() noexcept;
  bool front_expires(time_point now) noexcept { return !tags_.empty() && tags_.front().expires <= now; }
  void expire() noexcept { ++expired_; }

  // Units: items.
  std::uint64_t accepted() const noexcept { return accepted_; }
  std::uint64_t handled() const noexcept { return handled_; }
  std::uint64_t failed() const noexcept { return failed_; }
  std::uint64_t expired() const noexcept { return expired_; }
  std::uint64_t discarded() const noexcept { return discarded_; }
  std::uint64_t undelivered() const noexcept { return undelivered_; }
  std::uint64_t redelivered() const noexcept { return redelivered_; }
  std::uint64_t in_hand() const noexcept;
  /// Returns for how long items were in hand until now, all together: two looks tell the mean between them, and how busy the holders were.
  duration handling() const noexcept;
  static constexpr std::uint32_t unknown_since = UINT32_MAX;
  /// Returns when the item at the front of the queue was sent; unknown_since if that is not known, or none is queued. Units: milliseconds since the system started.
  std::uint32_t front_since() noexcept { return tags_.empty() ? unknown_since : tags_.front().since; }

private:
  struct item_tag {
    time_point expires = never;
    std::uint32_t deliveries = 0;
    std::uint32_t since =
        unknown_since; // milliseconds since the system started, by a clock that is looked at every 50 us
    trace_context trace = {};

    item_tag() noexcept = default;
    item_tag(time_point e, std::uint32_t d, std::uint32_t s, trace_context t) noexcept
        : expires(e), deliveries(d), since(s), trace(std::move(t)) {}
    // One by one: a copy of 16 bytes of which some were written just before stalls.
    item_tag(const item_tag& o) noexcept
        : expires(o.expires), deliveries(o.deliveries), since(o.since), trace(o.trace) {}
    item_tag(item_tag&& o) noexcept
        : expires(o.expires), deliveries(o.deliveries), since(o.since), trace(std::move(o.trace)) {}
    item_tag& operator=(item_tag o) noexcept {
      expires = o.expires;
      deliveries = o.deliveries;
      since = o.since;
      trace = std::move(o.trace);
      return *this;
    }
  };
  struct holder {
    const actor_cell* who;
    bool holds = false;
    bool goes_on = false;  // it gets the next item in the same moment
    time_point begun = {}; // since when it has had something in hand
    bool stale = true;     // the copy, if there is one, is that of an earlier item
    item_tag tag = {};
    std::uint64_t number = 0;
    item_copy copy = {};
  };
  holder* find(const actor_cell* who) noexcept {
    for (auto& h : holders_) {
      if (h.who == who) return &h;
    }
    return nullptr;
  }
  inline void settle(holder& h, bool gets_one) noexcept;
  void end_handling(const holder& h) noexcept;
  inline std::uint32_t milliseconds() const noexcept;
  bool put_back(const left_item& left, const item_tag& as, mailbox_base& box, actor_cell*& wake) noexcept;
  time_point next_expiry() const noexcept;

  const item_kind* kind_ = nullptr; // null: nobody watches
  bool keeps_ = false;
  duration expires_after_ = duration::max();
  ring<item_tag> tags_;         // of the queued items, in their order
  item_tag on_the_way_;         // of the item that was popped or passed last
  std::vector<holder> holders_; // the replicas of a child: few

  duration handling_{}; // of those who have nothing in hand now, or went on
  std::uint64_t accepted_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t handled_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t discarded_ = 0;
  std::uint64_t undelivered_ = 0;
  std::uint64_t redelivered_ = 0;
};

} // namespace greenroom::detail
