// What becomes of the items of a graph's nodes when these fail: by dead letters, once more, too late; and drains meanwhile.
#include <greenroom/actors/graph_service.hpp>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::graph_fate_test {
namespace {

task<> takes_pointers(mailbox<std::unique_ptr<int>> in) { (void)co_await in.receive(); }

const input_look& input(const graph_look& look, const std::string& node) {
  for (const auto& n : look.nodes) {
    if (n.name == node) return n.inputs.at(0);
  }
  throw std::out_of_range(node);
}

task<> numbers(int to, address<int> out) {
  for (int i = 1; i <= to; ++i) (void)co_await out.send(i);
}
task<> no_sevens(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) {
    if (*n % 7 == 0) throw std::runtime_error("a seven");
    (void)co_await out.send(*n);
  }
}
task<> add_all(mailbox<int> in, std::shared_ptr<int> sum) {
  while (const auto n = co_await in.receive()) *sum += *n;
}
task<> add_letters(mailbox<dead_letter> in, std::shared_ptr<int> sum) {
  while (const auto letter = co_await in.receive()) *sum += *letter->as<int>();
}

task<> clinic(queue_fate fate, std::size_t replicas) {
  const auto sum = std::make_shared<int>(0);
  const auto in_letters = std::make_shared<int>(0);
  graph g("clinic");
  const auto source = g.add("source", numbers, 50);
  const auto middle = g.add("middle", {.replicas = replicas, .queue = fate, .deliveries = 2}, no_sevens);
  const auto sink = g.add("sink", add_all, sum);
  const auto doctor = g.add("doctor", add_letters, in_letters);
  g.connect(source, middle, bounded(4));
  g.connect(middle, sink, bounded(4));
  g.dead_letters(doctor.in<0>(), bounded(64));
  auto s = co_await run(std::move(g), {.intensity = {1'000, 1h}});
  const auto why =
      co_await s->self().join(); // by itself: the doctor sees the end when all who may send letters have ended
  require(why.normal(), why.to_string());
  require_equal(*sum + *in_letters, 50 * 51 / 2, "all numbers");
  require_equal(*in_letters, 7 + 14 + 21 + 28 + 35 + 42 + 49, "those in letters");
  const auto look = s->look();
  require(look.conserved(), look.to_json());
  const item_counts wanted{
      .accepted = 50, .handled = 43, .failed = 7, .redelivered = fate == queue_fate::keep ? 7U : 0U};
  require(input(look, "middle").items == wanted, look.to_json());
  require(look.to_dot().find("[label=\"dead letters\", style=dashed]") != std::string::npos, look.to_dot());
  require(
      look.to_metrics().find("greenroom_edge_items_total{graph=\"clinic\",node=\"middle\",input=\"0\",replica=\"0\","
                             "became=\"failed\"} 7\n") != std::string::npos,
      look.to_metrics());
}

TEST(GraphFate, NodeOfAGraphTakesTheDeadLettersOfAllOthers) {
  for (const std::size_t replicas : {1u, 3u}) {
    play([replicas] { return clinic(queue_fate::dead_letter, replicas); }, 30);
    play([replicas] { return clinic(queue_fate::keep, replicas); }, 30);
  }
}

task<> note_all(mailbox<int> in, std::shared_ptr<std::multiset<int>> seen) {
  while (const auto n = co_await in.receive()) {
    co_await yield();
    seen->insert(*n);
  }
}

/// Kills nodes at random while items pass: none is lost, though some may come twice.
task<> at_least_once(std::uint64_t* redelivered) {
  const auto seen = std::make_shared<std::multiset<int>>();
  graph g("kept");
  const auto source = g.add("source", numbers, 60);
  const auto sink = g.add("sink", {.replicas = 2, .queue = queue_fate::keep, .deliveries = 1'000}, note_all, seen);
  g.connect(source, sink, bounded(2));
  auto s = co_await run(std::move(g), {.intensity = {10'000, 1h}});
  xoshiro random(seen->size() + 1);
  for (int i = 0; i < 40; ++i) {
    const auto nodes = co_await s->top().children();
    if (!nodes) break;
    for (const auto& one : *nodes) {
      if (one.name.starts_with("sink") && one.who && random.below(2) == 0) one.who.kill();
    }
    for (int k = 0; k < 3; ++k) co_await yield();
  }
  const auto why = co_await s->self().join();
  require(why.normal(), why.to_string());
  for (int n = 1; n <= 60; ++n) require(seen->count(n) >= 1, std::to_string(n) + " is lost");
  const auto look = s->look();
  require(look.conserved() && input(look, "sink").items.failed == 0, look.to_json());
  *redelivered += input(look, "sink").items.redelivered;
}

TEST(GraphFate, KeptItemsSurviveKillsAtRandom) {
  std::uint64_t redelivered = 0;
  play([&redelivered] { return at_least_once(&redelivered); }, 100);
  EXPECT_GT(redelivered, 100U);
}

// -- several inputs -------------------------------------------------------------------------------------------

task<> selects(mailbox<int> left, mailbox<int> right, int* count) {
  for (;;) {
    auto next = co_await select(left.receive(), right.receive());
    auto& item = next.index() == 0 ? next.get<0>() : next.get<1>();
    if (!item) co_return;
    ++*count;
    if (*item < 0) throw std::runtime_error("a negative number");
  }
}

task<> two_inputs(queue_fate fate) {
  int count = 0;
  graph g("two");
  const auto node = g.add("node", {.queue = fate, .deliveries = 1}, selects, &count);
  const auto clinic = g.add("clinic", add_letters, std::make_shared<int>(0));
  const auto left = g.entry(node.in<0>(), bounded(8));
  const auto right = g.entry(node.in<1>(), bounded(8));
  g.dead_letters(clinic.in<0>(), bounded(8));
  auto s = co_await run(std::move(g));
  const auto to_left = s->to(left);
  const auto to_right = s->to(right);
  for (int n = 1; n <= 3; ++n) {
    (void)co_await to_left.send(n);
    (void)co_await to_right.send(n);
  }
  (void)co_await to_right.send(-1);
  co_await settle_all();
  require_equal(count, 7, "items");
  const auto look = s->look();
  require(look.nodes[0].inputs[0].items == item_counts{.accepted = 3, .handled = 3}, look.to_json());
  require(look.nodes[0].inputs[1].items == item_counts{.accepted = 4, .handled = 3, .failed = 1}, look.to_json());
  s->stop();
  (void)co_await s->self().join();
}

TEST(GraphFate, ItemOfOneInputIsHandledOnceANodeAsksForTheNextOfAny) {
  for (const auto fate : {queue_fate::drop_poison, queue_fate::dead_letter, queue_fate::keep}) {
    play([fate] { return two_inputs(fate); }, 30);
  }
}

// -- drains -----------------------------------------------------------------------------------------------------

task<> fails_once(mailbox<int> in, std::shared_ptr<int> sum, bool* failed) {
  while (const auto n = co_await in.receive()) {
    if (!std::exchange(*failed, true)) throw std::runtime_error("the first time");
    *sum += *n;
  }
}

task<> drained_in_a_pause() {
  const auto sum = std::make_shared<int>(0);
  bool failed = false;
  graph g("pausing");
  node_options how{.queue = queue_fate::keep};
  how.backoff.first = 100ms;
  const auto sink = g.add("sink", how, fails_once, sum, &failed);
  const auto in = g.entry(sink.in<0>(), bounded(8));
  auto s = co_await run(std::move(g));
  const auto to = s->to(in);
  for (const int n : {1, 2, 3}) (void)co_await to.send(n);
  co_await settle_all();
  const auto done = co_await s->drain(5s);
  require(done.has_value(), "not drained");
  require_equal(*sum, 6, "the sum");
}

TEST(GraphFate, DrainWaitsForANodeThatPausesBeforeItsRestart) { play(drained_in_a_pause); }

task<> rings_for_ever(address<int> out) {
  for (;;) {
    co_await sleep_for(10ms);
    (void)co_await out.send(1);
  }
}

task<> group_ends_in_parts() {
  const auto sum = std::make_shared<int>(0);
  graph g("parts");
  const auto source = g.add("source", rings_for_ever);
  const auto sink = g.add("sink", add_all, sum);
  const auto a = g.add("a", add_all, sum);
  g.connect(source, sink, bounded(4));
  const auto in = g.entry(a.in<0>(), bounded(4));
  g.group("both", {}, source, a);
  auto s = co_await run(std::move(g));
  (void)co_await s->to(in).send(1);
  co_await sleep_for(15ms);
  const auto done = co_await s->drain(1s);
  require(done.has_value() && s->self().finished(), done ? "it runs on" : std::string(done.error().message()));
}

TEST(GraphFate, DrainEndsAGroupWhoseOtherNodesEndedFirst) { play(group_ends_in_parts, 50); }

task<> source_with_letters() {
  const auto sum = std::make_shared<int>(0);
  graph g("source");
  const auto source = g.add("source", {.queue = queue_fate::dead_letter}, numbers, 3);
  const auto sink = g.add("sink", {.queue = queue_fate::dead_letter}, add_all, sum);
  const auto doctor = g.add("doctor", add_letters, sum);
  g.connect(source, sink, bounded(4));
  g.dead_letters(doctor.in<0>(), bounded(4));
  require(g.faults().empty(), "it has faults");
  auto s = co_await run(std::move(g));
  require(s.has_value(), s ? "" : std::string(s.error().message()));
  const auto why = co_await s->self().join();
  require(why.normal() && *sum == 6, why.to_string());
}

TEST(GraphFate, SourceHasNoItemsAndMayDeclareWhatItLikes) { play(source_with_letters); }

TEST(GraphFate, FaultsOfAGraphNameWhatCannotBe) {
  const auto sum = std::make_shared<int>(0);
  graph g("wrong");
  const auto source = g.add("source", numbers, 50);
  const auto middle = g.add("middle", {.queue = queue_fate::dead_letter, .deliveries = 0}, no_sevens);
  const auto sink = g.add("sink", add_all, sum);
  g.connect(source, middle, bounded(4).expiring(0s));
  g.connect(middle, sink, rendezvous().expiring(1s));
  std::string all;
  for (const auto& f : g.faults()) all += f + "\n";
  EXPECT_EQ(all,
            "items on the way to input 0 of 'middle' expire at once: give expiring() a time above 0\n"
            "an edge that leads to input 0 of 'sink' has no queue in which items could expire: give it a capacity "
            "of 1 or more\n"
            "node 'middle': deliveries must be 1 or more\n"
            "what node 'middle' cannot handle is to become a dead letter, but nobody takes these: name an input by "
            "dead_letters(), or take queue_fate::drop_poison\n");

  graph twice("twice");
  const auto in = std::make_shared<int>(0);
  const auto a = twice.add("a", {.queue = queue_fate::dead_letter}, add_letters, in);
  const auto b = twice.add("b", add_letters, in);
  const auto p = twice.add("p", {.queue = queue_fate::keep}, takes_pointers);
  twice.dead_letters(a.in<0>(), bounded(4));
  twice.dead_letters(b.in<0>(), bounded(4));
  (void)twice.entry(p.in<0>(), bounded(4));
  all.clear();
  for (const auto& f : twice.faults()) all += f + "\n";
  EXPECT_NE(all.find("2 inputs are to take the dead letters"), all.npos) << all;
  EXPECT_NE(all.find("node 'a' takes dead letters, or lies behind"), all.npos) << all;
  EXPECT_NE(all.find("queue_fate::keep needs a copy of the item in hand, but input 0 of 'p'"), all.npos) << all;
}

task<> slow_sum(mailbox<int> in, std::shared_ptr<int> sum) {
  while (const auto n = co_await in.receive()) {
    co_await sleep_for(100ms);
    *sum += *n;
  }
}

task<> too_late() {
  const auto sum = std::make_shared<int>(0);
  graph g("stale");
  const auto sink = g.add("sink", slow_sum, sum);
  const auto in = g.entry(sink.in<0>(), bounded(8).expiring(150ms));
  auto s = co_await run(std::move(g));
  const auto to = s->to(in);
  for (const int n : {1, 10, 100, 1'000}) (void)co_await to.send(n);
  const auto done = co_await s->drain(1s);
  require(done.has_value(), "not drained");
  require_equal(*sum, 11, "the sum of those that came in time");
  const auto look = s->look();
  require(input(look, "sink").items == item_counts{.accepted = 4, .handled = 2, .expired = 2}, look.to_json());
}

TEST(GraphFate, ItemsThatWaitTooLongOnAnEdgeAreCountedAsExpired) { play(too_late); }

task<> slow_then_fails(mailbox<int> in, std::shared_ptr<int> sum, bool* failed) {
  while (const auto n = co_await in.receive()) {
    if (!std::exchange(*failed, true)) {
      co_await sleep_for(200ms);
      throw std::runtime_error("after a while");
    }
    *sum += *n;
  }
}

task<> kept_though_old() {
  const auto sum = std::make_shared<int>(0);
  bool failed = false;
  graph g("kept");
  const auto sink = g.add("sink", {.queue = queue_fate::keep}, slow_then_fails, sum, &failed);
  const auto in = g.entry(sink.in<0>(), bounded(8).expiring(150ms));
  auto s = co_await run(std::move(g));
  const auto to = s->to(in);
  (void)co_await to.send(1);
  const auto done = co_await s->drain(1s);
  require(done.has_value(), "not drained");
  const auto look = s->look();
  require(*sum == 1 && input(look, "sink").items == item_counts{.accepted = 1, .handled = 1, .redelivered = 1},
          look.to_json());
}

TEST(GraphFate, TimeInHandIsNoTimeInTheQueue) { play(kept_though_old); }

} // namespace
} // namespace greenroom::test::graph_fate_test
