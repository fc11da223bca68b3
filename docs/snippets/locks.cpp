// What several actors share: a guarded value, a condition, a semaphore, and work that is done once. All of them suspend the actor, never its thread.
#include <iostream>
#include <map>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/condition.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/once.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/shared_mutex.hpp>

using namespace greenroom;

struct shop {
  guarded<std::map<std::string, int>> stock{}; // reached by its lock alone
  condition delivered;
  semaphore tills{2};
  shared_mutex prices; // many readers, or one writer
  once opened;
  int served = 0;
};

task<> open_doors() {
  std::cout << "open\n";
  co_return;
}

task<> customer(shop* at) {
  co_await at->opened.call(open_doors);           // the first one runs it, the others wait for its end
  const auto till = co_await at->tills.acquire(); // two at a time; given back when `till` goes
  const auto reading = co_await at->prices.lock_shared();
  auto stock = co_await at->stock.lock();
  co_await at->delivered.wait(stock.guard(), [&stock] { return (*stock)["tea"] > 0; }); // gives the lock up meanwhile
  --(*stock)["tea"];
  ++at->served;
}

task<> deliver(shop* at) {
  auto stock = co_await at->stock.lock();
  (*stock)["tea"] += 4;
  at->delivered.notify_all();
}

task<> all_of_them(scope& s, shop* at) {
  for (int i = 0; i < 4; ++i) s.spawn(customer, at);
  s.spawn(deliver, at);
  co_return;
}

task<> program() {
  shop at;
  const auto done = co_await with_scope(all_of_them, &at);
  const auto stock = co_await at.stock.lock();
  std::cout << "served " << at.served << ", left " << (*stock)["tea"] << ", " << done.has_value() << '\n';
}

int main() {
  actor_system sys;
  return sys.run(program) ? 0 : 1;
}
