#include <greenroom/actors/internal/graph_check.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_paths.hpp>
#include <greenroom/runtime/detail/utf8.hpp>

namespace greenroom::internal {
namespace {

using detail::edge_record;
using detail::graph_plan;
using faults = std::vector<std::string>;

constexpr std::size_t most_replicas = 10'000;
constexpr std::size_t most_named = 3;           // in one sentence
constexpr std::size_t longest_graph_name = 128; // of a node and all else; longer ones no picture can show

std::string port_name(const char* kind, const detail::port_record& port, std::size_t number, const std::string& node) {
  return port.name.empty() ? fmt::format("{} {} of '{}'", kind, number, node)
                           : fmt::format("{} '{}' of '{}'", kind, port.name, node);
}

bool waits(const mailbox_limits& l) noexcept { return l.capacity != detail::no_bound && l.when_full == overflow::wait; }
bool same(const mailbox_limits& a, const mailbox_limits& b) noexcept {
  return a.capacity == b.capacity && a.when_full == b.when_full && a.expires_after == b.expires_after;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

/// Says what is wrong with a name that pages, metrics and terminals show. An empty one is fine here.
void check_text(const char* of, const std::string& name, faults& found) {
  if (name.size() > longest_graph_name)
    return found.push_back(fmt::format("the name of {} that begins with '{}' has {} bytes: {} are possible", of,
                                       name.substr(0, 16), name.size(), longest_graph_name));
  for (std::string_view rest = name; !rest.empty();) {
    const auto length = detail::utf8_length(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    if (length == 0 || first < 0x20 || first == 0x7f)
      return found.push_back(
          fmt::format("the name of {} holds the byte 0x{:02x} at {}: a name is text in UTF-8 without "
                      "control characters",
                      of, first, name.size() - rest.size()));
    rest.remove_prefix(length);
  }
}

void check_texts(const graph_plan& plan, faults& found) {
  check_text("the graph", plan.name, found);
  for (const auto& node : plan.nodes) {
    check_text("a node", node.name, found);
    for (const auto* all : {&node.inputs, &node.outputs}) {
      for (const auto& port : *all) check_text("a port", port.name, found);
    }
  }
  for (const auto& e : plan.entries) check_text("an entry", e.name, found);
  for (const auto& g : plan.groups) check_text("a group", g.name, found);
}

void check_names(const graph_plan& plan, faults& found) {
  std::map<std::string, int> seen;
  for (const auto& node : plan.nodes) {
    if (node.name.empty()) found.push_back("a node has no name: give each of them one");
    if (++seen[node.name] == 2 && !node.name.empty()) {
      found.push_back(fmt::format("two nodes are called '{}': name each of them differently", node.name));
    }
    if (node.how.replicas == 0 || node.how.replicas > most_replicas) {
      found.push_back(
          fmt::format("node '{}' has {} replicas: 1 to {} are possible", node.name, node.how.replicas, most_replicas));
    }
    if (const auto ok = node.how.backoff.check(); !ok) {
      found.push_back(fmt::format("node '{}': {}", node.name, ok.error().message()));
    }
    if (node.how.grace && *node.how.grace < duration::zero()) {
      found.push_back(fmt::format("node '{}': grace must be 0 or more", node.name));
    }
    std::map<std::string, int> ports;
    for (const auto* all : {&node.inputs, &node.outputs}) {
      for (const auto& port : *all) {
        if (!port.name.empty() && ++ports[port.name] == 2) {
          found.push_back(
              fmt::format("two ports of '{}' are called '{}': name each of them differently", node.name, port.name));
        }
      }
    }
  }
}

void check_entries(const graph_plan& plan, faults& found) {
  std::map<std::string, int> seen;
  for (const auto& e : plan.entries) {
    if (!e.name.empty() && ++seen[e.name] == 2)
      found.push_back(fmt::format("two entries are called '{}': name each of them differently", e.name));
  }
}

void check_groups(const graph_plan& plan, faults& found) {
  std::map<std::string, int> seen;
  for (const auto& node : plan.nodes) ++seen[node.name];
  std::map<std::size_t, std::string> group_of;
  for (const auto& g : plan.groups) {
    if (++seen[g.name] == 2 || g.name.empty()) {
      found.push_back(fmt::format("the group '{}' needs a name that no node and no other group has", g.name));
    }
    if (g.how.strategy == dynamic) {
      found.push_back(fmt::format("the group '{}' cannot be dynamic: its nodes are known; take one_for_one", g.name));
    }
    if (const auto ok = g.how.intensity.check(); !ok) {
      found.push_back(fmt::format("the group '{}': {}", g.name, ok.error().message()));
    }
    for (const auto n : g.nodes) {
      const auto [at, is_new] = group_of.emplace(n, g.name);
      if (!is_new && at->second == g.name) {
        found.push_back(fmt::format("node '{}' is named twice in the group '{}'", plan.nodes[n].name, g.name));
      } else if (!is_new) {
        found.push_back(fmt::format("node '{}' is in two groups, '{}' and '{}': it can have one supervisor",
                                    plan.nodes[n].name, at->second, g.name));
      }
    }
  }
}

/// What no mailbox can be like.
std::optional<std::string> fault_of(const mailbox_limits& l, const std::string& input) {
  if (l.capacity == 0 && l.when_full == overflow::drop_oldest) {
    return fmt::format("an edge that leads to {} has no queue from which drop_oldest could drop: give it a "
                       "capacity of 1 or more",
                       input);
  }
  if (l.expires_after <= duration::zero()) {
    return fmt::format("items on the way to {} expire at once: give expiring() a time above 0", input);
  }
  if (l.capacity == 0 && l.expires_after != duration::max()) {
    return fmt::format(
        "an edge that leads to {} has no queue in which items could expire: give it a capacity of 1 or more", input);
  }
  return std::nullopt;
}

/// Each port must lead somewhere, and those that share a mailbox agree on it.
void check_ports(const graph_plan& plan, faults& found) {
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& node = plan.nodes[n];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      std::vector<mailbox_limits> limits, urgent;
      std::size_t by_key = 0;
      for (const auto& e : plan.edges) {
        if (e.to != n || e.input != i) continue;
        (e.how.urgent ? urgent : limits).push_back(e.limits);
        if (e.by_key) ++by_key;
      }
      for (const auto& e : plan.entries) {
        if (e.to == n && e.input == i) limits.push_back(e.limits);
      }
      const auto name = name_of_input(plan, n, i);
      if (by_key != 0 && (by_key < limits.size() || !urgent.empty())) {
        found.push_back(fmt::format("{} has edges of connect_by_key() and others: with keys each replica has a mailbox "
                                    "of its own, so connect all of "
                                    "them by key, none of them urgent",
                                    name));
      }
      if (limits.empty()) limits.swap(urgent);
      for (const auto& u : urgent) {
        if (!same(u, urgent.front())) {
          found.push_back(fmt::format("the urgent edges that lead to {} have different limits, {} and {}: they share "
                                      "one mailbox, so give them the same",
                                      name, text_of(urgent.front()), text_of(u)));
          break;
        }
      }
      if (limits.empty()) {
        found.push_back(
            fmt::format("{} is open: connect an output of type {} to it, or let items in from outside by entry()", name,
                        node.inputs[i].type));
      }
      for (const auto* all : {&limits, &urgent}) {
        for (const auto& l : *all) {
          if (auto fault = fault_of(l, name)) {
            found.push_back(*std::move(fault));
            break;
          }
        }
      }
      const auto other =
          std::find_if(limits.begin(), limits.end(), [&](const auto& l) { return !same(l, limits.front()); });
      if (other != limits.end()) {
        found.push_back(fmt::format(
            "the edges that lead to {} have different limits, {} and {}: they share one mailbox, so give them the same",
            name, text_of(limits.front()), text_of(*other)));
      }
    }
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      std::size_t edges = 0, copies = 0;
      for (const auto& e : plan.edges) {
        if (e.from != n || e.output != o) continue;
        ++edges;
        if (e.is_copy) ++copies;
      }
      const auto name = name_of_output(plan, n, o);
      if (edges == 0) {
        found.push_back(fmt::format("{} is open: connect it to an input of type {}", name, node.outputs[o].type));
      } else if (edges > 1 && copies != edges) {
        found.push_back(fmt::format("{} has {} edges: an output has one, or several that are all made by broadcast(), "
                                    "each of which gets a copy",
                                    name, edges));
      }
    }
  }
}

void check_reach(const graph_plan& plan, faults& found) {
  std::vector<std::size_t> sources;
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    if (plan.nodes[n].inputs.empty()) sources.push_back(n);
  }
  for (const auto& e : plan.entries) sources.push_back(e.to);
  const auto reached = graph_paths(plan).reach(sources);
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    if (reached[n]) continue;
    found.push_back(fmt::format("node '{}' cannot be reached from any node without inputs, nor from an entry: nothing "
                                "will ever come to it; connect it, "
                                "let items in by entry(), or leave it out",
                                plan.nodes[n].name));
  }
}

