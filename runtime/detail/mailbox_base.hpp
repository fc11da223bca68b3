// What a mailbox is whatever it carries: its lock, its limits and the counts of its ends.
// Thread safety: any thread, as noted at the fields.
// Lifetime: counted. One reference stands for all receive ends together, one for all strong send ends, one for each weak end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include <greenroom/runtime/detail/item_meter.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

namespace greenroom::detail {

/// Is shown pieces of memory. Thread safety: owner only.
class memory_reader {
public:
  virtual void operator()(const void* memory, std::size_t bytes) = 0;

protected:
  ~memory_reader() = default;
};

class mailbox_base {
public:
  /// How many ends of each kind there are, and how often a weak one has become strong: who turns from one kind to the other between the
  /// counts of both is in neither, but shows here.
  struct ends {
    std::uint32_t strong = 0;
    std::uint32_t receiving = 0;
    std::uint32_t weak = 0; // observers apart
    std::uint16_t upgrades = 0;
    friend bool operator==(const ends&, const ends&) = default;
  };

  mailbox_base(const mailbox_base&) = delete;
  mailbox_base& operator=(const mailbox_base&) = delete;

  void add_receiver() noexcept { receivers_.fetch_add(1, std::memory_order_relaxed); }
  void add_sender() noexcept {
    if (senders_.fetch_add(1, std::memory_order_relaxed) == 0) add_weak();
  }
  bool try_add_sender() noexcept {
    auto n = senders_.load(std::memory_order_relaxed);
    while (n != 0) {
      if (senders_.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) {
        upgrades_.fetch_add(1, std::memory_order_relaxed);
        return true;
      }
    }
    return false;
  }
  void add_weak() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  /// Keeps the memory, but is no end: nobody sends or receives by it.
  void add_observer() noexcept {
    observers_.fetch_add(1, std::memory_order_relaxed);
    add_weak();
  }

  bool has_receivers() const noexcept { return receivers_.load(std::memory_order_acquire) != 0; }
  spin_lock& lock() noexcept { return lock_; }
  std::uint32_t capacity() const noexcept { return capacity_; }
  /// Says whether it is closed. Without the lock, a hint.
  bool is_closed() const noexcept { return closed_.load(std::memory_order_relaxed); }

  // -- for the search for deadlocks -----------------------------------------------------------------
  /// Counts the ends; exact if none comes or goes meanwhile.
  ends count_ends() const noexcept {
    const auto upgrades = upgrades_.load(std::memory_order_acquire);
    const auto strong = senders_.load(std::memory_order_acquire);
    const auto receiving = receivers_.load(std::memory_order_acquire);
    const auto refs = refs_.load(std::memory_order_acquire) - observers_.load(std::memory_order_acquire);
    return {strong, receiving, refs - (strong != 0 ? 1U : 0U) - (receiving != 0 ? 1U : 0U), upgrades};
  }
  /// Returns whether items may hold ends of mailboxes.
  bool can_hold_ends() const noexcept { return viewer_->show != nullptr; }
  /// Shows the memory of the queued items. Requires: can_hold_ends(); the lock is held.
  void show_items_locked(memory_reader& reader) { viewer_->show(*this, reader); }
  /// Has the flight recorder keep the text of what is taken from here, from now on.
  void keep_texts() noexcept { add_chore(keeps_texts); }
  /// Tells a living mailbox from other memory of the frame pool, whoever writes that meanwhile: the sanitizers, which would call
  /// it a mistake, do not see this look.
  __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline)) bool is_mailbox() const noexcept {
    return *reinterpret_cast<const volatile std::uint16_t*>(&magic_) == magic;
  }

  // -- what becomes of the items ----------------------------------------------------------------------
  /// Returns the meter, made at the first call. Errors: std::bad_alloc. Requires: the lock is held.
  item_meter& need_meter_locked() {
    if (!metered()) {
      auto meter = std::make_unique<item_meter>(*viewer_);
      meter->begin_with(look_locked());
      viewer_ = meter.release();
      metered_.store(true, std::memory_order_relaxed);
    }
    return *meter_locked();
  }
  /// Says whether items are counted. Without the lock it may say no for too long, but not to who has an item in hand that was counted.
  bool metered() const noexcept { return metered_.load(std::memory_order_relaxed); }
  /// Returns the meter; null if items are not counted. Requires: the lock is held.
  item_meter* meter_locked() noexcept { return metered() ? static_cast<item_meter*>(viewer_) : nullptr; }
  queue_look look_locked() noexcept { return viewer_->look(*this); }
  /// Counts the senders that wait for room, up to `most`. Requires: the lock is held. Cost: visits each.
  std::uint32_t senders_locked(std::uint32_t most) noexcept { return viewer_->senders(*this, most); }
  void close_for_all() noexcept { viewer_->close(*this); }
  /// Has items in hand watched: see item_meter. Errors: std::bad_alloc.
  void watch(const item_kind& kind, bool keeps) {
    std::lock_guard guard(lock_);
    need_meter_locked().watch(kind, keeps);
    if (keeps) add_chore(drops_copies);
  }

protected:
  static constexpr std::uint8_t drops_expired = 1;
  static constexpr std::uint8_t drops_copies = 2;
  static constexpr std::uint8_t keeps_texts = 4; // of items, in the flight recorder
  // Relaxed: what expires is known before the first end is given away, and who does not see yet that copies are kept leaves one to the next receive.
  std::uint8_t chores() const noexcept { return chores_.load(std::memory_order_relaxed); }
  void add_chore(std::uint8_t one) noexcept { chores_.fetch_or(one, std::memory_order_relaxed); }
  /// Destroys the copy of the item that the running actor has in hand, as it asks for the next.
  GREENROOM_EXPORT void drop_copy() noexcept;

  void forget_observer() noexcept { observers_.fetch_sub(1, std::memory_order_relaxed); }
  mailbox_base(std::uint32_t capacity, std::uint8_t policy, item_viewer& viewer) noexcept
      : policy_(policy), capacity_(capacity), viewer_(&viewer) {}
  ~mailbox_base() {
    magic_.store(0, std::memory_order_relaxed);
    if (metered()) delete static_cast<item_meter*>(viewer_);
  }

  spin_lock lock_;
  const std::uint8_t policy_;           // an `overflow`
  std::atomic<bool> closed_{false};     // written under lock_; never taken back
  std::atomic<bool> metered_{false};    // written under lock_; never taken back: viewer_ is an item_meter, and ours
  std::atomic<std::uint8_t> chores_{0}; // what is to be done before a receive or a send; never taken back
  const std::uint32_t capacity_;
  std::atomic<std::uint32_t> receivers_{1};
  std::atomic<std::uint32_t> senders_{0};
  std::atomic<std::uint32_t> refs_{1};

private:
  static constexpr std::uint16_t magic = 0x6d62;
  std::atomic<std::uint16_t> upgrades_{0};
  std::atomic<std::uint16_t> magic_{magic}; // atomic, so that the store of the destructor is not dropped
  std::atomic<std::uint32_t> observers_{0}; // among refs_
  item_viewer* viewer_;                     // static, the same for all mailboxes of T, unless metered_
};

} // namespace greenroom::detail
