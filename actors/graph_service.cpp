#include <greenroom/actors/graph_service.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/actors/graph_deployment.hpp>
#include <greenroom/actors/internal/deployment_check.hpp>
#include <greenroom/actors/internal/graph_layout.hpp>
#include <greenroom/actors/internal/graph_wiring.hpp>
#include <greenroom/runtime/detail/same_type.hpp>
#include <greenroom/runtime/detail/timer_queue.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {
namespace {

using detail::service_state;

/// Errors: throws graph_error.
void refuse_faults(const graph& g, const graph_options& how, const deployment* where = nullptr) {
  auto faults = g.faults();
  if (auto ok = how.intensity.check(); !ok) faults.push_back(std::string(ok.error().message()));
  if (where != nullptr) {
    auto more = where->faults(g);
    faults.insert(faults.end(), more.begin(), more.end());
  }
  if (!faults.empty()) throw graph_error(g.plan().name, std::move(faults));
}

// How long the node stays for answers that are on their way: they say what was taken, which else comes again.
constexpr auto last_answers = std::chrono::milliseconds(100);

/// Closes the part when the graph has ended, or its system ends.
task<> close_behind(actor top, std::shared_ptr<internal::graph_part> part) {
  struct closing {
    internal::graph_part& of;
    ~closing() { of.close(); }
  };
  const closing then{*part};
  (void)co_await top.join();
  if (part->takes()) co_await sleep_for(last_answers);
}

task<result<service>> start(std::shared_ptr<const detail::supervisor_plan> tree, std::shared_ptr<service_state> state) {
  const auto part = state->part;
  if (part != nullptr) {
    const auto listens = part->start();
    if (!listens) co_return listens.error();
  }
  auto top = co_await supervisor::start_all(std::move(tree));
  if (!top) co_return top.error();
  if (part != nullptr)
    state->closer = state->system->spawn({.name = "node of a graph"}, close_behind, top->self(), part);
  co_return service(*std::move(top), std::move(state));
}

std::shared_ptr<service_state> state_of(const graph& g, const graph_options& how) {
  const auto& log = this_actor::system().log();
  for (const auto& warning : g.warnings()) log.warn("graph '{}': {}", g.plan().name, warning);
  auto state = std::make_shared<service_state>();
  state->plan = internal::with_junctions(g.plan());
  state->blank = internal::look_of(state->plan, how);
  state->system = &this_actor::system();
  state->identity = g.identity();
  return state;
}

/// Errors: throws usage_error.
std::size_t index_of(const deployment& where, const std::string& self) {
  const auto found = internal::find_node(where, self);
  if (!found)
    throw usage_error(fmt::format("graph: there is no node '{}' in the deployment; there are {}", self,
                                  internal::names_of_nodes(where)));
  return *found;
}

task<result<service>> start_below_root(graph g, graph_options how) { return run(std::move(g), how); }
task<result<service>> start_part_below_root(graph g, deployment where, std::string self) {
  return run(std::move(g), std::move(where), std::move(self));
}

} // namespace

task<result<service>> run(graph g) {
  const auto how = g.plan().how;
  return run(std::move(g), how);
}

task<result<service>> run(graph g, graph_options how) {
  refuse_faults(g, how);
  auto state = state_of(g, how);
  auto tree = internal::wire_up(*state, how);
  return start(std::move(tree), std::move(state));
}

task<result<service>> run(graph g, deployment where, std::string self) {
  const auto how = g.plan().how;
  refuse_faults(g, how, &where);
  const auto here = index_of(where, self);
  auto state = state_of(g, how);
  state->place_of = internal::places_of(state->plan, where);
  internal::show_places(state->blank, where, state->place_of, here);
  state->part = std::make_shared<internal::graph_part>(*state->system, where, here);
  auto tree = internal::wire_up(*state, how);
  return start(std::move(tree), std::move(state));
}

result<service> run(actor_system& sys, graph g, deployment where, std::string self) {
  refuse_faults(g, g.plan().how, &where); // as below
  (void)index_of(where, self);
  return sys.run(start_part_below_root, std::move(g), std::move(where), std::move(self));
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

namespace {

/// Why an entry cannot be used here.
std::string no_way_to(const service_state& s, std::size_t entry) {
  const auto& e = s.plan.entries[entry];
  return fmt::format(
      "entry '{}' of graph '{}' leads to '{}', which runs on node '{}', and items of type {} cannot cross: "
      "write an inspect() beside the type, see wire.hpp, or let them in there",
      e.name, s.plan.name, s.plan.nodes[e.to].name, s.part->name_of(s.place_of[e.to]),
      s.plan.nodes[e.to].inputs[e.input].type);
}

} // namespace

const std::any& service::entry_of(std::size_t number, const void* graph) const {
  if (graph == nullptr || graph != state_->identity) {
    throw usage_error(fmt::format("service::to: this entry belongs to another graph than '{}'", state_->plan.name));
  }
  const auto& found = state_->entries.at(number);
  if (!found.has_value()) throw usage_error(fmt::format("service::to: {}", no_way_to(*state_, number)));
  return found;
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
    const bool fits = detail::same_type(port.kind->type, type);
    if (fits && !state_->entries[e].has_value()) return error(errc::unsupported, no_way_to(*state_, e));
    if (fits) return &state_->entries[e];
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
  for (const auto& way : state->ways_in) {
    (void)co_await top.terminate_child(way.name);
    (void)co_await top.remove_child(way.name);
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
    if (s.state_->closer) (void)co_await select(s.state_->closer.join(), at(deadline));
    if (why.kind() == exit_kind::failed || why.kind() == exit_kind::killed) co_return why.why();
    co_return result<void>();
  }
  std::string names;
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const auto& all = s.state_->nodes[n];
    if (std::any_of(all.begin(), all.end(), [](const auto& r) { return r->running != 0; }))
      names += (names.empty() ? "'" : ", '") + plan.nodes[n].name + "'";
  }
  for (const auto& way : s.state_->ways_out) {
    if (way.work->running != 0) names += (names.empty() ? "" : ", ") + fmt::format("what is to cross to {}", way.name);
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
      if (node.elsewhere) break;
      const std::uint64_t starts = replica->starts;
      node.running += replica->running;
      node.restarts += starts > 1 ? starts - 1 : 0;
      node.actors.push_back(internal::look_at_replica(*replica, n, state_->owners, all.nodes, over));
    }
    for (auto& in : node.inputs) count(in, *replicas[in.replica]->inputs()[in.number].box, clock);
  }
  if (state_->part != nullptr && !over) all.places = state_->part->look();
  return all;
}

graph_look look_at(const graph& g) {
  refuse_faults(g, g.plan().how);
  return internal::look_of(internal::with_junctions(g.plan()), g.plan().how);
}

graph_look look_at(const graph& g, const deployment& where) {
  refuse_faults(g, g.plan().how, &where);
  const auto plan = internal::with_junctions(g.plan());
  auto all = internal::look_of(plan, g.plan().how);
  internal::show_places(all, where, internal::places_of(plan, where), std::nullopt);
  return all;
}

} // namespace greenroom
