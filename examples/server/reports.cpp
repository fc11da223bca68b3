#include "reports.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/span.hpp>

#include "jobs.hpp"

using namespace greenroom;

namespace {

std::uint64_t less(std::uint64_t all, std::uint64_t part) { return all > part ? all - part : 0; }

/// What lives although no connection, no request and no job of the server's own accounts for it. Nothing should, at rest.
struct left_over {
  std::uint64_t actors;
  std::uint64_t timers;
  std::uint64_t asks;
};

constexpr std::uint64_t acceptor = 1;    // the actor that takes connections in
constexpr std::uint64_t bank = 1;        // the actor that keeps its books
constexpr std::uint64_t scheduler = 1;   // the actor that starts the jobs
constexpr std::uint64_t shop_timers = 1; // of its minutes

left_over find_left_over(const actor_system& sys, const http::server_stats& now, const kept_total& total, const shop& s,
                         const processing& work) {
  const std::uint64_t keeper = total.kept() ? 1 : 0;
  const std::uint64_t exporter = takes_spans(sys) ? 1 : 0;
  return {.actors = less(sys.live_actors(), now.connections_open + now.in_flight + keeper + acceptor + bank +
                                                scheduler + server_jobs + s.actors() + work.actors() + exporter),
          .timers = less(sys.live_timers(),
                         now.connections_open + keeper + shop_timers + scheduler + server_jobs +
                             3 * exporter), // one each at most; its own, and two of a request
          .asks = sys.requests().pending()};
}

} // namespace

http::response status(const http::server* front, const kept_total* total, const shop* s, const processing* work) {
  const auto now = front->stats();
  const auto left = find_left_over(this_actor::system(), now, *total, *s, *work);
  return http::json(fmt::format(
      R"({{"in_flight":{},"connections":{{"open":{},"accepted":{},"turned_away":{}}},)"
      R"("requests":{{"started":{},"over_all_runs":{},"timed_out":{},"abandoned":{},"failed":{},"refused":{}}},)"
      R"("leaks":{{"actors":{},"timers":{},"asks":{}}}}})"
      "\n",
      less(now.in_flight, 1), now.connections_open, now.connections_accepted, now.connections_turned_away, now.requests,
      total->with(now.requests), now.timed_out, now.abandoned, now.failed, now.refused, left.actors, left.timers,
      left.asks));
}

http::response deadlocks() {
  const auto& sys = this_actor::system();
  auto out = sys.deadlocks().to_string() + "\n";
  for (const auto& stuck : sys.stuck_actors()) {
    out += fmt::format("stuck: actor {} '{}', spawned at {}, has kept its worker for {} ms at least\n", stuck.actor.id,
                       stuck.actor.name, stuck.actor.spawned_at, stuck.for_at_least.count());
  }
  return http::text(std::move(out));
}

http::response flight(const http::request& r) {
  using id = decltype(flight_query::actor);
  const auto actor = r.query_number("actor", id{0}, id{1}, std::numeric_limits<id>::max());
  if (!actor) return http::text(std::string(actor.error().message()) + "\n", 400);
  const auto log = this_actor::system().flight({.actor = *actor, .most = 10'000});
  const bool for_people = r.header("Accept").value_or("").find("text/plain") != std::string_view::npos;
  auto answer = for_people ? http::text(log.to_string()) : http::json(log.to_json());
  answer.header("Vary", "Accept");
  return answer;
}

http::metrics metrics_page(const actor_system& sys, const http::server& front, const kept_total& total, const shop& s) {
  http::metrics page(sys);
  page.add(front).add([&s] { return s.running().look().to_metrics(); });
  page.add([&front, &total] {
    constexpr const char* name = "greenroom_http_requests_over_all_runs_total";
    return fmt::format("# HELP {0} Request actors started, earlier runs included.\n# TYPE {0} counter\n{0} {1}\n", name,
                       total.with(front.stats().requests));
  });
  return page;
}
