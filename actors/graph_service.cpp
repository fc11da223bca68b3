#include <greenroom/actors/graph_service.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>
#include <greenroom/actors/internal/supervisor_actor.hpp>

namespace greenroom {
namespace detail {

/// A graph whose outputs all lead to one input: broadcasts have become nodes. Constant while it runs, except for the entries.
struct service_state {
  graph_plan plan;
  std::vector<std::shared_ptr<node_state>> nodes;
  std::vector<std::vector<std::string>> children; // the names of a node's replicas
  std::vector<std::any> entries;
  std::vector<std::shared_ptr<mailbox_base>> entry_boxes;
};

} // namespace detail

namespace {

using detail::graph_plan;
using detail::service_state;

/// Puts a node behind each output that broadcasts.
graph_plan with_junctions(const graph& g) {
  auto plan = g.plan();
  for (const auto& c : g.copiers()) {
    std::vector<std::size_t> copies;
    for (std::size_t i = 0; i < plan.edges.size(); ++i) {
      if (plan.edges[i].from == c.node && plan.edges[i].output == c.output && plan.edges[i].is_copy)
        copies.push_back(i);
    }
    const auto name = fmt::format("{}.{} to all", plan.nodes[c.node].name, c.output);
    const auto where = plan.nodes[c.node].where;
    const auto junction = plan.nodes.size();
    plan.nodes.push_back(c.make(name, where, copies.size()));
    plan.edges.push_back({c.node, c.output, junction, 0, rendezvous()});
    for (std::size_t k = 0; k < copies.size(); ++k) {
      plan.edges[copies[k]].from = junction;
      plan.edges[copies[k]].output = k;
    }
  }
  return plan;
}

mailbox_limits limits_of_input(const graph_plan& plan, std::size_t node, std::size_t input) {
  for (const auto& e : plan.edges) {
    if (e.to == node && e.input == input) return e.limits;
  }
  for (const auto& e : plan.entries) {
    if (e.to == node && e.input == input) return e.limits;
  }
  return rendezvous();
}

/// The nodes in an order in which whoever is sent to comes before who sends, as far as there are no cycles.
std::vector<std::size_t> receivers_first(const graph_plan& plan) {
  std::vector<std::size_t> order;
  std::vector<char> seen(plan.nodes.size());
  struct step {
    std::size_t node;
    std::size_t edge;
  };
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    if (seen[n]) continue;
    seen[n] = 1;
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
        seen[next] = 1;
        path.push_back({next, 0}); // `at` is gone
      }
    }
  }
  return order;
}

/// Makes the mailboxes, and what starts each node.
std::shared_ptr<const detail::supervisor_plan> wire_up(service_state& s, const graph_options& how) {
  auto& plan = s.plan;
  std::vector<std::vector<detail::wire>> wires(plan.nodes.size());
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    auto state = std::make_shared<detail::node_state>();
    for (std::size_t i = 0; i < plan.nodes[n].inputs.size(); ++i) {
      wires[n].push_back(plan.nodes[n].inputs[i].make(limits_of_input(plan, n, i)));
      state->inputs.push_back(wires[n].back().box);
    }
    s.nodes.push_back(std::move(state));
  }
  for (const auto& e : plan.entries) {
    s.entries.push_back(wires[e.to][e.input].out);
    s.entry_boxes.push_back(wires[e.to][e.input].box);
  }
  auto tree = std::make_shared<detail::supervisor_plan>();
  tree->name = plan.name;
  tree->how = {.strategy = one_for_one, .intensity = how.intensity, .shuts_down = auto_shutdown::all_significant};
  s.children.resize(plan.nodes.size());
  for (const auto n : receivers_first(plan)) {
    const auto& node = plan.nodes[n];
    detail::node_wires to{s.nodes[n], {}, {}};
    for (auto& w : wires[n]) to.inputs.push_back(&w);
    to.outputs.resize(node.outputs.size());
    for (const auto& e : plan.edges) {
      if (e.from == n) to.outputs[e.output] = &wires[e.to][e.input];
    }
    for (std::size_t r = 0; r < node.how.replicas; ++r) {
      const auto name = node.how.replicas == 1 ? node.name : fmt::format("{}[{}]", node.name, r);
      const child_options child{.restart = node.how.restart,
                                .backoff = node.how.backoff,
                                .queue = node.how.queue,
                                .grace = node.how.grace,
                                .significant = true};
      tree->children.push_back({name, child, node.start(to), false});
      s.children[n].push_back(name);
    }
  }
  return tree;
}

