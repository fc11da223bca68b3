// What becomes of an item whose handler fails: it comes again, in case the fault was a passing one, and becomes a dead letter if it fails too often. The
// service goes on, nothing is lost silently.
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>

#include <greenroom/actors/graph_service.hpp>

using namespace greenroom;

task<> read_amounts(address<std::string> amounts) {
  for (const char* const text : {"12", "7", "many", "30"}) {
    std::string amount(text);
    (void)co_await amounts.send(std::move(amount));
  }
}

task<> pay(mailbox<std::string> amounts, int* total, std::set<std::string>* seen) {
  while (const auto text = co_await amounts.receive()) {
    if (*text == "7" && seen->insert(*text).second) throw std::runtime_error("the line is busy"); // once
    *total += std::stoi(*text);                                                                   // "many" never works
  }
}

task<> keep_aside(mailbox<dead_letter> letters) {
  while (const auto letter = co_await letters.receive()) {
    std::cout << "'" << *letter->as<std::string>() << "' was in vain " << letter->deliveries
              << " times: " << letter->why.to_string() << '\n';
  }
}

int main() {
  options opts;
  opts.log_level = "off"; // it would tell of each failure, with the item
  actor_system sys(opts);
  int total = 0;
  std::set<std::string> seen;

  graph g("payments");
  const auto source = g.add("source", read_amounts);
  const auto payer = g.add("payer", {.queue = queue_fate::keep, .deliveries = 3}, pay, &total, &seen);
  const auto clinic = g.add("clinic", keep_aside);
  g.connect(source, payer, bounded(16));
  g.dead_letters(clinic.in<0>(), bounded(16));

  const auto payments = run(sys, std::move(g)).value();
  (void)payments.self().wait();
  const auto look = payments.look();
  const auto& items = look.nodes[1].inputs[0].items;
  std::cout << "paid " << total << "; of " << items.accepted << " amounts " << items.handled << " were handled, "
            << items.failed << " failed, " << items.redelivered << " came again\n";
}
