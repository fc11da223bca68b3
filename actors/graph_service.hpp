// service: a graph that runs. Its nodes are the children of one supervisor; each edge counts what became of its items.
//
//   const auto shop = run(sys, std::move(g)).value();    // throws graph_error, naming every fault, before anything starts
//   auto orders = shop.to(intake);                       // the address behind an entry
//   std::cout << shop.look().to_dot();
//   const result<void> done = sys.run(drain, shop);         // task<result<void>> drain(service s) { return s.drain(5s); }
//
// It ends when all of its nodes have ended for good, or when one had to be restarted too often: self() can be joined.
// Thread safety: copies may be used from any thread. Lifetime: the graph runs on without handles, but its entries close with the last one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <greenroom/actors/graph.hpp>
#include <greenroom/actors/supervisor.hpp>

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
  std::uint64_t in_hand = 0;
  std::uint64_t queued = 0;
  std::uint64_t redelivered = 0; ///< came once more, by queue_fate::keep; no part of the sum
  std::uint64_t dropped() const noexcept { return overflowed + expired + discarded + undelivered; }
  bool conserved() const noexcept { return accepted == handled + failed + dropped() + in_hand + queued; }
  friend bool operator==(const item_counts&, const item_counts&) = default;
};

struct input_look {
  std::string name; ///< "input 0 of 'pricing'"
  std::size_t number = 0;
  std::size_t replica = 0; ///< whose mailbox it is, if it is reached by key
  std::string type;
  std::string limits; ///< "bounded(64, overflow::wait)"
  bool closed = false;
  item_counts items;
};

struct node_look {
  std::string name;
  std::string declared_at; ///< "file:line"
  std::size_t replicas = 1;
  std::uint64_t running = 0;           ///< of them
  std::uint64_t restarts = 0;          ///< of all of them
  bool is_junction = false;            ///< made by the graph, where edges part or meet
  std::vector<input_look> inputs = {}; ///< one for each replica where that is reached by key
};

struct edge_look {
  std::size_t from; ///< index of a node
  std::size_t output;
  std::size_t to;
  std::size_t input;
  std::size_t replica;       ///< of `to`, if it is reached by key
  bool dead_letters = false; ///< `from` sends what it could not handle; it has no output for that
};

struct entry_look {
  std::string name; ///< may be ""
  std::size_t to;   ///< index of a node
  std::size_t input;
};

/// A graph at work. Each input is counted at a moment of its own. Thread safety: as a value.
struct GREENROOM_EXPORT graph_look {
  std::string name;
  std::vector<node_look> nodes;
  std::vector<edge_look> edges;
  std::vector<entry_look> entries = {};

  /// Returns where an edge of this graph leads. Requires: `edge` is one of `edges`.
  const input_look& input_of(const edge_look& edge) const;
  /// Returns whether no item is missing or doubled anywhere.
  bool conserved() const noexcept;
  std::string to_json() const;
  /// Returns the graph in the language of Graphviz, with the entries that have names.
  std::string to_dot() const;
  /// Returns the counts in the text format of Prometheus: greenroom_edge_items_total by what became of them, greenroom_edge_items for those under way, and others.
  std::string to_metrics() const;
};

namespace detail {
struct service_state;
}

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT service {
public:
  /// Returns the actor that supervises the nodes. Its exit reason is normal when all nodes have ended.
  const actor& self() const noexcept { return top_.self(); }
  const supervisor& top() const noexcept { return top_; }

  /// Returns the address that lets items in. Errors: usage_error for an entry of another graph.
  template <class T>
  address<T> to(entry_port<T> entry) const {
    return std::any_cast<address<T>>(entry_of(entry.number, entry.graph));
  }
  /// The same by name, for graphs from files. Errors: not_found, with the names that there are; type_mismatch, with both types.
  template <class T>
  result<address<T>> entry(std::string_view name) const {
    const auto found = entry_of(name, typeid(T));
    if (!found) return found.error();
    return std::any_cast<address<T>>(**found);
  }

  /// Ends the service along its edges: closes the entries, cancels the nodes without inputs, and waits until every node has handled what is left.
  /// Waits: suspends the actor, at most for `limit`. Cancellation: throws `cancelled`; the drain goes on. Errors: errc::timed_out, naming the nodes
  /// that run on, a cycle of them for example; stop() ends those. What ended the service, if it failed.
  task<result<void>> drain(duration limit) const;
  /// Cancels every node, in the direction of the edges, and drops what is queued. Waits: never; join self() to wait for it.
  void stop() const;

  /// Returns what the graph looks like now. Waits: never. Cost: takes each mailbox's lock for a moment.
  graph_look look() const;

  /// For run().
  service(supervisor top, std::shared_ptr<detail::service_state> state) noexcept
      : top_(std::move(top)), state_(std::move(state)) {}

private:
  const std::any& entry_of(std::size_t number, const void* graph) const;
  result<const std::any*> entry_of(std::string_view name, const std::type_info& type) const;
  static task<result<void>> drain_all(service s, duration limit);

  supervisor top_;
  std::shared_ptr<detail::service_state> state_;
};

/// Starts a graph, those nodes first whose outputs lead nowhere; with its own options, unless others are given. Logs its warnings.
/// Errors: throws graph_error; errc::stopped, the system stops.
GREENROOM_EXPORT task<result<service>> run(graph g);
GREENROOM_EXPORT task<result<service>> run(graph g, graph_options how);
/// The same for threads. Waits: blocks the thread. Errors: also usage_error on a worker thread.
GREENROOM_EXPORT result<service> run(actor_system& sys, graph g);
GREENROOM_EXPORT result<service> run(actor_system& sys, graph g, graph_options how);

/// Returns what a graph looks like before it runs: with the nodes that it makes itself, and nothing counted. Errors: throws graph_error.
GREENROOM_EXPORT graph_look look_at(const graph& g);

} // namespace greenroom
