#include <greenroom/actors/internal/deployment_check.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>
#include <greenroom/actors/internal/graph_layout.hpp>
#include <greenroom/runtime/detail/loopback.hpp>

namespace greenroom::internal {
namespace {

using detail::graph_plan;
using faults = std::vector<std::string>;

constexpr std::size_t longest_name = 64; // as node has it

std::optional<std::size_t> find_graph_node(const graph_plan& plan, const std::string& name) {
  const auto found = std::find_if(plan.nodes.begin(), plan.nodes.end(), [&](const auto& n) { return n.name == name; });
  if (found == plan.nodes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - plan.nodes.begin());
}

std::string names_of(const graph_plan& plan) {
  std::string names;
  for (const auto& n : plan.nodes) names += (names.empty() ? "'" : ", '") + n.name + "'";
  return names;
}

void check_nodes(const deployment& where, faults& found) {
  if (where.nodes().empty()) found.push_back("the deployment has no nodes: name the processes that run the graph");
  std::set<std::string> names;
  std::map<std::pair<std::string, std::uint16_t>, std::string> addresses;
  for (const auto& [node, at] : where.nodes()) {
    const auto fault = [&, &place = at](const std::string& sentence) { found.push_back(place + ": " + sentence); };
    if (node.name.empty() || node.name.size() > longest_name)
      fault(fmt::format("the name of a node has from 1 to {} characters, not {}", longest_name, node.name.size()));
    if (!names.insert(node.name).second)
      fault(fmt::format("two nodes are called '{}': name each of them differently", node.name));
    if (node.host.empty()) fault(fmt::format("node '{}' has no host", node.name));
    if (node.port != 0) {
      const auto [other, is_new] = addresses.emplace(std::pair(node.host, node.port), node.name);
      if (!is_new)
        fault(fmt::format("node '{}' is at {}:{}, as is node '{}': each needs a port of its own", node.name, node.host,
                          node.port, other->second));
      if (!node.tls && !detail::is_loopback(node.host))
        fault(fmt::format("node '{}' is at {}, which is not loopback: anybody there could send to its actors; give all "
                          "nodes certificates, tls",
                          node.name, node.host));
    }
    const auto& first = where.nodes().front().node;
    if (node.tls.has_value() != first.tls.has_value())
      fault(fmt::format("node '{}' has {} tls, and node '{}' has {}: all need certificates, or none", node.name,
                        node.tls ? "a" : "no", first.name, first.tls ? "one" : "none"));
  }
}

void check_places(const graph_plan& plan, const deployment& where, faults& found) {
  std::map<std::string, std::string> seen;
  for (const auto& p : where.places()) {
    if (!find_graph_node(plan, p.graph_node))
      found.push_back(fmt::format("{}: there is no node '{}' in graph '{}' to be placed; there are {}", p.at,
                                  p.graph_node, plan.name, names_of(plan)));
    if (!find_node(where, p.node))
      found.push_back(fmt::format("{}: '{}' is placed on node '{}', which is not in the deployment; there are {}", p.at,
                                  p.graph_node, p.node, names_of_nodes(where)));
    const auto [first, is_new] = seen.emplace(p.graph_node, p.at);
    if (!is_new)
      found.push_back(fmt::format("{}: '{}' is placed twice, at {} before: it runs on one node", p.at, p.graph_node,
                                  first->second));
  }
}

/// A graph and its places, for what crosses.
struct crossings {
  const graph_plan& plan; // with junctions
  const deployment& where;
  std::vector<std::size_t> place_of;

