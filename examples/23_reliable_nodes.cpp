// Items that must arrive: a shop sends deposits to a bank at another node, which goes away in the middle and comes back. Each is booked once, in order.
// Go has nothing like it; it is what one takes a message broker for, without the broker.
//
// Run: 23_reliable_nodes
// You will see what the shop knows while the bank is gone, and that all is booked, once, when it is back.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <greenroom/actors/inbox.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/actors/reliable_address.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct deposit {
  std::int64_t cents = 0;
};

template <class Inspector>
bool inspect(Inspector& f, deposit& d) {
  return f.object(d).fields(f.field("cents", d.cents));
}

// The bank's side: an item is acknowledged when this has returned.
task<result<void>> book(std::int64_t* balance, deposit d) {
  if (d.cents <= 0) co_return error(errc::invalid_argument, "a deposit must be more than nothing");
  *balance += d.cents;
  std::printf("  booked %lld, balance %lld\n", static_cast<long long>(d.cents), static_cast<long long>(*balance));
  co_return result<void>();
}

struct bank_node {
  actor_system* sys;
  address<request<delivery<deposit>>> deposits;
  std::unique_ptr<node> running = {};
  std::uint16_t port = 0; // a free one at first, then the same again

  void start() {
    running = std::make_unique<node>(*sys, node_setup{.name = "bank", .listen = true, .port = port});
    running->publish("deposits", deposits).value();
    running->start().value();
    port = running->port();
  }
};

// The shop's side.
void tell(const char* what, const result<void>& came) {
  std::printf("%s: %s\n", what, came ? "yes" : std::string(came.error().message()).c_str());
}

task<> pay_in(reliable_address<deposit> to, bank_node* bank) {
  tell("500 is booked", co_await to.deliver(deposit{500}, 10s));
  tell("nothing is booked", co_await to.deliver(deposit{0}, 10s));

  bank->running.reset();
  std::printf("the bank is gone\n");
  tell("250 is kept", co_await to.send(deposit{250}));
  tell("125 is kept", co_await to.send(deposit{125}));
  tell("both are booked", co_await to.flush(300ms));

  std::printf("the bank comes back\n");
  bank->start();
  tell("both are booked", co_await to.flush(30s));
}

int main() {
  options quiet;
  quiet.log_level = "off";
  actor_system bank_system(quiet), shop_system(quiet);
  std::int64_t balance = 0;
  const auto handler = [&balance](deposit d) { return book(&balance, d); };
  bank_node bank{&bank_system, start_inbox<deposit>(bank_system, handler)};
  bank.start();

  node shop(shop_system, {.name = "shop"});
  shop.start().value();
  const reliable_address<deposit> to(shop_system, {.sender = "shop", .tries = 3, .given_up = [](auto&, auto&) {}},
                                     route_via<deposit>(shop.connect("127.0.0.1", bank.port), "deposits"));
  shop_system.run(pay_in, to, &bank).value();
}
