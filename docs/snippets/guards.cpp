// Guards round a call of another service: tried again, twice at most, a few at once, not at all while it is down. In virtual time.
#include <iostream>
#include <string>

#include <greenroom/actors/guards.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/simulation.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

int calls = 0; // a simulation runs on one thread

task<result<int>> fetch_price(bool down) { // stands for a call over the network
  co_await sleep_for(10ms);
  if (down || ++calls == 1) co_return error(errc::upstream, "no answer");
  co_return 42;
}

struct price_service { // one for each service; copies share the state
  retry_budget again{{.share = 0.1}};
  bulkhead room{{.name = "prices", .at_once = 8, .queue = 16}};
  circuit_breaker breaker{{.name = "prices", .least_calls = 4, .open_time = 30s}};
};

task<result<int>> price(price_service to, bool down) {
  const auto admitted = [=] { return to.room.call(to.breaker.call(with_timeout(100ms, fetch_price(down)))); };
  auto asking = with_timeout(1s, retry(to.again, {.retries = 2}, admitted));
  co_return co_await std::move(asking);
}

std::string said(const result<int>& got) {
  const auto text = got ? std::to_string(*got) : std::string(got.error().message());
  return text.substr(0, text.find(';'));
}

task<> program() {
  const price_service to;
  auto trying = price(to, false);
  const auto good = co_await std::move(trying);
  std::cout << said(good) << ", retries " << to.again.stats().retries << '\n';

  auto failing = price(to, true); // two attempts fail; then the breaker is open, and the third is refused
  const auto bad = co_await std::move(failing);
  std::cout << said(bad) << '\n';

  const auto seen = to.breaker.stats();
  std::cout << to_string(seen.state) << ": " << seen.failed << " failed, " << seen.refused << " refused\n";
}

int main() {
  testkit::simulation world;
  testkit::random_schedule by(1);
  return world.run(by, program).passed() ? 0 : 1;
}
