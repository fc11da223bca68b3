// The parts of an actor that most never need: arguments kept alive, joiners, a bad exit reason, what listens for its exit.
// Thread safety: as noted at the fields. Lifetime: from first need to the last handle.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/detail/waiter.hpp>
#include <greenroom/runtime/exit_reason.hpp>

namespace greenroom::detail {

/// Function objects and arguments that live as long as the frames that refer to them, or that are used again when these have gone. The search for
/// deadlocks takes the ends among them for the actor's own.
struct kept_arguments {
  void (*destroy)(kept_arguments*) noexcept = nullptr;
  const void* shown = nullptr; // their memory, which nobody writes while the actor waits
  std::size_t bytes = 0;       // of it
  kept_arguments* next = nullptr;
};
inline void destroy_all(kept_arguments* first) noexcept {
  while (first != nullptr) {
    auto* const one = std::exchange(first, first->next);
    one->destroy(one);
  }
}

/// Told once when an actor has ended, after its frames are gone. Runs on the worker that ended it; must be short.
struct exit_listener {
  virtual void on_exit(actor_cell& cell, const exit_reason& why) noexcept = 0;
  /// Returns the actor that outlives the one listened for and may have given it references to its own variables; null if there is none.
  virtual actor_cell* parent() noexcept { return nullptr; }
  /// Marks that parent as exposed. Returns the parent's own listener, to go on with, and then to let go of by drop_ref(); null if there is
  /// none, or the parent was marked before.
  virtual exit_listener* expose_parent() noexcept { return nullptr; }
  virtual void add_ref() noexcept {}
  virtual void drop_ref() noexcept {}

protected:
  ~exit_listener() = default;
};

struct actor_extras {
  spin_lock lock;
  // Owned by the running actor.
  kept_arguments* kept = nullptr;
  std::unique_ptr<traced_work> traced; // what it has in hand of a trace, if the cell says so
  // Written before `finished` is set in the cell's word, constant after.
  exit_reason reason;
  // Guarded by lock.
  std::optional<error> cancel_cause; // of actor::cancel(); none when the system's stop cancelled it
  wait_queue joiners;
  std::vector<std::shared_ptr<exit_listener>> listeners;
  std::shared_ptr<exit_listener> caf_side; // the actor as CAF knows it, made on first use; also told of the exit
};

/// Has `listener` told of the exit; false if the actor has ended already.
GREENROOM_EXPORT bool add_listener(actor_cell& cell, std::shared_ptr<exit_listener> listener);

/// Takes `listener` back, if it has not been told yet and is about to be. Cost: in the number of listeners of that actor.
GREENROOM_EXPORT void remove_listener(actor_cell& cell, const exit_listener* listener) noexcept;

/// Notes that somebody may refer to variables of this actor, or of its parents, who is no child in a scope of theirs. They then take no
/// part in reports of deadlocks: what their frames hold may be used from elsewhere. Requires: called by that actor.
/// Cost: one load if it was marked before.
GREENROOM_EXPORT void mark_exposed(actor_cell& cell) noexcept;
/// Marks one actor, and returns its listener as expose_parent() does. Requires: the actor cannot end meanwhile.
exit_listener* expose_counted(actor_cell& parent) noexcept;

/// Returns the extras, making them first if need be. Any thread that holds a reference to the cell, or runs it.
GREENROOM_EXPORT actor_extras& extras_of(actor_cell& cell);

inline bool is_finished(const actor_cell& cell) noexcept {
  return (cell.word.load(std::memory_order_acquire) & actor_cell::finished) != 0;
}

} // namespace greenroom::detail
