// Graphs at work: items flow, are counted, survive crashes, and run out along the edges at the end.
#include <greenroom/actors/graph_service.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::graph_service_test {
namespace {

struct number_item {
  int n = 0;
};

task<> count_up(int to, address<int> out) {
  for (int i = 1; i <= to; ++i) {
    const auto sent = co_await out.send(i);
    if (!sent) co_return;
  }
}
task<> twice(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) (void)co_await out.send(*n * 2);
}
task<> sum_up(mailbox<int> in, std::shared_ptr<int> sum) {
  while (const auto n = co_await in.receive()) *sum += *n;
}

task<service> running(graph g, graph_options how = {}) {
  auto s = co_await run(std::move(g), how);
  require(s.has_value(), "it does not run");
  co_return *std::move(s);
}

const item_counts& counts(const graph_look& look, const std::string& node, std::size_t input = 0) {
  for (const auto& n : look.nodes) {
    if (n.name == node) return n.inputs.at(input).items;
  }
  throw std::out_of_range(node);
}

task<> pipeline(std::size_t replicas) {
  const auto sum = std::make_shared<int>(0);
  graph g("sums");
  const auto source = g.add("source", count_up, 100);
  const auto doubler = g.add("doubler", {.replicas = replicas}, twice);
  const auto sink = g.add("sink", sum_up, sum);
  g.connect(source, doubler, bounded(4));
  g.connect(doubler, sink, rendezvous());
  const auto s = co_await running(std::move(g));
  const auto why = co_await s.self().join(); // ends by itself: the source has come to its end
  require(why.normal(), "it ended: " + why.to_string());
  require_equal(*sum, 10'100, "the sum");
  const auto look = s.look();
  require(look.conserved(), look.to_json());
  require(counts(look, "sink") == item_counts{.accepted = 100, .handled = 100}, look.to_json());
  require(counts(look, "doubler").handled == 100, look.to_json());
}

TEST(GraphService, RunsOutBehindTheLastItem) {
  play([] { return pipeline(1); }, 50);
  play([] { return pipeline(4); }, 50);
}

task<> drained() {
  const auto sum = std::make_shared<int>(0);
  graph g("sums");
  const auto doubler = g.add("doubler", twice);
  const auto sink = g.add("sink", sum_up, sum);
  const auto in = g.entry(doubler.in<0>(), bounded(8));
  g.connect(doubler, sink, bounded(8));
  const auto s = co_await running(std::move(g));
  const auto to = s.to(in);
  for (int i = 1; i <= 10; ++i) (void)co_await to.send(i);
  const auto done = co_await s.drain(1s);
  require(done.has_value(), "not drained");
  require_equal(*sum, 110, "the sum");
  const auto late = co_await to.send(11);
  require(!late && late.error().is(errc::closed), "it takes items after the drain");
  require(s.look().conserved(), s.look().to_json());
}

TEST(GraphService, DrainHandlesAllThatWasAccepted) { play(drained, 50); }

task<> ticks(address<int> out) {
  for (;;) {
    co_await sleep_for(10ms);
    (void)co_await out.send(1);
  }
}

task<> with_endless_source() {
  const auto sum = std::make_shared<int>(0);
  graph g("ticks");
  const auto source = g.add("source", {.restart = permanent}, ticks);
  const auto sink = g.add("sink", {.restart = permanent}, sum_up, sum);
  g.connect(source, sink, bounded(4));
  const auto s = co_await running(std::move(g));
  co_await sleep_for(105ms);
  const auto done = co_await s.drain(1s);
  require(done.has_value(), "not drained");
  require_equal(*sum, 10, "the sum");
  require(s.self().finished(), "it runs on");
}

TEST(GraphService, DrainCancelsTheNodesWithoutInputs) { play(with_endless_source); }

task<> stuck_node(mailbox<int> in) {
  (void)co_await in.receive();
  co_await sleep_for(24h);
}

task<> drain_in_vain() {
  graph g("stuck");
  const auto node = g.add("dawdler", stuck_node);
  const auto in = g.entry(node.in<0>(), bounded(1));
  const auto s = co_await running(std::move(g));
  const auto to = s.to(in);
  (void)co_await to.send(1);
  const auto done = co_await s.drain(1s);
  require(!done && done.error().is(errc::timed_out), "it is drained");
  require(std::string(done.error().message()).find("'dawdler' still run") != std::string::npos,
          std::string(done.error().message()));
  s.stop();
  (void)co_await s.self().join();
  require(counts(s.look(), "dawdler") == item_counts{.accepted = 1, .failed = 1}, s.look().to_json());
}

TEST(GraphService, DrainThatTakesTooLongNamesWhoRunsOn) { play(drain_in_vain); }

// -- crashes ----------------------------------------------------------------------------------------------

struct books {
  std::map<int, int> seen;
  int crashes = 0;
};

/// Fails on every seventh number.
task<> moody(mailbox<int> in, address<int> out, std::shared_ptr<books> b) {
  while (const auto n = co_await in.receive()) {
    if (*n % 7 == 0) {
      ++b->crashes;
      throw std::runtime_error("not this one");
    }
    (void)co_await out.send(*n);
  }
}
task<> note(mailbox<int> in, std::shared_ptr<books> b) {
  while (const auto n = co_await in.receive()) ++b->seen[*n];
}

task<> crashes(std::size_t replicas) {
  const auto b = std::make_shared<books>();
  graph g("moody");
  const auto source = g.add("source", count_up, 100);
  const auto middle = g.add("middle", {.replicas = replicas}, moody, b);
  const auto sink = g.add("sink", note, b);
  g.connect(source, middle, bounded(4));
  g.connect(middle, sink, bounded(4));
  const auto s = co_await running(std::move(g), {.intensity = {100, 1h}});
  const auto why = co_await s.self().join();
  require(why.normal(), "it ended: " + why.to_string());
  const auto look = s.look();
  require(look.conserved(), look.to_json());
  require_equal(b->crashes, 14, "crashes");
  require(counts(look, "middle") == item_counts{.accepted = 100, .handled = 86, .failed = 14}, look.to_json());
  require_equal<std::size_t>(b->seen.size(), 86, "numbers that came through");
  for (const auto& [n, times] : b->seen) require_equal(times, 1, "times that " + std::to_string(n) + " came");
  for (const auto& n : look.nodes) {
    if (n.name != "middle") continue;
    // The last crashes may find nothing left to come: then there is no restart.
    require(n.restarts <= 14 && n.restarts + replicas >= 14, std::to_string(n.restarts) + " restarts");
  }
}

TEST(GraphService, CrashLosesTheItemInHandAndNoOther) {
  play([] { return crashes(1); }, 30);
  play([] { return crashes(3); }, 30);
}

task<> kills_at_random(std::uint64_t seed) {
  xoshiro random(seed);
  const auto b = std::make_shared<books>();
  graph g("storm");
  const auto first = g.add("first", {.replicas = 2}, twice);
  const auto second = g.add("second", {.replicas = 2}, twice);
  const auto sink = g.add("sink", note, b);
  const auto in = g.entry(first.in<0>(), bounded(4));
  g.connect(first, second, rendezvous());
  g.connect(second, sink, bounded(2));
  const auto s = co_await running(std::move(g), {.intensity = {1000, 1h}});
  const auto to = s.to(in);
  for (int i = 1; i <= 60; ++i) {
    (void)co_await to.send(i);
    if (random.below(3) != 0) continue;
    const auto known = co_await s.top().children();
    const auto& victim = (*known)[random.below(known->size())];
    if (victim.who) victim.who.kill();
    require(s.look().conserved(), s.look().to_json());
  }
  const auto done = co_await s.drain(1h);
  require(done.has_value(), "not drained");
  const auto look = s.look();
  require(look.conserved(), look.to_json());
  std::uint64_t lost = 0;
  for (const auto& n : look.nodes) {
    for (const auto& input : n.inputs) {
      require(input.items.in_hand == 0 && input.items.queued == 0 && input.items.dropped() == 0, look.to_json());
      lost += input.items.failed;
    }
  }
  require_equal<std::size_t>(counts(look, "first").accepted, 60, "accepted");
  require(b->seen.size() + lost >= 60 && b->seen.size() <= 60, "numbers seen and lost do not add up");
  for (const auto& [n, times] : b->seen)
    require(n % 4 == 0 && times == 1, std::to_string(n) + " came " + std::to_string(times) + " times");
}

TEST(GraphService, ConservesItemsWhileActorsAreKilledAtRandom) {
  const auto found = testkit::explore({.runs = 300, .shrink = false}, kills_at_random);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

task<> gives_up() {
  graph g("hopeless");
  const auto b = std::make_shared<books>();
  const auto node = g.add("node", [](mailbox<int> in) -> task<> {
    (void)co_await in.receive();
    throw std::runtime_error("as always");
  });
  const auto in = g.entry(node.in<0>(), bounded(8));
  const auto s = co_await running(std::move(g), {.intensity = {2, 5s}});
  const auto to = s.to(in);
  for (int i = 0; i < 5; ++i) (void)co_await to.send(i);
  const auto why = co_await s.self().join();
  require(why.kind() == exit_kind::failed &&
              why.to_string().find("supervisor 'hopeless' gives up") != std::string::npos,
          why.to_string());
  const auto look = s.look();
  require(counts(look, "node") == item_counts{.accepted = 5, .failed = 3, .undelivered = 2}, look.to_json());
  const auto done = co_await s.drain(1s);
  require(!done, "a failed service is drained");
}

TEST(GraphService, ObeysIntensityAndSaysWhatBecameOfTheItems) { play(gives_up); }

task<> ring_the_bell(address<int> out, stage s) {
  ++s->starts["bell"];
  s->who["bell"] = this_actor::self();
  for (;;) {
    co_await sleep_for(10ms);
    (void)co_await out.send(1);
  }
}
task<> counting(mailbox<int> in, address<int> out, stage s, std::string name) {
  ++s->starts[name];
  s->who[name] = this_actor::self();
  while (const auto n = co_await in.receive()) (void)co_await out.send(*n);
}

task<> groups() {
  const auto s = std::make_shared<cast>();
  const auto sum = std::make_shared<int>(0);
  graph g("tree");
  const auto bell = g.add("bell", ring_the_bell, s);
  const auto a = g.add("a", counting, s, std::string("a"));
  const auto b = g.add("b", counting, s, std::string("b"));
  const auto sink = g.add("sink", sum_up, sum);
  g.connect(bell, a, bounded(4));
  g.connect(a, b, bounded(4));
  g.connect(b, sink, bounded(4));
  g.group("source", {}, bell);
  g.group("middle", {.strategy = one_for_all, .intensity = {1, 1h}}, a, b);
  const auto shop = co_await running(std::move(g));
  co_await sleep_for(5ms);
  s->who["a"].kill();
  co_await settle_all();
  require_equal<std::string>(s->counts(), "a2 b2 bell1", "after one of the group was killed");
  s->who["b"].kill(); // once too often: the group gives up, and is started anew as a whole
  co_await settle_all();
  require_equal<std::string>(s->counts(), "a3 b3 bell1", "after the group gave up");
  co_await sleep_for(100ms);
  const auto done = co_await shop.drain(1s);
  require(done.has_value() && shop.self().finished(), "not drained");
  require(*sum > 5, "nothing came through");
  require(shop.look().conserved(), shop.look().to_json());
}

TEST(GraphService, NodesOfAGroupAreRestartedAsItsStrategySays) { play(groups, 20); }

// -- forms of edges -------------------------------------------------------------------------------------------

task<> to_all() {
  const auto left = std::make_shared<books>();
  const auto right = std::make_shared<books>();
  graph g("copies");
  const auto source = g.add("source", count_up, 20);
  const auto l = g.add("left", note, left);
  const auto r = g.add("right", note, right);
  g.broadcast(source.out<0>(), l.in<0>(), bounded(2));
  g.broadcast(source.out<0>(), r.in<0>(), rendezvous());
  const auto s = co_await running(std::move(g));
  const auto why = co_await s.self().join();
  require(why.normal(), "it ended: " + why.to_string());
  require(left->seen.size() == 20 && right->seen == left->seen, "the copies differ");
  require(s.look().conserved(), s.look().to_json());
}

TEST(GraphService, BroadcastGivesEachInputACopy) { play(to_all); }

struct booking {
  int account = 0;
  int number = 0;
};
struct accounts {
  std::map<int, std::vector<int>> order; // the numbers of each account, as they came
  std::map<int, int> busy;               // how many are at work on it
  std::set<std::uint64_t> workers;
};

task<> book(mailbox<booking> in, std::shared_ptr<accounts> a) {
  while (const auto b = co_await in.receive()) {
    a->workers.insert(this_actor::id());
    require(++a->busy[b->account] == 1, "two at work on account " + std::to_string(b->account));
    co_await yield();
    a->order[b->account].push_back(b->number);
    --a->busy[b->account];
  }
}
task<> bookings(address<booking> out) {
  for (int i = 0; i < 60; ++i) {
    booking next{i % 7, i};
    (void)co_await out.send(next);
  }
}

task<> by_key() {
  const auto a = std::make_shared<accounts>();
  graph g("ledger");
  const auto source = g.add("source", bookings);
  const auto ledger = g.add("ledger", {.replicas = 3}, book, a);
  g.connect_by_key(source.out<0>(), ledger.in<0>(), bounded(2), [](const booking& b) { return b.account; });
  const auto s = co_await running(std::move(g));
  const auto why = co_await s.self().join();
  require(why.normal(), "it ended: " + why.to_string());
  std::size_t all = 0;
  for (const auto& [account, numbers] : a->order) {
    require(std::is_sorted(numbers.begin(), numbers.end()), "account " + std::to_string(account) + " is out of order");
    all += numbers.size();
  }
  require_equal<std::size_t>(all, 60, "bookings");
  require(a->workers.size() > 1, "one replica did it all");
  require(s.look().conserved(), s.look().to_json());
  require(s.look().to_dot().find("by key") != std::string::npos, s.look().to_dot());
}

TEST(GraphService, ItemsOfAKeyAreHandledInOrderOneAfterTheOther) { play(by_key, 50); }

task<> urgent_ones() {
  const auto seen = std::make_shared<std::vector<int>>();
  graph g("queue");
  const auto sink = g.add(
      "sink",
      [](mailbox<int> in, std::shared_ptr<std::vector<int>> to) -> task<> {
        co_await sleep_for(1s);
        while (const auto n = co_await in.receive()) to->push_back(*n);
      },
      seen);
  const auto others = g.add("others", count_up, 5);
  const auto urgent = g.add("urgent", [](address<int> out) -> task<> {
    co_await sleep_for(100ms);
    for (int i = 101; i <= 103; ++i) (void)co_await out.send(i);
  });
  g.connect(others, sink, bounded(16));
  g.connect(urgent, sink, bounded(16), {.urgent = true});
  const auto s = co_await running(std::move(g));
  const auto why = co_await s.self().join();
  require(why.normal(), "it ended: " + why.to_string());
  // The first is already on its way to the sink.
  require(*seen == std::vector<int>{1, 101, 102, 103, 2, 3, 4, 5},
          "the order is wrong: " + std::to_string(seen->at(1)));
  require(s.look().conserved(), s.look().to_json());
}

TEST(GraphService, UrgentItemsOvertake) { play(urgent_ones, 20); }

task<> overflows() {
  graph g("drops");
  const auto sink = g.add("sink", [](mailbox<int> in) -> task<> {
    co_await sleep_for(1s);
    while (const auto item = co_await in.receive()) {}
  });
  const auto in = g.entry(sink.in<0>(), bounded(2, overflow::drop_oldest));
  const auto s = co_await running(std::move(g));
  co_await settle_all();
  const auto to = s.to(in);
  for (int i = 0; i < 10; ++i) (void)to.try_send(i);
  require(counts(s.look(), "sink") == item_counts{.accepted = 10, .overflowed = 8, .queued = 2}, s.look().to_json());
  const auto done = co_await s.drain(2s);
  require(done.has_value(), "not drained");
  require(counts(s.look(), "sink") == item_counts{.accepted = 10, .handled = 2, .overflowed = 8}, s.look().to_json());
}

TEST(GraphService, CountsWhatAPolicyDrops) { play(overflows); }

task<> fan_in() {
  const auto sum = std::make_shared<int>(0);
  graph g("fan-in");
  const auto sink = g.add("sink", sum_up, sum);
  for (int i = 0; i < 5; ++i) g.connect(g.add("source " + std::to_string(i), count_up, 10), sink, bounded(1));
  const auto s = co_await running(std::move(g));
  const auto why = co_await s.self().join();
  require(why.normal() && *sum == 275, "the sum is " + std::to_string(*sum));
}

TEST(GraphService, SeveralOutputsMayLeadToOneInput) { play(fan_in); }

TEST(GraphService, ThatEndsAtOnceHasStarted) {
  actor_system sys(options{.workers = 2, .log_level = "off"});
  for (int i = 0; i < 300; ++i) {
    const auto sum = std::make_shared<int>(0);
    graph g("short");
    g.connect(g.add("source", count_up, 3), g.add("sink", sum_up, sum), bounded(4));
    const auto s = run(sys, std::move(g));
    ASSERT_TRUE(s) << s.error().message();
    EXPECT_TRUE(s->self().wait().normal());
    EXPECT_EQ(*sum, 6);
  }
}

TEST(GraphService, IsDrawnAsJsonAndDot) {
  actor_system sys(options{.workers = 1, .log_level = "off"});
  graph g("a \"shop\"");
  const auto doubler = g.add("doubler", {.replicas = 2}, twice);
  const auto sink = g.add("sink", sum_up, std::make_shared<int>(0));
  const auto in = g.entry(doubler.in<0>(), bounded(8));
  g.connect(doubler, sink, bounded(8));
  const auto s = run(sys, std::move(g)).value();
  (void)in;
  const auto look = s.look();
  EXPECT_EQ(look.to_dot(),
            "digraph \"a \\\"shop\\\"\" {\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n"
            "  edge [fontname=sans, fontsize=10];\n  n0 [label=\"doubler x2\"];\n  n1 [label=\"sink\"];\n"
            "  n0 -> n1 [label=\"int: 0 queued\"];\n}\n");
  EXPECT_NE(
      look.to_json().find(R"({"name":"a \"shop\"","nodes":[{"name":"doubler","declared_at":"graph_service_test.cpp:)"),
      std::string::npos)
      << look.to_json();
  s.stop();
  s.self().wait();
}

} // namespace
} // namespace greenroom::test::graph_service_test
