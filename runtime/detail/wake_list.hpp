// Actors whose waits were claimed under a lock, to be made ready once it is released: declare it before the lock's guard.
// Until then an actor sleeps, so that nothing it waited in is touched after it has gone on and perhaps destroyed that.
// Thread safety: owner only.
#pragma once

#include <greenroom/runtime/detail/waiter.hpp>

namespace greenroom::detail {

class wake_list {
public:
  wake_list() noexcept = default;
  wake_list(const wake_list&) = delete;
  wake_list& operator=(const wake_list&) = delete;
  ~wake_list() {
    while (first_ != nullptr) {
      auto& cell = *first_->cell;
      first_ = first_->prev; // before the actor runs: the waiter lies in its frame
      make_ready(cell);
    }
  }

  /// Adds a waiter that was claimed and unlinked.
  void add(waiter& claimed) noexcept {
    (last_ != nullptr ? last_->prev : first_) = &claimed; // not `next`, by which a waiter tells that it is linked
    last_ = &claimed;
  }

private:
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

} // namespace greenroom::detail
