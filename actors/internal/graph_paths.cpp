#include <greenroom/actors/internal/graph_paths.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace greenroom::internal {

graph_paths::graph_paths(const detail::graph_plan& plan)
    : plan_(plan), from_(plan.nodes.size()), to_(plan.nodes.size()) {
  for (std::size_t i = 0; i < plan.edges.size(); ++i) {
    from_[plan.edges[i].from].push_back(i);
    to_[plan.edges[i].to].push_back(i);
  }
}

node_set graph_paths::reach(std::vector<std::size_t> from) const {
  node_set reached(plan_.nodes.size());
  while (!from.empty()) {
    const auto n = from.back();
    from.pop_back();
    if (reached[n]) continue;
    reached[n] = true;
    for (const auto i : from_[n]) from.push_back(plan_.edges[i].to);
  }
  return reached;
}

std::optional<std::vector<std::size_t>> graph_paths::cycle_through(std::size_t node, const edge_filter& counts) const {
  std::vector<std::optional<std::size_t>> came_by(plan_.nodes.size());
  std::vector<std::size_t> next{node};
  for (std::size_t at = 0; at < next.size(); ++at) {
    for (const auto i : from_[next[at]]) {
      const auto& e = plan_.edges[i];
      if (!counts(e)) continue;
      if (e.to == node) {
        std::vector<std::size_t> way{i};
        for (auto n = e.from; n != node; n = plan_.edges[*came_by[n]].from) way.push_back(*came_by[n]);
        std::reverse(way.begin(), way.end());
        return way;
      }
      if (came_by[e.to]) continue;
      came_by[e.to] = i;
      next.push_back(e.to);
    }
  }
  return std::nullopt;
}

node_set graph_paths::may_be_on_cycle(const edge_filter& counts) const {
  // Who has no such edge to it from another one left is on none; then its own edges count no more.
  const auto nodes = plan_.nodes.size();
  std::vector<std::size_t> left(nodes);
  for (const auto& e : plan_.edges) left[e.to] += counts(e) ? 1U : 0U;
  node_set on(nodes, true);
  std::vector<std::size_t> done;
  for (std::size_t n = 0; n < nodes; ++n) {
    if (left[n] == 0) done.push_back(n);
  }
  while (!done.empty()) {
    const auto n = done.back();
    done.pop_back();
    on[n] = false;
    for (const auto i : from_[n]) {
      const auto& e = plan_.edges[i];
      if (counts(e) && --left[e.to] == 0) done.push_back(e.to);
    }
  }
  return on;
}

namespace {

constexpr auto nowhere = SIZE_MAX;

/// Returns for each number the last one that all ways from 0 to it have in common, its dominator. `order` has the numbers such that each comes behind
/// one that leads to it.
std::vector<std::size_t> dominators(const std::vector<std::vector<std::size_t>>& previous,
                                    const std::vector<std::size_t>& order) {
  std::vector<std::size_t> rank(previous.size(), nowhere);
  for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::vector<std::size_t> of(previous.size(), nowhere);
  of[0] = 0;
  const auto common = [&](std::size_t a, std::size_t b) {
    while (a != b) (rank[a] > rank[b] ? a : b) = of[rank[a] > rank[b] ? a : b];
    return a;
  };
  for (bool changed = true; std::exchange(changed, false);) {
    for (const auto n : order) {
      if (n == 0) continue;
      auto best = nowhere;
      for (const auto p : previous[n]) {
        if (of[p] != nowhere) best = best == nowhere ? p : common(p, best);
      }
      if (best == of[n]) continue;
      of[n] = best;
      changed = true;
    }
  }
  return of;
}

/// Returns the numbers that can be reached from 0, each behind those through which it is reached where there is no cycle.
std::vector<std::size_t> reverse_postorder(const std::vector<std::vector<std::size_t>>& next) {
  std::vector<std::size_t> order;
  node_set seen(next.size());
  std::vector<std::pair<std::size_t, std::size_t>> path{{0, 0}};
  seen[0] = true;
  while (!path.empty()) {
    auto& [n, at] = path.back();
    if (at == next[n].size()) {
      order.push_back(n);
      path.pop_back();
      continue;
    }
    const auto to = next[n][at++];
    if (seen[to]) continue;
    seen[to] = true;
    path.emplace_back(to, 0);
  }
  std::reverse(order.begin(), order.end());
  return order;
}

} // namespace

std::vector<std::size_t> graph_paths::partings_before(std::size_t join) const {
  // Turned round: 0 is `join`, its inputs follow, then all nodes. What passes through `join` itself does not count.
  const auto inputs = plan_.nodes[join].inputs.size();
  const auto first = 1 + inputs;
  std::vector<std::vector<std::size_t>> next(first + plan_.nodes.size()), previous(next.size());
  const auto lead = [&](std::size_t a, std::size_t b) {
    next[a].push_back(b);
    previous[b].push_back(a);
  };
  for (std::size_t i = 0; i < inputs; ++i) lead(0, 1 + i);
  for (const auto& e : plan_.edges) {
    if (e.from == join) continue;
    lead(e.to == join ? 1 + e.input : first + e.to, first + e.from);
  }
  const auto of = dominators(previous, reverse_postorder(next));
  std::vector<std::size_t> found;
  for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
    if (of[first + n] == 0) found.push_back(n);
  }
  return found;
}

} // namespace greenroom::internal
