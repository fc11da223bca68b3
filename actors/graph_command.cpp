#include <greenroom/actors/graph_command.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/graph_deployment.hpp>
#include <greenroom/actors/graph_file.hpp>
#include <greenroom/actors/graph_service.hpp>
#include <greenroom/actors/internal/graph_report.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/stop_signal.hpp>

namespace greenroom {
namespace {

constexpr std::string_view usage = R"(Runs, checks and draws graphs of actors that TOML files describe.

  greenroom run FILE [--for TIME] [--drain TIME]   runs a graph until it ends, or SIGINT or SIGTERM comes: it is then drained
  greenroom check FILE                             says what is wrong with it
  greenroom graph FILE [--dot|--mermaid|--json]    prints it for Graphviz, for Mermaid, or as JSON
  greenroom nodes [LIBRARY...]                     lists the functions that nodes may run

  --json
      prints the result, whatever the command, as one JSON document
  --deployment FILE
      which processes the graph is split over (see graph_deployment.hpp): run runs the part of one, check and graph show all
  --node NAME
      which of them to run
  --nodes LIBRARY
      a library with more functions, besides those that the file names; may be given several times
  --for TIME
      drain it after so long
  --drain TIME
      how long that may take, before what is left is dropped: a duration such as 500ms, 2s, 5min or 1h (default 5s)
  --config FILE
      a TOML file with a table [greenroom] of the following; the graph's own file may have one, too
)";

/// What the command line says.
struct request {
  std::string verb;
  std::vector<std::filesystem::path> files; // graphs, or libraries for `nodes`
  std::vector<std::filesystem::path> libraries;
  std::optional<std::filesystem::path> deployment;
  std::optional<std::string> node;
  std::optional<duration> limit;
  duration drain = std::chrono::seconds(5);
  bool json = false;
  bool mermaid = false;
  bool help = false;
};

error bad_usage(const std::string& sentence) { return error(errc::invalid_argument, sentence + "; --help says more"); }

result<duration> read_time(const std::string& option, const std::string& text) {
  const auto found = detail::parse_duration(text);
  if (!found) return bad_usage(fmt::format("{}: '{}' is not {}", option, text, detail::duration_form));
  return detail::saturating_nanoseconds(*found);
}

result<void> read_option(request& r, const std::string& option, const std::string& value) {
  if (option == "--nodes") {
    r.libraries.emplace_back(value);
    return {};
  }
  if (option == "--deployment") return r.deployment = value, result<void>();
  if (option == "--node") return r.node = value, result<void>();
  const auto time = read_time(option, value);
  if (!time) return time.error();
  if (option == "--for") r.limit = *time;
  if (option == "--drain") r.drain = *time;
  return {};
}

result<request> read_request(int argc, const char* const* argv) {
  auto parsed = load_all({}, argc, argv); // only to take its options out; run_graph() reads them
  if (!parsed) return parsed.error();
  request r;
  r.help = parsed->help;
  const auto& given = parsed->rest;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto equals = given[i].find('=');
    const auto option = given[i].substr(0, equals);
    if (given[i] == "--json") {
      r.json = true;
    } else if (given[i] == "--dot" || given[i] == "--mermaid") {
      r.mermaid = given[i] == "--mermaid";
    } else if (option == "--nodes" || option == "--for" || option == "--drain" || option == "--deployment" ||
               option == "--node") {
      if (equals == given[i].npos && i + 1 == given.size()) return bad_usage(option + ": its value is missing");
      const auto read = read_option(r, option, equals == given[i].npos ? given[++i] : given[i].substr(equals + 1));
      if (!read) return read.error();
    } else if (given[i].starts_with('-')) {
      return bad_usage(given[i] + ": there is no such option");
    } else if (r.verb.empty()) {
      r.verb = given[i];
    } else {
      r.files.emplace_back(given[i]);
    }
  }
  if (r.help) return r;
  const bool is_known = r.verb == "run" || r.verb == "check" || r.verb == "graph" || r.verb == "nodes";
  if (!is_known)
    return bad_usage(r.verb.empty() ? "say what to do" : "'" + r.verb + "' is not run, check, graph or nodes");
  if (r.verb != "nodes" && r.files.size() != 1) return bad_usage(r.verb + " takes one file");
  if (r.verb == "run" && r.deployment.has_value() != r.node.has_value())
    return bad_usage(r.node ? "--node goes with a --deployment FILE" : "run with a --deployment needs --node NAME");
  return r;
}

