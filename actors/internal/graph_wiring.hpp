// A graph wired up: its mailboxes, the tree of its supervisors, and what it looks like.
// Thread safety: as noted. Lifetime: of the service.
#pragma once

#include <any>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/actors/internal/graph_part.hpp>
#include <greenroom/actors/internal/graph_states.hpp>
#include <greenroom/actors/internal/supervisor_actor.hpp>

namespace greenroom {
namespace detail {

/// An actor that stands where items leave for another process, or come from one.
struct crossing_child {
  std::size_t node; // whose input it is
  std::string name;
  std::shared_ptr<child_work> work;
};

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
  // Of a graph that is split over processes.
  std::shared_ptr<internal::graph_part> part; // null: all of it runs here
  std::vector<std::size_t> place_of;          // by node: index into the deployment
  std::vector<crossing_child> ways_out, ways_in;
  actor closer; // ends with the part

  bool runs_here(std::size_t node) const { return part == nullptr || place_of[node] == part->here(); }
};

} // namespace detail

namespace internal {

/// What a graph looks like before anything has come to it.
graph_look look_of(const detail::graph_plan& plan, const graph_options& how);
/// Shows in which processes its nodes run. `here`: which of them this is, if it runs.
void show_places(graph_look& all, const deployment& where, const std::vector<std::size_t>& place_of,
                 std::optional<std::size_t> here);

/// Makes the mailboxes, and the tree of supervisors: the graph's, and below it those of its groups.
std::shared_ptr<const detail::supervisor_plan> wire_up(detail::service_state& s, const graph_options& how);

} // namespace internal
} // namespace greenroom
