#include <greenroom/actors/internal/graph_wiring.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/actors/internal/deployment_check.hpp>
#include <greenroom/actors/internal/graph_check.hpp>
#include <greenroom/actors/internal/graph_layout.hpp>
#include <greenroom/runtime/detail/file_and_line.hpp>

namespace greenroom::internal {
namespace {

using detail::graph_plan;
using detail::service_state;

mailbox_limits limits_of_input(const graph_plan& plan, std::size_t node, std::size_t input) {
  for (const auto& e : plan.edges) {
    if (e.to == node && e.input == input) return e.limits;
  }
  for (const auto& e : plan.entries) {
    if (e.to == node && e.input == input) return e.limits;
  }
  return rendezvous();
}

bool is_by_key(const graph_plan& plan, std::size_t node, std::size_t input) {
  return std::any_of(plan.edges.begin(), plan.edges.end(),
                     [&](const auto& e) { return e.to == node && e.input == input && e.replica; });
}

void show_supervisors(graph_look& all, const graph_plan& plan, const graph_options& how) {
  const auto add = [&all](const std::string& name, const supervisor_options& of, std::optional<std::size_t> parent) {
    const auto period = std::chrono::duration_cast<std::chrono::milliseconds>(of.intensity.period);
    all.supervisors.push_back({name, to_string(of.strategy), of.intensity.restarts, period, parent});
  };
  add(plan.name, {.strategy = one_for_one, .intensity = how.intensity}, std::nullopt);
  for (const auto& g : plan.groups) {
    for (const auto n : g.nodes) all.nodes[n].supervisor = all.supervisors.size();
    add(g.name, g.how, 0);
  }
}

} // namespace

graph_look look_of(const graph_plan& plan, const graph_options& how) {
  graph_look all{plan.name, {}, {}};
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& node = plan.nodes[n];
    node_look look{.name = node.name,
                   .declared_at = node.declared_at.empty() ? detail::file_and_line(node.where) : node.declared_at,
                   .replicas = node.how.replicas,
                   .is_junction = node.is_junction};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool by_key = is_by_key(plan, n, i);
      const auto name = name_of_input(plan, n, i);
      for (std::size_t r = 0; r < (by_key ? node.how.replicas : 1); ++r) {
        auto& in = look.inputs.emplace_back();
        in.name = by_key ? fmt::format("{}[{}]", name, r) : name;
        in.number = i;
        in.replica = r;
        in.type = node.inputs[i].type;
        const auto limits = limits_of_input(plan, n, i);
        in.limits = text_of(limits);
        if (limits.capacity != detail::no_bound) in.capacity = limits.capacity;
      }
    }
    all.nodes.push_back(std::move(look));
  }
  for (const auto& e : plan.edges) all.edges.push_back({e.from, e.output, e.to, e.input, e.replica.value_or(0)});
  show_supervisors(all, plan, how);
  const auto senders = senders_of_dead_letters(plan);
  for (const auto& e : plan.entries) {
    if (!e.takes_dead_letters) {
      all.entries.push_back({e.name, e.to, e.input});
      continue;
    }
    for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
      if (senders[n]) all.edges.push_back({n, 0, e.to, e.input, 0, true});
    }
  }
  return all;
}

void show_places(graph_look& all, const deployment& where, const std::vector<std::size_t>& place_of,
                 std::optional<std::size_t> here) {
  all.places = look_of(where);
  for (std::size_t n = 0; n < all.nodes.size(); ++n) {
    all.nodes[n].place = place_of[n];
    all.nodes[n].elsewhere = here && place_of[n] != *here;
  }
  for (auto& e : all.edges) e.crosses = place_of[e.from] != place_of[e.to];
  std::erase_if(all.edges, [](const auto& e) { return e.dead_letters && e.crosses; });
}

