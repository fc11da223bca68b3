// What the actors of a system wait for and which ends they hold, read from their wait records and frames while the workers go on.
//
// An actor is kept in its wait for the microseconds in which its frames are read (actor_cell::observe), and counts its waits, so
// that a second look can tell whether it was the same wait all the time. Who waited through both looks has not run in between, and so
// its frames have not changed. First all actors are read, then those that look deadlocked are read again: if all of them
// waited throughout, what was read holds for all at once, at the moment between the two.
// Thread safety: owner only, on any thread that holds no lock. Lifetime: ends before the system does.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <greenroom/runtime/detail/end_word.hpp>
#include <greenroom/runtime/detail/mailbox_base.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom::internal {

/// A word that is an end, or looks like one.
struct seen_end {
  const void* of = nullptr; // mailbox, permits, place of a reply or of turns
  detail::end_kind kind{};
  std::int64_t permits = 0; // of an end of kind permit; positive
  friend bool operator==(const seen_end&, const seen_end&) = default;
};

struct seen_case {
  detail::wait_kind kind{};
  const void* place = nullptr;
};

/// An actor that waits for something that other actors may have to do.
struct seen_actor {
  actor who;
  detail::actor_cell* cell = nullptr; // of `who`
  std::uint32_t wait = 0;             // which of its waits this is
  std::uint32_t since = 0;            // Units: milliseconds since the system started
  detail::wait_kind kind{};
  bool timed = false; // a deadline ends the wait: its own, or the context's
  bool exposed = false;
  const void* asked = nullptr; // the mailbox that an ask was sent to
  const void* group = nullptr; // what the actor's parent waits in for its children
  const detail::actor_cell* parent = nullptr;
  std::vector<seen_case> cases; // one but for a select
  std::vector<seen_end> ends;   // in its frames and arguments
};

struct seen_mailbox {
  std::size_t reached_by = 0; // an actor in whose frames an end of it stands
  detail::mailbox_base::ends count{};
  std::uint32_t capacity = 0;
  bool known = false;         // false: it was busy, or its queue is too long to look through
  std::vector<seen_end> ends; // in its queue
};

struct seen_permits {
  struct waiter {
    const detail::actor_cell* cell;
    std::int64_t want;
    friend bool operator==(const waiter&, const waiter&) = default;
  };
  std::size_t waited_by = 0; // an actor that waits in it
  bool known = false;        // false: it was busy
  std::int64_t held = 0;
  std::int64_t free = 0;
  std::vector<waiter> waiters; // in line
};

/// What the ledger wants to know of an actor.
struct wait_look {
  bool context_deadline = false; ///< its context has a deadline
  std::size_t guards = 0;        ///< locks and permits in its variables
};
/// Looks at an actor in its wait; finds nothing if it does not wait.
wait_look look_at_wait(detail::actor_cell& cell);

class wait_snapshot {
public:
  /// Reads the actors that have waited for `least_age` or longer.
  wait_snapshot(detail::runtime_core& core, std::chrono::milliseconds least_age);
  wait_snapshot(const wait_snapshot&) = delete;
  wait_snapshot& operator=(const wait_snapshot&) = delete;

  const std::vector<seen_actor>& actors() const noexcept { return actors_; }
  /// Returns the mailboxes that the actors hold ends of, as far as they were recognised.
  const std::unordered_map<const void*, seen_mailbox>& mailboxes() const noexcept { return mailboxes_; }
  /// Returns the locks and semaphores that the actors wait in.
  const std::unordered_map<const void*, seen_permits>& permits() const noexcept { return permits_; }
  /// Returns whether a child of `parent` was seen that does not wait like this.
  bool has_busy_child(const detail::actor_cell* parent) const { return busy_parents_.contains(parent); }

  // -- the second look ----------------------------------------------------------------------------
  /// Returns whether the actor still waits as it did.
  bool still_waits(const seen_actor& a) const noexcept;
  /// Returns whether all ends of the mailbox, and what is queued, are as they were.
  bool unchanged(const seen_mailbox& m, const void* place) const;
  /// Returns whether as much of it is held, and the line is, as before.
  bool unchanged(const seen_permits& p, const void* place) const;
  /// Counts the seats of a game of turns that the actor waits in; negative if it does not wait any more.
  std::int64_t seats(const seen_actor& a, const void* turns) const noexcept;

private:
  void collect(std::chrono::milliseconds least_age);
  bool read(seen_actor& a);
  void read_mailbox(const void* place, std::size_t reached_by);
  void read_permits(const void* place, std::size_t waited_by);

  detail::runtime_core& core_;
  std::vector<seen_actor> actors_;
  std::unordered_map<const void*, seen_mailbox> mailboxes_;
  std::unordered_map<const void*, seen_permits> permits_;
  std::unordered_set<const void*> busy_parents_;
};

} // namespace greenroom::internal
