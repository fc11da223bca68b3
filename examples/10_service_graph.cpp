// A service as a graph: nodes are coroutine functions, their mailbox and address parameters are the ports. The graph is checked as a whole
// before anything starts, and ends along its edges: behind the last order.
#include <iostream>
#include <memory>
#include <string>

#include <greenroom/actors/graph_service.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> take_orders(int count, address<int> orders) {
  for (int pieces = 1; pieces <= count; ++pieces) (void)co_await orders.send(pieces);
}

task<> price(mailbox<int> orders, address<int> bills) {
  while (const auto pieces = co_await orders.receive()) {
    if (*pieces == 13)
      throw std::invalid_argument("thirteen"); // the node is started anew; this order is lost, and counted
    (void)co_await bills.send(*pieces * 3);
  }
}

task<> book(mailbox<int> bills, std::shared_ptr<int> total) {
  while (const auto bill = co_await bills.receive()) *total += *bill;
}

int main() {
  options opts;
  opts.log_level = "off"; // it would tell of the restart
  actor_system sys(opts);
  const auto total = std::make_shared<int>(0);

  graph g("shop");
  const auto orders = g.add("orders", take_orders, 100);
  const auto pricing = g.add("pricing", {.replicas = 4}, price);
  const auto ledger = g.add("ledger", book, total);
  g.connect(orders, pricing, bounded(16));
  g.connect(pricing, ledger, bounded(16));

  // What it would say if something were wrong:
  graph broken("broken");
  const auto a = broken.add("a", price);
  broken.connect(a, a, bounded(8));
  try {
    (void)run(sys, broken);
  } catch (const graph_error& e) {
    std::cout << e.faults().size() << " faults in the broken one\n";
  }

  const auto shop = run(sys, std::move(g)).value();
  const auto why = shop.self().wait();
  const auto look = shop.look();
  const auto& at_pricing = look.nodes[1].inputs[0].items;
  std::cout << "ended: " << why.to_string() << "; booked " << *total << '\n'
            << "orders accepted " << at_pricing.accepted << ", handled " << at_pricing.handled << ", failed "
            << at_pricing.failed << ", none unaccounted for: " << std::boolalpha << look.conserved() << '\n';
}
