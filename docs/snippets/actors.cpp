// Actors: started, waited for, failed, cancelled; and a task that is called like a function.
#include <iostream>
#include <stdexcept>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;

task<int> twice(int n) { // a task is lazy: it runs when it is awaited
  co_await yield();
  co_return 2 * n;
}

task<> greet(std::string name) {
  const int n = co_await twice(21);
  std::cout << "hello " << name << ", " << n << '\n';
}

task<> fail() {
  co_await yield();
  throw std::runtime_error("out of paper");
}

task<> wait_for_ever() { co_await sleep_until(never); }

task<> program() {
  const actor good = spawn({.name = "good"}, greet, std::string("Ann"));
  const actor bad = spawn(fail); // independent of its parent, unlike a child of a scope
  const actor idle = spawn(wait_for_ever);
  idle.cancel(); // `cancelled` is thrown in its wait
  for (const actor& each : {good, bad, idle}) {
    const exit_reason why = co_await each.join();
    std::cout << each.name() << ": " << why.to_string() << '\n';
  }
  const auto length = co_await blocking([](std::string text) { return text.size(); }, std::string("a file"));
  std::cout << "a blocking call gave " << length << '\n';
}

int main() {
  options how;
  how.log_level = "off"; // it would name the failure
  actor_system sys(how);
  const result<int> answer = sys.run(twice, 4); // from a thread: blocks until the actor has ended
  std::cout << "run gave " << *answer << '\n';
  return sys.run(program) ? 0 : 1;
}
