#include <greenroom/tools/greenroom/watch_command.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/graph_drawing.hpp>
#include <greenroom/tools/greenroom/graph_reading.hpp>
#include <greenroom/tools/greenroom/graph_table.hpp>
#include <greenroom/tools/greenroom/json_output.hpp>
#include <greenroom/tools/greenroom/terminal.hpp>
#include <greenroom/tools/greenroom/url_text.hpp>

using namespace greenroom;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace cli {
namespace {

/// What top --json prints.
struct top_report {
  std::string url;
  graph_reading::graph graph;
  std::vector<input_rate> rates;
};

void describe(http::schema<top_report>& s) {
  s.field("url", &top_report::url);
  s.field("graph", &top_report::graph);
  s.field("rates", &top_report::rates);
}

constexpr std::string_view path = "/graph.json"; // of a service whose address alone is given

std::string head_of(const std::string& url, const graph_reading::reading& now, milliseconds every) {
  const auto& nodes = now.what.nodes;
  const auto count = [&nodes](auto is) { return std::count_if(nodes.begin(), nodes.end(), is); };
  const auto full = count([](const auto& n) {
    return std::any_of(n.inputs.begin(), n.inputs.end(), [](const auto& in) { return graph_reading::is_full(in); });
  });
  const auto knotted = count([](const auto& n) { return n.knot.has_value(); });
  return fmt::format("graph '{}' at {}: {} nodes, {} with a full input{}; every {}, q ends", now.what.name, url,
                     count([](const auto& n) { return !n.junction; }), full,
                     knotted == 0 ? "" : fmt::format(", {} in a DEADLOCK", knotted), detail::show_duration(every));
}

void print(const std::vector<std::string>& lines) {
  for (const auto& line : lines) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// Waits for the time, or until the user wants to end it; true for that.
bool wait(terminal* screen, const stop_signal& asked, milliseconds time) {
  constexpr milliseconds step = 50ms; // a signal is seen so late at most
  const auto end = std::chrono::steady_clock::now() + time;
  while (!asked.came()) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    if (left <= 0ms) return false;
    const auto key = screen == nullptr ? std::nullopt : screen->key(std::min(left, step));
    if (key == 'q' || key == 'Q') return true;
    if (screen == nullptr) std::this_thread::sleep_for(std::min(left, step));
  }
  return true;
}

int print_once(graph_reading::source& from, milliseconds every, bool json, stop_signal& asked) {
  const auto before = from.read();
  if (!before) return fail(before.error().message());
  if (wait(nullptr, asked, every)) return fail_interrupted(asked);
  const auto now = from.read();
  if (!now) return fail(now.error().message());
  if (json)
    print_json(top_report{from.url(), now->what, rates_of(*before, *now)});
  else
    print(table_of(&*before, *now));
  return 0;
}

int top(const arguments& given) {
  const auto every = given.time("--every", 2s, 100ms, 1h);
  if (!every) return fail_usage(every.error().message());
  auto at = read_address(given, path);
  if (!at) return fail_usage(at.error().message());
  stop_signal asked; // first, so that a signal is never missed
  graph_reading::source from(*std::move(at));
  const bool json = given.has("--json");
  if (json || given.has("--once")) return print_once(from, *every, json, asked);
  if (!terminal::is_there())
    return fail("top draws on a terminal, and standard output is none; --once prints one table");
  terminal screen;
  std::optional<graph_reading::reading> before;
  std::vector<std::string> lines;
  do {
    auto now = from.read();
    if (now) {
      lines = table_of(before ? &*before : nullptr, *now);
      lines.insert(lines.begin(), {head_of(from.url(), *now, *every), ""});
      before = *std::move(now);
    } else { // it may come again: the last table stays
      const auto head = "NOT READ: " + std::string(now.error().message()) + "; q ends";
      if (lines.empty()) lines.emplace_back();
      lines.front() = head;
    }
    screen.show(lines);
  } while (!wait(&screen, asked, *every));
  return 0;
}

constexpr option top_options[] = {
    {"--once", "", "print one table and end"},
    {"--every", "TIME", "read so often, and give rates over that time (default 2s)"},
    {"--json", "", "print one table as a JSON document, and end"},
    ca_option,
};

} // namespace

int draw_service(const arguments& given) {
  auto at = read_address(given, path);
  if (!at) return fail_usage(at.error().message());
  graph_reading::source from(*std::move(at));
  const auto now = from.read();
  if (!now) return fail(now.error().message());
  if (given.has("--json")) return print_json(now->what), 0;
  std::fputs((given.has("--mermaid") ? mermaid_of(now->what) : dot_of(now->what)).c_str(), stdout);
  return 0;
}

constinit const command top_command{"top",
                                    "URL",
                                    "shows the graph of a service that runs, in the terminal",
                                    "Shows what each node of the service does, how fast, and what waits, until q is "
                                    "pressed. URL is the address of the service, such as "
                                    "http://127.0.0.1:8080, or that of its /graph.json.",
                                    top_options,
                                    top};

} // namespace cli
