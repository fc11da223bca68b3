// The command `greenroom` with a node that is compiled in.
#include <greenroom/actors/graph_command.hpp>

using namespace greenroom;

task<> twice(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) (void)co_await out.send(*n * 2);
}

int main(int argc, char** argv) {
  node_library nodes;
  nodes.add("twice", twice);
  return graph_command(nodes, argc, argv);
}
