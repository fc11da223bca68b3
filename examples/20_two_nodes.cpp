// Addresses across processes: one node publishes an account, the other one looks it up and uses it as any address. In Go this is net/rpc, with channels.
// Both are in one program here, and talk over loopback; in two programs nothing but the port would be different.
//
// Run: 20_two_nodes
// You will see the balance behind each deposit, why a wrong one was refused, what has no such name, and how a node that is gone is told.
#include <cstdio>
#include <memory>
#include <string>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct deposit {
  std::string to;
  std::int64_t cents = 0;
  using reply = std::int64_t; // the balance
};

// How it crosses, described once, beside the type.
template <class Inspector>
bool inspect(Inspector& f, deposit& d) {
  return f.object(d).fields(f.field("to", d.to), f.field("cents", d.cents));
}

task<> account(mailbox<request<deposit>> in) {
  std::int64_t balance = 0;
  while (auto r = co_await in.receive()) {
    if (r->message.cents <= 0) {
      r->fail({errc::invalid_argument, "a deposit must be more than nothing"});
    } else {
      r->reply(balance += r->message.cents);
    }
  }
}

task<> pay_in(address<request<deposit>> to, std::int64_t cents) {
  deposit d{"anna", cents};
  const auto balance = co_await ask(to, std::move(d), 5s);
  if (balance) {
    std::printf("balance %lld\n", static_cast<long long>(*balance));
  } else {
    std::printf("refused: %s\n", std::string(balance.error().message()).c_str());
  }
}

task<> use(node_peer bank, std::unique_ptr<node>* its_node) {
  auto looking = bank.lookup<request<deposit>>("deposits");
  const auto to = co_await std::move(looking);
  if (!to) throw bad_result(to.error());
  for (const std::int64_t cents : {500, 250, -1}) {
    auto paying = pay_in(*to, cents);
    co_await std::move(paying);
  }
  auto looking_for_more = bank.lookup<request<deposit>>("loans");
  const auto loans = co_await std::move(looking_for_more);
  std::printf("%s\n", std::string(loans.error().message()).c_str());

  const auto monitor = bank.monitor();
  its_node->reset();
  const auto down = co_await monitor.receive();
  std::printf("%s is down\n", down->name.c_str());
}

int main() {
  options quiet;
  quiet.log_level = "off";
  actor_system bank_system(quiet);
  auto bank = std::make_unique<node>(bank_system, node_setup{.name = "bank", .listen = true});
  auto [deposits, to_deposits] = make_mailbox<request<deposit>>(bounded(64));
  bank_system.spawn(account, std::move(deposits));
  bank->publish("deposits", to_deposits).value();
  bank->start().value();

  actor_system shop_system(quiet);
  node shop(shop_system, {.name = "shop"});
  shop.start().value();
  shop_system.run(use, shop.connect("127.0.0.1", bank->port()), &bank).value();
}
