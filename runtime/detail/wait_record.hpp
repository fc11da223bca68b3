// What an actor does at a moment, read from its wait record: for pictures of a system at work.
// Thread safety: any thread that holds no lock of a queue. Lifetime: the reader has a handle to the actor, and its system lives.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

struct waited_for {
  wait_kind kind = wait_kind::none;
  const void* place = nullptr; ///< a mailbox_base for receive and send; only to be compared, it may be gone
};

/// A wait of an actor, or none.
class wait_record {
public:
  bool waits() const noexcept { return count_ != 0; }
  bool is_select = false;
  bool timed = false;                 ///< a deadline of its own ends it
  std::chrono::milliseconds lasted{}; ///< by the clock of its system
  /// Returns what ends the wait: one, but for a select; of a large one the first.
  std::span<const waited_for> cases() const noexcept { return std::span(cases_).first(count_); }
  void add(waited_for one) noexcept {
    if (count_ < cases_.size()) cases_[count_++] = one;
  }

private:
  std::array<waited_for, 8> cases_;
  std::size_t count_ = 0;
};

/// Reads what the actor waits for: nothing if it runs, is ready, or has ended. Cost: keeps it in its wait for the moment.
GREENROOM_EXPORT wait_record read_wait(actor_cell& cell) noexcept;

} // namespace greenroom::detail
