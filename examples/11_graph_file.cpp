// A graph whose wiring stands in a file: this program has the functions, 11_graph_file.toml says which of them run and how they are
// connected. Change the file, for example `run = "twice"` to `run = "square"`, and start it again: nothing is built.
//
// Run: 11_graph_file [FILE]. The same as a command, with checks and pictures: `return graph_command(nodes, argc, argv)`, see graph_command.hpp.
#include <iostream>
#include <string>

#include <greenroom/actors/graph_file.hpp>
#include <greenroom/actors/graph_service.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> square(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) (void)co_await out.send(*n * *n);
}

task<> twice(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) (void)co_await out.send(*n * 2);
}

task<> print_sum(mailbox<int> in, node_settings settings) {
  int sum = 0;
  while (const auto n = co_await in.receive()) sum += *n;
  std::cout << settings.text("label", "sum") << ": " << sum << '\n';
}

task<> feed(address<int> numbers) {
  for (int n = 1; n <= 10; ++n) (void)co_await numbers.send(n);
}

task<result<void>> drain(service s) { return s.drain(5s); }

int main(int argc, char** argv) {
  node_library nodes;
  nodes.add("square", square).add("twice", twice).add("print", print_sum);
  auto g = load_graph(nodes, argc > 1 ? argv[1] : std::string(argv[0]) + ".toml");
  if (!g) {
    std::cerr << g.error().message() << '\n'; // all that is wrong with it, each fault with line and column
    return 1;
  }
  actor_system sys;
  const auto sums = run(sys, *std::move(g)).value();
  const auto numbers = sums.entry<int>("numbers").value(); // where an HTTP front would send what its clients post
  (void)sys.run(feed, numbers);
  return sys.run(drain, sums).has_value() ? 0 : 1;
}