  const deployment::node_record& node_of(std::size_t n) const { return where.nodes()[place_of[n]]; }
  /// Where it is said that a node, or the one that a junction stands beside, runs there.
  const std::string& said_at(std::size_t n) const {
    const auto& node = plan.nodes[n];
    const auto& name = node.is_junction ? plan.nodes[node.beside].name : node.name;
    for (const auto& p : where.places()) {
      if (p.graph_node == name) return p.at;
    }
    return node_of(n).at;
  }
  /// The end that is placed by name, if one is.
  const std::string& said_at(std::size_t a, std::size_t b) const {
    const auto& at = said_at(b);
    return at == node_of(b).at ? said_at(a) : at;
  }
};

void check_edge(const crossings& all, const detail::edge_record& e, faults& found) {
  const auto& to = all.node_of(e.to).node;
  const auto& from = all.node_of(e.from).node;
  const auto name = fmt::format("the link from {} to {}", name_of_output(all.plan, e.from, e.output),
                                name_of_input(all.plan, e.to, e.input));
  const auto& input = all.plan.nodes[e.to].inputs[e.input];
  const auto& at = all.said_at(e.from, e.to);
  if (input.crossing == nullptr)
    found.push_back(fmt::format("{}: {} crosses from node '{}' to node '{}', but items of type {} cannot: write an "
                                "inspect() beside the type, see wire.hpp, or place both on one node",
                                at, name, from.name, to.name, input.type));
  if (to.port == 0)
    found.push_back(
        fmt::format("{}: {} crosses to node '{}', which has no address: give it a host and a port", at, name, to.name));
}

void check_groups(const crossings& all, faults& found) {
  for (const auto& g : all.plan.groups) {
    if (g.how.strategy == one_for_one || g.nodes.empty()) continue;
    const auto first = g.nodes.front();
    const auto apart = std::find_if(g.nodes.begin(), g.nodes.end(),
                                    [&](std::size_t n) { return all.place_of[n] != all.place_of[first]; });
    if (apart == g.nodes.end()) continue;
    found.push_back(
        fmt::format("{}: the nodes of group '{}' are restarted together ({}), but '{}' runs on node '{}' and '{}' on "
                    "node '{}': place them on one node",
                    all.said_at(first, *apart), g.name, to_string(g.how.strategy), all.plan.nodes[first].name,
                    all.node_of(first).node.name, all.plan.nodes[*apart].name, all.node_of(*apart).node.name));
  }
}

void check_dead_letters(const crossings& all, faults& found) {
  for (const auto& e : all.plan.entries) {
    if (!e.takes_dead_letters) continue;
    for (std::size_t n = 0; n < all.plan.nodes.size(); ++n) {
      const auto& node = all.plan.nodes[n];
      if (node.how.queue != queue_fate::dead_letter || all.place_of[n] == all.place_of[e.to]) continue;
      found.push_back(fmt::format(
          "{}: what '{}' cannot handle is to become a dead letter on node '{}', but '{}', which takes them, runs on "
          "node '{}', and they cannot cross: place both on one node",
          all.said_at(n, e.to), node.name, all.node_of(n).node.name, all.plan.nodes[e.to].name,
          all.node_of(e.to).node.name));
    }
  }
}

void check_crossings(const crossings& all, faults& found) {
  for (const auto& e : all.plan.edges) {
    if (all.place_of[e.from] != all.place_of[e.to]) check_edge(all, e, found);
  }
  check_groups(all, found);
  check_dead_letters(all, found);
  for (std::size_t i = 0; i < all.where.nodes().size(); ++i) {
    if (std::find(all.place_of.begin(), all.place_of.end(), i) != all.place_of.end()) continue;
    const auto& [node, at] = all.where.nodes()[i];
    found.push_back(
        fmt::format("{}: nothing runs on node '{}': place a node of the graph there, or leave it out", at, node.name));
  }
}

} // namespace

std::optional<std::size_t> find_node(const deployment& where, const std::string& name) {
  const auto& all = where.nodes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.node.name == name; });
  if (found == all.end()) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

std::string names_of_nodes(const deployment& where) {
  std::string names;
  for (const auto& one : where.nodes()) names += (names.empty() ? "'" : ", '") + one.node.name + "'";
  return names;
}

std::vector<std::size_t> places_of(const graph_plan& laid_out, const deployment& where) {
  std::vector<std::size_t> place(laid_out.nodes.size(), 0);
  for (const auto& p : where.places()) {
    const auto n = find_graph_node(laid_out, p.graph_node);
    if (n) place[*n] = find_node(where, p.node).value_or(0);
  }
  for (std::size_t n = 0; n < place.size(); ++n) {
    if (laid_out.nodes[n].is_junction) place[n] = place[laid_out.nodes[n].beside];
  }
  return place;
}

std::vector<std::string> faults_of(const graph_plan& plan, const deployment& where) {
  faults found;
  check_nodes(where, found);
  check_places(plan, where, found);
  if (!found.empty()) return found; // what crosses is not known
  const auto laid_out = with_junctions(plan);
  check_crossings({laid_out, where, places_of(laid_out, where)}, found);
  return found;
}

std::string published_name(const graph_plan& laid_out, std::size_t node, std::size_t input) {
  return fmt::format("graph/{}/{}.{}", laid_out.name, laid_out.nodes[node].name, input);
}

} // namespace greenroom::internal
