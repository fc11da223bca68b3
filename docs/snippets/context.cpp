// Contexts: a time limit that unwinds the work below it, a value that travels, and clean-up that may still wait.
#include <iostream>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct user { // a type of its own is the key of a value
  std::string name;
};

task<> roll_back() {
  co_await sleep_for(1ms); // asks the database, say
  std::cout << "rolled back\n";
}

task<int> slow_query() {
  std::cout << "for " << this_actor::context().value<user>()->name << '\n';
  bool late = false;
  try {
    co_await sleep_for(1h);
  } catch (const cancelled& c) { // caught to clean up; it comes again at the next wait
    std::cout << "the query ends: " << c.cause.message() << '\n';
    late = true;
  }
  if (late) co_await shielded(1s, roll_back()); // out of reach of the cancellation
  co_await yield();
  std::cout << "never reached\n";
  co_return 1;
}

task<> program() {
  const user ann{"Ann"};
  const auto under = this_actor::context().with_value(ann).with_timeout(20ms);
  const result<int> got = co_await within(under, slow_query());
  std::cout << "the caller has: " << got.error().message() << '\n';

  const auto [ctx, cancel] = this_actor::context().with_cancel();
  cancel(error(errc::closed, "the shop has closed"));
  const error why = co_await ctx.done(); // a select case, too
  std::cout << "cause: " << why.message() << '\n';
}

int main() {
  actor_system sys;
  return sys.run(program) ? 0 : 1;
}
