// The services that graph_page_test.py looks at with a browser: ten nodes in which trouble can be made, a thousand nodes, and the part of one
// process of three nodes. Prints where it listens. POST /slow fills an edge, POST /knot has two nodes wait for each other for ever, POST /bank starts the
// other process's part. Ends when its input does.
//
//   intake -> check -> price x2 -> pack -> ship -> clerk (fails at every twentieth item)
//                   -> reject                                   starter -> left <-> right
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/graph_deployment.hpp>
#include <greenroom/actors/graph_service.hpp>
#include <greenroom/http/graph_page.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/transport.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

struct parcel {
  int number = 0;
};
using pause_time = std::shared_ptr<std::atomic<int>>; // milliseconds

task<> take_in(address<parcel> out) {
  ticker pace(5ms);
  for (int n = 1;; ++n) {
    co_await pace.tick();
    const parcel next{n};
    (void)co_await out.send(next);
  }
}
task<> check(mailbox<parcel> in, address<parcel> good, address<parcel> bad) {
  while (const auto next = co_await in.receive()) {
    const auto& to = next->number % 10 == 0 ? bad : good;
    (void)co_await to.send(*next);
  }
}
task<> pass_on(mailbox<parcel> in, address<parcel> out) {
  while (const auto next = co_await in.receive()) (void)co_await out.send(*next);
}
task<> pack(mailbox<parcel> in, address<parcel> out, pause_time each) {
  while (const auto next = co_await in.receive()) {
    const std::chrono::milliseconds work(each->load());
    if (work != 0ms) co_await sleep_for(work);
    (void)co_await out.send(*next);
  }
}
task<> clerk(mailbox<parcel> in) {
  int handled = 0;
  while (const auto next = co_await in.receive()) {
    if (++handled == 20) throw std::runtime_error(fmt::format("parcel {} has no address", next->number));
  }
}
task<> put_away(mailbox<parcel> in) {
  while (const auto next = co_await in.receive()) continue;
}

// Each makes two of one, so that a cycle of them fills up, whatever its capacity.
task<> start_once(mailbox<int> in, address<int> out) {
  auto go = co_await in.receive();
  if (go) (void)co_await out.send(*go);
}
task<> double_up(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) {
    (void)co_await out.send(*n);
    (void)co_await out.send(*n);
  }
}

struct works {
  service running;
  address<int> begin;
  pause_time each;
};

