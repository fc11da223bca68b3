// What a system can say about itself: who waits for whom in vain, what lives, what an actor did last, and numbers for Prometheus.
#include <iostream>
#include <string>

#include <greenroom/http/metrics.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

/// Sends before it receives: two of them with mailboxes without room wait for each other, for ever.
task<> sends_first(mailbox<int> in, address<int> out) {
  (void)co_await out.send(1);
  const auto got = co_await in.receive();
  (void)got;
}

task<> add_up(mailbox<int> in) {
  int sum = 0;
  while (const auto n = co_await in.receive()) sum += *n;
  this_actor::system().log().info("the sum is {}", sum);
}

int main() {
  options how{.workers = 1};
  how.log_level = "off";
  how.deadlock_check = 0ms; // it would log what is asked for below
  actor_system sys(how);

  auto [numbers, to_numbers] = make_mailbox<int>(bounded(4));
  numbers.show_items(); // the flight recorder keeps the texts of these items
  const actor adder = sys.spawn({.name = "adder"}, add_up, std::move(numbers));
  for (const int n : {2, 40}) (void)to_numbers.try_send(n);
  to_numbers = {};
  adder.wait();
  for (const auto& event : sys.flight({.actor = adder.id()}).events) {
    if (event.what != flight_kind::took) continue; // also spawned, logged, ended
    std::cout << event.name << ": " << event.times << " x " << event.type << ' ' << event.text << '\n';
  }

  auto [left_in, left] = make_mailbox<int>(rendezvous());
  auto [right_in, right] = make_mailbox<int>(rendezvous());
  const actor a = sys.spawn({.name = "left"}, sends_first, std::move(left_in), std::move(right));
  const actor b = sys.spawn({.name = "right"}, sends_first, std::move(right_in), std::move(left));
  deadlock_report found;
  while (found.found.empty()) found = sys.deadlocks(); // they need a moment to get there
  const auto& knot = found.found[0].actors;
  std::cout << knot.size() << " actors wait for each other, " << knot[0].waits_for << '\n';
  std::cout << "alive: " << sys.ledger().actors.size() << '\n';

  const auto page = http::system_metrics(sys);
  const auto at = page.find("\ngreenroom_actors ");
  std::cout << page.substr(at + 1, page.find('\n', at + 1) - at - 1) << '\n';
  a.cancel();
  b.cancel();
}
