#include "settings.hpp"

#include <utility>

#include <greenroom/http/otlp_exporter.hpp>
#include <greenroom/runtime/host_options.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

// "crash_every" is crash_every in the table [example_server] of the file, EXAMPLE_SERVER_CRASH_EVERY in the environment, and --crash-every on the command line.
result<settings> read_settings(int argc, const char* const* argv) {
  settings s;
  const auto usual = s.system.workers;
  auto threads = usual;
  host_options own("example_server");
  own.add("host", s.http.host, "numeric address to listen at");
  own.add("port", s.http.port, "port to listen at; 0 picks a free one");
  own.add("threads", threads, "threads that run actors and connections; the same as --workers", std::size_t{1},
          std::size_t{1'024});
  own.add("db", s.db, "file that keeps the number of requests over restarts; none: it is not kept");
  own.add("crash_every", s.crash_every, "kill an actor of the shop so often, to see it recover; 0s: never", 0ms, 1h);
  own.add("ledger", s.ledger, "file in which the bank keeps its books; none: in memory, until the end");
  own.add("jobs", s.jobs, "file in which the jobs keep when they ran; none: in memory, until the end");
  own.add("collector", s.collector,
          "address of a collector of OpenTelemetry, as http://127.0.0.1:4318/v1/traces, which gets a trace of each "
          "request; none: they are not traced");
  own.add("graph_page", s.graph_page, "whether /graph shows the shop at work to whoever asks");
  auto given = own.load(s.system, argc, argv);
  if (!given) return given.error();
  s.system = std::move(given->values);
  if (threads != usual) s.system.workers = threads;
  if (given->help) {
    s.help = "An HTTP service of actors. Start it, then open what it prints in a browser.\n\n" + own.help();
    return s;
  }
  if (!s.collector.empty()) {
    if (const auto fine = http::otlp_options{.address = s.collector}.check(); !fine) return fine.error();
  }
  return s;
}
