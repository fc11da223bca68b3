#include "shop.hpp"

#include <charconv>
#include <string>

#include <fmt/format.h>

#include <greenroom/runtime/random.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

result<shop> shop::open(actor_system& sys) {
  const auto b = std::make_shared<shop_books>();
  graph g("shop");
  const auto numbers = g.add("numbers", number_orders);
  const auto validation = g.add("validate", validate);
  const auto pricing = g.add("price", {.replicas = 4}, price);
  const auto refunds = g.add("refunds", pay_back);
  const auto ledger = g.add("ledger", {.replicas = 2}, book, b);
  const auto auditor = g.add("audit", audit, b);
  const auto notices = g.add("notify", notify, b);
  const auto shipping = g.add("ship", ship, b);
  const auto complaints = g.add("complaints", complain, b);
  const auto minutes = g.add("every minute", {.restart = permanent}, every_minute);
  const auto reports = g.add("report", report, b);

  const auto customer = [](const bill& next) { return next.customer; };
  const auto orders_in = g.entry(numbers.in<0>(), bounded(256));
  const auto refunds_in = g.entry(refunds.in<0>(), bounded(64));
  g.connect(numbers, validation, bounded(64));
  g.connect(validation.out<0>(), pricing.in<0>(), bounded(64));
  g.connect(validation.out<1>(), complaints.in<0>(), bounded(64));
  g.connect_by_key(pricing.out<0>(), ledger.in<0>(), bounded(64), customer);
  g.connect_by_key(refunds.out<0>(), ledger.in<0>(), bounded(64), customer);
  g.broadcast(ledger.out<0>(), auditor.in<0>(), bounded(64));
  g.broadcast(ledger.out<0>(), shipping.in<0>(), bounded(64));
  g.broadcast(ledger.out<0>(), notices.in<0>(), bounded(64));
  g.connect(minutes, reports, bounded(4, overflow::drop_oldest));
  auto running = run(sys, std::move(g), {.intensity = {1'000, 1s}});
  if (!running) return running.error();
  auto to_orders = running->to(orders_in);
  auto to_refunds = running->to(refunds_in);
  return shop(*std::move(running), b, std::move(to_orders), std::move(to_refunds));
}

std::uint64_t shop::actors() const {
  std::uint64_t all = graph_.self().finished() ? 0 : 1;
  if (vandal_ && !vandal_.finished()) ++all;
  for (const auto& node : graph_.look().nodes) all += node.running;
  return all;
}

namespace {

/// The number in the query, or `otherwise`; negative if it is none.
std::int64_t number(const http::request& r, const char* name, std::int64_t otherwise) {
  const auto text = r.query_value(name);
  if (!text) return otherwise;
  std::int64_t n = -1;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), n);
  return problem == std::errc() && end == text->data() + text->size() ? n : -1;
}

/// POST /orders?customer=7&pieces=2&times=1000
task<http::response> take_orders(http::request r, address<order> to) {
  const order next{0, static_cast<int>(number(r, "customer", 1)), static_cast<int>(number(r, "pieces", 1))};
  const auto times = number(r, "times", 1);
  if (times < 0 || times > 1'000'000) co_return http::text("times must be a whole number from 0 to 1000000\n", 400);
  for (std::int64_t i = 0; i < times; ++i) {
    auto one = next;
    one.customer += static_cast<int>(i % 100);
    const auto sent = co_await to.send(one); // waits when the shop is full: back-pressure up to the client
    if (!sent) co_return http::text("the shop is closed\n", 503);
  }
  co_return http::text(fmt::format("{} order(s) taken\n", times), 202);
}

/// POST /refunds?customer=7&cents=100
task<http::response> take_refund(http::request r, address<refund> to) {
  const refund next{static_cast<int>(number(r, "customer", 1)), number(r, "cents", 100)};
  if (next.cents < 0) co_return http::text("cents must be a whole number, 0 or more\n", 400);
  const auto sent = co_await to.send(next);
  co_return sent ? http::text("refund taken\n", 202) : http::text("the shop is closed\n", 503);
}

http::response show_books(books b, const service* graph) {
  std::uint64_t restarts = 0, under_way = 0, lost = 0;
  const auto look = graph->look();
  for (const auto& node : look.nodes) {
    restarts += node.restarts;
    for (const auto& in : node.inputs) {
      under_way += in.items.queued + in.items.in_hand;
      lost += in.items.failed;
    }
  }
  return http::json(fmt::format(R"({{"booked":{},"audited":{},"notified":{},"shipped":{},"rejected":{},"reports":{},)"
                                R"("under_way":{},"lost_in_crashes":{},"restarts":{},"conserved":{}}})"
                                "\n",
                                b->booked.load(), b->audited.load(), b->notified.load(), b->shipped.load(),
                                b->rejected.load(), b->reports.load(), under_way, lost, restarts, look.conserved()));
}

task<> crash_some(service shop, std::chrono::milliseconds every) {
  xoshiro random(random_seed());
  for (ticker pace(every);;) {
    co_await pace.tick();
    const auto nodes = co_await shop.top().children();
    if (!nodes) co_return; // the shop has ended
    const auto& one = nodes->at(random.below(nodes->size()));
    if (one.who) one.who.kill();
  }
}

http::response show_json(const service* graph) { return http::json(graph->look().to_json()); }
http::response show_dot(const service* graph) { return {200, "text/vnd.graphviz", graph->look().to_dot()}; }

} // namespace

void shop::add_routes(http::server& front) const {
  front.post("/orders", take_orders, orders_).post("/refunds", take_refund, refunds_);
  front.get("/shop", show_books, books_, &graph_);
  front.get("/graph.json", show_json, &graph_).get("/graph.dot", show_dot, &graph_);
}

actor shop::start_vandal(actor_system& sys, std::chrono::milliseconds every) {
  return vandal_ = sys.spawn({.name = "vandal"}, crash_some, graph_, every);
}
