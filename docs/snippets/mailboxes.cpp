// Mailboxes: a stream with an end, an item that comes back, and a queue that forgets the oldest.
#include <iostream>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

using namespace greenroom;

task<> produce(address<int> out) {
  for (int n = 1; n <= 3; ++n) {
    const auto sent = co_await out.send(n); // waits while the mailbox is full
    if (!sent) co_return;                   // nobody receives any more
  }
} // the last address goes: the mailbox closes behind what is queued

task<> program() {
  auto [in, out] = make_mailbox<int>(bounded(2));
  spawn({.name = "producer"}, produce, std::move(out));
  while (const auto n = co_await in.receive()) std::cout << "received " << *n << '\n';
  std::cout << "the end\n";

  auto [orders, to_orders] = make_mailbox<std::string>(bounded(1, overflow::reject));
  std::string tea = "tea", cake = "cake";
  (void)co_await to_orders.send(std::move(tea));
  auto sent = co_await to_orders.send(std::move(cake)); // full: the result holds the item
  std::cout << "'" << sent.item() << "' was not sent: " << sent.error().message() << '\n';

  auto [prices, to_prices] = make_mailbox<int>(bounded(1, overflow::drop_oldest));
  for (const int price : {10, 11, 12}) (void)to_prices.try_send(price);
  const auto newest = co_await prices.receive();
  std::cout << "newest " << *newest << ", dropped " << prices.dropped() << '\n';
}

int main() {
  actor_system sys;
  return sys.run(program) ? 0 : 1;
}