int fail(std::string_view why, int code = 1) {
  std::fprintf(stderr, "greenroom: %.*s\n", static_cast<int>(why.size()), why.data());
  return code;
}

/// The same for faults that say where they are, a line for each, for editors that jump there.
int fail_at_places(const std::vector<std::string>& faults) {
  for (const auto& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
  return 1;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void add_lines(std::vector<std::string>& to, std::string_view text) {
  while (!text.empty()) {
    to.emplace_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(to.back().size() + 1, text.size()));
  }
}

/// Adds the libraries. Returns which cannot be loaded, and why.
std::vector<std::string> load_all_nodes(node_library& nodes, const std::vector<std::filesystem::path>& libraries) {
  std::vector<std::string> faults;
  for (const auto& library : libraries) {
    const auto loaded = nodes.load(library);
    if (!loaded) faults.emplace_back(loaded.error().message());
  }
  return faults;
}

/// Notes what is wrong with the deployment, and whether it has the node that is to run.
void check_deployment(const request& r, const graph& g, const deployment& where, std::vector<std::string>& faults) {
  const auto found = where.faults(g);
  faults.insert(faults.end(), found.begin(), found.end());
  std::string names;
  for (const auto& one : where.nodes()) names += (names.empty() ? "'" : ", '") + one.node.name + "'";
  const bool is_there = !r.node || std::any_of(where.nodes().begin(), where.nodes().end(),
                                               [&](const auto& one) { return one.node.name == *r.node; });
  if (!is_there)
    faults.push_back(fmt::format("{}: there is no node '{}'; there are {}", r.deployment->native(), *r.node, names));
}

/// What the files say.
struct loaded {
  graph whole;
  std::optional<deployment> where;
};

/// Returns the graph, or nothing: then all that is wrong with libraries and files, or with the graph as a whole, is in `faults`.
std::optional<loaded> load(node_library nodes, const request& r, std::vector<std::string>& faults) {
  const auto& file = r.files.front();
  faults = load_all_nodes(nodes, r.libraries);
  auto g = load_graph(nodes, file);
  if (!g) add_lines(faults, g.error().message());
  if (g) {
    for (const auto& fault : g->faults()) faults.push_back(fmt::format("{}: {}", file.native(), fault));
  }
  const auto system = g ? load_file({}, file) : options(); // its table [greenroom]
  if (!system) faults.emplace_back(system.error().message());
  auto where = r.deployment ? load_deployment(*r.deployment) : result<deployment>(deployment());
  if (!where) add_lines(faults, where.error().message());
  if (g && where && r.deployment) check_deployment(r, *g, *where, faults);
  if (!faults.empty()) return std::nullopt;
  return loaded{*std::move(g), r.deployment ? std::optional(*std::move(where)) : std::nullopt};
}

// -- run --------------------------------------------------------------------------------------------------------

/// Ends the wait of main when the graph has ended, or its time is over.
task<> tell_the_end(actor top, std::optional<duration> limit, stop_signal* asked) {
  if (limit) {
    auto first = co_await select(top.join(), after(*limit));
    (void)first;
  } else {
    auto why = co_await top.join();
    (void)why;
  }
  asked->stop();
}

task<result<void>> drain(service s, duration limit) { return s.drain(limit); }

/// Returns what went wrong with the end, if anything did.
result<void> end_in_order(actor_system& sys, const service& s, const request& r) {
  if (!s.self().finished()) {
    if (!r.json) print("draining\n");
    const auto drained = sys.run(drain, s, r.drain);
    if (!drained) {
      s.stop();
      s.self().wait();
      return drained;
    }
  }
  const auto why = s.self().wait();
  if (why.kind() == exit_kind::failed || why.kind() == exit_kind::killed) return why.why();
  return {};
}

std::string names_of_entries(const graph& g) {
  std::string names;
  for (const auto& e : g.plan().entries) {
    if (!e.name.empty()) names += (names.empty() ? "'" : ", '") + e.name + "'";
  }
  return names;
}

int run_graph(const request& r, loaded files, int argc, const char* const* argv) {
  stop_signal asked; // first, so that a signal is never missed, and longest
  auto opts = load_file({}, r.files.front());
  if (!opts) return fail(opts.error().message());
  const auto with_arguments = load_all(*std::move(opts), argc, argv);
  if (!with_arguments) return fail(with_arguments.error().message());
  auto& g = files.whole;
  const auto entries = names_of_entries(g);
  if (!entries.empty()) {
    std::fprintf(stderr, "greenroom: nothing comes in by %s here: that takes a program of your own (graph_file.hpp)\n",
                 entries.c_str());
  }
  const auto part = files.where ? fmt::format(", the part of node '{}'", *r.node) : "";
  actor_system sys(with_arguments->values);
  if (!r.json) print(fmt::format("running graph '{}'{}\n", g.plan().name, part));
  const auto started = files.where ? run(sys, std::move(g), *std::move(files.where), *r.node) : run(sys, std::move(g));
  if (!started) return fail(started.error().message());
  sys.spawn({.name = "end of the graph"}, tell_the_end, started->self(), r.limit, &asked);
  asked.wait();
  internal::run_report report{.was_drained = !started->self().finished()};
  const auto ended = end_in_order(sys, *started, r);
  report.look = started->look();
  if (!ended) report.failure = ended.error().message();
  print(r.json ? json_of(report) : text_of(report));
  if (!ended) return fail(report.failure);
  return report.look.conserved() ? 0 : 1;
}

// -- the others -------------------------------------------------------------------------------------------------

/// ", 2 of them cross between 2 processes"
std::string crossing_text(const loaded& files) {
  if (!files.where) return "";
  const auto look = look_at(files.whole, *files.where);
  const auto crossing = std::count_if(look.edges.begin(), look.edges.end(), [](const auto& e) { return e.crosses; });
  return fmt::format(", {} of which cross between {} processes", crossing, look.places.size());
}

int check_graph(const request& r, const std::optional<loaded>& files, const std::vector<std::string>& faults) {
  const auto& file = r.files.front().native();
  internal::check_report report{.file = file, .faults = faults};
  if (files) {
    const auto& plan = files->whole.plan();
    report.graph = plan.name;
    report.nodes = plan.nodes.size();
    report.edges = plan.edges.size();
    report.warnings = files->whole.warnings();
  }
  if (r.json) return print(json_of(report)), files ? 0 : 1;
  if (!files) return fail_at_places(faults);
  for (const auto& w : report.warnings) std::fprintf(stderr, "%s: warning: %s\n", file.c_str(), w.c_str());
  print(fmt::format("graph '{}' can run: {} node(s), {} edge(s){}, {} warning(s)\n", report.graph, report.nodes,
                    report.edges, crossing_text(*files), report.warnings.size()));
  return 0;
}

int do_as_asked(node_library nodes, int argc, const char* const* argv) {
  const auto wanted = read_request(argc, argv);
  if (!wanted) return fail(wanted.error().message(), 2);
  const auto& r = *wanted;
  if (r.help) return print(std::string(usage) + "\n" + options_help()), 0;
  if (r.verb == "nodes") {
    auto libraries = r.files;
    libraries.insert(libraries.end(), r.libraries.begin(), r.libraries.end());
    const auto faults = load_all_nodes(nodes, libraries);
    if (!faults.empty()) return fail_at_places(faults);
    return print(r.json ? internal::json_of(nodes) : internal::text_of(nodes)), 0;
  }
  std::vector<std::string> faults;
  auto files = load(std::move(nodes), r, faults);
  if (r.verb == "check") return check_graph(r, files, faults);
  if (!files) return fail_at_places(faults);
  if (r.verb == "run") return run_graph(r, *std::move(files), argc, argv);
  const auto look = files->where ? look_at(files->whole, *files->where) : look_at(files->whole);
  return print(r.json ? look.to_json() : r.mermaid ? look.to_mermaid() : look.to_dot()), 0;
}

} // namespace

int graph_command(const node_library& nodes, int argc, const char* const* argv) {
  try {
    return do_as_asked(nodes, argc, argv);
  } catch (const std::exception& e) { // options out of range, a second stop_signal
    return fail(e.what());
  }
}

} // namespace greenroom
