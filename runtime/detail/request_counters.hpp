// Counts of asks, spread over the workers so that no ask touches memory that another worker writes.
// Thread safety: as noted. Lifetime: as the runtime_core that holds them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// How the asks of one system went: each that was started ends once, as answered, failed, timed_out or cancelled.
struct request_stats {
  std::uint64_t started = 0;   ///< asks
  std::uint64_t answered = 0;  ///< with a value
  std::uint64_t failed = 0;    ///< refused by the mailbox, dropped unanswered, or answered by an error
  std::uint64_t timed_out = 0; ///< no answer came in time
  std::uint64_t cancelled = 0; ///< the asker was cancelled or killed
  std::uint64_t late = 0;      ///< answers that came after their ask had ended; they were dropped

  /// Returns how many are under way.
  std::uint64_t pending() const noexcept { return started - answered - failed - timed_out - cancelled; }
};

namespace detail {

enum class ask_event : std::uint8_t { started, answered, failed, timed_out, cancelled, late };

/// One thread's share of the counts.
struct alignas(64) request_counters {
  std::array<std::atomic<std::uint64_t>, 6> counts{};

  /// Requires: no other thread ever writes this share.
  void add_own(ask_event what) noexcept {
    auto& n = counts[static_cast<std::size_t>(what)];
    n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_release); // pairs with add_to()
  }
  void add_shared(ask_event what) noexcept {
    counts[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_release);
  }
};

/// The share of the threads that have none of their own.
GREENROOM_EXPORT request_counters& shared_counters(runtime_core& core) noexcept;

inline void count_ask(runtime_core& core, ask_event what) noexcept {
  if (this_turn.asks != nullptr && this_turn.core == &core) return this_turn.asks->add_own(what);
  shared_counters(core).add_shared(what);
}

} // namespace detail
} // namespace greenroom
