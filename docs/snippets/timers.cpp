// Timers, in virtual time, so that the output is the same each time: sleeps, a ticker and what it missed, and a limit for a wait.
#include <iostream>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/simulation.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

std::chrono::milliseconds since(time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(this_actor::system().now() - begin);
}

task<> program() {
  const auto begin = this_actor::system().now();
  co_await sleep_for(1500ms);
  std::cout << "slept until " << since(begin).count() << " ms\n";

  ticker every(1s); // the first tick comes at 2500 ms
  for (int i = 0; i < 3; ++i) {
    co_await every.tick();
    std::cout << "tick at " << since(begin).count() << " ms\n";
    if (i == 0) co_await sleep_for(2200ms); // busy: one tick comes late, the next is lost
  }

  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto got = co_await in.receive_for(10min);
  std::cout << "after ten minutes: " << got.error().message() << '\n';
}

int main() {
  testkit::simulation world; // `actor_system sys; sys.run(program);` does the same by the clocks of the machine
  testkit::random_schedule by(1);
  return world.run(by, program).passed() ? 0 : 1;
}