namespace {

/// The wires of a graph: by node, input, and replica. Replicas share a mailbox, unless it is by key.
using wiring = std::vector<std::vector<std::vector<detail::wire>>>;

wiring make_wires(service_state& s) {
  const auto& plan = s.plan;
  wiring wires(plan.nodes.size());
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& node = plan.nodes[n];
    auto& works = s.nodes.emplace_back(node.how.replicas);
    for (auto& work : works) work = std::make_shared<detail::child_work>();
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      auto& of_input = wires[n].emplace_back();
      const auto limits = limits_of_input(plan, n, i);
      const bool by_key = is_by_key(plan, n, i);
      for (std::size_t r = 0; r < node.how.replicas; ++r) {
        if (by_key || r == 0) of_input.push_back(node.inputs[i].make(limits));
        works[r]->add_input(of_input.back().input);
        s.owners.emplace(of_input.back().input.box.get(), n);
      }
    }
  }
  for (const auto& e : plan.entries) {
    const bool has_way = s.runs_here(e.to) || plan.nodes[e.to].inputs[e.input].crossing != nullptr;
    if (e.takes_dead_letters || !has_way) { // the nodes alone keep it open
      s.entries.emplace_back();
      continue;
    }
    s.entries.push_back(wires[e.to][e.input].front().out);
    s.entry_boxes.push_back(wires[e.to][e.input].front().input.box);
  }
  return wires;
}

address<dead_letter> dead_letters_of(const graph_plan& plan, const wiring& wires) {
  for (const auto& e : plan.entries) {
    if (e.takes_dead_letters) return std::any_cast<address<dead_letter>>(wires[e.to][e.input].front().out);
  }
  return {};
}

/// What starts one replica of a node.
detail::child_spec spec_of(service_state& s, wiring& wires, std::size_t n, std::size_t replica,
                           const address<dead_letter>* letters) {
  const auto& node = s.plan.nodes[n];
  detail::node_wires to{s.nodes[n][replica], {}, {}};
  for (auto& of_input : wires[n]) to.inputs.push_back(&of_input[std::min(replica, of_input.size() - 1)]);
  to.outputs.resize(node.outputs.size());
  for (const auto& e : s.plan.edges) {
    if (e.from == n) to.outputs[e.output] = &wires[e.to][e.input][e.replica.value_or(0)];
  }
  const auto name = node.how.replicas == 1 ? node.name : fmt::format("{}[{}]", node.name, replica);
  s.children[n].push_back(name);
  const child_options how{.restart = node.how.restart,
                          .backoff = node.how.backoff,
                          .queue = node.how.queue,
                          .deliveries = node.how.deliveries,
                          .grace = node.how.grace,
                          .significant = true};
  const auto start = node.start(to);
  (void)start->work->follow(how.queue, how.deliveries); // the check has made sure that it can
  if (letters != nullptr) start->dead_letters = *letters;
  return {name, how, start, false, node.declared_at};
}

// -- of a graph that is split ---------------------------------------------------------------------------

bool is_entry(const graph_plan& plan, std::size_t n, std::size_t i) {
  return std::any_of(plan.entries.begin(), plan.entries.end(),
                     [&](const auto& e) { return !e.takes_dead_letters && e.to == n && e.input == i; });
}
/// Returns whether an edge leads there from a node that runs here, or from one that does not.
bool is_fed(const service_state& s, std::size_t n, std::size_t i, bool from_here) {
  return std::any_of(s.plan.edges.begin(), s.plan.edges.end(),
                     [&](const auto& e) { return e.to == n && e.input == i && s.runs_here(e.from) == from_here; });
}