/// One fault for each cycle that shares no node with one named before: curing that may cure others, too.
void check_cycles(const graph_plan& plan, faults& found) {
  const graph_paths paths(plan);
  const auto can_stop = [](const edge_record& e) { return waits(e.limits) && e.how.allow_cycle.empty(); };
  const auto candidates = paths.may_be_on_cycle(can_stop);
  node_set named(plan.nodes.size());
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    if (named[n] || !candidates[n]) continue;
    const auto way = paths.cycle_through(n, can_stop);
    if (!way) continue;
    std::string text;
    bool known = false;
    for (const auto i : *way) {
      const auto& e = plan.edges[i];
      known = known || named[e.from];
      text += fmt::format("'{}' -> ", plan.nodes[e.from].name);
    }
    if (known) continue;
    for (const auto i : *way) named[plan.edges[i].from] = true;
    const auto& last = plan.edges[way->back()];
    found.push_back(fmt::format(
        "the cycle {}'{}' can stop for ever: each of its edges waits when it is full, so all of its nodes may wait for "
        "each other. "
        "Have one of them not wait, as {} with overflow::reject or drop_oldest, or unbounded(); or, if it cannot "
        "fill up, say why: edge_options{{.allow_cycle = \"...\"}}",
        text, plan.nodes[n].name, name_of_output(plan, last.from, last.output)));
  }
}

