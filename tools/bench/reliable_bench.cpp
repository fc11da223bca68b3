// reliable_bench N: N items of 8 bytes go through a reliable_address to an inbox that adds them up, with a window of 1 and of 64, in one system and from
// one node to another over loopback. Prints a line for each: items a second.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <greenroom/actors/inbox.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/actors/reliable_address.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace {

using namespace greenroom;
using namespace std::chrono_literals;
using number = std::int64_t;

task<result<void>> add(number* sum, number item) {
  *sum += item;
  co_return result<void>();
}

task<> send_all(reliable_address<number> to, number n) {
  for (number i = 1; i <= n; ++i) {
    const auto kept = co_await to.send(i);
    if (!kept) throw bad_result(kept.error());
  }
  const auto all = co_await to.flush(10min);
  if (!all) throw bad_result(all.error());
}

void measure(const char* where, actor_system& sys, route<number> way, std::size_t window, number n, const number& sum) {
  const auto before = sum;
  const reliable_address<number> to(sys, {.sender = "bench " + std::to_string(window), .window = window},
                                    std::move(way));
  const auto begin = std::chrono::steady_clock::now();
  sys.run(send_all, to, n).value();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (sum - before != n * (n + 1) / 2) throw std::logic_error("an item is missing, or was handled twice");
  const auto stats = to.stats();
  std::printf("%s, window %zu: %.0f items a second, %.1f to a delivery\n", where, window,
              static_cast<double>(n) / took.count(), static_cast<double>(n) / static_cast<double>(stats.deliveries));
}

} // namespace

int main(int argc, char** argv) try {
  const number n = argc > 1 ? std::atoll(argv[1]) : 100'000;
  options quiet;
  quiet.log_level = "off";
  actor_system here(quiet), there(quiet);
  number sum = 0;
  const auto handler = [&sum](number item) { return add(&sum, item); };
  const auto local = start_inbox<number>(here, handler);
  for (const std::size_t window : {1u, 64u}) measure("in one system", here, local, window, n, sum);

  node far(there, {.name = "far", .listen = true}), near(here, {.name = "near"});
  const auto published = start_inbox<number>(there, handler);
  far.publish("numbers", published).value();
  far.start().value();
  near.start().value();
  const auto peer = near.connect("127.0.0.1", far.port());
  const auto way = route_via<number>(peer, "numbers");
  for (const std::size_t window : {1u, 64u}) measure("between nodes", here, way, window, window == 1 ? n / 10 : n, sum);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
