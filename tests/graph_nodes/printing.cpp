// A second one: its items come from the first.
#include <cstdio>

#include <greenroom/actors/node_plugin.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/graph_nodes/numbers.hpp>

namespace {

using namespace greenroom;
using test_nodes::number;

struct own_number {
  int value;
};

task<> sum(mailbox<number> in) {
  long all = 0;
  while (const auto n = co_await in.receive()) {
    if (all == 0) { // so that whoever waits for the begin sees it
      std::puts("the first has come");
      std::fflush(stdout);
    }
    all += n->value;
  }
  std::printf("sum %ld\n", all);
}

task<> never_receive([[maybe_unused]] mailbox<number> in) {
  std::puts("nothing will be received");
  std::fflush(stdout);
  for (ticker every(std::chrono::hours(1));;) co_await every.tick();
}

task<> take_own(mailbox<own_number> in) {
  while (const auto n = co_await in.receive()) {}
}

} // namespace

GREENROOM_NODES(library) { library.add("sum", sum).add("never_receive", never_receive).add("take_own", take_own); }
