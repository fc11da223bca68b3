#include <greenroom/tools/greenroom/trace_command.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/files.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/plain_text.hpp>
#include <greenroom/tools/greenroom/trace_reading.hpp>
#include <greenroom/tools/greenroom/url_text.hpp>

using namespace greenroom;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace cli {
namespace {

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

/// What is wrong with a file may show a part of it.
error bad_dump(errc code, std::string sentence) {
  make_plain(sentence);
  return error(code, std::move(sentence));
}

result<flight_log> parse(const std::string& json, const std::string& from) {
  const auto first = json.find_first_not_of(" \t\r\n");
  if (first == json.npos)
    return error(errc::parse, fmt::format("{}: it is empty, and no dump of a flight recorder", from));
  if (json[first] != '{')
    return bad_dump(
        errc::parse,
        fmt::format("{}: it begins with '{}' at byte {}, and so is no dump of a flight recorder as JSON (a text "
                    "made for people cannot be read back)",
                    from, json[first], first + 1));
  auto read = trace_reading::parse(json);
  if (!read) return bad_dump(read.error().code(), fmt::format("{}: {}", from, read.error().message()));
  return read;
}

result<flight_log> read_file(const std::string& name) {
  const auto json = real_files().read_all(name);
  if (!json)
    return error(json.error().code(),
                 fmt::format("{}{}", json.error().message(),
                             name.find(':') == name.npos ? "" : "; the address of a service begins with http://"));
  return parse(*json, name);
}

result<flight_log> read_url(url_text& from) {
  const auto json = from.read();
  if (!json) return json.error();
  return parse(*json, from.url());
}

// -- following ------------------------------------------------------------------------------------------------------------

/// Waits for the time; true if the user wants to end it.
bool wait(const stop_signal& asked, milliseconds time) {
  constexpr milliseconds step = 50ms;
  for (auto left = time; left > 0ms && !asked.came(); left -= step) std::this_thread::sleep_for(std::min(left, step));
  return asked.came();
}

/// Keeps the end out of it: there the text says what an actor waits for, over and over.
std::string events_of(flight_log log) {
  log.actor.reset();
  return log.events.empty() ? "" : log.to_string();
}

int follow(url_text& from, trace_reading::filter by, milliseconds every) {
  stop_signal asked;
  auto before = read_url(from);
  if (!before) return fail(before.error().message());
  print(events_of(trace_reading::filtered(*before, by)));
  by.last = SIZE_MAX; // of the first look alone
  for (bool is_away = false; !wait(asked, every);) {
    auto now = read_url(from);
    if (!now) {
      if (!is_away) fail(std::string(now.error().message()) + "; it is asked again");
      is_away = true;
      continue;
    }
    is_away = false;
    const bool is_new = now->now < before->now;
    if (is_new) print("---- it was started anew\n");
    print(events_of(trace_reading::filtered(is_new ? *now : trace_reading::new_since(*before, *now), by)));
    before = std::move(now);
  }
  return 0;
}

// -- the command line -------------------------------------------------------------------------------------------------------

constexpr milliseconds year = 24h * 365; // longer than a service runs

result<trace_reading::filter> read_filter(const arguments& given) {
  trace_reading::filter by;
  if (const auto actor = given.text("--actor")) {
    std::uint64_t id = 0;
    const auto [end, problem] = std::from_chars(actor->data(), actor->data() + actor->size(), id);
    if (problem == std::errc() && end == actor->data() + actor->size()) {
      by.actor = id;
    } else {
      by.name = *actor;
    }
  }
  if (const auto kind = given.text("--kind")) by.kind = trace_reading::kind_of(*kind);
  by.trace_id = given.text("--trace").value_or("");
  const auto from = given.time("--from", 0ms, 0ms, year);
  if (!from) return from.error();
  const auto to = given.time("--to", milliseconds::max(), 0ms, year);
  if (!to) return to.error();
  by.from = *from;
  by.to = *to;
  if (given.has("--since")) {
    const auto since = given.time("--since", 0ms, 0ms, year);
    if (!since) return since.error();
    by.since = *since;
  }
  const auto last = given.number("--last", SIZE_MAX, 1, SIZE_MAX);
  if (!last) return last.error();
  by.last = *last;
  return by;
}

int show(const flight_log& log, const arguments& given) {
  if (given.has("--chrome")) {
    print(trace_reading::chrome_of(log));
  } else {
    print(given.has("--json") ? log.to_json() : log.to_string());
  }
  return 0;
}

int trace(const arguments& given) {
  const auto& place = given.rest().front();
  const auto by = read_filter(given);
  if (!by) return fail_usage(by.error().message());
  const auto every = given.time("--every", 1s, 100ms, 1h);
  if (!every) return fail_usage(every.error().message());
  const bool follows = given.has("--follow");
  if (follows && !is_url(place))
    return fail_usage("--follow takes the address of a service: a file says no more than it says");
  if (follows && (given.has("--json") || given.has("--chrome")))
    return fail_usage("--follow prints lines; --json and --chrome are for what is there now");
  if (!is_url(place)) {
    const auto log = read_file(place);
    return log ? show(trace_reading::filtered(*log, *by), given) : fail(log.error().message());
  }
  auto at = read_address(given, "/debug/flight");
  if (!at) return fail_usage(at.error().message());
  // Of one actor the service has more than among the newest events of all.
  if (by->actor && at->url.find('?') == std::string::npos) at->url += fmt::format("?actor={}", *by->actor);
  url_text from(*std::move(at), "is this a service that shows its flight recorder there?");
  if (follows) return follow(from, *by, *every);
  const auto log = read_url(from);
  return log ? show(trace_reading::filtered(*log, *by), given) : fail(log.error().message());
}

constexpr option trace_options[] = {
    {"--actor", "ACTOR", "only of the actor with this number, or of those that have this in their name"},
    {"--kind", "took|spawned|ended|logged", "only such events"},
    {"--trace", "ID", "only lines of the log that belong to this trace; its first digits are enough"},
    {"--since", "TIME", "only what was so long before the dump, or later"},
    {"--from", "TIME", "only what was so long behind the start of the system, or later"},
    {"--to", "TIME", "only what was so long behind the start of the system, or earlier"},
    {"--last", "N", "the newest N of those"},
    {"--follow", "", "of a service: go on with what is new, until SIGINT"},
    {"--every", "TIME", "with --follow: ask so often (default 1s)"},
    ca_option,
    {"--chrome", "", "print trace events, for chrome://tracing and https://ui.perfetto.dev"},
    json_option,
};

} // namespace

constinit const command trace_command{
    "trace",
    "FILE|URL",
    "shows the last events of a service, of its flight recorder",
    "Shows what a flight recorder has kept: of a service that runs, by its address (that of the service is enough if "
    "it shows it at /debug/flight, as "
    "the example server does), or from a file with the JSON that it gave, or that flight_log::to_json() wrote.\n\n"
    " greenroom trace http://127.0.0.1:8080 --actor pricing --last 50\n"
    " greenroom trace http://127.0.0.1:8080 --kind logged --follow\n"
    " greenroom trace flight.json --chrome > flight.trace.json",
    trace_options,
    trace,
};

} // namespace cli
