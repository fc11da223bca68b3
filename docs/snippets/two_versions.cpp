// A bank whose type has changed serves programs of before as well: it publishes both, each under a name of its own, until nobody asks for the old one.
#include <cstdio>
#include <string>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct deposit {
  std::string to;
  std::int64_t cents = 0;
  std::string reason; // new
  using reply = std::int64_t;

  template <class Inspector>
  friend bool inspect(Inspector& f, deposit& d) {
    return f.object(d).fields(f.field("to", d.to), f.field("cents", d.cents), f.field("reason", d.reason));
  }
};

// As it was, and called as it was called then: names are compared, too.
struct old_deposit {
  std::string to;
  std::int64_t cents = 0;
  using reply = std::int64_t;

  template <class Inspector>
  friend bool inspect(Inspector& f, old_deposit& d) {
    return f.object(d).pretty_name("deposit").fields(f.field("to", d.to), f.field("cents", d.cents));
  }
};

task<> account(mailbox<request<deposit>> in) {
  std::int64_t balance = 0;
  while (auto r = co_await in.receive()) r->reply(balance += r->message.cents);
}

task<> take_old(mailbox<request<old_deposit>> in, address<request<deposit>> to) {
  while (auto r = co_await in.receive()) {
    deposit d{r->message.to, r->message.cents, "not said"};
    auto asking = ask(to, std::move(d), 5s);
    r->reply(co_await std::move(asking));
  }
}

// What a program of before does, and a new one, with the new name and with the old one.
template <class M>
task<> pay_in(node_peer bank, std::string name, M message) {
  auto looking = bank.lookup<request<M>>(name);
  const auto to = co_await std::move(looking);
  if (!to) {
    std::printf("%s\n", std::string(to.error().message()).c_str());
    co_return;
  }
  auto asking = ask(*to, std::move(message), 5s);
  const auto balance = co_await std::move(asking);
  std::printf("%s: balance %lld\n", name.c_str(), static_cast<long long>(balance.value()));
}

int main() {
  options quiet;
  quiet.log_level = "off";
  actor_system bank_system(quiet), shop_system(quiet);
  node bank(bank_system, {.name = "bank", .listen = true});
  auto [deposits, to_deposits] = make_mailbox<request<deposit>>(bounded(64));
  auto [old_deposits, to_old_deposits] = make_mailbox<request<old_deposit>>(bounded(64));
  bank_system.spawn(account, std::move(deposits));
  bank_system.spawn(take_old, std::move(old_deposits), to_deposits);
  bank.publish("deposits", to_old_deposits).value();
  bank.publish("deposits.2", to_deposits).value();
  bank.start().value();

  node shop(shop_system, {.name = "shop"});
  const auto peer = shop.connect("127.0.0.1", bank.port());
  shop_system.run(pay_in<old_deposit>, peer, "deposits", old_deposit{"anna", 500}).value();
  shop_system.run(pay_in<deposit>, peer, "deposits.2", deposit{"anna", 250, "rent"}).value();
  shop_system.run(pay_in<deposit>, peer, "deposits", deposit{"anna", 250, "rent"}).value();
}
