// A library of nodes, which knows Greenroom's headers only.
#include <cstdio>

#include <greenroom/actors/node_plugin.hpp>

using namespace greenroom;

namespace {

task<> count(address<int> out, node_settings settings) {
  for (int i = 1; i <= settings.number("to", 3); ++i) (void)co_await out.send(i);
}

task<> print_sum(mailbox<int> in) {
  int sum = 0;
  while (const auto n = co_await in.receive()) sum += *n;
  std::printf("sum %d\n", sum);
}

} // namespace

GREENROOM_NODES(library) { library.add("count", count).add("print_sum", print_sum); }
