// graph_look: a graph at one moment: its nodes and what their actors do, its edges and what became of their items, its supervisors, and
// the knots in it. As JSON, and in the languages of Graphviz, Mermaid and Prometheus.
//
//   auto now = shop.look();                                  // see graph_service.hpp
//   now.mark(shop.system().deadlocks(250ms));                // which nodes wait for each other, for ever
//   std::cout << now.to_mermaid();
//
// Thread safety: as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/deadlock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// What became of the items of an input, at one moment. Units: items.
struct item_counts {
  std::uint64_t accepted = 0;    ///< sent with success; the sum of all that follow
  std::uint64_t handled = 0;     ///< taken, and the node asked for the next, or ended normally
  std::uint64_t failed = 0;      ///< in the hand of an actor that ended otherwise
  std::uint64_t overflowed = 0;  ///< dropped as the mailbox was full, by its policy
  std::uint64_t expired = 0;     ///< dropped as they were queued too long
  std::uint64_t discarded = 0;   ///< dropped by queue_fate::drop
  std::uint64_t undelivered = 0; ///< dropped as the mailbox closed for good
  std::uint64_t in_hand = 0;     ///< taken, and not done with
  std::uint64_t queued = 0;      ///< in the mailbox
  std::uint64_t redelivered = 0; ///< came once more, by queue_fate::keep; no part of the sum
  /// Returns how many were dropped, for whatever reason.
  std::uint64_t dropped() const noexcept { return overflowed + expired + discarded + undelivered; }
  /// Returns whether no item is missing or doubled.
  bool conserved() const noexcept { return accepted == handled + failed + dropped() + in_hand + queued; }
  friend bool operator==(const item_counts&, const item_counts&) = default;
};

/// An input of a node, and its mailbox. Thread safety: as a value.
struct input_look {
  std::string name;                           ///< "input 0 of 'pricing'"
  std::size_t number = 0;                     ///< which of the node's inputs, from 0
  std::size_t replica = 0;                    ///< whose mailbox it is, if it is reached by key
  std::string type;                           ///< of its items, as C++ spells it
  std::string limits;                         ///< "bounded(64, overflow::wait)"
  std::optional<std::uint32_t> capacity = {}; ///< none: unbounded. Units: items
  bool closed = false;                        ///< nothing more will come
  item_counts items = {};                     ///< what became of them
  std::uint32_t blocked_senders = 0;          ///< actors that wait for room; counted up to most_blocked
  std::optional<std::chrono::milliseconds> oldest =
      {};                 ///< how long the next item to be taken has been queued; none: none is
  duration handling = {}; ///< for how long items were in hand, all together; with items.handled in two looks, the mean
  /// How many blocked senders are counted.
  static constexpr std::uint32_t most_blocked = 4'096;
};

/// What a node does; of several actors, the state that comes last here, so that trouble shows.
enum class node_state : std::uint8_t {
  declared,   ///< the graph does not run
  elsewhere,  ///< it runs in another process
  ended,      ///< for good
  failed,     ///< for good
  idle,       ///< waits for input
  waiting,    ///< waits for something else: an answer, a lock, a time
  running,    ///< runs, or is about to
  restarting, ///< has ended, and will be started anew
  blocked,    ///< waits to send
  stuck       ///< keeps its worker for too long
};
/// Returns "idle" and so on.
GREENROOM_EXPORT const char* to_string(node_state state) noexcept;

/// One actor of a node.
struct actor_look {
  std::uint64_t id = 0;                    ///< 0: none was started yet
  node_state state = node_state::declared; ///< what it does
  std::string doing = {};                  ///< "blocked sending to 'ledger'"
  std::chrono::milliseconds since{};       ///< how long it has waited so, or kept its worker; 0 if that is not known
  std::uint64_t restarts = 0;              ///< how often it was started anew
  std::string last_failure = {};           ///< "" if there was none
  std::size_t knot = 0;                    ///< the number of the knot that it is in; 0: none
};

