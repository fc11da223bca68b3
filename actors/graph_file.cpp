#include <greenroom/actors/graph_file.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>
#include <greenroom/runtime/files.hpp>

#if GREENROOM_HAS_TOML
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#endif

namespace greenroom {

std::string node_settings::text(const std::string& key, std::string otherwise) const {
  const auto at = values.find(key);
  return at == values.end() ? std::move(otherwise) : at->second;
}

std::int64_t node_settings::number(const std::string& key, std::int64_t otherwise) const {
  const auto at = values.find(key);
  if (at == values.end()) return otherwise;
  std::int64_t n = 0;
  const auto& text = at->second;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem == std::errc() && end == text.data() + text.size()) return n;
  throw usage_error(fmt::format("setting {} must be a whole number, not '{}'", key, text));
}

node_library& node_library::add_maker(const std::string& name, maker m) {
  if (!makers_.emplace(name, std::move(m)).second) {
    throw usage_error(
        fmt::format("node_library: there is a function '{}' already: name each of them differently", name));
  }
  return *this;
}

node_library& node_library::add_key_maker(const std::string& name, std::string type, detail::junction_maker make) {
  if (!key_makers_.emplace(name, key_maker{std::move(type), std::move(make)}).second) {
    throw usage_error(fmt::format("node_library: there is a key '{}' already: name each of them differently", name));
  }
  return *this;
}

#if GREENROOM_HAS_TOML

namespace {

/// Reads one file; notes all faults instead of stopping at the first.
class graph_reader {
public:
  graph_reader(const node_library& nodes, const std::filesystem::path& file) : nodes_(nodes), file_(file) {}

  result<graph> read(const toml::table& all) {
    only_known(all, {"graph", "nodes", "edges"});
    plan_.name = file_.stem().native();
    if (const auto* const own = table(all, "graph")) {
      only_known(*own, {"name"});
      plan_.name = text(*own, "name").value_or(plan_.name);
    }
    if (const auto* const listed = table(all, "nodes")) {
      for (const auto& [name, value] : *listed) read_node(std::string(name.str()), value);
    }
    if (const auto* const listed = all.get("edges")) {
      const auto* const list = listed->as_array();
      if (list == nullptr) fault(*listed, "edges is no list of tables: write [[edges]] before each");
      for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) read_edge((*list)[i]);
    }
    if (!faults_.empty()) return error(errc::parse, all_faults());
    return graph(std::move(plan_));
  }

private:
  void fault(const toml::node& at, const std::string& sentence) {
    const auto& where = at.source().begin;
    faults_.emplace(std::pair(where.line, where.column), sentence);
  }

  std::string all_faults() const {
    std::string text;
    for (const auto& [where, sentence] : faults_) {
      text +=
          fmt::format("{}{}:{}:{}: {}", text.empty() ? "" : "\n", file_.native(), where.first, where.second, sentence);
    }
    return text;
  }

