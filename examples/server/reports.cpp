#include "reports.hpp"

#include <charconv>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>

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
constexpr std::uint64_t shop_timers = 1; // of its minutes

left_over find_left_over(const actor_system& sys, const http::server_stats& now, const kept_total& total,
                         const shop& s) {
  const std::uint64_t keeper = total.kept() ? 1 : 0;
  return {.actors = less(sys.live_actors(), now.connections_open + now.in_flight + keeper + acceptor + s.actors()),
          .timers = less(sys.live_timers(), now.connections_open + keeper + shop_timers), // one each at most
          .asks = sys.requests().pending()};
}

} // namespace

http::response status(const http::server* front, const kept_total* total, const shop* s) {
  const auto now = front->stats();
  const auto left = find_left_over(this_actor::system(), now, *total, *s);
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
  flight_query wanted{.most = 1'000};
  if (const auto text = r.query_value("actor")) {
    const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), wanted.actor);
    if (problem != std::errc{} || end != text->data() + text->size() || wanted.actor == 0)
      return http::text("actor must be the number of an actor, from 1, and not '" + *text + "'\n", 400);
  }
  const auto log = this_actor::system().flight(wanted);
  const bool for_people = r.header("Accept").value_or("").find("text/plain") != std::string_view::npos;
  auto answer = for_people ? http::text(log.to_string()) : http::json(log.to_json());
  answer.header("Vary", "Accept");
  return answer;
}

http::response metrics(const http::server* front, const kept_total* total, const shop* s) {
  const auto now = front->stats();
  const auto& sys = this_actor::system();
  std::string out;
  const auto add = [&out](const char* name, const char* type, const char* help, std::uint64_t value) {
    out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help, value);
  };
  add("greenroom_http_connections_open", "gauge", "Connections that are open.", now.connections_open);
  add("greenroom_http_connections_accepted_total", "counter", "Connections taken in.", now.connections_accepted);
  add("greenroom_http_connections_turned_away_total", "counter", "Connections beyond the limit.",
      now.connections_turned_away);
  add("greenroom_http_requests_in_flight", "gauge", "Request actors that have not ended.", now.in_flight);
  add("greenroom_http_requests_total", "counter", "Request actors started.", now.requests);
  add("greenroom_http_requests_over_all_runs_total", "counter", "The same, earlier runs included.",
      total->with(now.requests));
  add("greenroom_http_requests_timed_out_total", "counter", "Requests whose limit passed first.", now.timed_out);
  add("greenroom_http_requests_abandoned_total", "counter", "Requests whose client left first.", now.abandoned);
  add("greenroom_http_requests_failed_total", "counter", "Requests whose handler threw.", now.failed);
  add("greenroom_http_requests_refused_total", "counter", "Malformed, beyond a limit, or too slow in coming.",
      now.refused);
  out += "# HELP greenroom_http_responses_total Responses by the class of their status.\n"
         "# TYPE greenroom_http_responses_total counter\n";
  const std::uint64_t classes[] = {now.answered_2xx, now.answered_3xx, now.answered_4xx, now.answered_5xx};
  for (int i = 0; i < 4; ++i)
    out += fmt::format("greenroom_http_responses_total{{class=\"{}xx\"}} {}\n", i + 2, classes[i]);
  add("greenroom_actors", "gauge", "Actors that have not ended.", sys.live_actors());
  add("greenroom_timers", "gauge", "Timers that are armed.", sys.live_timers());
  add("greenroom_asks_pending", "gauge", "Asks that wait for their answer.", sys.requests().pending());
  out += s->running().look().to_metrics();
  return {200, "text/plain; version=0.0.4; charset=utf-8", std::move(out)};
}
