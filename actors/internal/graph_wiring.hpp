// A graph wired up: its mailboxes, the tree of its supervisors, and what it looks like.
// Thread safety: as noted. Lifetime: of the service.
#pragma once

#include <any>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/actors/internal/graph_states.hpp>
#include <greenroom/actors/internal/supervisor_actor.hpp>

namespace greenroom {
namespace detail {

/// A graph at work: constant.
struct service_state {
  graph_plan plan;                                             // as internal::with_junctions() makes it
  graph_look blank;                                            // without counts
  std::vector<std::vector<std::shared_ptr<child_work>>> nodes; // by node and replica
  std::vector<std::vector<std::string>> children;              // their names
  std::vector<std::string> groups;                             // by node: whose child it is; "": the graph's
  std::vector<std::any> entries;
  internal::input_owners owners;
  actor_system* system = nullptr;
  const void* identity = nullptr; // of the graph
  std::vector<std::shared_ptr<mailbox_base>> entry_boxes;
};

} // namespace detail

namespace internal {

/// What a graph looks like before anything has come to it.
graph_look look_of(const detail::graph_plan& plan, const graph_options& how);

/// Makes the mailboxes, and the tree of supervisors: the graph's, and below it those of its groups.
std::shared_ptr<const detail::supervisor_plan> wire_up(detail::service_state& s, const graph_options& how);

} // namespace internal
} // namespace greenroom
