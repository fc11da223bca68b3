// The example server: the HTTP front in a service of one's own, with a time limit, reports and an orderly stop.
//
// Run: server [--host 127.0.0.1] [--port 8080] [--threads N] [--db FILE]; --help says more
// You will see `listening on http://127.0.0.1:8080`; open that in a browser, it explains the rest. Ctrl-C or SIGTERM stops it: it
// finishes the requests it has begun. Exit code: 0, or 1 if it cannot start or had to cut requests off, 2 for a bad option.
#include <cstdio>
#include <optional>
#include <string>

#include <greenroom/http/graph_page.hpp>
#include <greenroom/http/otlp_exporter.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/http/trace.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/stop_signal.hpp>

#include "answers.hpp"
#include "bank.hpp"
#include "jobs.hpp"
#include "kept_total.hpp"
#include "process.hpp"
#include "quotes.hpp"
#include "reports.hpp"
#include "settings.hpp"
#include "shop.hpp"
#include "start_page.hpp"

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

int fail(std::string_view why) {
  std::fprintf(stderr, "server: %.*s\n", static_cast<int>(why.size()), why.data());
  return 1;
}

void add_routes(const actor_system& sys, http::server& front, const settings& how, const kept_total& total,
                const shop& s, const money::ledger& books, const scheduled_jobs& jobs, const processing& work) {
  front.get("/", start_page, &front).get("/hello", hello).post("/echo", echo);
  front.get("/task", supervised(2s, slow_task, http::text("Request canceled: context deadline exceeded\n", 408)));
  front.get("/healthz", health).get("/readyz", readiness, &front);
  front.get("/status", status, &front, &total, &s, &work);
  front.get("/metrics", metrics_page(sys, front, total, s));
  front.get("/debug/deadlocks", deadlocks).get("/debug/flight", flight);
  s.add_routes(front);
  front.mount("/", bank_routes(books)).mount("/", quote_routes());
  front.mount("/", job_routes(jobs)).mount("/", work.routes());
  if (how.graph_page) front.mount("/", http::graph_page(s.running()));
}

task<result<void>> close_shop(service shop) { return shop.drain(5s); }

int serve(const settings& s) {
  stop_signal asked_to_stop; // first, so that a signal is never missed
  actor_system sys(s.system);
  auto total = kept_total::open(sys.disk(), s.db);
  if (!total) return fail(total.error().message());
  auto goods = shop::open(sys);
  if (!goods) return fail(goods.error().message());
  const auto books = open_books(sys, s.ledger);
  if (!books) return fail(books.error().message());
  const auto jobs = open_jobs(sys, s.jobs);
  if (!jobs) return fail(jobs.error().message());
  const processing work(sys);
  http::server front(sys, s.http);
  std::optional<http::otlp_exporter> traces;
  if (!s.collector.empty()) {
    front.use(http::trace_requests({.sample = 1}));
    traces.emplace(sys, http::otlp_options{.address = s.collector, .service = "greenroom example"});
  }
  add_routes(sys, front, s, *total, *goods, *books, *jobs, work);
  if (const auto started = front.start(); !started) return fail(started.error().message());
  const auto keeper = sys.spawn({.name = "total keeper"}, keep_total, &*total, &front);
  const auto vandal = s.crash_every.count() == 0 ? actor() : goods->start_vandal(sys, s.crash_every);
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);

  asked_to_stop.wait();
  const auto stopped = front.stop();
  jobs->stop();
  (void)jobs->self().wait();
  if (vandal) vandal.cancel();
  const auto sold_out = sys.run(close_shop, goods->running());
  keeper.cancel();
  keeper.wait();
  if (!sold_out) return fail(sold_out.error().message());
  if (const auto saved = total->save(front.stats().requests); !saved) return fail(saved.error().message());
  return stopped.complete() ? 0 : fail(stopped.to_string());
}

} // namespace

int main(int argc, char** argv) {
  const auto wanted = read_settings(argc, argv);
  if (!wanted) {
    fail(wanted.error().message());
    return 2;
  }
  if (wanted->help.empty()) return serve(*wanted);
  std::fputs(wanted->help.c_str(), stdout);
  return 0;
}
