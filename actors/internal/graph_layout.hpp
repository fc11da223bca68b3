// How a graph is laid out to run: which nodes of its own it needs, and who is started first.
// Thread safety: as values.
#pragma once

#include <vector>

#include <greenroom/actors/graph.hpp>

namespace greenroom::internal {

/// Puts nodes where edges part or meet in a way that a mailbox cannot: each output then has one edge, or one for each replica behind it.
detail::graph_plan with_junctions(detail::graph_plan plan);

/// Orders the nodes so that whoever is sent to comes before who sends, as far as there are no cycles.
std::vector<std::size_t> receivers_first(const detail::graph_plan& plan);

} // namespace greenroom::internal
