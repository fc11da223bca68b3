#include <greenroom/actors/graph.hpp>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>

namespace greenroom {

namespace {

std::string all_in_one(const std::string& graph, const std::vector<std::string>& faults) {
  auto text = fmt::format("graph '{}' cannot run: {} fault(s)", graph, faults.size());
  for (const auto& f : faults) text += "\n  " + f;
  return text;
}

} // namespace

graph_error::graph_error(const std::string& graph, std::vector<std::string> faults)
    : std::logic_error(all_in_one(graph, faults)),
      faults_(std::make_shared<const std::vector<std::string>>(std::move(faults))) {}

graph::graph(std::string name, graph_options how)
    : graph(detail::graph_plan{.name = std::move(name), .nodes = {}, .edges = {}, .entries = {}, .how = how}) {}
graph::graph(detail::graph_plan plan)
    : plan_(std::make_unique<detail::graph_plan>(std::move(plan))), identity_(std::make_shared<const char>()) {}
graph::graph(const graph& other)
    : plan_(std::make_unique<detail::graph_plan>(other.plan())), identity_(other.identity_) {}
graph& graph::operator=(graph other) noexcept {
  plan_.swap(other.plan_);
  identity_.swap(other.identity_);
  return *this;
}

const detail::graph_plan& graph::plan() const {
  if (plan_ == nullptr) throw usage_error("graph: it was moved from; copy it to use it twice");
  return *plan_;
}
detail::graph_plan& graph::own_plan() { return (void)plan(), *plan_; }

void graph::check_own(const void* of) const {
  if (of == nullptr || of != identity_.get()) {
    throw usage_error(fmt::format("graph '{}': this node, or port, belongs to another graph", plan().name));
  }
}

std::size_t graph::add_node(detail::node_record made) {
  own_plan().nodes.push_back(std::move(made));
  return own_plan().nodes.size() - 1;
}

void graph::add_edge(detail::edge_record made) { own_plan().edges.push_back(std::move(made)); }

std::size_t graph::add_entry(detail::entry_record made) {
  own_plan().entries.push_back(std::move(made));
  return own_plan().entries.size() - 1;
}

void graph::add_group(detail::group_record made) { own_plan().groups.push_back(std::move(made)); }

void graph::set_port_names(std::size_t node, std::vector<std::string> names) {
  auto& n = own_plan().nodes[node];
  if (names.size() != n.inputs.size() + n.outputs.size()) {
    throw usage_error(
        fmt::format("graph::name_ports: node '{}' has {} input(s) and {} output(s), but {} name(s) were given", n.name,
                    n.inputs.size(), n.outputs.size(), names.size()));
  }
  auto next = names.begin();
  for (auto* ports : {&n.inputs, &n.outputs}) {
    for (auto& port : *ports) port.name = std::move(*next++);
  }
}

std::vector<std::string> graph::faults() const { return internal::faults_of(plan()); }
std::vector<std::string> graph::warnings() const { return internal::warnings_of(plan()); }

} // namespace greenroom
