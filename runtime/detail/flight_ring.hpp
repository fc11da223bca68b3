// The last events of one worker, for the flight recorder (see ../flight_recorder.hpp): a ring of fixed size, written at each item that an actor
// takes, so it costs five stores or one.
// Thread safety: one thread writes, which owns the ring or holds its owner's lock; any may copy it meanwhile. Lifetime: that of the recorder.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/item_text.hpp>

namespace greenroom {

/// What an event of the flight recorder is.
enum class flight_kind : std::uint8_t {
  none,    ///< none: the place of a text that is kept elsewhere
  took,    ///< an actor took an item from a mailbox
  spawned, ///< an actor was spawned
  ended,   ///< an actor has ended
  logged   ///< a line was logged
};

namespace detail {

class mailbox_base;

/// An event as it is kept: three words, as each store counts, whose meaning is worked out only when somebody asks.
struct flight_words {
  std::uint64_t who = 0; // the actor's id, above 8 bits of a flight_kind
  std::uint64_t what =
      0; // 48 bits of an address: of the item's std::type_info, or the actor's name; above it 16 bits of a tag
  std::uint64_t when = 0; // Units: milliseconds since the system started; below them 32 bits of a number

  static constexpr int address_bits = 48; // that programs get, unless they ask the kernel for more

  flight_kind kind() const noexcept { return static_cast<flight_kind>(who & 0xff); }
  std::uint64_t actor() const noexcept { return who >> 8; }
  const void* address() const noexcept {
    return reinterpret_cast<const void*>(what & ((std::uint64_t{1} << address_bits) - 1));
  }
  /// took: tells mailboxes apart, see tag_of(); ended: the exit_kind; spawned: the upper bits of number().
  std::uint16_t tag() const noexcept { return static_cast<std::uint16_t>(what >> address_bits); }
  std::uint32_t at() const noexcept { return static_cast<std::uint32_t>(when >> 32); }
  /// took: how many items in a row; spawned: the id of the actor that did it, without its upper bits.
  std::uint32_t number() const noexcept { return static_cast<std::uint32_t>(when); }

  static std::uint64_t who_of(flight_kind kind, std::uint64_t actor) noexcept {
    return actor << 8 | static_cast<std::uint64_t>(kind);
  }
  static std::uint64_t what_of(const void* address, std::uint64_t tag) noexcept {
    return reinterpret_cast<std::uintptr_t>(address) | tag << address_bits;
  }
  /// Returns 16 bits of where a mailbox is; two within 4 MiB have different ones, as each takes more than 64 bytes.
  static std::uint16_t tag_of(const mailbox_base* box) noexcept {
    return static_cast<std::uint16_t>(reinterpret_cast<std::uintptr_t>(box) >> 6);
  }
};

class flight_ring {
public:
  /// Requires: `events` is a power of two.
  flight_ring(std::size_t events, std::size_t index, bool all_texts)
      : mask_(events - 1), slots_(std::make_unique<slot[]>(events)), index_(index), all_texts_(all_texts) {}

  /// An actor took an item. Several from one mailbox in a row become one event, so that a ring lasts for longer.
  [[gnu::noinline]] void took(std::uint64_t actor, const std::type_info& type, const mailbox_base* from,
                              std::uint32_t now) noexcept {
    auto& last = *last_;
    const auto who = flight_words::who_of(flight_kind::took, actor);
    const auto what = flight_words::what_of(&type, flight_words::tag_of(from));
    if (last.who.load(std::memory_order_relaxed) == who && last.what.load(std::memory_order_relaxed) == what) {
      const auto times = static_cast<std::uint32_t>(last.when.load(std::memory_order_relaxed));
      last.when.store(std::uint64_t{now} << 32 | (times + (times != UINT32_MAX)), std::memory_order_release);
      return;
    }
    write(written_.load(std::memory_order_relaxed), {who, what, std::uint64_t{now} << 32 | 1});
  }
  /// `number`: of 48 bits, for tag() and number().
  void note(flight_kind kind, std::uint64_t actor, const char* name, std::uint64_t number, std::uint32_t now) noexcept {
    write(written_.load(std::memory_order_relaxed),
          {flight_words::who_of(kind, actor), flight_words::what_of(name, number >> 32),
           std::uint64_t{now} << 32 | static_cast<std::uint32_t>(number)});
  }
  /// Returns the number of a place that stays empty: of what is kept elsewhere, but belongs between these events.
  std::uint64_t leave_place() noexcept {
    const auto n = written_.load(std::memory_order_relaxed);
    write(n, {});
    return n;
  }

