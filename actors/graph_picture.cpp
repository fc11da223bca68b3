// Pictures of a graph at work: JSON, DOT, Mermaid and metrics.
#include <greenroom/actors/graph_look.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/json_literal.hpp>

namespace greenroom {
namespace {

using detail::json_literal;

/// Returns the text between quotes, as DOT and metrics have it.
std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string json_of(const input_look& in);
std::string json_of(const actor_look& a);
std::string json_of(const node_look& node);
std::string json_of(const edge_look& e);
std::string json_of(const entry_look& e);
std::string json_of(const supervisor_look& s);
std::string json_of(const place_look& p);
std::string json_of(const deadlocked_actor& a);
std::string json_of(const deadlock& d);

/// Joins the texts of all, with commas.
template <class List>
std::string json_list(const List& all) {
  std::string text = "[";
  for (const auto& one : all) text += (text.size() == 1 ? "" : ",") + json_of(one);
  return text + "]";
}

std::string json_of(const input_look& in) {
  const auto& n = in.items;
  auto text = fmt::format(
      R"({{"name":{},"number":{},"replica":{},"type":{},"limits":{},"closed":{},"accepted":{},"handled":{},"failed":{},"dropped":{},)"
      R"("overflowed":{},"expired":{},"discarded":{},"undelivered":{},"in_hand":{},"queued":{},"redelivered":{},)"
      R"("blocked_senders":{},"handling_ns":{})",
      json_literal(in.name), in.number, in.replica, json_literal(in.type), json_literal(in.limits), in.closed,
      n.accepted, n.handled, n.failed, n.dropped(), n.overflowed, n.expired, n.discarded, n.undelivered, n.in_hand,
      n.queued, n.redelivered, in.blocked_senders, in.handling.count());
  if (in.capacity) text += fmt::format(R"(,"capacity":{})", *in.capacity);
  if (in.oldest) text += fmt::format(R"(,"oldest_ms":{})", in.oldest->count());
  return text + "}";
}

std::string json_of(const actor_look& a) {
  auto text =
      fmt::format(R"({{"id":{},"state":"{}","doing":{},"since_ms":{},"restarts":{},"last_failure":{})", a.id,
                  to_string(a.state), json_literal(a.doing), a.since.count(), a.restarts, json_literal(a.last_failure));
  if (a.knot != 0) text += fmt::format(R"(,"knot":{})", a.knot);
  return text + "}";
}

std::string json_of(const node_look& node) {
  const auto* const first = node.foremost();
  const auto state = node.elsewhere ? node_state::elsewhere : first == nullptr ? node_state::declared : first->state;
  auto text = fmt::format(
      R"({{"name":{},"declared_at":{},"replicas":{},"running":{},"restarts":{},"junction":{},"supervisor":{},"state":"{}")",
      json_literal(node.name), json_literal(node.declared_at), node.replicas, node.running, node.restarts,
      node.is_junction, node.supervisor, to_string(state));
  if (const auto knot = node.knot(); knot != 0) text += fmt::format(R"(,"knot":{})", knot);
  if (node.place != 0) text += fmt::format(R"(,"place":{})", node.place);
  if (node.elsewhere) text += R"(,"elsewhere":true)";
  return text + R"(,"inputs":)" + json_list(node.inputs) + R"(,"actors":)" + json_list(node.actors) + "}";
}

std::string json_of(const edge_look& e) {
  return fmt::format(R"({{"from":{},"output":{},"to":{},"input":{},"replica":{},"dead_letters":{}{}}})", e.from,
                     e.output, e.to, e.input, e.replica, e.dead_letters, e.crosses ? R"(,"crosses":true)" : "");
}

std::string json_of(const entry_look& e) {
  return fmt::format(R"({{"name":{},"to":{},"input":{}}})", json_literal(e.name), e.to, e.input);
}

std::string json_of(const supervisor_look& s) {
  auto text = fmt::format(R"({{"name":{},"strategy":{},"most_restarts":{},"period_ms":{})", json_literal(s.name),
                          json_literal(s.strategy), s.most_restarts, s.period.count());
  if (s.parent) text += fmt::format(R"(,"parent":{})", *s.parent);
  return text + "}";
}

std::string json_of(const place_look& p) {
  return fmt::format(R"({{"name":{},"address":{},"state":"{}","trouble":{}}})", json_literal(p.name),
                     json_literal(p.address), to_string(p.state), json_literal(p.trouble));
}

std::string json_of(const deadlocked_actor& a) {
  auto text = fmt::format(R"({{"id":{},"name":{},"waits_for":{},"waits_ms":{},"in_knot":{},"held_up_by":[)", a.id,
                          json_literal(a.name), json_literal(a.waits_for), a.waits_since.count(), a.in_knot);
  for (std::size_t i = 0; i < a.held_up_by.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ",", a.held_up_by[i]);
  return text + "]}";
}

std::string json_of(const deadlock& d) {
  return fmt::format(R"({{"until_deadline":{},"actors":{}}})", d.until_deadline, json_list(d.actors));
}

/// Says of an edge what it holds.
std::string label_of(const graph_look& g, const edge_look& e) {
  if (e.dead_letters) return "dead letters";
  const auto& in = g.input_of(e);
  auto text = fmt::format("{}: {} queued", in.type, in.items.queued);
  if (in.blocked_senders != 0) text += fmt::format(", {} blocked", in.blocked_senders);
  return text;
}

std::string label_of(const place_look& p) {
  using condition = place_look::condition;
  auto text = p.name;
  if (!p.address.empty()) text += " at " + p.address;
  const bool is_known = p.state != condition::declared && p.state != condition::unknown;
  return is_known ? fmt::format("{}, {}", text, to_string(p.state)) : text;
}

/// Calls `begin` and `end` for each place, with `one` for each of its nodes in between; `one` for all of a graph that is whole.
template <class Begin, class One, class End>
void node_by_node(const graph_look& g, Begin begin, One one, End end) {
  for (std::size_t p = 0; p < std::max<std::size_t>(g.places.size(), 1); ++p) {
    if (!g.places.empty()) begin(p);
    for (std::size_t n = 0; n < g.nodes.size(); ++n) {
      if (g.places.empty() || g.nodes[n].place == p) one(n);
    }
    if (!g.places.empty()) end();
  }
}

std::string label_of(const node_look& node) {
  return node.replicas == 1 ? node.name : fmt::format("{} x{}", node.name, node.replicas);
}

bool is_full(const input_look& in) noexcept {
  return in.blocked_senders != 0 || (in.capacity && *in.capacity != 0 && in.items.queued >= *in.capacity);
}

/// Mermaid takes text between quotes, with entities of its own for what it would read.
std::string mermaid_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (std::string_view("\"#&<>`").find(c) != std::string_view::npos) {
      out += fmt::format("#{};", static_cast<int>(c));
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out + '"';
}

} // namespace

const char* to_string(node_state state) noexcept {
  switch (state) {
  case node_state::declared: return "declared";
  case node_state::elsewhere: return "elsewhere";
  case node_state::ended: return "ended";
  case node_state::failed: return "failed";
  case node_state::idle: return "idle";
  case node_state::waiting: return "waiting";
  case node_state::running: return "running";
  case node_state::restarting: return "restarting";
  case node_state::blocked: return "blocked";
  case node_state::stuck: return "stuck";
  }
  return "";
}

const char* to_string(place_look::condition state) noexcept {
  static constexpr const char* names[] = {"declared", "here", "up", "down", "unknown"};
  const auto n = static_cast<std::size_t>(state);
  return n < std::size(names) ? names[n] : "";
}

const actor_look* node_look::foremost() const noexcept {
  const actor_look* first = nullptr;
  for (const auto& a : actors) {
    if (first == nullptr || a.state > first->state || (a.state == first->state && a.since > first->since)) first = &a;
  }
  return first;
}

std::size_t node_look::knot() const noexcept {
  for (const auto& a : actors) {
    if (a.knot != 0) return a.knot;
  }
  return 0;
}

void graph_look::mark(const deadlock_report& report) {
  std::unordered_map<std::uint64_t, actor_look*> ours;
  for (auto& node : nodes) {
    for (auto& a : node.actors) ours.emplace(a.id, &a);
  }
  for (const auto& found : report.found) {
    bool is_here = false;
    for (const auto& member : found.actors) {
      const auto it = ours.find(member.id);
      if (it == ours.end()) continue;
      is_here = true;
      if (member.in_knot) it->second->knot = knots.size() + 1;
    }
    if (is_here) knots.push_back(found);
  }
}

void graph_look::mark(const std::vector<stuck_actor>& stuck) {
  for (const auto& one : stuck) {
    for (auto& node : nodes) {
      for (auto& a : node.actors) {
        if (a.id != one.actor.id || a.state != node_state::running) continue;
        a.state = node_state::stuck;
        a.doing = "keeping its worker";
        a.since = one.for_at_least;
      }
    }
  }
}

bool graph_look::conserved() const noexcept {
  for (const auto& node : nodes) {
    for (const auto& in : node.inputs) {
      if (!in.items.conserved()) return false;
    }
  }
  return true;
}

std::string graph_look::to_json() const {
  return fmt::format(R"({{"name":{},"nodes":{},"edges":{},"entries":{},"supervisors":{},{}"knots":{},"at_ms":{}}})"
                     "\n",
                     json_literal(name), json_list(nodes), json_list(edges), json_list(entries), json_list(supervisors),
                     places.empty() ? "" : fmt::format(R"("places":{},)", json_list(places)), json_list(knots),
                     at.count());
}

const input_look& graph_look::input_of(const edge_look& edge) const {
  const auto& all = nodes.at(edge.to).inputs;
  return *std::find_if(all.begin(), all.end(),
                       [&](const auto& in) { return in.number == edge.input && in.replica == edge.replica; });
}

std::string graph_look::to_metrics() const {
  std::string accepted, became, now, restarts, running, up;
  for (const auto& node : nodes) {
    const auto of_node = fmt::format("graph={},node={}", literal(name), literal(node.name));
    if (!node.elsewhere) { // that process tells it
      restarts += fmt::format("greenroom_node_restarts_total{{{}}} {}\n", of_node, node.restarts);
      running += fmt::format("greenroom_node_running{{{}}} {}\n", of_node, node.running);
    }
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
  for (const auto& p : places) {
    if (p.state != place_look::condition::up && p.state != place_look::condition::down) continue;
    up += fmt::format("greenroom_place_up{{graph={},place={}}} {}\n", literal(name), literal(p.name),
                      p.state == place_look::condition::up ? 1 : 0);
  }
  const auto family = [](const char* of, const char* type, const char* help, const std::string& lines) {
    return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{3}", of, type, help, lines);
  };
  return family("greenroom_edge_accepted_total", "counter", "Items sent to an input with success.", accepted) +
         family("greenroom_edge_items_total", "counter", "Items of an input by what became of them.", became) +
         family("greenroom_edge_items", "gauge", "Items of an input that are queued, or in a node's hand.", now) +
         family("greenroom_node_restarts_total", "counter", "Restarts of a node.", restarts) +
         family("greenroom_node_running", "gauge", "Actors of a node that run.", running) +
         (up.empty() ? "" : family("greenroom_place_up", "gauge", "Whether another process of the graph is up.", up));
}

std::string graph_look::to_dot() const {
  auto text = fmt::format(
      "digraph {} {{\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n  edge [fontname=sans, fontsize=10];\n",
      literal(name));
  const auto begin = [&](std::size_t p) {
    text += fmt::format("  subgraph cluster_{} {{\n  label={};\n  fontname=sans;\n", p, literal(label_of(places[p])));
  };
  const auto one = [&](std::size_t n) {
    const auto& node = nodes[n];
    text +=
        fmt::format("  n{} [label={}{}{}{}];\n", n, literal(label_of(node)), node.is_junction ? ", shape=point" : "",
                    node.knot() != 0 ? ", color=red" : "", node.elsewhere ? ", style=dashed" : "");
  };
  node_by_node(*this, begin, one, [&] { text += "  }\n"; });
  for (const auto& e : edges) {
    text += fmt::format("  n{} -> n{} [label={}{}{}{}];\n", e.from, e.to, literal(label_of(*this, e)),
                        e.dead_letters ? ", style=dashed" : "",
                        !e.dead_letters && is_full(input_of(e)) ? ", style=bold" : "", e.crosses ? ", color=blue" : "");
  }
  for (std::size_t e = 0; e < entries.size(); ++e) {
    if (entries[e].name.empty()) continue;
    text += fmt::format("  e{} [label={}, shape=plaintext];\n  e{} -> n{};\n", e, literal(entries[e].name), e,
                        entries[e].to);
  }
  return text + "}\n";
}

std::string graph_look::to_mermaid() const {
  std::string text = "flowchart LR\n", in_knot, elsewhere;
  const auto begin = [&](std::size_t p) {
    text += fmt::format("  subgraph p{}[{}]\n", p, mermaid_text(label_of(places[p])));
  };
  const auto one = [&](std::size_t n) {
    const auto& node = nodes[n];
    text += node.is_junction ? fmt::format("  n{}((\" \"))\n", n)
                             : fmt::format("  n{}[{}]\n", n, mermaid_text(label_of(node)));
    if (node.knot() != 0) in_knot += fmt::format("{}n{}", in_knot.empty() ? "" : ",", n);
    if (node.elsewhere) elsewhere += fmt::format("{}n{}", elsewhere.empty() ? "" : ",", n);
  };
  node_by_node(*this, begin, one, [&] { text += "  end\n"; });
  for (const auto& e : edges) {
    const char* const arrow = e.dead_letters ? "-.->" : is_full(input_of(e)) ? "==>" : "-->";
    text += fmt::format("  n{} {}|{}| n{}\n", e.from, arrow, mermaid_text(label_of(*this, e)), e.to);
  }
  for (std::size_t e = 0; e < entries.size(); ++e) {
    if (entries[e].name.empty()) continue;
    text += fmt::format("  e{}>{}] --> n{}\n", e, mermaid_text(entries[e].name), entries[e].to);
  }
  if (!elsewhere.empty())
    text += fmt::format("  classDef elsewhere stroke-dasharray:5 5\n  class {} elsewhere\n", elsewhere);
  if (!in_knot.empty()) text += fmt::format("  classDef knot stroke:#c00,stroke-width:3px\n  class {} knot\n", in_knot);
  return text;
}

} // namespace greenroom