/// What becomes of items in hand must be possible.
void check_fates(const graph_plan& plan, faults& found) {
  const auto takers =
      std::count_if(plan.entries.begin(), plan.entries.end(), [](const auto& e) { return e.takes_dead_letters; });
  if (takers > 1) {
    found.push_back(
        fmt::format("{} inputs are to take the dead letters: name one, and have its node send them on", takers));
  }
  for (const auto& e : plan.entries) {
    const bool shared =
        !e.takes_dead_letters && std::any_of(plan.entries.begin(), plan.entries.end(), [&e](const auto& o) {
          return o.takes_dead_letters && o.to == e.to && o.input == e.input;
        });
    if (shared) {
      found.push_back(
          fmt::format("{} takes dead letters and is an entry, too: a drain would close it to both at once; give "
                      "its node an input for each",
                      name_of_input(plan, e.to, e.input)));
    }
  }
  const auto behind = behind_dead_letters(plan);
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& node = plan.nodes[n];
    const auto fate = node.how.queue;
    if (node.how.deliveries == 0) found.push_back(fmt::format("node '{}': deliveries must be 1 or more", node.name));
    if (fate == queue_fate::dead_letter && behind.empty()) {
      found.push_back(
          fmt::format("what node '{}' cannot handle is to become a dead letter, but nobody takes these: name "
                      "an input by dead_letters(), or take queue_fate::drop_poison",
                      node.name));
    }
    if (fate == queue_fate::dead_letter && !behind.empty() && behind[n]) {
      found.push_back(fmt::format(
          "node '{}' takes dead letters, or lies behind the node that does: it cannot send any, or neither would ever "
          "end; take queue_fate::drop_poison for it",
          node.name));
    }
    if (fate != queue_fate::dead_letter && fate != queue_fate::keep) continue;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i].kind->copy != nullptr) continue;
      found.push_back(fmt::format("queue_fate::{} needs a copy of the item in hand, but {} is for {}, which cannot be "
                                  "copied: make it copyable, or take drop_poison or drop",
                                  greenroom::to_string(fate), name_of_input(plan, n, i), node.inputs[i].type));
    }
  }
}

} // namespace

