// Five services that tell the price of the same thing, one of them slow and one broken. Four ways to ask them at once; and a circuit breaker before
// each, so that the broken one is soon left alone. In Go: goroutines, a channel, a select on ctx.Done() and a package for each of the guards.
//
// Run: 17_several_services
// You will see what each way gives, that the slow one was cancelled wherever its answer was not waited for, and that nothing is left behind.
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <greenroom/actors/circuit_breaker.hpp>
#include <greenroom/actors/gather.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct quote_service {
  std::string name;
  std::chrono::milliseconds takes;
  int price; // 0: it is broken
  circuit_breaker breaker = circuit_breaker({.name = name, .least_calls = 3, .open_time = 30s});
};

int cancelled_calls = 0; // all actors run on one worker here

/// Stands for a call over the network.
task<result<int>> fetch(std::string name, std::chrono::milliseconds takes, int price) {
  try {
    co_await sleep_for(takes);
  } catch (const cancelled&) {
    ++cancelled_calls;
    throw;
  }
  if (price == 0) co_return error(errc::upstream, name + " does not answer");
  co_return price;
}

/// One call of each service, which nobody has awaited yet.
std::vector<task<result<int>>> ask_all(const std::vector<quote_service>& services) {
  std::vector<task<result<int>>> calls;
  for (const auto& each : services) calls.push_back(each.breaker.call(fetch(each.name, each.takes, each.price)));
  return calls;
}

std::string text_of(const result<int>& got) { return got ? std::to_string(*got) : std::string(got.error().message()); }

task<> ask_in_all_ways(std::vector<quote_service> services) {
  auto asking_all = all(ask_all(services));
  const auto every = co_await std::move(asking_all);
  std::cout << "all: " << every.error().message() << '\n';

  auto asking_first = first(ask_all(services));
  const auto one = co_await std::move(asking_first);
  std::cout << "first: " << text_of(one) << '\n';

  auto asking_some = quorum(3, ask_all(services));
  const auto three = co_await std::move(asking_some);
  std::cout << "quorum of 3:";
  for (const int price : *three) std::cout << ' ' << price;
  std::cout << '\n';

  auto asking_in_time = each_within(300ms, ask_all(services));
  const auto in_time = co_await std::move(asking_in_time);
  std::cout << "within 300 ms:\n";
  for (std::size_t i = 0; i < services.size(); ++i) {
    const auto said = text_of((*in_time)[i]);
    std::cout << "  " << services[i].name << ": " << said.substr(0, said.find("; it lets")) << '\n';
  }
}

int main() {
  options one_worker;
  one_worker.workers = 1;
  one_worker.log_level = "error"; // it would tell of the breaker
  actor_system sys(one_worker);
  const std::vector<quote_service> services{
      {"alpha", 40ms, 101}, {"beta", 80ms, 102}, {"gamma", 120ms, 103}, {"slow", 1h, 104}, {"broken", 1ms, 0}};
  (void)sys.run(ask_in_all_ways, services);
  std::cout << "calls cancelled: " << cancelled_calls << ", actors left: " << sys.live_actors() << '\n';
}
