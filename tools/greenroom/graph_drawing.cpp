#include <greenroom/tools/greenroom/graph_drawing.hpp>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

using namespace graph_reading;

namespace {

std::string dot_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Mermaid has entities by number for what it would read as its own.
std::string mermaid_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (std::string_view("\"#&<>`").find(c) != std::string_view::npos)
      out += fmt::format("#{};", static_cast<int>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string label_of(const node& n) {
  auto text = n.replicas == 1 ? n.name : fmt::format("{} x{}", n.name, n.replicas);
  if (n.running < n.replicas && !n.elsewhere) text += fmt::format(", {} run", n.running);
  if (n.restarts != 0) text += fmt::format(", {} restart(s)", n.restarts);
  return text;
}

std::string label_of(const place& p) {
  auto text = p.address.empty() ? p.name : fmt::format("{} at {}", p.name, p.address);
  return p.state.empty() || p.state == "unknown" ? text : fmt::format("{}, {}", text, p.state);
}

/// Calls `begin` and `end` for each place, with `one` for each of its nodes in between; `one` for all of a graph that is whole.
template <class Begin, class One, class End>
void node_by_node(const graph_reading::graph& g, Begin begin, One one, End end) {
  for (std::size_t p = 0; p < std::max<std::size_t>(g.places.size(), 1); ++p) {
    if (!g.places.empty()) begin(p);
    for (std::size_t n = 0; n < g.nodes.size(); ++n) {
      if (g.places.empty() || g.nodes[n].place == p) one(n);
    }
    if (!g.places.empty()) end();
  }
}

const input* input_of(const graph_reading::graph& g, const edge& e) {
  const auto& all = g.nodes[e.to].inputs;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&e](const auto& in) { return in.number == e.input && in.replica == e.replica; });
  return found == all.end() ? nullptr : &*found;
}

std::string label_of(const edge& e, const input* in) {
  if (e.dead_letters) return "dead letters";
  if (in == nullptr) return "";
  auto text = fmt::format("{}: {}", in->type, in->queued);
  if (in->capacity) text += fmt::format(" of {}", *in->capacity);
  text += " queued";
  if (in->blocked_senders.value_or(0) != 0) text += fmt::format(", {} blocked", *in->blocked_senders);
  return text;
}

} // namespace

std::string dot_of(const graph_reading::graph& g) {
  auto text = fmt::format(
      "digraph {} {{\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n  edge [fontname=sans, fontsize=10];\n",
      dot_text(g.name));
  const auto begin = [&](std::size_t p) {
    text +=
        fmt::format("  subgraph cluster_{} {{\n  label={};\n  fontname=sans;\n", p, dot_text(label_of(g.places[p])));
  };
  const auto one = [&](std::size_t n) {
    const auto& node = g.nodes[n];
    const char* const look = node.junction ? ", shape=point" : node.knot ? ", color=red, penwidth=2" : "";
    text += fmt::format("  n{} [label={}{}{}];\n", n, dot_text(label_of(node)), look,
                        node.elsewhere ? ", style=dashed" : "");
  };
  node_by_node(g, begin, one, [&] { text += "  }\n"; });
  for (const auto& e : g.edges) {
    const auto* const in = input_of(g, e);
    const char* const look = e.dead_letters                  ? ", style=dashed"
                             : in != nullptr && is_full(*in) ? ", color=red, penwidth=2"
                             : e.crosses                     ? ", color=blue"
                                                             : "";
    text += fmt::format("  n{} -> n{} [label={}{}];\n", e.from, e.to, dot_text(label_of(e, in)), look);
  }
  for (std::size_t e = 0; e < g.entries.size(); ++e) {
    if (g.entries[e].name.empty()) continue;
    text += fmt::format("  e{} [label={}, shape=plaintext];\n  e{} -> n{};\n", e, dot_text(g.entries[e].name), e,
                        g.entries[e].to);
  }
  return text + "}\n";
}

std::string mermaid_of(const graph_reading::graph& g) {
  std::string text = "flowchart LR\n";
  const auto begin = [&](std::size_t p) {
    text += fmt::format("  subgraph p{}[{}]\n", p, mermaid_text(label_of(g.places[p])));
  };
  const auto one = [&](std::size_t n) {
    const auto& node = g.nodes[n];
    text += node.junction ? fmt::format("  n{}(({}))\n", n, mermaid_text(" "))
                          : fmt::format("  n{}[{}]\n", n, mermaid_text(label_of(node)));
    if (node.knot) text += fmt::format("  style n{} stroke:#c00,stroke-width:3px\n", n);
    if (node.elsewhere) text += fmt::format("  style n{} stroke-dasharray:5 5\n", n);
  };
  node_by_node(g, begin, one, [&] { text += "  end\n"; });
  std::string full;
  for (std::size_t i = 0; i < g.edges.size(); ++i) {
    const auto& e = g.edges[i];
    const auto* const in = input_of(g, e);
    const auto label = label_of(e, in);
    text += fmt::format("  n{} {}{} n{}\n", e.from, e.dead_letters ? "-.->" : "-->",
                        label.empty() ? "" : "|" + mermaid_text(label) + "|", e.to);
    if (in != nullptr && !e.dead_letters && is_full(*in))
      full += fmt::format("  linkStyle {} stroke:#c00,stroke-width:3px\n", i);
  }
  for (std::size_t e = 0; e < g.entries.size(); ++e) {
    if (g.entries[e].name.empty()) continue;
    text += fmt::format("  e{}([{}]) --> n{}\n", e, mermaid_text(g.entries[e].name), g.entries[e].to);
  }
  return text + full;
}
