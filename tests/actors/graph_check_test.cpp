// What run() refuses, in one error with every fault; what it only warns of.
#include <greenroom/actors/graph_service.hpp>

#include <string>

#include <gtest/gtest.h>

namespace greenroom::graph_check_test {
namespace {

struct order {
  int id = 0;
};
struct quote {
  int price = 0;
};

task<> emits(address<order> out) { (void)co_await out.send(order()); }
task<> prices(mailbox<order> in, address<quote> out) {
  while (const auto o = co_await in.receive()) (void)co_await out.send(quote{o->id});
}
task<> passes(mailbox<order> in, address<order> out) {
  while (auto o = co_await in.receive()) (void)co_await out.send(std::move(*o));
}
task<> books(mailbox<quote> in) {
  while (const auto item = co_await in.receive()) {}
}
task<> consumes(mailbox<order> in) {
  while (const auto item = co_await in.receive()) {}
}
task<> joins(mailbox<order> left, mailbox<order> right) {
  while (const auto item = co_await left.receive()) (void)co_await right.receive();
}
task<> splits(mailbox<order> in, address<order> even, address<order> odd) {
  while (auto o = co_await in.receive()) (void)co_await (o->id % 2 == 0 ? even : odd).send(std::move(*o));
}

std::string all(const std::vector<std::string>& faults) {
  std::string text;
  for (const auto& f : faults) text += f + "\n";
  return text;
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(GraphCheck, FindsNothingInAGraphThatIsWhole) {
  graph g("shop");
  const auto source = g.add("source", emits);
  const auto pricer = g.add("pricer", {.replicas = 4}, prices);
  const auto ledger = g.add("ledger", books);
  g.connect(source, pricer, bounded(8));
  g.connect(pricer, ledger, bounded(8));
  EXPECT_EQ(all(g.faults()), "");
  EXPECT_EQ(all(g.warnings()), "");
}

TEST(GraphCheck, NamesEveryFaultAtOnceEachWithItsCure) {
  graph g("shop");
  const auto a = g.add("a", passes);
  const auto b = g.add("b", passes);
  g.connect(a, b, bounded(8));
  g.connect(b, a, rendezvous());
  const auto open = g.add("open", prices); // both of its ports
  (void)open;
  const auto source = g.add("source", emits);
  const auto left = g.add("left", consumes);
  const auto right = g.add("right", consumes);
  g.connect(source, left, bounded(1));
  g.connect(source, right, bounded(1)); // twice, and no broadcast
  const auto second = g.add("second", emits);
  g.connect(second, left, bounded(2));   // other limits
  g.add("left", {.replicas = 0}, emits); // a name twice, no replicas, open
  const auto split = g.add("split", splits);
  g.name_ports(split, {"in", "way", "way"});

  actor_system sys(options{.workers = 1, .log_level = "off"});
  try {
    (void)run(sys, g, {.intensity = {-1, std::chrono::seconds(1)}});
    FAIL() << "it runs";
  } catch (const graph_error& e) {
    const std::string text = e.what();
    const std::vector<std::string> wanted = {
        "graph 'shop' cannot run: ",
        "two nodes are called 'left': name each of them differently",
        "node 'left' has 0 replicas: 1 to 10000 are possible",
        "two ports of 'split' are called 'way'",
        "input 0 of 'open' is open: connect an output of type greenroom::graph_check_test::(anonymous "
        "namespace)::order to it, or let "
        "items in from outside by entry()",
        "output 0 of 'open' is open: connect it to an input of type greenroom::graph_check_test::(anonymous "
        "namespace)::quote",
        "output 0 of 'left' is open",
        "output 0 of 'source' has 2 edges: an output has one, or several that are all made by broadcast()",
        "the edges that lead to input 0 of 'left' have different limits, bounded(1, overflow::wait) and bounded(2, "
        "overflow::wait)",
        "node 'open' cannot be reached",
        "node 'a' cannot be reached",
        "node 'b' cannot be reached",
        "the cycle 'a' -> 'b' -> 'a' can stop for ever",
        "overflow::reject or drop_oldest, or unbounded()",
        ".allow_cycle = ",
        "intensity: restarts must be 0 or more, not -1"};
    for (const auto& part : wanted) EXPECT_TRUE(has(text, part)) << "missing: " << part << "\nin: " << text;
    EXPECT_EQ(e.faults().size(), 17u) << text; // and input and outputs of split, which is not reached either
  }
  EXPECT_EQ(sys.live_actors(), 0u) << "something was started";
}

/// a -> b -> c -> a, one of the edges as given.
std::string faults_of_ring(mailbox_limits last, edge_options how = {}) {
  graph g("ring");
  const auto a = g.add("a", passes);
  const auto b = g.add("b", passes);
  const auto c = g.add("c", passes);
  (void)g.entry(a.in<0>(), last);
  g.connect(a, b, bounded(8));
  g.connect(b, c, bounded(8));
  g.connect(c, a, last, std::move(how));
  return all(g.faults());
}

TEST(GraphCheck, NamesAreTextThatAPageAndATerminalCanShow) {
  const auto faults_of_name = [](const std::string& name) {
    graph g("names");
    (void)g.add(name, books);
    return all(g.faults());
  };
  EXPECT_NE(faults_of_name(std::string(129, 'x'))
                .find("the name of a node that begins with 'xxxxxxxxxxxxxxxx' has 129 bytes: 128 are possible"),
            std::string::npos);
  EXPECT_NE(faults_of_name("bad \xff").find("the name of a node holds the byte 0xff at 4: a name is text in UTF-8"),
            std::string::npos);
  for (const char* const bad : {"two\nlines", "a\x1b[1m", "\x7f", "half \xc3"})
    EXPECT_NE(faults_of_name(bad).find("holds the byte"), std::string::npos) << bad;
  for (const auto& good : {std::string(128, 'x'), std::string("<b> \"\xc3\xa9\xf0\x9f\x98\x80\"")})
    EXPECT_EQ(faults_of_name(good).find("the name of"), std::string::npos) << good;
}

TEST(GraphCheck, CycleIsFineIfOneOfItsEdgesDoesNotWaitOrSomebodySaysWhy) {
  EXPECT_TRUE(has(faults_of_ring(bounded(1000)), "the cycle 'a' -> 'b' -> 'c' -> 'a'"));
  EXPECT_TRUE(has(faults_of_ring(rendezvous()), "the cycle 'a' -> 'b' -> 'c' -> 'a'"));
  EXPECT_EQ(faults_of_ring(unbounded()), "");
  EXPECT_EQ(faults_of_ring(bounded(8, overflow::reject)), "");
  EXPECT_EQ(faults_of_ring(bounded(8, overflow::drop_oldest)), "");
  EXPECT_EQ(faults_of_ring(bounded(8), {.allow_cycle = "one token goes round"}), "");
}

TEST(GraphCheck, NodeThatSendsToItselfIsACycle) {
  graph g("loop");
  const auto a = g.add("a", passes);
  (void)g.entry(a.in<0>(), bounded(1));
  g.connect(a, a, bounded(1));
  EXPECT_TRUE(has(all(g.faults()), "the cycle 'a' -> 'a'")) << all(g.faults());
}

TEST(GraphCheck, EachCycleIsNamed) {
  graph g("two");
  for (const std::string part : {"x", "y"}) {
    const auto a = g.add(part + "1", passes);
    const auto b = g.add(part + "2", passes);
    (void)g.entry(a.in<0>(), bounded(1));
    g.connect(a, b, bounded(1));
    g.connect(b, a, bounded(1));
  }
  EXPECT_EQ(g.faults().size(), 2u) << all(g.faults());
}

TEST(GraphCheck, WarnsOfWaysThatPartAndMeetAgainAtDifferentInputs) {
  graph g("diamond");
  const auto source = g.add("source", emits);
  const auto split = g.add("split", splits);
  const auto way = g.add("way", passes);
  const auto join = g.add("join", joins);
  g.connect(source, split, bounded(1));
  g.connect(split.out<0>(), way.in<0>(), bounded(1));
  g.connect(way.out<0>(), join.in<0>(), bounded(1));
  g.connect(split.out<1>(), join.in<1>(), bounded(1));
  EXPECT_EQ(all(g.faults()), "");
  ASSERT_EQ(g.warnings().size(), 1u) << all(g.warnings());
  EXPECT_TRUE(has(g.warnings()[0], "ways that part at 'split' meet again at different inputs of 'join'"))
      << g.warnings()[0];
}

TEST(GraphCheck, WarnsWhereWaysPartLastAndNotWhereTheyHaveMetAgain) {
  graph g("two diamonds");
  const auto source = g.add("source", emits);
  const auto first = g.add("first", splits);
  const auto left = g.add("left", passes);
  const auto right = g.add("right", passes);
  const auto second = g.add("second", splits); // where the ways from `first` meet, at one input
  const auto join = g.add("join", joins);
  g.connect(source, first, bounded(1));
  g.connect(first.out<0>(), left.in<0>(), bounded(1));
  g.connect(first.out<1>(), right.in<0>(), bounded(1));
  g.connect(left, second, bounded(1));
  g.connect(right, second, bounded(1));
  g.connect(second.out<0>(), join.in<0>(), bounded(1));
  g.connect(second.out<1>(), join.in<1>(), bounded(1));
  EXPECT_EQ(all(g.faults()), "");
  ASSERT_EQ(g.warnings().size(), 1u) << all(g.warnings());
  EXPECT_TRUE(has(g.warnings()[0], "ways that part at 'second'")) << g.warnings()[0];
}

TEST(GraphCheck, WaysWithANodeInCommonBehindACycleDoNotConfuseIt) {
  graph g("ring before a join");
  const auto source = g.add("source", emits);
  const auto split = g.add("split", splits);
  const auto back = g.add("back", passes);
  const auto join = g.add("join", joins);
  const auto other = g.add("other", emits);
  g.connect(source, split, bounded(1));
  g.connect(split.out<0>(), back.in<0>(), bounded(1));
  g.connect(back.out<0>(), split.in<0>(), bounded(1), {.allow_cycle = "a test"});
  g.connect(split.out<1>(), join.in<0>(), bounded(1));
  g.connect(other.out<0>(), join.in<1>(), bounded(1));
  EXPECT_EQ(all(g.warnings()), "");
}

TEST(GraphCheck, KeysAndOtherEdgesDoNotMixAtOneInput) {
  graph g("keys");
  const auto ledger = g.add("ledger", {.replicas = 2}, consumes);
  const auto one = g.add("one", emits);
  const auto two = g.add("two", emits);
  g.connect_by_key(one.out<0>(), ledger.in<0>(), bounded(1), [](const order& o) { return o.id; });
  EXPECT_EQ(g.faults().size(), 1u) << "two.out is open";
  g.connect(two, ledger, bounded(1));
  ASSERT_EQ(g.faults().size(), 1u);
  EXPECT_TRUE(has(g.faults()[0], "input 0 of 'ledger' has edges of connect_by_key() and others")) << g.faults()[0];
}

TEST(GraphCheck, NodeHasOneGroupAndGroupsHaveNamesOfTheirOwn) {
  graph g("groups");
  const auto source = g.add("source", emits);
  const auto sink = g.add("sink", consumes);
  g.connect(source, sink, bounded(1));
  g.group("one", {}, source, sink);
  EXPECT_EQ(all(g.faults()), "");
  g.group("sink", {.strategy = dynamic, .intensity = {1, duration()}}, sink);
  const auto text = all(g.faults());
  EXPECT_TRUE(has(text, "the group 'sink' needs a name that no node and no other group has")) << text;
  EXPECT_TRUE(has(text, "the group 'sink' cannot be dynamic")) << text;
  EXPECT_TRUE(has(text, "the group 'sink': intensity: the period must be more than 0 s")) << text;
  EXPECT_TRUE(has(text, "node 'sink' is in two groups, 'one' and 'sink'")) << text;
}

TEST(GraphCheck, OptionsOutOfRangeAreFaults) {
  graph g("options");
  const auto source = g.add("source", {.backoff = {.factor = 0.5}, .grace = std::chrono::seconds(-1)}, emits);
  const auto sink = g.add("sink", {.replicas = 1'000'000}, consumes);
  g.connect(source, sink, {0, overflow::drop_oldest});
  const auto text = all(g.faults());
  EXPECT_TRUE(has(text, "node 'source': backoff: factor must be 1 or more, not 0.5")) << text;
  EXPECT_TRUE(has(text, "node 'source': grace must be 0 or more")) << text;
  EXPECT_TRUE(has(text, "node 'sink' has 1000000 replicas: 1 to 10000 are possible")) << text;
  EXPECT_TRUE(has(text, "an edge that leads to input 0 of 'sink' has no queue from which drop_oldest could drop"))
      << text;
}

TEST(GraphCheck, PortsOfAnotherGraphAndGraphsMovedFromAreUsageErrors) {
  graph one("one");
  graph two("two");
  const auto source = one.add("source", emits);
  const auto sink = two.add("sink", consumes);
  EXPECT_THROW(one.connect(source, sink, bounded(1)), usage_error);
  EXPECT_THROW(one.entry(sink.in<0>(), bounded(1)), usage_error);
  EXPECT_THROW(one.group("g", {}, sink), usage_error);
  graph copy(one);
  const auto own = copy.add("own", consumes);
  copy.connect(source, own, bounded(1)); // a node from before the copy
  EXPECT_EQ(all(copy.faults()), "");
  EXPECT_EQ(one.plan().nodes.size(), 1u) << "the copy is the same graph";
  const graph taken(std::move(one));
  EXPECT_THROW((void)one.faults(), usage_error);
}

TEST(GraphCheck, EmptyGraphCannotRun) { EXPECT_TRUE(has(all(graph("none").faults()), "it has no nodes")); }

TEST(GraphCheck, WrongNumberOfPortNamesIsAUsageError) {
  graph g("g");
  const auto a = g.add("a", passes);
  EXPECT_THROW(g.name_ports(a, {"in"}), usage_error);
}

TEST(GraphCheck, TwoEntriesOfOneNameAreAFault) {
  graph g("g", {.intensity = {3, std::chrono::seconds(1)}});
  const auto a = g.add("a", consumes);
  g.entry(a.in<0>(), bounded(1), "orders");
  g.entry(a.in<0>(), bounded(1), "");
  g.entry(a.in<0>(), bounded(1), "");
  EXPECT_EQ(all(g.faults()), "");
  g.entry(a.in<0>(), bounded(1), "orders");
  EXPECT_TRUE(has(all(g.faults()), "two entries are called 'orders'"));
  EXPECT_EQ(g.plan().how.intensity.restarts, 3);
}

TEST(GraphCheck, PortsAreFoundByTheirTypesOrNamedByNumber) {
  graph g("g");
  const auto source = g.add("source", emits);
  const auto pricer = g.add("pricer", prices);
  g.connect(source, pricer, bounded(1));
  g.connect(pricer, g.add("books", books), bounded(1));
  ASSERT_EQ(g.plan().edges.size(), 2u);
  EXPECT_EQ(g.plan().edges[1].output, 0u);
  EXPECT_EQ(g.plan().edges[1].input, 0u);
}

} // namespace
} // namespace greenroom::graph_check_test
