// Where the nodes of a graph run, and what is wrong with that.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/actors/graph_deployment.hpp>

namespace greenroom::internal {

/// Returns, for each node of a plan with its junctions, the index of the node that it runs on. Requires: the deployment has no faults.
std::vector<std::size_t> places_of(const detail::graph_plan& laid_out, const deployment& where);

/// Returns which node of the deployment has that name.
std::optional<std::size_t> find_node(const deployment& where, const std::string& name);
/// "'shop', 'bank'"
std::string names_of_nodes(const deployment& where);

std::vector<std::string> faults_of(const detail::graph_plan& plan, const deployment& where);

/// What an edge's other end looks up: "graph/shop/ledger.0". Requires: a plan with its junctions.
std::string published_name(const detail::graph_plan& laid_out, std::size_t node, std::size_t input);

} // namespace greenroom::internal
