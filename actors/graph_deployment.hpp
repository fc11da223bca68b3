// deployment: one graph, split over processes. It says which nodes (node.hpp) there are, at which addresses, and which of them runs which nodes
// of the graph. Each process starts the same graph with the same deployment and its own name, in any order, and runs its part.
//
//   deployment where;                                        // or load_deployment("deploy.toml")
//   where.add({.name = "shop"});                             // the first one runs what is placed nowhere
//   where.add({.name = "bank", .port = 7001}).place("ledger", "bank");
//   auto part = run(sys, std::move(g), where, "shop");       // a service, as ever
//
//   [deployment]
//   detection = "2s"                                         # silence after which a node is down
//   [nodes.shop]                                             # nothing crosses to it: it needs no address
//   [nodes.bank]
//   at = "10.0.0.7:7001"                                     # anything but loopback needs certificates, in PEM, beside this file
//   tls = { ca = "ca.pem", certificate = "bank.pem", key = "bank.key" }
//   [place]
//   ledger = "bank"
//
// An edge whose ends are apart crosses: its mailbox stands where the items leave, with its limits, and another one where they arrive. While the other
// node is down, senders wait, or its policy holds: reject, drop. What is on its way then is sent again when it is back, and what arrives twice is taken once;
// a node that was ended meanwhile may so have begun with the last batch already, of 256 items at most. Items need an inspect(), see wire.hpp.
// The end does not cross: a part that items come to from elsewhere ends when it is drained. It then handles what is left, and the others go on waiting for it.
// Thread safety: owner only. Lifetime: a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// A process that runs a part of a graph.
struct deployed_node {
  std::string name;                 ///< from 1 to 64 characters
  std::string host = "127.0.0.1";   ///< where the others reach it; anything but loopback needs `tls`
  std::uint16_t port = 0;           ///< 0: it does not listen, so nothing may cross to it
  std::optional<node_tls> tls = {}; ///< all nodes have them, or none; each reads only its own
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT deployment {
public:
  /// Adds a node. The first one runs those nodes of the graph that are placed nowhere.
  deployment& add(deployed_node node, std::source_location where = std::source_location::current());
  /// Has a node of the graph run there.
  deployment& place(std::string graph_node, std::string node,
                    std::source_location where = std::source_location::current());
  /// How long another node may be silent before it is down. Errors: usage_error unless it is 30 ms or more.
  deployment& detect_within(std::chrono::milliseconds silence);

  /// Returns all that is wrong with it for this graph, each fault with its place: nodes and names that are not there, nodes without an address or
  /// certificates, edges that cannot cross.
  std::vector<std::string> faults(const graph& g) const;

  /// What was said, and where: a name, and a place such as "deploy.toml:7:1".
  struct node_record {
    deployed_node node; ///< as it was given
    std::string at;     ///< the place
  };
  /// The same of a node of the graph.
  struct place_record {
    std::string graph_node; ///< which
    std::string node;       ///< where it runs
    std::string at;         ///< the place
  };
  /// Returns the nodes, in their order.
  const std::vector<node_record>& nodes() const noexcept { return nodes_; }
  /// Returns where nodes of the graph run.
  const std::vector<place_record>& places() const noexcept { return places_; }
  /// Returns how long another node may be silent.
  std::chrono::milliseconds detection() const noexcept { return detection_; }

  /// For load_deployment().
  void add(node_record node) { nodes_.push_back(std::move(node)); }
  /// For load_deployment().
  void place(place_record place) { places_.push_back(std::move(place)); }

private:
  std::vector<node_record> nodes_;
  std::vector<place_record> places_;
  std::chrono::milliseconds detection_{2000};
};

/// Reads a deployment; it is checked with its graph, by faults() and run(). Waits: blocks the thread.
/// Errors: not_found or io when the file cannot be read; parse, with all that is wrong with it, each with file, line and column; unsupported in a
/// build without TOML.
GREENROOM_EXPORT result<deployment> load_deployment(const std::filesystem::path& file);

/// Starts the part of the graph that runs on the node `self`, and listens for the others. It does not wait for them.
/// Errors: throws graph_error, naming every fault of graph and deployment, and usage_error if there is no node `self`; already_exists, its address is
/// taken; io, it cannot be listened at; what tls_server::make() says of the certificates; errc::stopped. As node's constructor in a build without CAF's io.
GREENROOM_EXPORT task<result<service>> run(graph g, deployment where, std::string self);
/// The same for threads. Waits: blocks the thread.
GREENROOM_EXPORT result<service> run(actor_system& sys, graph g, deployment where, std::string self);

/// Returns what a graph looks like before it runs, with the nodes that it is split over. Errors: throws graph_error.
GREENROOM_EXPORT graph_look look_at(const graph& g, const deployment& where);

} // namespace greenroom
