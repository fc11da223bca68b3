#include <greenroom/tools/greenroom/watch_command.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/tools/greenroom/graph_drawing.hpp>
#include <greenroom/tools/greenroom/graph_reading.hpp>
#include <greenroom/tools/greenroom/graph_table.hpp>
#include <greenroom/tools/greenroom/terminal.hpp>

using namespace greenroom;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

const std::string_view watch_usage = R"(
Shows the graph of a service that runs: URL is its address, such as http://127.0.0.1:8080, or that of its /graph.json.

  greenroom top URL [--once] [--every TIME]        shows it in the terminal: what each node does, how fast, and what waits; q ends it
  greenroom graph URL [--dot|--mermaid]            prints it for Graphviz (as without an option), or for Mermaid

  --once
      print one table and end
  --every TIME
      read so often, and give rates over that time (default 2s)
)";

namespace {

struct request {
  bool once = false;
  bool mermaid = false;
  milliseconds every = 2s;
  std::string url;
};

bool is_url(std::string_view text) { return text.find("://") != text.npos; }

int fail(std::string_view why) {
  std::fprintf(stderr, "greenroom: %.*s\n", static_cast<int>(why.size()), why.data());
  return 1;
}

result<request> read_request(bool is_top, const std::vector<std::string>& given) {
  const auto bad = [](const std::string& sentence) {
    return error(errc::invalid_argument, sentence + "; --help says more");
  };
  request r;
  for (std::size_t i = 2; i < given.size(); ++i) {
    const auto equals = given[i].find('=');
    const auto option = given[i].substr(0, equals);
    if (is_top && given[i] == "--once") {
      r.once = true;
    } else if (!is_top && (given[i] == "--dot" || given[i] == "--mermaid")) {
      r.mermaid = given[i] == "--mermaid";
    } else if (is_top && option == "--every") {
      if (equals == option.npos && i + 1 == given.size()) return bad("--every: its value is missing");
      const auto text = equals == given[i].npos ? given[++i] : given[i].substr(equals + 1);
      const auto time = detail::parse_duration(text);
      if (!time || *time < 100ms || *time > 1h)
        return bad(fmt::format("--every: '{}' is not {}, from 100ms to 1h", text, detail::duration_form));
      r.every = *time;
    } else if (given[i].starts_with('-')) {
      return bad(given[i] + ": there is no such option");
    } else if (r.url.empty()) {
      r.url = is_url(given[i]) ? given[i] : "http://" + given[i];
    } else {
      return bad(given[i] + ": one address is enough");
    }
  }
  if (r.url.empty()) return bad("top takes the address of a service");
  return r;
}

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

int print_once(graph_reading::source& from, const request& r, const stop_signal& asked) {
  const auto before = from.read();
  if (!before) return fail(before.error().message());
  if (wait(nullptr, asked, r.every)) return 0;
  const auto now = from.read();
  if (!now) return fail(now.error().message());
  print(table_of(&*before, *now));
  return 0;
}

int top(const request& r) {
  stop_signal asked; // first, so that a signal is never missed
  graph_reading::source from(r.url);
  if (r.once) return print_once(from, r, asked);
  if (!terminal::is_there())
    return fail("top draws on a terminal, and standard output is none; --once prints one table");
  terminal screen;
  std::optional<graph_reading::reading> before;
  std::vector<std::string> lines;
  do {
    auto now = from.read();
    if (now) {
      lines = table_of(before ? &*before : nullptr, *now);
      lines.insert(lines.begin(), {head_of(from.url(), *now, r.every), ""});
      before = *std::move(now);
    } else { // it may come again: the last table stays
      const auto head = "NOT READ: " + std::string(now.error().message()) + "; q ends";
      if (lines.empty()) lines.emplace_back();
      lines.front() = head;
    }
    screen.show(lines);
  } while (!wait(&screen, asked, r.every));
  return 0;
}

int draw(const request& r) {
  graph_reading::source from(r.url);
  const auto now = from.read();
  if (!now) return fail(now.error().message());
  std::fputs((r.mermaid ? mermaid_of(now->what) : dot_of(now->what)).c_str(), stdout);
  return 0;
}

} // namespace

bool is_watch_command(int argc, const char* const* argv) {
  const std::vector<std::string> given(argv, argv + argc);
  if (given.size() < 2 || std::find(given.begin(), given.end(), "--help") != given.end()) return false;
  return given[1] == "top" || (given[1] == "graph" && std::any_of(given.begin() + 2, given.end(), is_url));
}

int watch_command(int argc, const char* const* argv) {
  const std::vector<std::string> given(argv, argv + argc);
  const bool is_top = given[1] == "top";
  const auto wanted = read_request(is_top, given);
  if (!wanted) return fail(wanted.error().message());
  try {
    return is_top ? top(*wanted) : draw(*wanted);
  } catch (const std::exception& e) { // no memory, no threads
    return fail(e.what());
  }
}
