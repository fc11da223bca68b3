// The ways through a graph: what can be reached, cycles, and ways that part and meet again.
// Thread safety: as a value. Lifetime: the plan outlives it, unchanged.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <greenroom/actors/graph.hpp>

namespace greenroom::internal {

using node_set = std::vector<bool>;

class graph_paths {
public:
  explicit graph_paths(const detail::graph_plan& plan);

  /// Returns all nodes that can be reached from these, and these.
  node_set reach(std::vector<std::size_t> from) const;

  /// Returns the shortest cycle through a node over such edges, as indices of edges in their order, beginning at the node.
  using edge_filter = std::function<bool(const detail::edge_record&)>;
  std::optional<std::vector<std::size_t>> cycle_through(std::size_t node, const edge_filter& counts) const;
  /// Returns the nodes that may lie on a cycle of such edges; none that is not is missing. Cost: linear.
  node_set may_be_on_cycle(const edge_filter& counts) const;

  /// Returns the nodes from which ways lead to different inputs of `join` with no node in common: where ways part that meet again only there. Source:
  /// dominators as in Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", 2001, on the graph turned round.
  std::vector<std::size_t> partings_before(std::size_t join) const;

private:
  const detail::graph_plan& plan_;
  std::vector<std::vector<std::size_t>> from_; // indices of the edges that begin at a node
  std::vector<std::vector<std::size_t>> to_;   // that end there
};

} // namespace greenroom::internal
