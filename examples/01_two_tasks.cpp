// Two actors make progress together. In Go: two goroutines, each in a loop with time.Sleep.
// One prints the numbers 0 to 9, the other a line of text ten times, each waiting between its lines; the scope waits for both,
// where the Go original had to guess a time to sleep.
//
// Run: 01_two_tasks [milliseconds between lines, 500 if not given]
// You will see `ops` and then both kinds of line interleaved, in no fixed order.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using std::chrono::milliseconds;

task<> numbers(milliseconds pause) {
  for (int i = 0; i < 10; ++i) {
    std::printf("%d\n", i);
    co_await sleep_for(pause);
  }
}

task<> text(milliseconds pause) {
  for (int i = 0; i < 10; ++i) {
    std::puts("im reading fugu.cafe");
    co_await sleep_for(pause);
  }
}

task<> both(scope& s, milliseconds pause) {
  s.spawn(numbers, pause);
  s.spawn(text, pause);
  std::puts("ops");
  co_return;
}

task<bool> together(milliseconds pause) {
  auto ended = co_await with_scope(both, pause);
  co_return ended.has_value();
}

int main(int argc, char** argv) {
  const milliseconds pause(argc > 1 ? std::atoi(argv[1]) : 500);
  actor_system sys(options{.workers = 1});
  return sys.run(together, pause).value_or(false) ? 0 : 1;
}
