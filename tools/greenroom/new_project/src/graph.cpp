#include "graph.hpp"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <greenroom/runtime/select.hpp>

using namespace greenroom;

namespace my_service {
namespace {

std::optional<std::int64_t> price_of(std::string_view item) {
  static const std::map<std::string_view, std::int64_t> cents{{"tea", 250}, {"cake", 420}};
  const auto found = cents.find(item);
  return found == cents.end() ? std::nullopt : std::optional(found->second);
}

// A node is a coroutine; its mailboxes are its inputs, its addresses its outputs. A throw restarts it, and it goes on
// with what is queued; who waits for the order in hand is told at once.
task<> price(mailbox<request<order>> orders, address<priced_order> out) {
  while (auto next = co_await orders.receive()) { // empty when the service is drained
    const auto each = price_of(next->message.item);
    if (!each) {
      next->fail(error(errc::invalid_argument, "there is no item '" + next->message.item + "'"));
      continue;
    }
    const auto cents = *each * next->message.pieces;
    priced_order priced{*std::move(next), cents};     // with a name: g++ 12 destroys temporaries of a co_await twice
    auto sent = co_await out.send(std::move(priced)); // waits while the book is behind: back-pressure up to the client
    if (!sent) co_return;
  }
}

// One actor, so its sums need no lock. They are in memory, and begin anew with a restart of the node:
// greenroom/actors/event_sourced.hpp and ledger.hpp keep such things on disk.
task<> book(mailbox<priced_order> orders, mailbox<request<get_totals>> questions) {
  totals so_far;
  for (;;) {
    auto next = co_await select(orders.receive(), questions.receive());
    if (next.index() == 0) {
      auto& taken = next.get<0>();
      if (!taken) co_return; // behind the last order
      so_far.orders += 1;
      so_far.cents += taken->cents;
      taken->asked.reply(receipt{so_far.orders, taken->cents});
    } else if (auto& question = next.get<1>()) {
      question->reply(so_far);
    } else {
      questions = {}; // closed: an empty mailbox wins no select
    }
  }
}

} // namespace

task<result<order_desk>> open_desk() {
  graph g("my-service");
  const auto pricing = g.add("price", {.replicas = 2}, price);
  const auto booking = g.add("book", book);
  const auto orders = g.entry(pricing.in<0>(), bounded(256), "orders");
  const auto questions = g.entry(booking.in<1>(), bounded(64), "questions");
  g.connect(pricing, booking, bounded(64));
  auto running = co_await run(std::move(g));
  if (!running) co_return running.error();
  order_desk made{*running, running->to(orders), running->to(questions)};
  co_return made;
}

} // namespace my_service