/// A node and its actors. Thread safety: as a value.
struct node_look {
  std::string name;                    ///< as it was added
  std::string declared_at;             ///< "file:line"
  std::size_t replicas = 1;            ///< how many actors it has
  std::uint64_t running = 0;           ///< of them
  std::uint64_t restarts = 0;          ///< of all of them
  bool is_junction = false;            ///< made by the graph, where edges part or meet
  std::size_t supervisor = 0;          ///< index of the one it is a child of
  std::size_t place = 0;               ///< where it runs, of a graph that is split: index into graph_look::places
  bool elsewhere = false;              ///< it runs in another process: its inputs are what waits here to cross
  std::vector<input_look> inputs = {}; ///< one for each replica where that is reached by key
  std::vector<actor_look> actors = {}; ///< one for each replica; none while the graph does not run

  /// Returns the actor whose state stands for the node's; null while the graph does not run.
  GREENROOM_EXPORT const actor_look* foremost() const noexcept;
  /// Returns the number of the knot that one of its actors is in; 0: none.
  GREENROOM_EXPORT std::size_t knot() const noexcept;
};

/// An edge. Thread safety: as a value.
struct edge_look {
  std::size_t from;          ///< index of a node
  std::size_t output;        ///< of `from`, from 0
  std::size_t to;            ///< index of a node
  std::size_t input;         ///< of `to`, from 0
  std::size_t replica;       ///< of `to`, if it is reached by key
  bool dead_letters = false; ///< `from` sends what it could not handle; it has no output for that
  bool crosses = false;      ///< to another process
};

/// A way in from outside. Thread safety: as a value.
struct entry_look {
  std::string name;  ///< may be ""
  std::size_t to;    ///< index of a node
  std::size_t input; ///< of `to`, from 0
};

/// A supervisor of nodes. Thread safety: as a value.
struct supervisor_look {
  std::string name;                                 ///< the graph's own, then those of its groups
  std::string strategy;                             ///< "one_for_one" and so on
  int most_restarts = 0;                            ///< within the period; one more, and it gives up
  std::chrono::milliseconds period{};               ///< in which so many restarts may be
  std::optional<std::size_t> parent = std::nullopt; ///< index of the one above; none: it is the graph's own
};

/// A process that runs a part of a graph, see graph_deployment.hpp. Thread safety: as a value.
struct place_look {
  std::string name;    ///< of the node
  std::string address; ///< "10.0.0.7:7001"; "" if nobody can connect to it
  /// What is known of it here.
  enum class condition : std::uint8_t {
    declared, ///< the graph does not run
    here,     ///< this is it
    up,       ///< it is connected to
    down,     ///< it is tried again and again
    unknown   ///< it has no address, so that it alone connects
  };
  condition state = condition::declared; ///< whether it is up
  std::string trouble = {};              ///< why nothing crosses to it, in a sentence, if that is known
};
/// Returns "here" and so on.
GREENROOM_EXPORT const char* to_string(place_look::condition state) noexcept;

/// A graph at work. Each input is counted at a moment of its own. Thread safety: as a value.
struct GREENROOM_EXPORT graph_look {
  std::string name;                              ///< of the graph
  std::vector<node_look> nodes;                  ///< in the order in which they were added, junctions behind them
  std::vector<edge_look> edges;                  ///< all of them, those of dead letters too
  std::vector<entry_look> entries = {};          ///< the ways in from outside
  std::vector<supervisor_look> supervisors = {}; ///< the graph's own first
  std::vector<place_look> places = {};           ///< the processes it is split over; none if it is whole
  std::vector<deadlock> knots = {};              ///< those that mark() has found here; numbered from 1
  std::chrono::milliseconds at{};                ///< when, since the system started; 0 if the graph does not run

  /// Marks the actors of this graph that wait for each other, and keeps those reports that name one. Call it once.
  void mark(const deadlock_report& report);
  /// Marks the actors of this graph that keep a worker for too long.
  void mark(const std::vector<stuck_actor>& stuck);

  /// Returns where an edge of this graph leads. Requires: `edge` is one of `edges`.
  const input_look& input_of(const edge_look& edge) const;
  /// Returns whether no item is missing or doubled anywhere.
  bool conserved() const noexcept;
  /// Returns all of it as JSON.
  std::string to_json() const;
  /// Returns the graph in the language of Graphviz, with the entries that have names; knots are red, full edges bold.
  std::string to_dot() const;
  /// The same in that of Mermaid, which renders in Markdown.
  std::string to_mermaid() const;
  /// Returns the counts in the text format of Prometheus: greenroom_edge_items_total by what became of them, greenroom_edge_items for those under way, and others.
  std::string to_metrics() const;
};

} // namespace greenroom
