#include <greenroom/actors/graph_service.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>
#include <greenroom/actors/internal/graph_layout.hpp>
#include <greenroom/actors/internal/graph_states.hpp>
#include <greenroom/actors/internal/supervisor_actor.hpp>
#include <greenroom/runtime/detail/file_and_line.hpp>
#include <greenroom/runtime/detail/timer_queue.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {
namespace detail {

/// A graph at work: constant.
struct service_state {
  graph_plan plan;                                             // as internal::with_junctions() makes it
  graph_look blank;                                            // without counts
  std::vector<std::vector<std::shared_ptr<child_work>>> nodes; // by node and replica
  std::vector<std::vector<std::string>> children;              // their names
  std::vector<std::string> groups;                             // by node: whose child it is; "": the graph's
  std::vector<std::any> entries;
  internal::input_owners owners;
  actor_system* system = nullptr;
  const void* identity = nullptr; // of the graph
  std::vector<std::shared_ptr<mailbox_base>> entry_boxes;
};

} // namespace detail

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

/// What a graph looks like before anything has come to it.
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
      const auto name = internal::name_of_input(plan, n, i);
      for (std::size_t r = 0; r < (by_key ? node.how.replicas : 1); ++r) {
        auto& in = look.inputs.emplace_back();
        in.name = by_key ? fmt::format("{}[{}]", name, r) : name;
        in.number = i;
        in.replica = r;
        in.type = node.inputs[i].type;
        const auto limits = limits_of_input(plan, n, i);
        in.limits = internal::text_of(limits);
        if (limits.capacity != detail::no_bound) in.capacity = limits.capacity;
      }
    }
    all.nodes.push_back(std::move(look));
  }
  for (const auto& e : plan.edges) all.edges.push_back({e.from, e.output, e.to, e.input, e.replica.value_or(0)});
  show_supervisors(all, plan, how);
  const auto senders = internal::senders_of_dead_letters(plan);
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
    if (e.takes_dead_letters) { // the nodes alone keep it open
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

/// Makes the mailboxes, and the tree of supervisors: the graph's, and below it those of its groups.
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
  const auto senders = internal::senders_of_dead_letters(plan);
  for (const auto n : internal::receivers_first(plan)) {
    auto& tree = tree_of[n];
    if (tree != top && tree->children.empty()) { // its place is that of its first node
      const child_options as_child{.restart = transient, .significant = true};
      const auto where = plan.nodes[n].where;
      const auto start = std::make_shared<detail::nested_start>(tree, where);
      top->children.push_back({tree->name, as_child, start, true, plan.nodes[n].declared_at});
    }
    for (std::size_t r = 0; r < plan.nodes[n].how.replicas; ++r)
      tree->children.push_back(spec_of(s, wires, n, r, senders[n] ? &letters : nullptr));
  }
  return top;
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

task<result<service>> run(graph g) {
  const auto how = g.plan().how;
  return run(std::move(g), how);
}

task<result<service>> run(graph g, graph_options how) {
  refuse_faults(g, how);
  const auto& log = this_actor::system().log();
  for (const auto& warning : g.warnings()) log.warn("graph '{}': {}", g.plan().name, warning);
  auto state = std::make_shared<service_state>();
  state->plan = internal::with_junctions(g.plan());
  state->blank = look_of(state->plan, how);
  state->system = &this_actor::system();
  state->identity = g.identity();
  auto tree = wire_up(*state, how);
  return start(std::move(tree), std::move(state));
}

result<service> run(actor_system& sys, graph g, graph_options how) {
  refuse_faults(g, how); // here, as an exception would not come out of the actor
  return sys.run(start_below_root, std::move(g), how);
}

result<service> run(actor_system& sys, graph g) {
  const auto how = g.plan().how;
  return run(sys, std::move(g), how);
}

const std::string& service::name() const noexcept { return state_->plan.name; }
actor_system& service::system() const noexcept { return *state_->system; }

const std::any& service::entry_of(std::size_t number, const void* graph) const {
  if (graph == nullptr || graph != state_->identity) {
    throw usage_error(fmt::format("service::to: this entry belongs to another graph than '{}'", state_->plan.name));
  }
  return state_->entries.at(number);
}

result<const std::any*> service::entry_of(std::string_view name, const std::type_info& type) const {
  const auto& plan = state_->plan;
  std::string names;
  for (std::size_t e = 0; e < plan.entries.size(); ++e) {
    const auto& one = plan.entries[e];
    if (one.name.empty()) continue;
    names += (names.empty() ? "" : ", ") + one.name;
    if (one.name != name) continue;
    const auto& port = plan.nodes[one.to].inputs[one.input];
    if (port.kind->type == type) return &state_->entries[e];
    return error(errc::type_mismatch, fmt::format("entry '{}' of graph '{}' takes items of type {}, not {}", name,
                                                  plan.name, port.type, detail::type_name(type)));
  }
  return error(errc::not_found, fmt::format("graph '{}' has no entry '{}': {}", plan.name, name,
                                            names.empty() ? "none of its entries has a name" : "there are " + names));
}

void service::stop() const { self().cancel(); }

task<result<void>> service::drain(duration limit) const { return drain_all(*this, limit); }

namespace {

bool is_over(const child_counts& children) noexcept { return children.running == 0 && children.pausing == 0; }

/// Cancels the nodes without inputs, and has their supervisors forget them: they then give up the addresses they send to.
task<> stop_sources(supervisor top, std::shared_ptr<const service_state> state) {
  for (std::size_t n = 0; n < state->nodes.size(); ++n) {
    if (!state->plan.nodes[n].inputs.empty()) continue;
    const auto& group = state->groups[n];
    auto owner = top;
    if (!group.empty()) {
      const auto found = co_await top.find(group);
      if (!found) continue; // the group has ended
      owner = *found;
    }
    for (const auto& child : state->children[n]) {
      (void)co_await owner.terminate_child(child); // one that has ended is fine
      (void)co_await owner.remove_child(child);
    }
    const auto left = co_await owner.count_children();
    if (group.empty() || !left || !is_over(*left)) continue;
    (void)co_await top.terminate_child(group);
    (void)co_await top.remove_child(group);
  }
  const auto left = co_await top.count_children();
  if (left && is_over(*left)) top.self().cancel();
}

} // namespace

task<result<void>> service::drain_all(service s, duration limit) {
  const auto deadline = detail::deadline_in(limit);
  for (const auto& box : s.state_->entry_boxes) box->close_for_all();
  const auto& plan = s.state_->plan;
  (void)co_await with_deadline(deadline, stop_sources(s.top_, s.state_));
  auto ended = co_await select(s.self().join(), at(deadline));
  if (ended.index() == 0) {
    const auto& why = ended.get<0>();
    if (why.kind() == exit_kind::failed || why.kind() == exit_kind::killed) co_return why.why();
    co_return result<void>();
  }
  std::string names;
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& all = s.state_->nodes[n];
    if (std::any_of(all.begin(), all.end(), [](const auto& r) { return r->running != 0; }))
      names += (names.empty() ? "'" : ", '") + plan.nodes[n].name + "'";
  }
  co_return error(errc::timed_out, fmt::format("graph '{}' is not drained: {} still run(s); wait longer, or stop() it",
                                               plan.name, names));
}

