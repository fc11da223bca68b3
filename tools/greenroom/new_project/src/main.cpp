// my-service: prints `listening on http://HOST:PORT` when it is ready; SIGTERM or SIGINT stops it in good order.
// Exit code: 0; 1 if it cannot start, has failed, or had to cut something off; 2 for a bad option.
#include <cstdio>
#include <string_view>

#include <greenroom/http/access_log.hpp>
#include <greenroom/http/graph_page.hpp>
#include <greenroom/http/metrics.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/stop_signal.hpp>

#include "graph.hpp"
#include "routes.hpp"
#include "settings.hpp"

using namespace greenroom;

namespace {

int fail(std::string_view why) {
  std::fprintf(stderr, "my-service: %.*s\n", static_cast<int>(why.size()), why.data());
  return 1;
}

http::response health() { return http::text("ok\n"); }

http::response readiness(const http::server* front, service graph) {
  return front->ready() && !graph.self().finished() ? http::text("ready\n") : http::text("not ready\n", 503);
}

/// A graph that ends by itself has been restarted too often: the process ends, and whoever runs it starts it anew.
task<> stop_with(service graph, stop_signal* asked) {
  (void)co_await graph.self().join();
  asked->stop();
}

task<result<void>> drain(service graph, duration limit) { return graph.drain(limit); }

int serve(my_service::settings s) {
  stop_signal asked; // first, so that no signal is missed, and longest
  actor_system sys(s.system);
  const auto desk = sys.run(my_service::open_desk);
  if (!desk) return fail(desk.error().message());

  http::request_metrics requests;
  s.front.on_answer = [requests, log = http::access_log(sys.log())](const http::answered& a) { requests(a), log(a); };
  http::server front(sys, s.front);
  http::metrics page(sys);
  page.add(front).add(requests).add([graph = desk->running] { return graph.look().to_metrics(); });
  front.mount("/v1", my_service::api(*desk, s.request_time));
  front.get("/healthz", health).get("/readyz", readiness, &front, desk->running);
  // For those who run it; let the public to /v1 alone.
  front.get("/metrics", page).mount("/", http::graph_page(desk->running));
  if (const auto started = front.start(); !started) return fail(started.error().message());
  sys.spawn({.name = "end of the graph"}, stop_with, desk->running, &asked);
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);

  asked.wait();
  const bool failed = desk->running.self().finished();
  const auto stopped = front.stop();                                // from the outside in: first no more requests,
  const auto drained = sys.run(drain, desk->running, s.drain_time); // then the graph, behind the last order
  if (failed) return fail("the graph has failed: the log says why");
  if (!drained) return fail(drained.error().message());
  return stopped.complete() ? 0 : fail(stopped.to_string());
}

} // namespace

int main(int argc, char** argv) {
  auto wanted = my_service::read_settings(argc, argv);
  if (!wanted) return fail(wanted.error().message()), 2;
  if (wanted->help.empty()) return serve(*std::move(wanted));
  std::fputs(wanted->help.c_str(), stdout);
  return 0;
}
