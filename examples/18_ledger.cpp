// Money: two accounts, a transfer that is sent twice and done once, a refusal with its reason, a hold, and an outbox that tells the world outside. Every answer is on
// disk before it is given.
//
// Run: 18_ledger [FILE]          without a file the books are in memory and go with the program
#include <iostream>
#include <string>

#include <greenroom/actors/ledger.hpp>
#include <greenroom/actors/outbox.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;

task<result<void>> pass_on(address<money::posting> out, journal_record r) {
  auto p = money::posting_of(r);
  if (!p) co_return p.error();
  auto posting = *std::move(p);
  if (posting.moved != 0) (void)co_await out.send(std::move(posting));
  co_return result<void>();
}

template <class Order>
task<> give(money::ledger books, Order order, const char* what) {
  const auto done = co_await books.tell(order);
  if (!done) {
    std::cout << what << ": refused, " << done.error().text << '\n';
  } else {
    std::cout << what << ": " << (done->repeated ? "was done before" : "done") << '\n';
  }
}

task<> trade(money::ledger books) {
  const money::open_account world{"open-1", "world", "EUR", true}; // where money comes from
  const money::open_account ann{"open-2", "ann", "EUR"}, till{"open-3", "till", "EUR"};
  const money::transfer salary{"pay-1", "world", "ann", 5'000}; // whole cents
  const money::transfer tea{"order-17", "ann", "till", 450, "tea"};
  const money::transfer too_much{"order-18", "ann", "till", 9'999};
  co_await give(books, world, "open world");
  co_await give(books, ann, "open ann");
  co_await give(books, till, "open till");
  co_await give(books, salary, "salary");
  co_await give(books, tea, "tea");
  co_await give(books, tea, "tea, sent again"); // as after an answer that was lost
  co_await give(books, too_much, "a piano");

  const money::hold room{"booking-4", "ann", "till", 3'000};
  const auto held = co_await books.tell(room);
  const money::transfer lunch{"order-19", "ann", "till", 2'000};
  co_await give(books, lunch, "lunch, while 30.00 are held");
  const money::capture_hold leaves{"booking-4-paid", held->number, 2'500};
  co_await give(books, leaves, "the room, for less");

  const money::read_account question{"ann"};
  const auto now = co_await books.tell(question);
  std::cout << "ann has " << now->balance << '\n';
}

/// Somebody outside, who is told of each movement of money: here until the books are closed, elsewhere for years.
task<> tell_outside(money::ledger books, int movements) {
  auto [told, out] = make_mailbox<money::posting>(rendezvous());
  const auto deliver = [to = out](journal_record r) { return pass_on(to, std::move(r)); };
  const auto outside = start_outbox(this_actor::system(), books.journaled(), {.reader = "outside"}, deliver);
  for (; movements > 0; --movements) {
    const auto p = co_await told.receive();
    std::cout << "  told: " << p->from << " -> " << p->to << " " << p->moved << " " << p->currency << '\n';
  }
  outside.cancel();
  co_await outside.join();
}

int main(int argc, char** argv) {
  actor_system sys;
  const money::ledger books(sys, {.file = argc > 1 ? argv[1] : ":memory:"});
  (void)sys.run(trade, books);
  (void)sys.run(tell_outside, books, 3);
}
