// Pictures of a graph at work: JSON and DOT.
#include <algorithm>

#include <fmt/format.h>

#include <greenroom/actors/graph_service.hpp>

namespace greenroom {
namespace {

/// Returns the text between quotes; JSON and DOT agree on what must be escaped, but for control characters, which no name needs.
std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string json_of(const input_look& in) {
  const auto& n = in.items;
  return fmt::format(
      R"({{"name":{},"number":{},"replica":{},"type":{},"limits":{},"closed":{},"accepted":{},"handled":{},"failed":{},"dropped":{},)"
      R"("in_hand":{},"queued":{}}})",
      literal(in.name), in.number, in.replica, literal(in.type), literal(in.limits), in.closed, n.accepted, n.handled,
      n.failed, n.dropped, n.in_hand, n.queued);
}

std::string json_of(const node_look& node) {
  std::string inputs;
  for (const auto& in : node.inputs) inputs += (inputs.empty() ? "" : ",") + json_of(in);
  return fmt::format(
      R"({{"name":{},"declared_at":{},"replicas":{},"running":{},"restarts":{},"junction":{},"inputs":[{}]}})",
      literal(node.name), literal(node.declared_at), node.replicas, node.running, node.restarts, node.is_junction,
      inputs);
}

} // namespace

bool graph_look::conserved() const noexcept {
  for (const auto& node : nodes) {
    for (const auto& in : node.inputs) {
      if (!in.items.conserved()) return false;
    }
  }
  return true;
}

std::string graph_look::to_json() const {
  std::string text = fmt::format(R"({{"name":{},"nodes":[)", literal(name));
  for (std::size_t n = 0; n < nodes.size(); ++n) text += (n == 0 ? "" : ",") + json_of(nodes[n]);
  text += "],\"edges\":[";
  for (std::size_t e = 0; e < edges.size(); ++e) {
    text += fmt::format(R"({}{{"from":{},"output":{},"to":{},"input":{},"replica":{}}})", e == 0 ? "" : ",",
                        edges[e].from, edges[e].output, edges[e].to, edges[e].input, edges[e].replica);
  }
  return text + "]}\n";
}

const input_look& graph_look::input_of(const edge_look& edge) const {
  const auto& all = nodes.at(edge.to).inputs;
  return *std::find_if(all.begin(), all.end(),
                       [&](const auto& in) { return in.number == edge.input && in.replica == edge.replica; });
}

std::string graph_look::to_dot() const {
  auto text = fmt::format(
      "digraph {} {{\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n  edge [fontname=sans, fontsize=10];\n",
      literal(name));
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const auto& node = nodes[n];
    const auto label = node.replicas == 1 ? node.name : fmt::format("{} x{}", node.name, node.replicas);
    text += fmt::format("  n{} [label={}{}];\n", n, literal(label), node.is_junction ? ", shape=point" : "");
  }
  for (const auto& e : edges) {
    const auto& in = input_of(e);
    text += fmt::format("  n{} -> n{} [label={}];\n", e.from, e.to,
                        literal(fmt::format("{}: {} queued", in.type, in.items.queued)));
  }
  return text + "}\n";
}

} // namespace greenroom