  void only_known(const toml::table& in, const std::vector<std::string>& known) {
    for (const auto& [key, value] : in) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      std::string list;
      for (const auto& k : known) list += (list.empty() ? "" : ", ") + k;
      fault(value, fmt::format("'{}' is not known here; there are {}", key.str(), list));
    }
  }

  const toml::table* table(const toml::table& in, const char* key) {
    const auto* const value = in.get(key);
    if (value == nullptr || value->is_table()) return value == nullptr ? nullptr : value->as_table();
    fault(*value, fmt::format("{0} is no table: write [{0}]", key));
    return nullptr;
  }
  std::optional<std::string> text(const toml::table& in, const char* key) {
    const auto* const value = in.get(key);
    if (value == nullptr) return std::nullopt;
    if (auto found = value->value_exact<std::string>()) return found;
    fault(*value, fmt::format("{} must be a text, in quotes", key));
    return std::nullopt;
  }
  bool flag(const toml::table& in, const char* key) {
    const auto* const value = in.get(key);
    if (value == nullptr) return false;
    if (const auto found = value->value_exact<bool>()) return *found;
    fault(*value, fmt::format("{} must be true or false", key));
    return false;
  }

  void read_node(const std::string& name, const toml::node& value) {
    const auto* const in = value.as_table();
    if (in == nullptr) return fault(value, fmt::format("node '{0}' is no table: write [nodes.{0}]", name));
    only_known(*in, {"run", "replicas", "restart", "settings"});
    node_options how;
    if (const auto* const n = in->get("replicas")) {
      const auto found = n->value_exact<std::int64_t>();
      if (!found || *found < 1 || *found > 10'000) fault(*n, "replicas must be a whole number from 1 to 10000");
      how.replicas = static_cast<std::size_t>(found.value_or(1));
    }
    if (const auto kind = text(*in, "restart")) {
      const auto known = {permanent, transient, temporary};
      const auto* const found = std::find_if(known.begin(), known.end(), [&](auto k) { return *kind == to_string(k); });
      if (found == known.end()) {
        fault(*in->get("restart"), fmt::format("restart must be permanent, transient or temporary, not '{}'", *kind));
      } else {
        how.restart = *found;
      }
    }
    const auto settings = read_settings(*in);
    const auto function = text(*in, "run");
    const auto made = nodes_.makers().find(function.value_or(""));
    if (made == nodes_.makers().end()) {
      std::string known;
      for (const auto& [n, m] : nodes_.makers()) known += (known.empty() ? "" : ", ") + n;
      const auto* const run = in->get("run");
      return fault(run == nullptr ? value : *run,
                   run == nullptr
                       ? fmt::format("node '{}' does not say what it runs: run = \"...\", one of {}", name, known)
                       : fmt::format("there is no function '{}' to run; there are {}", function.value_or(""), known));
    }
    plan_.nodes.push_back(made->second(name, std::source_location::current(), how, settings));
    plan_.nodes.back().declared_at = fmt::format("{}:{}", file_.filename().native(), value.source().begin.line);
  }

  node_settings read_settings(const toml::table& in) {
    node_settings all;
    const auto* const given = table(in, "settings");
    if (given == nullptr) return all;
    for (const auto& [key, value] : *given) {
      if (auto as_text = value.value_exact<std::string>()) {
        all.values[std::string(key.str())] = *std::move(as_text);
      } else if (const auto as_number = value.value_exact<std::int64_t>()) {
        all.values[std::string(key.str())] = std::to_string(*as_number);
      } else {
        fault(value, fmt::format("setting {} must be a text or a whole number", key.str()));
      }
    }
    return all;
  }

  struct port {
    std::size_t node;
    std::size_t number;
  };
  /// "pricing" or "pricing.1"
  std::optional<port> read_port(const toml::table& in, const char* key, bool is_output) {
    const auto given = text(in, key);
    if (!given) {
      if (in.get(key) == nullptr)
        fault(in, fmt::format("the edge does not say where it {}: {} = \"...\"", is_output ? "begins" : "ends", key));
      return std::nullopt;
    }
    const auto dot = given->rfind('.');
    std::size_t number = 0;
    auto name = *given;
    const bool numbered = dot != given->npos && dot + 1 < given->size() &&
                          std::all_of(given->begin() + static_cast<std::ptrdiff_t>(dot) + 1, given->end(),
                                      [](char c) { return c >= '0' && c <= '9'; });
    if (numbered) {
      name = given->substr(0, dot);
      std::from_chars(given->data() + dot + 1, given->data() + given->size(), number);
    }
    const auto at = std::find_if(plan_.nodes.begin(), plan_.nodes.end(), [&](const auto& n) { return n.name == name; });
    if (at == plan_.nodes.end()) {
      fault(*in.get(key), fmt::format("there is no node '{}'", name));
      return std::nullopt;
    }
    const auto& ports = is_output ? at->outputs : at->inputs;
    const auto* const kind = is_output ? "output" : "input";
    if (number >= ports.size()) {
      fault(*in.get(key), fmt::format("node '{}' has {} {}(s), so none with the number {}: they count from 0", name,
                                      ports.size(), kind, number));
      return std::nullopt;
    }
    if (!numbered && ports.size() > 1) {
      fault(*in.get(key), fmt::format("node '{0}' has {1} {2}s: say which, as \"{0}.0\"", name, ports.size(), kind));
      return std::nullopt;
    }
    return port{static_cast<std::size_t>(at - plan_.nodes.begin()), number};
  }

  mailbox_limits read_limits(const toml::table& in) {
    auto policy = overflow::wait;
    if (const auto given = text(in, "when_full")) {
      const auto known = {overflow::wait, overflow::reject, overflow::drop_newest, overflow::drop_oldest};
      const auto* const found =
          std::find_if(known.begin(), known.end(), [&](auto k) { return *given == internal::to_string(k); });
      if (found == known.end()) {
        fault(*in.get("when_full"),
              fmt::format("when_full must be wait, reject, drop_newest or drop_oldest, not '{}'", *given));
      } else {
        policy = *found;
      }
    }
    const auto* const capacity = in.get("capacity");
    if (capacity == nullptr) {
      fault(in, "the edge does not say how many items it holds: capacity = N, 0 for a rendezvous, or \"unbounded\"");
      return rendezvous();
    }
    if (capacity->value_exact<std::string>() == "unbounded") return unbounded();
    const auto n = capacity->value_exact<std::int64_t>();
    if (!n || *n < 0 || *n > std::int64_t{1} << 31) {
      fault(*capacity, "capacity must be a whole number from 0 to 2147483648, or \"unbounded\"");
      return rendezvous();
    }
    if (*n == 0 && policy == overflow::drop_oldest) {
      fault(*capacity, "drop_oldest needs a queue: a capacity of 1 or more");
      return rendezvous();
    }
    return bounded(*n, policy);
  }

  void read_edge(const toml::node& value) {
    const auto* const in = value.as_table();
    if (in == nullptr) return fault(value, "an edge is no table: write [[edges]] before each");
    only_known(*in, {"from", "to", "capacity", "when_full", "broadcast", "urgent", "allow_cycle", "by_key"});
    const auto from = read_port(*in, "from", true);
    const auto to = read_port(*in, "to", false);
    const auto limits = read_limits(*in);
    edge_options how{text(*in, "allow_cycle").value_or(""), flag(*in, "urgent")};
    const bool copies = flag(*in, "broadcast");
    if (!from || !to) return;
    const auto& out = plan_.nodes[from->node].outputs[from->number];
    const auto& input = plan_.nodes[to->node].inputs[to->number];
    if (out.type != input.type) {
      return fault(value, fmt::format("the edge begins with items of type {}, and ends at an input for {}", out.type,
                                      input.type));
    }
    if (copies && out.make_copier == nullptr)
      return fault(value, fmt::format("broadcast needs copies, and {} cannot be copied", out.type));
    detail::edge_record e{from->node, from->number, to->node, to->number, limits, std::move(how), copies};
    if (const auto key = text(*in, "by_key")) {
      const auto found = nodes_.key_makers().find(*key);
      if (found == nodes_.key_makers().end() || found->second.type != out.type) {
        return fault(*in->get("by_key"), fmt::format("there is no key '{}' for items of type {}", *key, out.type));
      }
      e.by_key = found->second.make;
    }
    plan_.edges.push_back(std::move(e));
  }

  const node_library& nodes_;
  const std::filesystem::path& file_;
  detail::graph_plan plan_;
  std::multimap<std::pair<toml::source_index, toml::source_index>, std::string> faults_; // by place
};

} // namespace

result<graph> load_graph(const node_library& nodes, const std::filesystem::path& file) {
  const auto content = real_files().read_all(file);
  if (!content) return error(content.error().code(), fmt::format("cannot load a graph: {}", content.error().message()));
  const toml::parse_result parsed = toml::parse(*content);
  if (!parsed) {
    const auto& why = parsed.error();
    return error(errc::parse, fmt::format("{}:{}:{}: {}", file.native(), why.source().begin.line,
                                          why.source().begin.column, why.description()));
  }
  return graph_reader(nodes, file).read(parsed.table());
}

#else

result<graph> load_graph(const node_library&, const std::filesystem::path& file) {
  return error(errc::unsupported,
               fmt::format("cannot load a graph: {}: this build has no TOML: configure it with GREENROOM_TOML=ON",
                           file.native()));
}

#endif

} // namespace greenroom
