// The ledger: all that lives in an actor system and should not outlast its work: actors, what they hold and whose children they are,
// timers, and requests without an answer. A test compares it with nothing at its end; a stop logs what it leaves.
//
//   EXPECT_TRUE(sys.ledger().empty()) << sys.ledger().to_string();
//
// Thread safety: as a value; the pieces are counted one after the other, so it is exact only while the system rests.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// One actor as reports show it.
struct actor_info {
  std::uint64_t id;                        ///< unique in its system
  std::string name;                        ///< given at its spawn, or "actor"
  std::string spawned_at;                  ///< "file:line"
  std::string waits_for;                   ///< "receive", "sleep", ..., or "nothing: it runs or is ready"
  std::chrono::milliseconds waits_since{}; ///< how long it has waited
};

/// An actor and what it holds. Thread safety: as a value.
struct ledger_entry {
  actor_info actor;            ///< who it is, and what it waits for
  std::uint64_t parent = 0;    ///< whose scope it is a child of; 0: of none
  std::size_t guards = 0;      ///< how many guards of locks and permits its variables hold; 0 while it does not wait
  bool until_deadline = false; ///< a deadline will end its wait
};

/// All that lives in a system. Thread safety: as a value.
struct ledger {
  std::vector<ledger_entry> actors;   ///< those that have not ended
  std::size_t timers = 0;             ///< of waits, and of contexts with a deadline
  std::uint64_t pending_requests = 0; ///< asks whose asker waits

  /// Returns whether nothing is left.
  bool empty() const noexcept { return actors.empty() && timers == 0 && pending_requests == 0; }
  /// Returns a text with a line for each actor, children below their parents; "nothing is left" if empty.
  GREENROOM_EXPORT std::string to_string() const;
};

} // namespace greenroom
