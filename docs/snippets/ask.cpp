// ask: a call with a limit, that has one outcome: a value, the server's error, or why there is none.
#include <iostream>
#include <string>
#include <variant>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct deposit {
  int amount;
  using reply = int; // the balance behind it
};
struct audit {
  using reply = std::string;
};
using question = std::variant<request<deposit>, request<audit>>; // one mailbox for both, so their order is kept

task<> account(mailbox<question> in) {
  int balance = 0;
  while (auto asked = co_await in.receive()) {
    if (auto* d = std::get_if<request<deposit>>(&*asked)) {
      if (d->message.amount < 0) {
        d->fail(error(errc::invalid_argument, "a deposit is above zero"));
      } else {
        d->reply(balance += d->message.amount);
      }
    } // an audit is dropped unanswered: its asker is told so at once
  }
}

task<> program() {
  auto [in, to_account] = make_mailbox<question>(bounded(8));
  spawn({.name = "account"}, account, std::move(in));
  for (const int amount : {100, 50, -1}) {
    const result<int> balance = co_await ask(to_account, deposit{amount}, 1s);
    if (balance) std::cout << "balance " << *balance << '\n';
    if (!balance) std::cout << "refused: " << balance.error().message() << '\n';
  }
  const auto report = co_await ask(to_account, audit{}, 1s);
  std::cout << to_string(report.error().code()) << ": " << report.error().message() << '\n';
}

int main() {
  actor_system sys;
  const auto done = sys.run(program);
  std::cout << "asks without an outcome: " << sys.requests().pending() << '\n';
  return done ? 0 : 1;
}