  std::size_t index() const noexcept { return index_; }
  bool all_texts() const noexcept { return all_texts_; }

  /// Calls see(number, words) for the events that are still there, in their order. Any thread.
  template <class See>
  void read(See see) const {
    // A slot is overwritten by event n only after `written_` was set to n, and all these stores are releases: who reads, by an acquire, a word
    // of event n then reads at least n from `written_`. So what was copied is what stood there, if it is younger than the last look at it says.
    const auto end = written_.load(std::memory_order_acquire);
    const auto size = mask_ + 1;
    const auto first = end > size ? end - size : 0;
    std::vector<flight_words> copied;
    copied.reserve(end - first);
    for (auto i = first; i != end; ++i) {
      const auto& s = slots_[i & mask_];
      copied.push_back({s.who.load(std::memory_order_acquire), s.what.load(std::memory_order_acquire),
                        s.when.load(std::memory_order_acquire)});
    }
    const auto now = written_.load(std::memory_order_relaxed);
    const auto kept = now >= size ? now - size + 1 : 0; // meanwhile others may have been written over
    for (auto i = first < kept ? kept : first; i < end; ++i) {
      const auto& words = copied[i - first];
      if (words.kind() != flight_kind::none) see(i, words);
    }
  }

private:
  struct slot {
    std::atomic<std::uint64_t> who{0};
    std::atomic<std::uint64_t> what{0};
    std::atomic<std::uint64_t> when{0};
  };

  void write(std::uint64_t n, const flight_words& words) noexcept {
    auto& s = slots_[n & mask_];
    last_ = &s;
    s.who.store(words.who, std::memory_order_release);
    s.what.store(words.what, std::memory_order_release);
    s.when.store(words.when, std::memory_order_release);
    written_.store(n + 1, std::memory_order_release);
  }

  std::atomic<std::uint64_t> written_{0}; // events since the start
  const std::uint64_t mask_;
  const std::unique_ptr<slot[]> slots_;
  slot* last_ = &slots_[0]; // of the event before, at first of none; the writer's own
  const std::size_t index_;
  const bool all_texts_; // of the items of all mailboxes, not only of those that ask for it
};

/// Keeps the text of an item in the place of its event. Requires: called by the actor that took it.
GREENROOM_EXPORT void keep_item_text(flight_ring& ring, const std::type_info& type, const mailbox_base* from,
                                     std::string text) noexcept;
/// Returns the ring of a worker, for an executor's turn_state::flight; null if nothing is recorded. Requires: `worker` < executor::workers().
GREENROOM_EXPORT flight_ring* flight_ring_of(runtime_core& core, std::size_t worker) noexcept;

template <class T>
[[gnu::noinline]] void keep_text_of(flight_ring& ring, const mailbox_base* from, const T& item) noexcept {
  try {
    keep_item_text(ring, typeid(T), from, text_of_item(item));
  } catch (...) { // what writes the item failed
    keep_item_text(ring, typeid(T), from, "(its text cannot be written)");
  }
}

/// Records that the running actor has taken `item`; `shown`: with its text. Does not touch the mailbox, which its senders may just have.
// Inline always, since it is mostly one call more, of took(), for each item.
template <class T>
[[gnu::always_inline]] inline void note_taken(const mailbox_base* from, const T& item, bool shown) noexcept {
  auto* const ring = this_turn.flight;
  if (ring == nullptr) return;
  if constexpr (has_item_text<T>) {
    if (shown || ring->all_texts()) [[unlikely]]
      return keep_text_of(*ring, from, item);
  }
  ring->took(this_turn.cell->id, typeid(T), from, this_turn.now_ms);
}

} // namespace detail
} // namespace greenroom
