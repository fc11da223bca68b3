// Counts the items of one mailbox by what became of them, for graphs: each accepted item is queued, in somebody's hand, handled, failed
// or dropped, at any moment. A mailbox without a meter pays a look at one flag.
// Thread safety: all of it under the mailbox's lock. Lifetime: the mailbox owns it.
#pragma once

#include <cstdint>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

struct actor_cell;
class mailbox_base;
class memory_reader;

/// What a mailbox is like now. Units: items.
struct queue_look {
  std::uint64_t queued = 0;
  std::uint64_t dropped = 0;
  bool closed = false;
};

/// What is done with a mailbox whose items are of a type unknown. The same for all mailboxes of one type, unless one has a meter.
struct item_viewer {
  void (*show)(mailbox_base&, memory_reader&); ///< null: the items can hold no ends of mailboxes
  queue_look (*look)(mailbox_base&);           ///< requires the lock
  void (*close)(mailbox_base&);                ///< what is queued is still delivered
};

class GREENROOM_EXPORT item_meter : public item_viewer {
public:
  explicit item_meter(item_viewer as) noexcept : item_viewer(as) {}

  /// `who` will receive: what it takes is in its hand until it asks for the next, or ends.
  void enter(const actor_cell* who) { holders_.push_back({who, false}); }
  /// It has ended: what it had in hand was handled if it ended in order.
  void leave(const actor_cell* who, bool in_order) noexcept;

  void accept() noexcept { ++accepted_; }
  void ask(const actor_cell* who) noexcept {
    if (auto* const h = find(who)) settle(*h);
  }
  void take(const actor_cell* who) noexcept {
    auto* const h = find(who);
    if (h == nullptr) { // somebody who has not entered
      ++handled_;
      return;
    }
    settle(*h);
    h->holds = true;
  }

  // Units: items.
  std::uint64_t accepted() const noexcept { return accepted_; }
  std::uint64_t handled() const noexcept { return handled_; }
  std::uint64_t failed() const noexcept { return failed_; }
  std::uint64_t in_hand() const noexcept;

private:
  struct holder {
    const actor_cell* who;
    bool holds;
  };
  holder* find(const actor_cell* who) noexcept {
    for (auto& h : holders_) {
      if (h.who == who) return &h;
    }
    return nullptr;
  }
  void settle(holder& h) noexcept {
    if (h.holds) ++handled_;
    h.holds = false;
  }

  std::uint64_t accepted_ = 0;
  std::uint64_t handled_ = 0;
  std::uint64_t failed_ = 0;
  std::vector<holder> holders_; // the replicas of a node: few
};

} // namespace greenroom::detail
