// Two actors and a stream between them. Orders wait in one mailbox, quotes in the other; when there are no more orders, the end runs along.
#include <iostream>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

using namespace greenroom;

struct order {
  std::string item;
  int pieces = 1;
};
struct quote {
  std::string item;
  int cents = 0;
};

task<> pricing(mailbox<order> in, address<quote> out) {
  while (auto o = co_await in.receive()) { // empty when closed
    quote q{o->item, o->pieces * 250};
    const auto sent = co_await out.send(std::move(q)); // waits when full: back-pressure
    if (!sent) co_return;                              // no receiver left: the item comes back in the result
  }
}

task<int> add_up(mailbox<quote> in) {
  int sum = 0;
  while (const auto q = co_await in.receive()) {
    std::cout << q->item << ": " << q->cents << '\n';
    sum += q->cents;
  }
  co_return sum;
}

int main() {
  actor_system sys;
  auto [orders, to_pricing] = make_mailbox<order>(bounded(256));
  auto [quotes, to_ledger] = make_mailbox<quote>(bounded(64));
  sys.spawn({.name = "pricing"}, pricing, std::move(orders), std::move(to_ledger));
  (void)to_pricing.try_send({"tea", 2}); // from a thread; an actor awaits send()
  (void)to_pricing.try_send({"cake", 1});
  to_pricing = {};                                            // the last address: no more orders
  const result<int> sum = sys.run(add_up, std::move(quotes)); // runs a task as an actor and waits for its value
  std::cout << "sum " << *sum << '\n';
}