node_set senders_of_dead_letters(const graph_plan& plan) {
  const auto behind = behind_dead_letters(plan);
  node_set senders(plan.nodes.size());
  for (std::size_t n = 0; n < plan.nodes.size() && !behind.empty(); ++n) {
    const auto& node = plan.nodes[n];
    const bool by_fate = node.how.queue == queue_fate::dead_letter || node.how.queue == queue_fate::keep;
    senders[n] = !behind[n] && !node.inputs.empty() && by_fate;
  }
  return senders;
}

node_set behind_dead_letters(const graph_plan& plan) {
  std::vector<std::size_t> takers;
  for (const auto& e : plan.entries) {
    if (e.takes_dead_letters) takers.push_back(e.to);
  }
  return takers.empty() ? node_set() : graph_paths(plan).reach(std::move(takers));
}

const char* to_string(overflow policy) noexcept {
  static constexpr const char* names[] = {"wait", "reject", "drop_newest", "drop_oldest"};
  const auto n = static_cast<std::size_t>(policy);
  return n < std::size(names) ? names[n] : "";
}

std::string text_of(const mailbox_limits& l) {
  std::string text = "unbounded()";
  if (l.capacity == 0) {
    text = fmt::format("rendezvous(overflow::{})", to_string(l.when_full));
  } else if (l.capacity != detail::no_bound) {
    text = fmt::format("bounded({}, overflow::{})", l.capacity, to_string(l.when_full));
  }
  if (l.expires_after != duration::max())
    text += fmt::format(".expiring({} ms)", std::chrono::duration<double, std::milli>(l.expires_after).count());
  return text;
}

std::string name_of_output(const graph_plan& plan, std::size_t node, std::size_t number) {
  return port_name("output", plan.nodes[node].outputs[number], number, plan.nodes[node].name);
}
std::string name_of_input(const graph_plan& plan, std::size_t node, std::size_t number) {
  return port_name("input", plan.nodes[node].inputs[number], number, plan.nodes[node].name);
}

faults faults_of(const graph_plan& plan) {
  faults found;
  if (plan.nodes.empty()) found.push_back("it has no nodes: add some");
  check_texts(plan, found);
  check_names(plan, found);
  check_entries(plan, found);
  check_groups(plan, found);
  check_ports(plan, found);
  check_reach(plan, found);
  check_cycles(plan, found);
  check_fates(plan, found);
  return found;
}

std::vector<std::string> warnings_of(const graph_plan& plan) {
  std::vector<std::string> found;
  for (const auto& entry : plan.entries) {
    const bool shared =
        !entry.takes_dead_letters && std::any_of(plan.edges.begin(), plan.edges.end(), [&](const auto& e) {
          return e.to == entry.to && e.input == entry.input && !e.how.urgent;
        });
    if (!shared) continue;
    found.push_back(fmt::format(
        "{} is an entry and has edges, too: a drain closes it to both at once, so what its senders still hold "
        "then is lost; give its node an input for each",
        name_of_input(plan, entry.to, entry.input)));
  }
  const graph_paths paths(plan);
  for (std::size_t join = 0; join < plan.nodes.size(); ++join) {
    if (plan.nodes[join].inputs.size() < 2) continue;
    const auto partings = paths.partings_before(join);
    if (partings.empty()) continue;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(partings.size(), most_named); ++i)
      names.push_back(fmt::format("'{}'", plan.nodes[partings[i]].name));
    if (partings.size() > most_named) names.push_back(fmt::format("{} more nodes", partings.size() - most_named));
    found.push_back(fmt::format(
        "ways that part at {} meet again at different inputs of '{}': if that receives from them in a fixed order, one "
        "may fill up while it waits for the other; receive by select, or give the edges room for all that is under way",
        list(names), plan.nodes[join].name));
  }
  return found;
}

} // namespace greenroom::internal