works open_works(actor_system& sys) {
  auto each = std::make_shared<std::atomic<int>>(0);
  graph g("works");
  const auto intake = g.add("intake", {.restart = permanent}, take_in);
  const auto checks = g.add("check", check);
  const auto price = g.add("price", {.replicas = 2}, pass_on);
  const auto reject = g.add("reject", put_away);
  const auto packing = g.add("pack", pack, each);
  const auto ship = g.add("ship", pass_on);
  const auto clerks = g.add("clerk", clerk);
  const auto starter = g.add("starter", start_once);
  const auto left = g.add("left", double_up);
  const auto right = g.add("right", double_up);
  const auto begin = g.entry(starter.in<0>(), bounded(1), "begin");
  g.connect(intake, checks, bounded(64));
  g.connect(checks.out<0>(), price.in<0>(), bounded(64));
  g.connect(checks.out<1>(), reject.in<0>(), bounded(16));
  g.connect(price, packing, bounded(32));
  g.connect(packing, ship, bounded(32));
  g.connect(ship, clerks, bounded(32));
  g.connect(starter, left, bounded(2));
  g.connect(left, right, bounded(2));
  g.connect(right, left, bounded(2), {.allow_cycle = "it is there to fill up"});
  g.group("desk", {.strategy = rest_for_one, .intensity = {1'000, 1s}}, ship, clerks);
  auto running = run(sys, std::move(g), {.intensity = {1'000, 1s}}).value();
  auto to = running.to(begin);
  return {std::move(running), std::move(to), std::move(each)};
}

// -- a thousand nodes -------------------------------------------------------------------------------------

constexpr int columns = 25;
constexpr int rows = 40;

task<> drip(address<int> out) {
  ticker pace(200ms);
  for (int n = 0;; ++n) {
    co_await pace.tick();
    (void)co_await out.send(n);
  }
}
task<> relay(mailbox<int> in, address<int> out, std::chrono::milliseconds work) {
  while (const auto n = co_await in.receive()) {
    if (work != 0ms) co_await sleep_for(work);
    (void)co_await out.send(*n);
  }
}
task<> fork(mailbox<int> in, address<int> out, address<int> other) {
  while (const auto n = co_await in.receive()) {
    const auto& to = *n % 2 == 0 ? out : other;
    (void)co_await to.send(*n);
  }
}
task<> swallow(mailbox<int> in) {
  while (const auto n = co_await in.receive()) continue;
}

service open_thousand(actor_system& sys) {
  using link = std::pair<output_port<int>, int>; // to a row of the next column
  graph g("thousand");
  std::vector<link> open;
  for (int c = 0; c < columns; ++c) {
    std::vector<input_port<int>> inputs;
    std::vector<link> next;
    for (int r = 0; r < rows; ++r) {
      const auto name = fmt::format("stage {}.{}", c, r);
      if (c == 0) {
        next.emplace_back(g.add(name, {.restart = permanent}, drip).out<0>(), r);
      } else if (c == columns - 1) {
        inputs.push_back(g.add(name, swallow).in<0>());
      } else if ((r + c) % 6 == 0) {
        const auto made = g.add(name, fork);
        inputs.push_back(made.in<0>());
        next.emplace_back(made.out<0>(), r);
        next.emplace_back(made.out<1>(), (r + 5) % rows);
      } else {
        const auto made = g.add(name, relay, std::chrono::milliseconds(c == 12 && r % 9 == 4 ? 700 : 0));
        inputs.push_back(made.in<0>());
        next.emplace_back(made.out<0>(), r);
      }
    }
    for (const auto& [from, row] : open) g.connect(from, inputs[static_cast<std::size_t>(row)], bounded(8));
    open = std::move(next);
  }
  return run(sys, std::move(g)).value();
}

// -- split ------------------------------------------------------------------------------------------------

#ifdef GREENROOM_HAS_NODES
/// drip -> relay here, -> book on the node "bank"; and both parts.
class split_graph {
public:
  explicit split_graph(actor_system& sys) : here_(sys) {
    const auto port = sys.net().listen({"127.0.0.1", 0}).value()->port();
    where_.add({.name = "shop"}).add({.name = "bank", .port = port}).place("book", "bank");
  }
  static graph make() {
    graph g("split");
    const auto source = g.add("drip", {.restart = permanent}, drip);
    const auto middle = g.add("relay", relay, 0ms);
    const auto book = g.add("book", swallow);
    g.connect(source, middle, bounded(4));
    g.connect(middle, book, bounded(4));
    return g;
  }
  service shop() { return run(here_, make(), where_, "shop").value(); }
  void open_bank() { there_.spawn(run_bank, where_); }

private:
  static task<> run_bank(deployment where) { (void)co_await run(make(), std::move(where), "bank"); }

  actor_system& here_;
  actor_system there_;
  deployment where_;
};
http::response open_bank(split_graph* split) {
  split->open_bank();
  return http::text("the bank opens\n");
}
#endif

http::response slow(pause_time each) {
  *each = 25;
  return http::text("packing is slow now\n");
}
http::response knot(address<int> begin) {
  const bool sent = begin.try_send(1).has_value();
  return http::text(sent ? "there is a knot now\n" : "there is one already\n");
}

} // namespace

int main() {
  options how;
  how.log_level = "off"; // the clerk fails all the time
  actor_system sys(how);
  const auto small = open_works(sys);
  const auto large = open_thousand(sys);
  std::vector<service> all{small.running, large};
  http::server front(sys, {.port = 0});
#ifdef GREENROOM_HAS_NODES
  split_graph split(sys);
  all.push_back(split.shop());
  front.post("/bank", open_bank, &split);
#endif
  front.mount("/", http::graph_page(all));
  front.post("/slow", slow, small.each).post("/knot", knot, small.begin);
  front.start().value();
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {}
  const auto stopped = front.stop(5s);
  for (const auto& one : all) one.stop();
  return stopped.complete() ? 0 : 1;
}