/// Errors: throws graph_error.
void refuse_faults(const graph& g, const graph_options& how) {
  auto faults = g.faults();
  if (auto ok = how.intensity.check(); !ok) faults.push_back(std::string(ok.error().message()));
  if (!faults.empty()) throw graph_error(g.plan().name, std::move(faults));
}

task<result<service>> start(std::shared_ptr<const detail::supervisor_plan> tree, std::shared_ptr<service_state> state) {
  auto top = co_await supervisor::start_all(std::move(tree));
  if (!top) co_return top.error();
  co_return service(*std::move(top), std::move(state));
}

task<result<service>> start_below_root(graph g, graph_options how) { return run(std::move(g), how); }

} // namespace

task<result<service>> run(graph g, graph_options how) {
  refuse_faults(g, how);
  const auto& log = this_actor::system().log();
  for (const auto& warning : g.warnings()) log.warn("graph '{}': {}", g.plan().name, warning);
  auto state = std::make_shared<service_state>();
  state->plan = with_junctions(g);
  auto tree = wire_up(*state, how);
  return start(std::move(tree), std::move(state));
}

result<service> run(actor_system& sys, graph g, graph_options how) {
  refuse_faults(g, how); // here, as an exception would not come out of the actor
  auto started = sys.run(start_below_root, std::move(g), how);
  if (!started) return started.error();
  return *std::move(started);
}

const std::any& service::entry_of(std::size_t number) const { return state_->entries.at(number); }

void service::stop() const { self().cancel(); }

task<result<void>> service::drain(duration limit) const { return drain_all(*this, limit); }

task<result<void>> service::drain_all(service s, duration limit) {
  const auto deadline = detail::deadline_in(limit);
  for (const auto& box : s.state_->entry_boxes) box->close_for_all();
  const auto& plan = s.state_->plan;
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    if (!plan.nodes[n].inputs.empty()) continue;
    for (const auto& child : s.state_->children[n]) {
      (void)co_await s.top_.terminate_child(child); // one that has ended is fine
      (void)co_await s.top_.remove_child(child);
    }
  }
  const auto left = co_await s.top_.count_children();
  if (left && left->running == 0) s.stop();
  auto ended = co_await select(s.self().join(), at(deadline));
  if (ended.index() == 0) {
    const auto& why = ended.get<0>();
    if (why.kind() == exit_kind::failed || why.kind() == exit_kind::killed) co_return why.why();
    co_return result<void>();
  }
  std::string names;
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    if (s.state_->nodes[n]->running != 0) names += (names.empty() ? "'" : ", '") + plan.nodes[n].name + "'";
  }
  co_return error(errc::timed_out, fmt::format("graph '{}' is not drained: {} still run(s); wait longer, or stop() it",
                                               plan.name, names));
}

graph_look service::look() const {
  const auto& plan = state_->plan;
  graph_look all{plan.name, {}, {}};
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& node = plan.nodes[n];
    const auto& state = *state_->nodes[n];
    const std::uint64_t starts = state.starts;
    node_look look{node.name,
                   internal::place_of(node.where),
                   node.how.replicas,
                   state.running,
                   starts > node.how.replicas ? starts - node.how.replicas : 0,
                   node.is_junction,
                   {}};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      input_look in{internal::name_of_input(plan, n, i),
                    node.inputs[i].type,
                    internal::text_of(limits_of_input(plan, n, i)),
                    false,
                    {}};
      auto& box = *state.inputs[i];
      std::lock_guard guard(box.lock());
      const auto now = box.look_locked();
      const auto& meter = *box.meter_locked();
      in.closed = now.closed;
      in.items = {meter.accepted(), meter.handled(), meter.failed(), now.dropped, meter.in_hand(), now.queued};
      look.inputs.push_back(std::move(in));
    }
    all.nodes.push_back(std::move(look));
  }
  for (const auto& e : plan.edges) all.edges.push_back({e.from, e.output, e.to, e.input});
  return all;
}

} // namespace greenroom
