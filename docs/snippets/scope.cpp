// Scopes: children that end before their parent goes on; the first failure cancels the others. And a wait_group, which only counts.
#include <iostream>
#include <stdexcept>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/wait_group.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> add(int n, int* sum) {
  co_await yield();
  *sum += n; // a pointer into the parent's frame: the scope outlives its children
}

task<> break_down() {
  co_await sleep_for(1ms);
  throw std::runtime_error("no connection");
}

task<> wait_for_ever() { co_await sleep_until(never); }

task<> three(scope& s, int* sum) {
  for (int n = 1; n <= 3; ++n) s.spawn(add, n, sum);
  co_return;
}

task<> one_breaks(scope& s) {
  s.spawn({.name = "broken"}, break_down);
  s.spawn({.name = "patient"},
          wait_for_ever); // cancelled when the other one fails; the sentence of the error names that
  co_return;
}

task<> program() {
  int sum = 0;
  const auto done = co_await with_scope(three, &sum);
  std::cout << "all ended: " << done.has_value() << ", sum " << sum << '\n';

  const auto failed = co_await with_scope(one_breaks);
  std::cout << "the scope gives: " << to_string(failed.error().code()) << '\n';
  std::cout << "actors left: " << this_actor::system().live_actors() - 1 << '\n';

  wait_group group;
  group.add(2);
  for (int i = 0; i < 2; ++i) spawn([](wait_group* g) -> task<> { co_return g->done(); }, &group);
  co_await group.wait();
  std::cout << "counted down to " << group.count() << '\n';
}

int main() {
  options how{.workers = 1};
  how.log_level = "off";
  actor_system sys(how);
  return sys.run(program) ? 0 : 1;
}