namespace {

/// Counts the items of an input. `clock`: when; none once all is over.
void count(input_look& in, detail::mailbox_base& box, std::optional<std::uint32_t> clock) {
  std::lock_guard guard(box.lock());
  const auto now = box.look_locked();
  auto& meter = *box.meter_locked();
  in.blocked_senders = box.senders_locked(input_look::most_blocked);
  in.handling = meter.handling();
  if (const auto since = meter.front_since(); clock && since != meter.unknown_since)
    in.oldest = std::chrono::milliseconds(*clock > since ? *clock - since : 0U);
  in.closed = now.closed;
  in.items = {.accepted = meter.accepted(),
              .handled = meter.handled(),
              .failed = meter.failed(),
              .overflowed = now.dropped - meter.discarded() - meter.undelivered(),
              .expired = meter.expired(),
              .discarded = meter.discarded(),
              .undelivered = meter.undelivered(),
              .in_hand = meter.in_hand(),
              .queued = now.queued,
              .redelivered = meter.redelivered()};
}

} // namespace

graph_look service::look() const {
  auto all = state_->blank;
  const bool over = self().finished();
  const auto clock = over ? std::nullopt : std::optional(detail::now_ms_of(state_->system->core()));
  all.at = std::chrono::milliseconds(clock.value_or(0));
  for (std::size_t n = 0; n < all.nodes.size(); ++n) {
    auto& node = all.nodes[n];
    const auto& replicas = state_->nodes[n];
    for (const auto& replica : replicas) {
      const std::uint64_t starts = replica->starts;
      node.running += replica->running;
      node.restarts += starts > 1 ? starts - 1 : 0;
      node.actors.push_back(internal::look_at_replica(*replica, n, state_->owners, all.nodes, over));
    }
    for (auto& in : node.inputs) count(in, *replicas[in.replica]->inputs()[in.number].box, clock);
  }
  return all;
}

graph_look look_at(const graph& g) {
  refuse_faults(g, g.plan().how);
  return look_of(internal::with_junctions(g.plan()), g.plan().how);
}

} // namespace greenroom
