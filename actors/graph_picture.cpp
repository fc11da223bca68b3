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
      R"("overflowed":{},"expired":{},"discarded":{},"undelivered":{},"in_hand":{},"queued":{},"redelivered":{}}})",
      literal(in.name), in.number, in.replica, literal(in.type), literal(in.limits), in.closed, n.accepted, n.handled,
      n.failed, n.dropped(), n.overflowed, n.expired, n.discarded, n.undelivered, n.in_hand, n.queued, n.redelivered);
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
    text += fmt::format(R"({}{{"from":{},"output":{},"to":{},"input":{},"replica":{},"dead_letters":{}}})",
                        e == 0 ? "" : ",", edges[e].from, edges[e].output, edges[e].to, edges[e].input,
                        edges[e].replica, edges[e].dead_letters);
  }
  text += "],\"entries\":[";
  for (std::size_t e = 0; e < entries.size(); ++e) {
    text += fmt::format(R"({}{{"name":{},"to":{},"input":{}}})", e == 0 ? "" : ",", literal(entries[e].name),
                        entries[e].to, entries[e].input);
  }
  return text + "]}\n";
}

const input_look& graph_look::input_of(const edge_look& edge) const {
  const auto& all = nodes.at(edge.to).inputs;
  return *std::find_if(all.begin(), all.end(),
                       [&](const auto& in) { return in.number == edge.input && in.replica == edge.replica; });
}

std::string graph_look::to_metrics() const {
  std::string accepted, became, now, restarts, running;
  for (const auto& node : nodes) {
    const auto of_node = fmt::format("graph={},node={}", literal(name), literal(node.name));
    restarts += fmt::format("greenroom_node_restarts_total{{{}}} {}\n", of_node, node.restarts);
    running += fmt::format("greenroom_node_running{{{}}} {}\n", of_node, node.running);
    for (const auto& in : node.inputs) {
      const auto of_input = fmt::format("{},input=\"{}\",replica=\"{}\"", of_node, in.number, in.replica);
      const auto& n = in.items;
      accepted += fmt::format("greenroom_edge_accepted_total{{{}}} {}\n", of_input, n.accepted);
      const std::pair<const char*, std::uint64_t> ends[] = {
          {"handled", n.handled}, {"failed", n.failed},       {"overflowed", n.overflowed},
          {"expired", n.expired}, {"discarded", n.discarded}, {"undelivered", n.undelivered}};
      for (const auto& [how, count] : ends)
        became += fmt::format("greenroom_edge_items_total{{{},became=\"{}\"}} {}\n", of_input, how, count);
      now += fmt::format(
          "greenroom_edge_items{{{0},state=\"queued\"}} {1}\ngreenroom_edge_items{{{0},state=\"in_hand\"}} {2}\n",
          of_input, n.queued, n.in_hand);
    }
  }
  const auto family = [](const char* of, const char* type, const char* help, const std::string& lines) {
    return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{3}", of, type, help, lines);
  };
  return family("greenroom_edge_accepted_total", "counter", "Items sent to an input with success.", accepted) +
         family("greenroom_edge_items_total", "counter", "Items of an input by what became of them.", became) +
         family("greenroom_edge_items", "gauge", "Items of an input that are queued, or in a node's hand.", now) +
         family("greenroom_node_restarts_total", "counter", "Restarts of a node.", restarts) +
         family("greenroom_node_running", "gauge", "Actors of a node that run.", running);
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
    text +=
        fmt::format("  n{} -> n{} [label={}{}];\n", e.from, e.to,
                    literal(e.dead_letters ? "dead letters" : fmt::format("{}: {} queued", in.type, in.items.queued)),
                    e.dead_letters ? ", style=dashed" : "");
  }
  for (std::size_t e = 0; e < entries.size(); ++e) {
    if (entries[e].name.empty()) continue;
    text += fmt::format("  e{} [label={}, shape=plaintext];\n  e{} -> n{};\n", e, literal(entries[e].name), e,
                        entries[e].to);
  }
  return text + "}\n";
}

} // namespace greenroom
