#include <greenroom/actors/internal/graph_layout.hpp>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>

namespace greenroom::internal {
namespace {

using detail::graph_plan;

/// Adds one that belongs to a node, and so is declared where that is, and runs there.
void add_junction(graph_plan& plan, std::size_t of, detail::node_record made) {
  made.declared_at = plan.nodes[of].declared_at;
  made.beside = of;
  plan.nodes.push_back(std::move(made));
}

/// Has the edges of broadcast() begin at a node that copies.
void add_copiers(graph_plan& plan) {
  const auto count = plan.nodes.size();
  for (std::size_t n = 0; n < count; ++n) {
    for (std::size_t o = 0; o < plan.nodes[n].outputs.size(); ++o) {
      std::vector<std::size_t> copies;
      for (std::size_t i = 0; i < plan.edges.size(); ++i) {
        if (plan.edges[i].from == n && plan.edges[i].output == o && plan.edges[i].is_copy) copies.push_back(i);
      }
      if (copies.empty()) continue;
      const auto junction = plan.nodes.size();
      const auto name = name_of_output(plan, n, o) + " to all";
      add_junction(plan, n, plan.nodes[n].outputs[o].make_copier(name, plan.nodes[n].where, copies.size()));
      for (std::size_t k = 0; k < copies.size(); ++k) {
        plan.edges[copies[k]].from = junction;
        plan.edges[copies[k]].output = k;
      }
      plan.edges.push_back({n, o, junction, 0, rendezvous()});
    }
  }
}

/// Has the urgent edges and the others of an input end at a node that takes the urgent first.
void add_mergers(graph_plan& plan) {
  const auto count = plan.nodes.size();
  for (std::size_t n = 0; n < count; ++n) {
    for (std::size_t i = 0; i < plan.nodes[n].inputs.size(); ++i) {
      bool urgent = false, others = false;
      for (const auto& e : plan.edges) {
        if (e.to == n && e.input == i) (e.how.urgent ? urgent : others) = true;
      }
      for (const auto& e : plan.entries) others = others || (e.to == n && e.input == i);
      if (!urgent || !others) continue;
      const auto junction = plan.nodes.size();
      const auto name = name_of_input(plan, n, i) + ", urgent first";
      add_junction(plan, n, plan.nodes[n].inputs[i].make_merger(name, plan.nodes[n].where));
      for (auto& e : plan.edges) {
        if (e.to != n || e.input != i) continue;
        e.to = junction;
        e.input = e.how.urgent ? 0 : 1;
      }
      for (auto& e : plan.entries) {
        if (e.to != n || e.input != i) continue;
        e.to = junction;
        e.input = 1;
      }
      plan.edges.push_back({junction, 0, n, i, rendezvous()});
    }
  }
}

/// Has each edge of connect_by_key() lead to a node that knows which replica is meant.
void add_partitions(graph_plan& plan) {
  const auto count = plan.edges.size();
  for (std::size_t k = 0; k < count; ++k) {
    if (!plan.edges[k].by_key) continue;
    auto& e = plan.edges[k];
    const auto to = e.to, input = e.input;
    const auto limits = e.limits;
    const auto replicas = plan.nodes[to].how.replicas;
    const auto junction = plan.nodes.size();
    e.to = junction;
    e.input = 0;
    const auto from = e.from;
    add_junction(plan, from,
                 e.by_key(name_of_output(plan, from, e.output) + " by key", plan.nodes[from].where, replicas));
    plan.nodes.back().beside = to;
    for (std::size_t r = 0; r < replicas; ++r) {
      plan.edges.push_back({.from = junction, .output = r, .to = to, .input = input, .limits = limits, .replica = r});
    }
  }
}

} // namespace

graph_plan with_junctions(graph_plan plan) {
  add_copiers(plan);
  add_mergers(plan);
  add_partitions(plan);
  return plan;
}

std::vector<std::size_t> receivers_first(const graph_plan& plan) {
  std::vector<std::size_t> order;
  std::vector<bool> seen(plan.nodes.size());
  struct step {
    std::size_t node;
    std::size_t edge;
  };
  std::vector<std::size_t> starts; // who takes dead letters receives from all others
  for (const auto& e : plan.entries) {
    if (e.takes_dead_letters) starts.push_back(e.to);
  }
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) starts.push_back(n);
  for (const auto n : starts) {
    if (seen[n]) continue;
    seen[n] = true;
    std::vector<step> path{{n, 0}};
    while (!path.empty()) {
      auto& at = path.back();
      while (at.edge < plan.edges.size() && (plan.edges[at.edge].from != at.node || seen[plan.edges[at.edge].to]))
        ++at.edge;
      if (at.edge == plan.edges.size()) {
        order.push_back(at.node);
        path.pop_back();
      } else {
        const auto next = plan.edges[at.edge].to;
        seen[next] = true;
        path.push_back({next, 0}); // `at` is gone
      }
    }
  }
  return order;
}

} // namespace greenroom::internal