/// For a node that runs elsewhere: what stands in its place here, at each input that is sent to from here.
void add_ways_out(service_state& s, wiring& wires, std::size_t n, detail::supervisor_plan& top) {
  const auto& node = s.plan.nodes[n];
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto* const kind = node.inputs[i].crossing;
    if (kind == nullptr || !(is_entry(s.plan, n, i) || is_fed(s, n, i, true))) continue;
    auto& wire = wires[n][i].front();
    const auto work = std::make_shared<detail::child_work>();
    work->add_input(wire.input);
    auto way = s.part->way_to(s.place_of[n], published_name(s.plan, n, i), *kind);
    auto name = fmt::format("{} on {}", name_of_input(s.plan, n, i), s.part->name_of(s.place_of[n]));
    top.children.push_back({name,
                            {.restart = transient, .significant = true},
                            detail::start_of_node(node.where, {work, {}, {}}, kind->out, wire.in, std::move(way)),
                            false,
                            node.declared_at});
    s.ways_out.push_back({n, std::move(name), work});
  }
}

/// For a node that runs here: what comes to its inputs from elsewhere.
void add_ways_in(service_state& s, wiring& wires, std::size_t n, detail::supervisor_plan& top) {
  const auto& node = s.plan.nodes[n];
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto* const kind = node.inputs[i].crossing;
    if (kind == nullptr || !(is_entry(s.plan, n, i) || is_fed(s, n, i, false))) continue;
    const auto work = std::make_shared<detail::child_work>();
    const auto input = name_of_input(s.plan, n, i);
    auto way = s.part->way_from(published_name(s.plan, n, i), input, *kind).value();
    auto name = fmt::format("to {} from others", input);
    top.children.push_back({name,
                            {.restart = transient, .significant = true},
                            start_way_in(node.where, {work, {}, {&wires[n][i].front()}}, std::move(way)),
                            false,
                            node.declared_at});
    s.ways_in.push_back({n, std::move(name), work});
  }
}

} // namespace

std::shared_ptr<const detail::supervisor_plan> wire_up(service_state& s, const graph_options& how) {
  const auto& plan = s.plan;
  auto wires = make_wires(s);
  const auto top = std::make_shared<detail::supervisor_plan>();
  top->name = plan.name;
  top->how = {.strategy = one_for_one, .intensity = how.intensity, .shuts_down = auto_shutdown::all_significant};
  s.children.resize(plan.nodes.size());
  s.groups.resize(plan.nodes.size());
  std::vector<std::shared_ptr<detail::supervisor_plan>> tree_of(plan.nodes.size(), top);
  for (const auto& g : plan.groups) {
    const auto below = std::make_shared<detail::supervisor_plan>();
    below->name = g.name;
    below->how = {
        .strategy = g.how.strategy, .intensity = g.how.intensity, .shuts_down = auto_shutdown::all_significant};
    for (const auto n : g.nodes) {
      s.groups[n] = g.name;
      tree_of[n] = below;
    }
  }
  const auto letters = dead_letters_of(plan, wires);
  const auto senders = senders_of_dead_letters(plan);
  const auto sends_letters = [&](std::size_t n) { // they do not cross
    return senders[n] &&
           (s.part == nullptr || std::any_of(plan.entries.begin(), plan.entries.end(),
                                             [&](const auto& e) { return e.takes_dead_letters && s.runs_here(e.to); }));
  };
  const auto order = receivers_first(plan);
  for (const auto n : order) {
    if (!s.runs_here(n)) {
      add_ways_out(s, wires, n, *top);
      continue;
    }
    auto& tree = tree_of[n];
    if (tree != top && tree->children.empty()) { // its place is that of its first node
      const child_options as_child{.restart = transient, .significant = true};
      const auto where = plan.nodes[n].where;
      const auto start = std::make_shared<detail::nested_start>(tree, where);
      top->children.push_back({tree->name, as_child, start, true, plan.nodes[n].declared_at});
    }
    for (std::size_t r = 0; r < plan.nodes[n].how.replicas; ++r)
      tree->children.push_back(spec_of(s, wires, n, r, sends_letters(n) ? &letters : nullptr));
  }
  for (const auto n : order) { // last, as it is they who send
    if (s.part != nullptr && s.runs_here(n)) add_ways_in(s, wires, n, *top);
  }
  return top;
}

} // namespace greenroom::internal
