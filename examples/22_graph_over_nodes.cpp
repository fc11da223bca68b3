// One graph, two processes: the file beside it says that the ledger runs on the node `bank`, all else on `shop`. The graph is the same in both, and would
// run in one process as it is. In Go this is a rewrite: channels end at the process.
//
// Run, in any order, in two terminals: 22_graph_over_nodes bank   and   22_graph_over_nodes shop   [DEPLOYMENT].
// You will see the shop end when all of its bills have crossed; Ctrl-C then drains the bank, which says what it has booked.
#include <cstdio>
#include <string>

#include <greenroom/actors/graph_deployment.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/stop_signal.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct bill {
  std::string to;
  int cents = 0;
};

// How it crosses, described once, beside the type.
template <class Inspector>
bool inspect(Inspector& f, bill& b) {
  return f.object(b).fields(f.field("to", b.to), f.field("cents", b.cents));
}

task<> take_orders(address<int> orders) {
  for (int pieces = 1; pieces <= 10; ++pieces) (void)co_await orders.send(pieces);
}

task<> price(mailbox<int> orders, address<bill> bills) {
  while (const auto pieces = co_await orders.receive()) {
    bill next{"anna", *pieces * 250};
    (void)co_await bills.send(std::move(next));
  }
}

task<> book(mailbox<bill> bills) {
  int count = 0, sum = 0;
  while (const auto next = co_await bills.receive()) {
    ++count;
    sum += next->cents;
  }
  std::printf("booked %d bills, %d cents\n", count, sum);
}

graph shop() {
  graph g("shop");
  const auto orders = g.add("orders", take_orders);
  const auto pricing = g.add("pricing", price);
  const auto ledger = g.add("ledger", book);
  g.connect(orders, pricing, bounded(4));
  g.connect(pricing, ledger, bounded(4)); // this one crosses
  return g;
}

task<> tell_the_end(service part, stop_signal* asked) {
  (void)co_await part.self().join();
  asked->stop();
}
task<result<void>> drain(service part) { return part.drain(5s); }

int main(int argc, char** argv) {
  const std::string self = argc > 1 ? argv[1] : "shop";
  const auto where = load_deployment(argc > 2 ? argv[2] : std::string(argv[0]) + ".toml");
  if (!where) {
    std::fprintf(stderr, "%s\n", std::string(where.error().message()).c_str());
    return 1;
  }
  stop_signal asked;
  options quiet;
  quiet.log_level = "error"; // it would tell when the other one is up, and down
  actor_system sys(quiet);
  const auto part = run(sys, shop(), *where, self).value();
  sys.spawn(tell_the_end, part, &asked);
  asked.wait();
  const auto drained = sys.run(drain, part);
  std::printf("%s: %s\n", self.c_str(), drained ? "all is done" : std::string(drained.error().message()).c_str());
  return drained ? 0 : 1;
}
