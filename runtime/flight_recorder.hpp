// The flight recorder: the last events of an actor system, always kept, in rings of fixed size: who took which items, who was spawned, who
// ended, and the last lines of the log. For the question what an actor did before it failed, or before it got stuck.
//
//   std::cerr << sys.flight({.actor = 17, .most = 50}).to_string();
//   in.show_items();        // a mailbox: from now on with the texts of its items; options::flight_items does so for all
//
// The log shows the last events of an actor that failed, that keeps its worker, or that is part of a deadlock, by itself.
// An item is recorded when its actor goes on with it; items that one actor takes from one mailbox in a row are one event. Each worker keeps as
// many events as options::flight_events says, and overwrites the oldest: those of an actor among busy ones are soon gone, its lines are not.
// The text of an item is what describe(const T&) beside its type returns, or fmt, or operator<<; it is made when the item is taken.
// Thread safety: as values. Cost: 1.4 to 2 ns for an item; a text costs what making it costs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/flight_ring.hpp>
#include <greenroom/runtime/ledger.hpp>
#include <greenroom/runtime/log.hpp>

namespace greenroom {

/// What happened once, or several times in a row.
struct flight_event {
  std::chrono::milliseconds
      at{}; ///< since the system started, as of the worker's last look at its clock; the last of several
  flight_kind what = flight_kind::none;
  std::uint64_t actor = 0;           ///< 0: a line of no actor
  std::string name = {};             ///< of the actor; "" if it has ended and nobody knows its name any more
  std::uint64_t times = 1;           ///< how many items were taken
  std::string type = {};             ///< of the item
  std::size_t mailbox = 0;           ///< tells the mailboxes of one flight_log apart, from 1
  std::uint64_t by = 0;              ///< who spawned it; 0: none of these actors
  std::string text = {};             ///< of the item, of the line, or how the actor ended
  log_level level = log_level::info; ///< of the line
  std::string trace_id = {};         ///< of the trace that its actor worked for, as in the line; "" for none
};

/// Which events to return.
struct flight_query {
  std::uint64_t actor = 0;     ///< only of this one; 0: of all
  std::size_t most = SIZE_MAX; ///< the newest of them
};

/// The last events, the oldest first. Order: that of each worker; among workers by time, which is exact to some 50 microseconds at best.
/// Thread safety: as a value.
struct flight_log {
  std::vector<flight_event> events;
  std::optional<actor_info> actor; ///< the one that was asked for, if it lives: what it waits for now
  std::chrono::milliseconds now{}; ///< since the system started

  /// Returns a line for each event.
  GREENROOM_EXPORT std::string to_string() const;
  GREENROOM_EXPORT std::string to_json() const;
  /// Returns half a sentence about one actor, the oldest event first: "took order 3 times 12 ms ago; logged \"sold out\" 2 ms ago".
  GREENROOM_EXPORT std::string in_brief() const;
};

namespace detail {
/// Returns flight_log::in_brief() of the last few events, for a line of the log; "" if there are none, or if there were 20 such lines within
/// this second. Cost: copies the rings.
GREENROOM_EXPORT std::string last_events_in_brief(runtime_core& core, std::uint64_t actor);
} // namespace detail

} // namespace greenroom
