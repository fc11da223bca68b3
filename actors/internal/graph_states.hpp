// What the actors of a graph do, in words: from their wait records, and from what their supervisors have noted.
// Thread safety: any thread. Lifetime: while the system of the graph lives.
#pragma once

#include <span>
#include <string>
#include <unordered_map>

#include <greenroom/actors/detail/child_work.hpp>
#include <greenroom/actors/graph_look.hpp>

namespace greenroom::internal {

/// Whose input a mailbox is.
using input_owners = std::unordered_map<const void*, std::size_t>; // of mailbox_base: index of the node

/// Looks at the actor of one replica of a node. `over`: the supervisors have ended, so nothing is started any more.
actor_look look_at_replica(const detail::child_work& work, std::size_t node, const input_owners& owners,
                           std::span<const node_look> nodes, bool over);

} // namespace greenroom::internal
