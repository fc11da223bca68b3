#include <greenroom/actors/internal/graph_report.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/json_literal.hpp>

namespace greenroom::internal {

using greenroom::detail::json_literal;

namespace {

/// "[...]" of what `one` returns for each.
template <class Items, class One>
std::string json_list(const Items& items, One one) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + one(item);
  return "[" + text + "]";
}

/// "intake, other -> pricing", or "-> pricing.1" if it has more inputs than one.
std::string name_of(const graph_look& look, std::size_t n, const input_look& in) {
  const auto leads_there = [&](const auto& e) { return e.to == n && e.input == in.number; };
  std::string from;
  for (const auto& e : look.entries) {
    if (leads_there(e)) from += (from.empty() ? "" : ", ") + e.name;
  }
  for (const auto& e : look.edges) {
    if (leads_there(e) && e.replica == in.replica) from += (from.empty() ? "" : ", ") + look.nodes[e.from].name;
  }
  const auto& node = look.nodes[n];
  const bool is_one = std::all_of(node.inputs.begin(), node.inputs.end(), [&](const auto& i) { return i.number == 0; });
  const bool by_key = std::any_of(node.inputs.begin(), node.inputs.end(),
                                  [&](const auto& i) { return i.number == in.number && i.replica != 0; });
  return fmt::format("{} -> {}{}{}", from, node.name, is_one ? "" : fmt::format(".{}", in.number),
                     by_key ? fmt::format("[{}]", in.replica) : "");
}

using edge_row = std::pair<std::string, item_counts>;

std::vector<edge_row> rows_of(const graph_look& look) {
  std::vector<edge_row> rows;
  for (std::size_t n = 0; n < look.nodes.size(); ++n) {
    for (const auto& in : look.nodes[n].inputs) rows.emplace_back(name_of(look, n, in), in.items);
  }
  return rows;
}

/// A function's ports, which only a node has.
detail::node_record made_by(const node_library::function& fn, const std::string& name) { return fn.make(name, {}, {}); }

std::string types_of(const std::vector<detail::port_record>& ports) {
  std::string text;
  for (const auto& p : ports) text += (text.empty() ? "" : ", ") + p.type;
  return text.empty() ? "()" : text;
}

std::string from_text(const std::string& from) { return from.empty() ? "" : "   from " + from; }

} // namespace

std::string text_of(const run_report& r) {
  const auto rows = rows_of(r.look);
  std::size_t width = 4;
  for (const auto& [name, items] : rows) width = std::max(width, name.size());
  auto text = fmt::format("{:{}} {:>12} {:>12} {:>8} {:>8} {:>8}\n", "edge", width, "accepted", "handled", "failed",
                          "dropped", "queued");
  for (const auto& [name, items] : rows) {
    text += fmt::format("{:{}} {:>12} {:>12} {:>8} {:>8} {:>8}\n", name, width, items.accepted, items.handled,
                        items.failed, items.dropped(), items.queued);
  }
  return text + (r.look.conserved() ? "all items are accounted for\n" : "items are missing, or there twice\n");
}

std::string json_of(const run_report& r) {
  const auto edges = json_list(rows_of(r.look), [](const edge_row& row) {
    const auto& n = row.second;
    return fmt::format(R"({{"name":{},"accepted":{},"handled":{},"failed":{},"dropped":{},"queued":{}}})",
                       json_literal(row.first), n.accepted, n.handled, n.failed, n.dropped(), n.queued);
  });
  return fmt::format(R"({{"graph":{},"ended":"{}","failure":{},"conserved":{},"edges":{}}})"
                     "\n",
                     json_literal(r.look.name),
                     !r.failure.empty() ? "failed"
                     : r.was_drained    ? "drained"
                                        : "by itself",
                     r.failure.empty() ? "null" : json_literal(r.failure), r.look.conserved(), edges);
}

std::string json_of(const check_report& r) {
  return fmt::format(R"({{"file":{},"fine":{},"graph":{},"nodes":{},"edges":{},"faults":{},"warnings":{}}})"
                     "\n",
                     json_literal(r.file), r.faults.empty(), r.graph.empty() ? "null" : json_literal(r.graph), r.nodes,
                     r.edges, json_list(r.faults, json_literal), json_list(r.warnings, json_literal));
}

std::string text_of(const node_library& nodes) {
  std::string text;
  for (const auto& [name, fn] : nodes.functions()) {
    const auto node = made_by(fn, name);
    text += fmt::format("{}: {} -> {}{}\n", name, types_of(node.inputs), types_of(node.outputs), from_text(fn.from));
  }
  for (const auto& [name, key] : nodes.keys())
    text += fmt::format("{}: key of {}{}\n", name, detail::type_name(*key.of), from_text(key.from));
  return text;
}

std::string json_of(const node_library& nodes) {
  const auto types = [](const std::vector<detail::port_record>& ports) {
    return json_list(ports, [](const auto& p) { return json_literal(p.type); });
  };
  const auto functions = json_list(nodes.functions(), [&](const auto& f) {
    const auto node = made_by(f.second, f.first);
    return fmt::format(R"({{"name":{},"inputs":{},"outputs":{},"from":{}}})", json_literal(f.first), types(node.inputs),
                       types(node.outputs), json_literal(f.second.from));
  });
  const auto keys = json_list(nodes.keys(), [](const auto& k) {
    return fmt::format(R"({{"name":{},"of":{},"from":{}}})", json_literal(k.first),
                       json_literal(detail::type_name(*k.second.of)), json_literal(k.second.from));
  });
  return fmt::format(R"({{"functions":{},"keys":{}}})"
                     "\n",
                     functions, keys);
}

} // namespace greenroom::internal
