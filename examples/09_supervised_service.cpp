// A service that goes on although a part of it fails: the till crashes on a bad order and is started anew; orders that wait for it stay
// in its mailbox.
#include <iostream>
#include <stdexcept>
#include <string>

#include <greenroom/actors/supervisor.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> till(mailbox<int> orders, address<std::string> receipts) {
  while (const auto price = co_await orders.receive()) {
    if (*price < 0) throw std::invalid_argument("a price of " + std::to_string(*price));
    std::string receipt = "sold for " + std::to_string(*price);
    (void)co_await receipts.send(std::move(receipt));
  }
}

task<> printer(mailbox<std::string> receipts) {
  while (const auto line = co_await receipts.receive()) std::cout << *line << std::endl;
}

int main() {
  options opts;
  opts.log_level = "off"; // it would name the crash, and say when the till is restarted
  actor_system sys(opts);
  auto [orders_in, orders] = make_mailbox<int>(bounded(16));
  auto [receipts_in, receipts] = make_mailbox<std::string>(bounded(16));

  // The till restarts after a crash, but not once there are no more orders; the shop closes when the printer has seen the last receipt.
  supervisor_spec shop("shop", {.intensity = {3, 5s}, .shuts_down = auto_shutdown::any_significant});
  shop.child("printer", {.restart = transient, .significant = true}, printer, std::move(receipts_in));
  shop.child("till", {.restart = transient}, till, std::move(orders_in), std::move(receipts));
  const auto open = supervise(sys, std::move(shop));
  if (!open) return std::cerr << open.error().message() << '\n', 1;

  for (const int price : {3, 5, -1, 8, 13}) (void)orders.try_send(price);
  orders = {}; // no more
  const auto why = open->self().wait();
  std::cout << "the shop has closed: " << why.to_string() << '\n';
}
