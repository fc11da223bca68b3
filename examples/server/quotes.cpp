#include "quotes.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/gather.hpp>
#include <greenroom/actors/guards.hpp>
#include <greenroom/http/json.hpp>
#include <greenroom/http/rate_limit.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace quotes {

/// One of the services, and what stands between it and us. Copies share the state of the guards.
struct service {
  std::string name;
  std::chrono::milliseconds takes;
  bool works;
  retry_budget again = retry_budget();
  bulkhead room = bulkhead({.name = name, .at_once = 64, .queue = 64, .wait = 100ms});
  circuit_breaker breaker = circuit_breaker({.name = name, .least_calls = 5, .open_time = 2s});
};

struct quote {
  std::string service;
  std::optional<std::int64_t> cents;
  std::optional<std::string> error;
};

struct answer {
  std::string symbol;
  std::string how;
  std::int64_t took_ms = 0;
  std::vector<quote> quotes;
};

void describe(http::schema<quote>& s) {
  s.field("service", &quote::service);
  s.field("cents", &quote::cents).says("the price");
  s.field("error", &quote::error).says("why there is none");
}
void describe(http::schema<answer>& s) {
  s.field("symbol", &answer::symbol);
  s.field("how", &answer::how);
  s.field("took_ms", &answer::took_ms);
  s.field("quotes", &answer::quotes);
}

} // namespace quotes

namespace {

using quotes::quote;
using quotes::service;
using calls = std::vector<task<result<quote>>>;
using services = std::shared_ptr<const std::vector<service>>;

/// What a client wants to know.
struct question {
  std::string symbol;
  std::string how;
  std::chrono::milliseconds limit;
  std::size_t least;
};

services five_services() {
  return std::make_shared<const std::vector<service>>(std::vector<service>{
      {"alpha", 20ms, true}, {"beta", 40ms, true}, {"gamma", 60ms, true}, {"slow", 10s, true}, {"broken", 5ms, false}});
}

/// Stands for a call by http::client: waits, and can be cancelled while it does.
task<result<quote>> fetch(std::string name, std::chrono::milliseconds takes, bool works, std::string symbol) {
  co_await sleep_for(takes);
  if (!works) co_return error(errc::upstream, name + " does not answer");
  quote got{name, 0, {}};
  for (const char c : symbol) got.cents = (*got.cents * 31 + c) % 100'000;
  *got.cents += 100 + takes.count();
  co_return got;
}

/// Asks one service: not more often than its budget allows, not more at once than it has room, and not while it is down.
task<result<quote>> ask(service of, std::string symbol) {
  const auto attempt = [of, symbol] {
    return of.room.call(of.breaker.call(fetch(of.name, of.takes, of.works, symbol)));
  };
  return retry(of.again, {.retries = 1, .pause = 20ms}, attempt);
}

calls ask_all(const services& from, const std::string& symbol) {
  calls all;
  for (const auto& each : *from) all.push_back(ask(each, symbol));
  return all;
}

/// Gives what came in time, and of the others why it did not.
task<result<std::vector<quote>>> ask_within(services from, question q) {
  auto asking = each_within(q.limit, ask_all(from, q.symbol));
  const auto came = co_await std::move(asking);
  if (!came) co_return came.error();
  std::vector<quote> list;
  for (std::size_t i = 0; i < came->size(); ++i) {
    const auto& each = (*came)[i];
    list.push_back(each ? *each : quote{(*from)[i].name, {}, std::string(each.error().message())});
  }
  co_return list;
}

task<result<std::vector<quote>>> ask_first(services from, question q) {
  auto asking = with_timeout(q.limit, first(ask_all(from, q.symbol)));
  const auto one = co_await std::move(asking);
  if (!one) co_return one.error();
  co_return std::vector<quote>(1, *one);
}

task<result<std::vector<quote>>> ask_in_its_way(services from, question q) {
  if (q.how == "all") return with_timeout(q.limit, all(ask_all(from, q.symbol)));
  if (q.how == "first") return ask_first(std::move(from), std::move(q));
  if (q.how == "quorum") return with_timeout(q.limit, quorum(q.least, ask_all(from, q.symbol)));
  return ask_within(std::move(from), std::move(q));
}

result<question> read_question(const http::request& r) {
  question q{r.query_value("symbol").value_or("ACME"), r.query_value("how").value_or("within"), {}, 0};
  if (q.symbol.empty() || q.symbol.size() > 16) return error(errc::parse, "symbol must have 1 to 16 characters");
  if (q.how != "all" && q.how != "first" && q.how != "quorum" && q.how != "within")
    return error(errc::parse, "how must be all, first, quorum or within, not '" + q.how + "'");
  const auto ms = r.query_number("ms", 300, 1, 5'000);
  if (!ms) return ms.error();
  const auto least = r.query_number("least", 3, 1, 5);
  if (!least) return least.error();
  q.limit = std::chrono::milliseconds(*ms);
  q.least = static_cast<std::size_t>(*least);
  return q;
}

/// GET /quotes?symbol=ACME&how=within&ms=300&least=3
task<result<quotes::answer>> show_quotes(http::request r, services from) {
  const auto q = read_question(r);
  if (!q) co_return q.error();
  const auto& sys = this_actor::system();
  const auto begun = sys.now();
  auto asking = ask_in_its_way(std::move(from), *q);
  auto got = co_await std::move(asking);
  if (!got) co_return got.error();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(sys.now() - begun);
  co_return quotes::answer{q->symbol, q->how, took.count(), *std::move(got)};
}

} // namespace

http::routes quote_routes() {
  http::routes routes;
  routes.use(http::rate_limit({.requests = 6'000, .period = 1min, .burst = 500}));
  routes.get("/quotes", http::json_handler(show_quotes, five_services()));
  return routes;
}
