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
#include <greenroom/actors/graph_look.hpp>
#include <greenroom/actors/supervisor.hpp>

namespace greenroom {

namespace detail {
struct service_state;
}

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT service {
public:
  /// Returns the actor that supervises the nodes. Its exit reason is normal when all nodes have ended.
  const actor& self() const noexcept { return top_.self(); }
  /// Returns the supervisor of the nodes.
  const supervisor& top() const noexcept { return top_; }
  /// Returns the graph's name. Lifetime: as this handle.
  const std::string& name() const noexcept;
  /// Returns the system it runs in. Requires: that lives.
  actor_system& system() const noexcept;

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

  /// Returns what the graph looks like now. Waits: never. Cost: takes each mailbox's lock for a moment, and keeps each actor in its wait for one.
  /// Requires: the system lives.
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
