// A library of nodes for the test of the command.
#include <stdexcept>

#include <greenroom/actors/node_plugin.hpp>
#include <greenroom/tests/graph_nodes/numbers.hpp>

namespace {

using namespace greenroom;
using test_nodes::number;

struct own_number { // of this library alone, as its namespace has no name
  int value;
};

task<> count(address<number> out, node_settings settings) {
  for (std::int64_t i = 1; i <= settings.number("to", 3); ++i) (void)co_await out.send(number{static_cast<int>(i)});
}

task<> count_for_ever(address<number> out) {
  for (int i = 1;; ++i) {
    const auto sent = co_await out.send(number{i % 10});
    if (!sent) co_return;
  }
}

task<> twice(mailbox<number> in, address<number> out) {
  while (const auto n = co_await in.receive()) (void)co_await out.send(number{n->value * 2});
}

task<> fail_at_two(mailbox<number> in, address<number> out) {
  while (const auto n = co_await in.receive()) {
    if (n->value == 2) throw std::runtime_error("two");
    (void)co_await out.send(*n);
  }
}

task<> count_own(address<own_number> out) { (void)co_await out.send(own_number{1}); }

task<> drop_own(mailbox<own_number> in) {
  while (const auto n = co_await in.receive()) continue;
}

} // namespace

GREENROOM_NODES(library) {
  library.add("count", count).add("count_for_ever", count_for_ever).add("twice", twice);
  library.add("fail_at_two", fail_at_two).add("count_own", count_own).add("drop_own", drop_own);
  library.add_key<number>("value", [](const number& n) { return n.value; });
}
