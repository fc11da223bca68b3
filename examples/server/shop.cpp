#include "shop.hpp"

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

http::response refuse(const error& why) { return http::text(std::string(why.message()) + "\n", 400); }

/// POST /orders?customer=7&pieces=2&times=1000
task<http::response> take_orders(http::request r, address<order> to) {
  const auto customer = r.query_number("customer", 1, 0, most_customer);
  if (!customer) co_return refuse(customer.error());
  const auto pieces = r.query_number("pieces", 1, 0, most_pieces);
  if (!pieces) co_return refuse(pieces.error());
  const auto times = r.query_number("times", 1, 0, 1'000'000);
  if (!times) co_return refuse(times.error());
  for (int i = 0; i < *times; ++i) {
    const order one{0, *customer + i % 100, *pieces};
    const auto sent = co_await to.send(one); // waits when the shop is full: back-pressure up to the client
    if (!sent) co_return http::text("the shop is closed\n", 503);
  }
  co_return http::text(fmt::format("{} order(s) taken\n", *times), 202);
}

/// POST /refunds?customer=7&cents=100
task<http::response> take_refund(http::request r, address<refund> to) {
  const auto customer = r.query_number("customer", 1, 0, most_customer);
  if (!customer) co_return refuse(customer.error());
  const auto cents = r.query_number("cents", std::int64_t{100}, std::int64_t{0}, most_cents);
  if (!cents) co_return refuse(cents.error());
  const refund next{*customer, *cents};
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

} // namespace

void shop::add_routes(http::server& front) const {
  front.post("/orders", take_orders, orders_).post("/refunds", take_refund, refunds_);
  front.get("/shop", show_books, books_, &graph_);
}

actor shop::start_vandal(actor_system& sys, std::chrono::milliseconds every) {
  return vandal_ = sys.spawn({.name = "vandal"}, crash_some, graph_, every);
}
