// Each guard by itself, with the call that it takes. In virtual time.
#include <iostream>
#include <string>

#include <greenroom/actors/guards.hpp>
#include <greenroom/actors/rate_limiter.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/simulation.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<result<int>> fetch(int value, std::chrono::milliseconds takes) { // stands for a call over the network
  co_await sleep_for(takes);
  co_return value;
}

void print(const char* guard, const result<int>& got) {
  std::cout << guard << ": " << (got ? std::to_string(*got) : std::string(got.error().message())) << '\n';
}

task<> program() {
  auto limited = with_timeout(50ms, fetch(1, 1s)); // a call that is still to be made
  print("with_timeout", co_await std::move(limited));

  const retry_budget again; // what makes a call several times takes a function that gives a new one each time
  auto retried = retry(again, {.retries = 2}, [] { return fetch(2, 10ms); });
  print("retry", co_await std::move(retried));
  auto hedged = hedge(again, 50ms, [] { return fetch(3, 80ms); }); // once more if there is no answer in 50 ms
  print("hedge", co_await std::move(hedged));

  const bulkhead room({.name = "prices", .at_once = 8, .queue = 16});
  auto alone = room.call(fetch(4, 10ms));
  print("bulkhead", co_await std::move(alone));

  const rate_limiter bank({.name = "bank", .calls = 10, .period = 1s});
  auto first = bank.call(fetch(5, 10ms), 200ms); // waits for its turn, if that comes within 200 ms
  print("rate_limiter", co_await std::move(first));
  if (const auto turn = bank.try_take(); !turn) std::cout << turn.error().message() << '\n';

  const circuit_breaker breaker({.name = "prices"});
  auto watched = breaker.call(fetch(6, 10ms));
  print("circuit_breaker", co_await std::move(watched));
  std::cout << to_string(breaker.stats().state) << '\n';
}

int main() {
  testkit::simulation world;
  testkit::random_schedule by(1);
  return world.run(by, program).passed() ? 0 : 1;
}
