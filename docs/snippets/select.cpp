// select: the first of several mailboxes, a send, a time, or none at all; what loses has taken nothing.
#include <iostream>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> program() {
  auto [numbers, to_numbers] = make_mailbox<int>(bounded(4));
  auto [names, to_names] = make_mailbox<std::string>(bounded(1));

  auto none = co_await select(numbers.receive(), otherwise());
  std::cout << (none.index() == 1 ? "nothing is there\n" : "?\n");

  (void)to_numbers.try_send(7);
  auto first = co_await select(names.receive(), numbers.receive(), after(1s));
  if (first.index() == 1) std::cout << "the number " << *first.get<1>() << '\n';

  (void)to_names.try_send("Ann");
  std::string bob = "Bob"; // moved from only if its case wins: there is no room for him
  auto sent = co_await select(to_names.send(std::move(bob)), after(1ms));
  std::cout << (sent.index() == 1 ? "in time nobody took " : "sent ") << bob << '\n';

  to_numbers.close();
  auto end = co_await select(numbers.receive(), after(1s));
  if (end.index() == 0 && !end.get<0>()) std::cout << "no more numbers\n";
}

int main() {
  actor_system sys;
  return sys.run(program) ? 0 : 1;
}
