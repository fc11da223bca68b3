// What spares a service calls: a cache, one flight for a herd, one call for many small ones, the last of a burst. In virtual time.
#include <iostream>
#include <string>
#include <vector>

#include <greenroom/actors/batcher.hpp>
#include <greenroom/actors/cache.hpp>
#include <greenroom/actors/debounce.hpp>
#include <greenroom/actors/gather.hpp>
#include <greenroom/testkit/simulation.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

int queries = 0; // a simulation runs on one thread

task<result<int>> load_price(std::string of) {
  co_await sleep_for(50ms);
  co_return static_cast<int>(of.size());
}

task<result<std::vector<result<int>>>> load_many(std::vector<std::string> all) { // one query for all of them
  ++queries;
  co_await sleep_for(50ms);
  std::vector<result<int>> prices;
  for (const auto& each : all) prices.emplace_back(static_cast<int>(each.size()));
  co_return prices;
}

task<> program() {
  auto& sys = this_actor::system();
  cache<std::string, int> prices({.entries = 100, .fresh = 5s, .stale = 1min}, load_price);
  std::vector<task<result<int>>> herd;
  for (int i = 0; i < 20; ++i) herd.push_back(prices.get("tea"));
  auto asking = all(std::move(herd));
  const auto got = co_await std::move(asking);
  co_await sleep_for(6s);
  auto again = prices.get("tea"); // stale by now: given at once, loaded anew behind it
  const auto stale = co_await std::move(again);
  std::cout << got->size() << " callers and a stale value of " << *stale << ": " << prices.stats().loads
            << " load(s)\n";

  batcher<std::string, int> collector(sys, {.most = 10, .longest_wait = 2ms}, load_many);
  std::vector<task<result<int>>> small;
  for (const char* name : {"tea", "cake", "milk"}) small.push_back(collector.ask(name));
  auto collected = all(std::move(small));
  const auto answers = co_await std::move(collected);
  std::cout << answers->size() << " questions, " << queries << " query\n";

  auto [searches, to_search] = make_mailbox<std::string>(bounded(1));
  debounce<std::string> typed(sys, {.quiet = 300ms}, std::move(to_search));
  for (const char* text : {"g", "gr", "green"}) typed.put(text);
  const auto search = co_await searches.receive();
  std::cout << "searched for " << *search << '\n';
}

int main() {
  testkit::simulation world;
  testkit::random_schedule by(1);
  return world.run(by, program).passed() ? 0 : 1;
}
