#include "settings.hpp"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

#include <greenroom/http/otlp_exporter.hpp>

using namespace greenroom;

result<settings> read_settings(int argc, const char* const* argv) {
  auto ours = load_all({}, argc, argv); // the options of the actor system; the rest is this program's
  if (!ours) return ours.error();
  settings s{.system = std::move(ours->values), .http = {}, .db = {}, .ledger = {}, .jobs = {}, .help = {}};
  unsigned crash_every = 0;

  CLI::App app("An HTTP service of actors. Start it, then open what it prints in a browser.", "server");
  app.set_help_flag();
  app.add_option("--host", s.http.host, "numeric address to listen at")->capture_default_str();
  app.add_option("--port", s.http.port, "port to listen at; 0 picks a free one")
      ->check(CLI::Range(0, 65'535))
      ->capture_default_str();
  app.add_option("--threads", s.system.workers, "threads that run actors and connections; the same as --workers")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str();
  app.add_option("--db", s.db, "file that keeps the number of requests over restarts; none: it is not kept");
  app.add_option("--crash-every", crash_every,
                 "kill an actor of the shop every so many milliseconds, to see it recover; 0: never")
      ->capture_default_str();
  app.add_option("--ledger", s.ledger, "file in which the bank keeps its books; none: in memory, until the end");
  app.add_option("--jobs", s.jobs, "file in which the jobs keep when they ran; none: in memory, until the end");
  app.add_option(
      "--collector", s.collector,
      "address of a collector of OpenTelemetry, as http://127.0.0.1:4318/v1/traces, which gets a trace of each "
      "request; none: they are not traced");
  std::string graph_page = "on";
  app.add_option("--graph-page", graph_page, "on: /graph shows the shop at work to whoever asks; off: nobody")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  if (ours->help) {
    s.help = app.help() + "\n" + options_help() +
             "  --config FILE\n      a TOML file with a table [greenroom] of the above\n";
    return s;
  }
  auto rest = std::move(ours->rest);
  std::reverse(rest.begin(), rest.end()); // as CLI11 wants them
  try {
    app.parse(std::move(rest));
  } catch (const CLI::ParseError& e) {
    return error(errc::invalid_argument, std::string(e.what()) + "; --help lists the options");
  }
  if (!s.collector.empty()) {
    if (const auto fine = http::otlp_options{.address = s.collector}.check(); !fine) return fine.error();
  }
  s.graph_page = graph_page == "on";
  s.crash_every = std::chrono::milliseconds(crash_every);
  return s;
}
