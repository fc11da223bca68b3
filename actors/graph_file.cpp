#include <greenroom/actors/graph_file.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <greenroom/actors/internal/graph_check.hpp>
#include <greenroom/actors/internal/toml_reader.hpp>
#include <greenroom/runtime/detail/same_type.hpp>
#include <greenroom/runtime/files.hpp>

namespace greenroom {

#if GREENROOM_HAS_TOML

namespace {

template <class Map>
std::string names_of(const Map& all) {
  std::string names;
  for (const auto& [name, value] : all) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

/// Returns the number of a port that is named by it.
std::optional<std::size_t> port_number(std::string_view text) {
  std::size_t n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// Reads one file into the plan of a graph.
class graph_reader {
public:
  graph_reader(const node_library& nodes, const std::filesystem::path& file)
      : nodes_(nodes), file_(file), from_(file.native()) {}

  result<graph> read(const toml::table& all) {
    from_.only_known(all, {"graph", "nodes", "edges", "entries", "dead_letters", "groups", "greenroom"});
    plan_.name = file_.stem().native();
    if (const auto* const own = from_.table(all, "graph")) read_own(*own);
    for (const auto& [name, in] : from_.tables(all, "nodes")) read_node(name, *in.at, *in.value);
    if (const auto* const listed = all.get("edges")) {
      const auto* const list = listed->as_array();
      if (list == nullptr) from_.fault(*listed, "edges is no list of tables: write [[edges]] before each");
      for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) read_edge((*list)[i]);
    }
    for (const auto& [name, in] : from_.tables(all, "entries")) read_entry(name, *in.value);
    if (const auto* const letters = from_.table(all, "dead_letters")) read_dead_letters(*letters);
    for (const auto& [name, in] : from_.tables(all, "groups")) read_group(name, *in.value);
    if (from_.has_faults()) return from_.all_faults();
    return graph(std::move(plan_));
  }

private:
  void read_own(const toml::table& in) {
    from_.only_known(in, {"name", "libraries", "intensity"});
    plan_.name = from_.text(in, "name").value_or(plan_.name);
    for (const auto& [at, library] : from_.texts(in, "libraries")) {
      const auto loaded = nodes_.load(file_.parent_path() / library);
      if (!loaded) from_.fault(*at, std::string(loaded.error().message()));
    }
    read_intensity(in, plan_.how.intensity);
  }

  void read_intensity(const toml::table& in, restart_intensity& intensity) {
    const auto* const own = from_.table(in, "intensity");
    if (own == nullptr) return;
    from_.only_known(*own, {"restarts", "period"});
    const auto n = from_.whole(*own, "restarts", 0, 1'000'000);
    intensity.restarts = static_cast<int>(n.value_or(intensity.restarts));
    intensity.period = from_.time(*own, "period").value_or(intensity.period);
    if (const auto ok = intensity.check(); !ok) from_.fault(*own, std::string(ok.error().message()));
  }

  void read_node(const std::string& name, const toml::node& at, const toml::table& in) {
    from_.only_known(in,
                     {"run", "replicas", "restart", "backoff", "grace", "queue", "deliveries", "ports", "settings"});
    const auto how = read_options(in);
    const auto settings = read_settings(in);
    const auto ports = from_.texts(in, "ports");
    const auto function = from_.text(in, "run");
    const auto made = nodes_.functions().find(function.value_or(""));
    if (made == nodes_.functions().end()) {
      broken_.insert(name);
      const auto known = names_of(nodes_.functions());
      const auto* const run = in.get("run");
      return from_.fault(
          run == nullptr ? at : *run,
          run == nullptr ? fmt::format("node '{}' does not say what it runs: run = \"...\", one of {}", name, known)
                         : fmt::format("there is no function '{}' to run; there are {}", function.value_or(""), known));
    }
    plan_.nodes.push_back(made->second.make(name, how, settings));
    auto& node = plan_.nodes.back();
    node.declared_at = fmt::format("{}:{}", file_.filename().native(), at.source().begin.line);
    if (in.get("ports") != nullptr) name_ports(node, *in.get("ports"), ports);
  }

  node_options read_options(const toml::table& in) {
    node_options how;
    how.replicas = static_cast<std::size_t>(from_.whole(in, "replicas", 1, 10'000).value_or(1));
    how.restart = from_.choice<restart_kind>(in, "restart", to_string).value_or(how.restart);
    how.queue = from_.choice<queue_fate>(in, "queue", to_string).value_or(how.queue);
    how.deliveries = static_cast<std::uint32_t>(from_.whole(in, "deliveries", 1, 1'000'000).value_or(how.deliveries));
    how.grace = from_.time(in, "grace");
    const auto* const pauses = from_.table(in, "backoff");
    if (pauses == nullptr) return how;
    from_.only_known(*pauses, {"first", "most", "factor", "jitter", "lasts"});
    auto& b = how.backoff;
    b.first = from_.time(*pauses, "first").value_or(b.first);
    b.most = from_.time(*pauses, "most").value_or(b.most);
    b.factor = from_.number(*pauses, "factor").value_or(b.factor);
    b.jitter = from_.number(*pauses, "jitter").value_or(b.jitter);
    b.lasts = from_.time(*pauses, "lasts").value_or(b.lasts);
    if (const auto ok = b.check(); !ok) from_.fault(*pauses, std::string(ok.error().message()));
    return how;
  }

  void name_ports(detail::node_record& node, const toml::node& at,
                  const std::vector<internal::placed<std::string>>& names) {
    const auto wanted = node.inputs.size() + node.outputs.size();
    if (names.size() != wanted) {
      return from_.fault(at, fmt::format("node '{}' has {} input(s) and {} output(s), but {} name(s) are given",
                                         node.name, node.inputs.size(), node.outputs.size(), names.size()));
    }
    auto next = names.begin();
    for (auto* const ports : {&node.inputs, &node.outputs}) {
      for (auto& one : *ports) {
        if (next->value.empty() || port_number(next->value) || next->value.find('.') != std::string::npos)
          from_.fault(*next->at, fmt::format("'{}' cannot name a port: it must not be empty, a number, or have a dot",
                                             next->value));
        one.name = next++->value;
      }
    }
  }

  node_settings read_settings(const toml::table& in) {
    node_settings all;
    const auto* const given = from_.table(in, "settings");
    if (given == nullptr) return all;
    for (const auto& [key, value] : *given) {
      if (auto as_text = value.value_exact<std::string>()) {
        all.values[std::string(key.str())] = *std::move(as_text);
      } else if (const auto as_number = value.value_exact<std::int64_t>()) {
        all.values[std::string(key.str())] = std::to_string(*as_number);
      } else {
        from_.fault(value, fmt::format("setting {} must be a text or a whole number", key.str()));
      }
    }
    return all;
  }

  std::optional<std::size_t> find_node(std::string_view name) const {
    const auto at = std::find_if(plan_.nodes.begin(), plan_.nodes.end(), [&](const auto& n) { return n.name == name; });
    if (at == plan_.nodes.end()) return std::nullopt;
    return static_cast<std::size_t>(at - plan_.nodes.begin());
  }

  struct port {
    std::size_t node;
    std::size_t number;
  };
  /// "pricing", "pricing.1" or "pricing.quotes"
  std::optional<port> read_port(const char* what, const toml::table& in, const char* key, bool is_output) {
    const auto given = from_.text(in, key);
    if (!given) {
      if (in.get(key) == nullptr)
        from_.fault(
            in, fmt::format("the {} does not say where it {}: {} = \"...\"", what, is_output ? "begins" : "ends", key));
      return std::nullopt;
    }
    const auto bad = [&](const std::string& sentence) {
      from_.fault(*in.get(key), sentence);
      return std::nullopt;
    };
    const auto dot = given->rfind('.');
    const auto whole = find_node(*given);
    const auto node = whole || dot == given->npos ? whole : find_node(given->substr(0, dot));
    if (!node) {
      const auto missing = dot == given->npos ? *given : given->substr(0, dot);
      if (broken_.contains(missing)) return std::nullopt;
      return bad(fmt::format("there is no node '{}'", missing));
    }
    const auto& name = plan_.nodes[*node].name;
    const auto& ports = is_output ? plan_.nodes[*node].outputs : plan_.nodes[*node].inputs;
    const auto* const kind = is_output ? "output" : "input";
    if (whole) {
      if (ports.size() == 1) return port{*node, 0};
      if (ports.empty()) return bad(fmt::format("node '{}' has no {}s", name, kind));
      return bad(fmt::format("node '{0}' has {1} {2}s: say which, as \"{0}.{3}\"", name, ports.size(), kind,
                             ports[0].name.empty() ? "0" : ports[0].name));
    }
    const auto said = given->substr(dot + 1);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].name == said) return port{*node, i};
    }
    const auto number = port_number(said);
    if (number && *number < ports.size()) return port{*node, *number};
    if (number)
      return bad(fmt::format("node '{}' has {} {}(s), so none with the number {}: they count from 0", name,
                             ports.size(), kind, *number));
    return bad(fmt::format("node '{}' has no {} '{}'; {}", name, kind, said, names_of_ports(ports)));
  }

  static std::string names_of_ports(const std::vector<detail::port_record>& ports) {
    std::string names;
    for (const auto& p : ports) names += (names.empty() ? "" : ", ") + p.name;
    return ports.empty() || ports[0].name.empty() ? "its ports have no names: ports = [\"...\"], inputs first"
                                                  : "there are " + names;
  }

  mailbox_limits read_limits(const char* what, const toml::table& in) {
    const auto limits = read_capacity(what, in);
    const auto expires = from_.time(in, "expires_after");
    return expires ? limits.expiring(*expires) : limits;
  }

  mailbox_limits read_capacity(const char* what, const toml::table& in) {
    const auto policy = from_.choice<overflow>(in, "when_full", internal::to_string).value_or(overflow::wait);
    const auto* const capacity = in.get("capacity");
    if (capacity == nullptr) {
      from_.fault(
          in,
          fmt::format("the {} does not say how many items it holds: capacity = N, 0 for a rendezvous, or \"unbounded\"",
                      what));
      return rendezvous();
    }
    if (capacity->value_exact<std::string>() == "unbounded") {
      if (policy != overflow::wait)
        from_.fault(*in.get("when_full"), "when_full has no meaning for a mailbox that is never full");
      return unbounded();
    }
    const auto n = capacity->value_exact<std::int64_t>();
    if (!n || *n < 0 || *n > std::int64_t{1} << 31) {
      from_.fault(*capacity, "capacity must be a whole number from 0 to 2147483648, or \"unbounded\"");
      return rendezvous();
    }
    if (*n == 0 && policy == overflow::drop_oldest) {
      from_.fault(*capacity, "drop_oldest needs a queue: a capacity of 1 or more");
      return rendezvous();
    }
    return bounded(*n, policy);
  }

  void read_edge(const toml::node& at) {
    const auto* const in = at.as_table();
    if (in == nullptr) return from_.fault(at, "an edge is no table: write [[edges]] before each");
    from_.only_known(
        *in, {"from", "to", "capacity", "when_full", "expires_after", "broadcast", "urgent", "allow_cycle", "by_key"});
    const auto from = read_port("edge", *in, "from", true);
    const auto to = read_port("edge", *in, "to", false);
    const auto limits = read_limits("edge", *in);
    edge_options how{from_.text(*in, "allow_cycle").value_or(""), from_.flag(*in, "urgent")};
    const bool copies = from_.flag(*in, "broadcast");
    const auto key = from_.text(*in, "by_key");
    if (!from || !to) return;
    const auto& out = plan_.nodes[from->node].outputs[from->number];
    const auto& input = plan_.nodes[to->node].inputs[to->number];
    if (!detail::same_type(out.kind->type, input.kind->type)) return from_.fault(at, differ(out.type, input.type));
    if (copies && out.make_copier == nullptr)
      return from_.fault(at, fmt::format("broadcast needs copies, and {} cannot be copied", out.type));
    detail::edge_record e{from->node, from->number, to->node, to->number, limits, std::move(how), copies};
    if (key) {
      const auto found = nodes_.keys().find(*key);
      if (found == nodes_.keys().end() || !detail::same_type(*found->second.of, out.kind->type))
        return from_.fault(*in->get("by_key"),
                           fmt::format("there is no key '{}' for items of type {}", *key, out.type));
      e.by_key = found->second.make;
    }
    plan_.edges.push_back(std::move(e));
  }

  static std::string differ(const std::string& out, const std::string& input) {
    if (out != input)
      return fmt::format("the edge begins with items of type {}, and ends at an input for {}", out, input);
    return fmt::format(
        "the edge begins with items of type {}, and ends at an input for another type of that name: types "
        "that two libraries share stand in a header, in a named namespace",
        out);
  }

  void read_entry(const std::string& name, const toml::table& in) {
    from_.only_known(in, {"to", "capacity", "when_full", "expires_after"});
    const auto to = read_port("entry", in, "to", false);
    const auto limits = read_limits("entry", in);
    if (to) plan_.entries.push_back({.to = to->node, .input = to->number, .limits = limits, .name = name});
  }

  void read_dead_letters(const toml::table& in) {
    from_.only_known(in, {"to", "capacity", "when_full", "expires_after"});
    const auto to = read_port("table of dead letters", in, "to", false);
    const auto limits = read_limits("table of dead letters", in);
    if (!to) return;
    const auto& input = plan_.nodes[to->node].inputs[to->number];
    if (input.kind->type != typeid(dead_letter)) {
      return from_.fault(*in.get("to"),
                         fmt::format("dead letters need an input for greenroom::dead_letter, not {}", input.type));
    }
    plan_.entries.push_back({.to = to->node, .input = to->number, .limits = limits, .takes_dead_letters = true});
  }

  void read_group(const std::string& name, const toml::table& in) {
    from_.only_known(in, {"nodes", "strategy", "intensity"});
    detail::group_record g{name, {}, {}};
    const auto without_dynamic = static_cast<std::size_t>(dynamic);
    g.how.strategy =
        from_.choice<restart_strategy>(in, "strategy", to_string, without_dynamic).value_or(g.how.strategy);
    read_intensity(in, g.how.intensity);
    if (in.get("nodes") == nullptr)
      from_.fault(in, fmt::format("group '{}' does not say what is in it: nodes = [\"...\"]", name));
    for (const auto& [at, node] : from_.texts(in, "nodes")) {
      if (const auto found = find_node(node)) {
        g.nodes.push_back(*found);
      } else if (!broken_.contains(node)) {
        from_.fault(*at, fmt::format("there is no node '{}'", node));
      }
    }
    plan_.groups.push_back(std::move(g));
  }

  node_library nodes_; // and what the file's libraries add
  const std::filesystem::path& file_;
  internal::toml_reader from_;
  detail::graph_plan plan_;
  std::set<std::string> broken_; // nodes with a fault of their own: not missed where they are named
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
