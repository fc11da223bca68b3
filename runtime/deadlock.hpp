// Reports of deadlocks: which actors wait for each other, so that none of them will ever go on unless it is cancelled.
//
//   for (const deadlock& d : sys.deadlocks().found) std::cerr << d.to_string() << '\n';
//
// An actor system also looks by itself and logs what it finds, see options::deadlock_check. Partial deadlocks are found too: two
// actors that wait for each other while all others work on.
//
// No report is false, provided that nobody reaches an end by ways that are not seen: by a pointer or reference to it, or a closure with
// one, that was sent in a message, handed to a thread, or left in an object that is shared. A wait counts as hopeless only if all who could end it wait hopelessly themselves, and who they are is known: all
// ends of the mailbox, the permits of the lock, or the request, are in variables of such actors, or queued in mailboxes that only such
// actors can reach. So an end held elsewhere, by main, a thread, a CAF actor, a callback or an object on the heap (a vector, a
// shared_ptr), keeps its mailbox out of all reports; and so does one in a variable of an actor that has given somebody who is no child in
// a scope of it what may refer to its variables: a pointer, a closure, a shared_ptr, a struct (see owns_what_it_names). What a supervisor keeps for a child's restart counts as the child's. Waits for a
// wait_group, a condition or a time are never hopeless.
// A cancellation or a kill is no way out that counts, nor is the end of the system; an actor that means to wait for its
// cancellation waits for that: `co_await ctx.done()`. Waits under the deadline of a context are reported as those with one of their own, as far
// as those are: a receive or a select that a deadline will end is never reported, since its actor means to go on without what it waited for.
//
// Thread safety: as values.
// Source: the conditions for knots in R. Holt, "Some Deadlock Properties of Computer Systems", ACM Computing Surveys 4, 1972.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// An actor in a deadlock.
struct deadlocked_actor {
  std::uint64_t id;                        ///< of the actor
  std::string name;                        ///< given at its spawn
  std::string spawned_at;                  ///< "file:line"
  std::string waits_for;                   ///< "to send to a mailbox of capacity 0", "for a lock", ...
  std::chrono::milliseconds waits_since{}; ///< how long it has waited
  std::uint32_t wait = 0;                  ///< which of its waits this is: in two reports equal for the same wait
  bool until_deadline = false;             ///< a deadline will end this wait
  bool in_knot = true;                     ///< false: it waits for those of the knot, none of which waits for it
  std::vector<std::uint64_t> held_up_by;   ///< who could end the wait
};

/// Actors that wait for each other.
struct deadlock {
  std::vector<deadlocked_actor> actors; ///< the knot first, then those that wait behind it
  /// True if deadlines will end it; until then it holds up all of them.
  bool until_deadline = false;

  /// Returns a text of several lines that names each actor and what it waits for, and whom.
  GREENROOM_EXPORT std::string to_string() const;
};

/// What a search has found. Thread safety: as a value.
struct deadlock_report {
  std::vector<deadlock> found; ///< each of them; empty: there is none
  std::size_t actors = 0;      ///< looked at: those that had waited long enough

  /// Returns a text with all of them, or a sentence that there is none.
  GREENROOM_EXPORT std::string to_string() const;
};

} // namespace greenroom
