// Five workers add 1 a thousand times each to one shared counter. In Go: sync/atomic and a WaitGroup.
// std::atomic works here as everywhere; the scope waits for the workers.
//
// You will see `final value: 5000`.
#include <atomic>
#include <cstdio>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>

using namespace greenroom;

task<> worker(std::atomic<int>* counter) {
  for (int i = 0; i < 1000; ++i) {
    counter->fetch_add(1);
    if (i % 100 == 99) co_await yield(); // be polite in a loop that never waits
  }
}

task<> five_workers(scope& s, std::atomic<int>* counter) {
  for (int i = 0; i < 5; ++i) s.spawn({.name = "worker"}, worker, counter);
  co_return;
}

task<bool> count() {
  std::atomic<int> counter{0};
  auto ended = co_await with_scope(five_workers, &counter);
  std::printf("final value: %d\n", counter.load());
  co_return ended.has_value();
}

int main() {
  actor_system sys;
  return sys.run(count).value_or(false) ? 0 : 1;
}
