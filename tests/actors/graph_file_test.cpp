// Graphs from files: what is read, and the place and sentence of each fault.
#include <greenroom/actors/graph_file.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include <greenroom/actors/graph_service.hpp>

namespace greenroom::graph_file_test {
namespace {

struct parcel {
  std::unique_ptr<int> content;
};

task<> count_up(address<int> out, node_settings settings) {
  for (std::int64_t i = 1; i <= settings.number("to", 3); ++i) (void)co_await out.send(static_cast<int>(i));
}
task<> twice(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) (void)co_await out.send(*n * 2);
}
task<> sum_up(mailbox<int> in, std::shared_ptr<int> sum) {
  while (const auto n = co_await in.receive()) *sum += *n;
}
task<> packs(address<parcel> out) {
  parcel p;
  (void)co_await out.send(std::move(p));
}
task<> two_ways(address<int> left, address<int> right) {
  (void)co_await left.send(1);
  (void)co_await right.send(2);
}

task<> keeps_aside(mailbox<dead_letter> in, std::shared_ptr<std::string> text) {
  while (const auto letter = co_await in.receive()) *text += letter->text + " ";
}

task<bool> drained(service s) {
  const auto done = co_await s.drain(std::chrono::seconds(60));
  co_return done.has_value();
}

class GraphFile : public testing::Test {
protected:
  GraphFile() {
    nodes.add("count", count_up).add("twice", twice).add("sum", sum_up, sum).add("pack", packs).add("two", two_ways);
    nodes.add_key<int>("itself", [](int n) { return n; });
  }
  ~GraphFile() override { std::filesystem::remove(file); }

  result<graph> load(const std::string& text) {
    std::ofstream(file) << text;
    return load_graph(nodes, file);
  }
  std::string why(const std::string& text) {
    const auto g = load(text);
    return g ? "it is read" : std::string(g.error().message());
  }
  bool says(const std::string& text, const std::string& place, const std::string& sentence) {
    const auto all = why(text);
    const bool found = all.find(file.native() + ":" + place + ": " + sentence) != all.npos;
    if (!found) ADD_FAILURE() << "not '" << place << ": " << sentence << "' but:\n" << all;
    return found;
  }

  std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("graph_" + std::to_string(::getpid()) + ".toml");
  std::shared_ptr<int> sum = std::make_shared<int>(0);
  node_library nodes;
};

TEST_F(GraphFile, IsWiredAsTheFileSays) {
  auto g = load(R"([graph]
name = "sums"
[nodes.source]
run = "count"
settings = { to = 10 }
[nodes.doubler]
run = "twice"
replicas = 2
restart = "permanent"
[nodes.other]
run = "sum"
[nodes.sink]
run = "sum"
[[edges]]
from = "source"
to = "doubler.0"
capacity = 4
by_key = "itself"
[[edges]]
from = "doubler"
to = "sink"
capacity = 0
broadcast = true
[[edges]]
from = "doubler.0"
to = "other"
capacity = "unbounded"
broadcast = true
)");
  ASSERT_TRUE(g) << g.error().message();
  actor_system sys(options{.workers = 1, .log_level = "off"});
  const auto s = run(sys, *std::move(g)).value();
  EXPECT_TRUE(s.self().wait().normal());
  EXPECT_EQ(*sum, 2 * 110);
  EXPECT_TRUE(s.look().conserved());
  EXPECT_EQ(s.look().name, "sums");
}

TEST_F(GraphFile, EachFaultHasItsPlace) {
  says("[nodes.a]\nrun = \"nothing\"\n", "2:7",
       "there is no function 'nothing' to run; there are count, pack, sum, twice, two");
  says("[nodes.a]\nreplicas = 2\n", "1:1", "node 'a' does not say what it runs");
  says("[nodes.a]\nrun = \"count\"\nreplicas = 0\n", "3:12", "replicas must be a whole number from 1 to 10000");
  says("[nodes.a]\nrun = \"count\"\nrestart = \"often\"\n", "3:11",
       "restart must be permanent, transient or temporary, not 'often'");
  says("[nodes.a]\nrun = \"count\"\nspeed = 3\n", "3:9",
       "'speed' is not known here; there are run, replicas, restart, backoff, grace, queue, deliveries, ports, "
       "settings");
  says("[nodes.a]\nrun = \"count\"\nsettings = { to = 1.5 }\n", "3:19", "setting to must be a text or a whole number");
  says("[nodse.a]\nrun = \"count\"\n", "1:1", "'nodse' is not known here");
  const std::string two = "[nodes.a]\nrun = \"count\"\n[nodes.b]\nrun = \"sum\"\n[nodes.p]\nrun = "
                          "\"pack\"\n[nodes.t]\nrun = \"two\"\n[[edges]]\n";
  says(two + "from = \"c\"\nto = \"b\"\ncapacity = 1\n", "10:8", "there is no node 'c'");
  says(two + "from = \"a\"\nto = \"b.1\"\ncapacity = 1\n", "11:6",
       "node 'b' has 1 input(s), so none with the number 1");
  says(two + "from = \"t\"\nto = \"b\"\ncapacity = 1\n", "10:8", "node 't' has 2 outputs: say which, as \"t.0\"");
  says(two + "from = \"a\"\ncapacity = 1\n", "9:1", "the edge does not say where it ends");
  says(two + "from = \"a\"\nto = \"b\"\n", "9:1", "the edge does not say how many items it holds");
  says(two + "from = \"a\"\nto = \"b\"\ncapacity = -1\n", "12:12",
       "capacity must be a whole number from 0 to 2147483648");
  says(two + "from = \"a\"\nto = \"b\"\ncapacity = 1\nwhen_full = \"burst\"\n", "13:13",
       "when_full must be wait, reject");
  says(two + "from = \"a\"\nto = \"b\"\ncapacity = 0\nwhen_full = \"drop_oldest\"\n", "12:12",
       "drop_oldest needs a queue");
  says(two + "from = \"p\"\nto = \"b\"\ncapacity = 1\n", "9:1",
       "the edge begins with items of type greenroom::graph_file_test::(anonymous namespace)::parcel, and ends at an "
       "input for int");
  says(two + "from = \"a\"\nto = \"b\"\ncapacity = 1\nby_key = \"name\"\n", "13:10",
       "there is no key 'name' for items of type int");
  says("[nodes\n", "1:7", "");
  EXPECT_NE(why("[nodes.a]\nrun = 1\n[nodes.b]\nrun = 2\n").find("\n"), std::string::npos)
      << "only the first fault is named";
}

const std::string two_nodes = "[nodes.a]\nrun = \"two\"\nports = [\"left\", \"right\"]\n[nodes.b]\nrun = \"sum\"\n";

TEST_F(GraphFile, NamesOfPortsAreKnownToItsEdges) {
  const auto edges = [](const std::string& first, const std::string& second) {
    std::string text = two_nodes + "[nodes.c]\nrun = \"sum\"\nports = [\"in\"]\n";
    for (const auto& [from, to] : {std::pair(first, "b"), std::pair(second, "c.in")})
      text += "[[edges]]\nfrom = \"" + from + "\"\nto = \"" + to + "\"\ncapacity = 1\n";
    return text;
  };
  const auto g = load(edges("a.right", "a.0"));
  ASSERT_TRUE(g) << g.error().message();
  EXPECT_EQ(g->faults(), std::vector<std::string>());
  EXPECT_EQ(g->plan().edges[0].output, 1u);
  EXPECT_EQ(look_at(*g).nodes[2].inputs[0].name, "input 'in' of 'c'");
  says(edges("a.up", "a.0"), "10:8", "node 'a' has no output 'up'; there are left, right");
  says(edges("a", "a.0"), "10:8", "node 'a' has 2 outputs: say which, as \"a.left\"");
  says(edges("a.2", "a.0"), "10:8", "node 'a' has 2 output(s), so none with the number 2");
  says(edges("b", "a.0"), "10:8", "node 'b' has no outputs");
  says("[nodes.b]\nrun = \"sum\"\n[entries.e]\nto = \"b.in\"\ncapacity = 1\n", "4:6",
       "node 'b' has no input 'in'; its ports have no names");
}

TEST_F(GraphFile, OptionsOfNodesAreRead) {
  const auto g =
      load("[nodes.a]\nrun = \"sum\"\ngrace = \"2s\"\nqueue = \"drop\"\ndeliveries = 7\nrestart = \"permanent\"\n"
           "backoff = { first = \"10ms\", most = \"5s\", factor = 3, jitter = 0.5, lasts = \"1min\" }\n");
  ASSERT_TRUE(g) << g.error().message();
  using namespace std::chrono_literals;
  const auto& how = g->plan().nodes[0].how;
  EXPECT_EQ(how.grace, duration(2s));
  EXPECT_EQ(how.queue, queue_fate::drop);
  EXPECT_EQ(how.deliveries, 7U);
  EXPECT_EQ(how.restart, permanent);
  EXPECT_EQ(how.backoff.first, 10ms);
  EXPECT_EQ(how.backoff.most, 5s);
  EXPECT_EQ(how.backoff.factor, 3);
  EXPECT_EQ(how.backoff.jitter, 0.5);
  EXPECT_EQ(how.backoff.lasts, 60s);
}

TEST_F(GraphFile, IntensityAndGroupsAreRead) {
  const auto g =
      load(two_nodes + "[graph]\nintensity = { restarts = 7, period = \"3s\" }\n[groups.both]\n"
                       "nodes = [\"a\", \"b\"]\nstrategy = \"rest_for_one\"\nintensity = { restarts = 2 }\n");
  ASSERT_TRUE(g) << g.error().message();
  EXPECT_EQ(g->plan().how.intensity.restarts, 7);
  EXPECT_EQ(g->plan().how.intensity.period, std::chrono::seconds(3));
  ASSERT_EQ(g->plan().groups.size(), 1u);
  const auto& group = g->plan().groups[0];
  EXPECT_EQ(group.name, "both");
  EXPECT_EQ(group.nodes, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(group.how.strategy, rest_for_one);
  EXPECT_EQ(group.how.intensity.restarts, 2);
  EXPECT_EQ(group.how.intensity.period, restart_intensity().period);
}

TEST_F(GraphFile, EachFaultOfAnOptionHasItsPlace) {
  const std::string a = "[nodes.a]\nrun = \"sum\"\n";
  says(a + "grace = 2\n", "3:9", "grace must be a duration such as 500ms, 2s, 5min or 1h, in quotes");
  says(a + "grace = \"soon\"\n", "3:9", "grace must be a duration");
  says(a + "queue = \"burn\"\n", "3:9", "queue must be drop_poison, dead_letter, keep or drop, not 'burn'");
  says(a + "[entries.e]\nto = \"a\"\ncapacity = \"unbounded\"\nwhen_full = \"reject\"\n", "6:13",
       "when_full has no meaning for a mailbox that is never full");
  says(a + "deliveries = 0\n", "3:14", "deliveries must be a whole number from 1 to 1000000");
  says(a + "[dead_letters]\nto = \"a\"\ncapacity = 4\n", "4:6",
       "dead letters need an input for greenroom::dead_letter, not int");
  says(a + "[dead_letters]\ncapacity = 4\n", "3:1", "the table of dead letters does not say where it ends");
  says(a + "[entries.e]\nto = \"a\"\ncapacity = 4\nexpires_after = 5\n", "6:17", "expires_after must be a duration");
  says(a + "backoff = \"10ms\"\n", "3:11", "backoff is no table");
  says(a + "backoff = { initial = \"10ms\" }\n", "3:23",
       "'initial' is not known here; there are first, most, factor, jitter, lasts");
  says(a + "backoff = { factor = \"two\" }\n", "3:22", "factor must be a number");
  says(a + "backoff = { factor = 0.5 }\n", "3:11", "backoff");
  says(a + "ports = \"in\"\n", "3:9", "ports must be a list of texts");
  says(a + "ports = [1]\n", "3:10", "ports must be a list of texts, each in quotes");
  says(a + "ports = [\"0\"]\n", "3:10", "'0' cannot name a port");
  says(a + "ports = []\n", "3:9", "node 'a' has 1 input(s) and 0 output(s), but 0 name(s) are given");
  says("[graph]\nintensity = { restarts = -1 }\n", "2:26", "restarts must be a whole number from 0 to 1000000");
  says("[graph]\nintensity = { period = \"0s\" }\n", "2:13", "intensity: the period must be more than 0 s, not 0 s");
  says("[graph]\nlibraries = [\"none.so\"]\n", "2:14", "cannot load the nodes of ");
  says(a + "[groups.g]\nnodes = [\"a\", \"b\"]\n", "4:15", "there is no node 'b'");
  says(a + "[groups.g]\nnodes = [\"a\"]\nstrategy = \"dynamic\"\n", "5:12",
       "strategy must be one_for_one, one_for_all or rest_for_one, not 'dynamic'");
  says(a + "[groups.g]\nstrategy = \"one_for_all\"\n", "3:1", "group 'g' does not say what is in it");
  says(a + "[entries.e]\ncapacity = 1\n", "3:1", "the entry does not say where it ends");
  says(a + "[entries.e]\nto = \"a\"\n", "3:1", "the entry does not say how many items it holds");
  says(a + "[entries]\ne = 1\n", "4:5", "entries.e is no table: write [entries.e]");
}

TEST_F(GraphFile, DeadLettersAndExpiryAreWired) {
  const auto text = std::make_shared<std::string>();
  nodes.add("even", [](mailbox<int> in) -> task<> {
    while (const auto n = co_await in.receive()) {
      if (*n % 2 != 0) throw std::runtime_error("odd");
    }
  });
  nodes.add("keep_aside", keeps_aside, text);
  auto g = load("[nodes.source]\nrun = \"count\"\n[nodes.even]\nrun = \"even\"\nqueue = \"dead_letter\"\n"
                "[nodes.clinic]\nrun = \"keep_aside\"\n[dead_letters]\nto = \"clinic\"\ncapacity = 8\n"
                "[[edges]]\nfrom = \"source\"\nto = \"even\"\ncapacity = 4\nexpires_after = \"1h\"\n");
  ASSERT_TRUE(g) << g.error().message();
  EXPECT_EQ(g->plan().edges[0].limits.expires_after, std::chrono::hours(1));
  actor_system sys(options{.workers = 1, .log_level = "off"});
  const auto s = run(sys, *std::move(g)).value();
  EXPECT_TRUE(s.self().wait().normal());
  EXPECT_EQ(*text, "1 3 ");
}

TEST_F(GraphFile, FaultOfANodeIsToldOnce) {
  const auto text =
      why("[nodes.a]\nrun = \"nothing\"\n[entries.e]\nto = \"a\"\ncapacity = 1\n[groups.g]\nnodes = [\"a\"]\n");
  EXPECT_EQ(text.find("there is no node"), text.npos) << text;
}

TEST_F(GraphFile, EntriesLetItemsIn) {
  auto g = load("[graph]\nname = \"sums\"\n[nodes.a]\nrun = \"sum\"\n[entries.numbers]\nto = \"a\"\ncapacity = 8\n");
  ASSERT_TRUE(g) << g.error().message();
  actor_system sys(options{.workers = 1, .log_level = "off"});
  const auto s = run(sys, *std::move(g)).value();
  {
    const auto to = s.entry<int>("numbers");
    ASSERT_TRUE(to) << to.error().message();
    for (int n = 1; n <= 4; ++n) EXPECT_TRUE(to->try_send(n));
  }
  const auto wrong = s.entry<parcel>("numbers");
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().is(errc::type_mismatch));
  EXPECT_EQ(wrong.error().message(), "entry 'numbers' of graph 'sums' takes items of type int, not "
                                     "greenroom::graph_file_test::(anonymous namespace)::parcel");
  const auto none = s.entry<int>("letters");
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().is(errc::not_found));
  EXPECT_EQ(none.error().message(), "graph 'sums' has no entry 'letters': there are numbers");
  EXPECT_EQ(s.look().entries.size(), 1u);
  EXPECT_TRUE(sys.run(drained, s).value());
  EXPECT_EQ(*sum, 10);
}

TEST_F(GraphFile, IsDrawnBeforeItRuns) {
  const auto g = load(two_nodes + "[nodes.c]\nrun = \"sum\"\n[[edges]]\nfrom = \"a.left\"\nto = \"b\"\ncapacity = 1\n"
                                  "broadcast = true\n[[edges]]\nfrom = \"a.left\"\nto = \"c\"\ncapacity = 1\n"
                                  "broadcast = true\n");
  ASSERT_TRUE(g) << g.error().message();
  EXPECT_THROW(look_at(*g), graph_error) << "a.right leads nowhere";
  auto whole =
      load(two_nodes + "[[edges]]\nfrom = \"a.left\"\nto = \"b\"\ncapacity = 1\n[[edges]]\nfrom = \"a.right\"\n"
                       "to = \"b\"\ncapacity = 1\n");
  ASSERT_TRUE(whole) << whole.error().message();
  const auto before = look_at(*whole);
  actor_system sys(options{.workers = 1, .log_level = "off"});
  const auto s = run(sys, *std::move(whole)).value();
  EXPECT_TRUE(s.self().wait().normal());
  const auto after = s.look();
  EXPECT_EQ(before.nodes[1].inputs[0].items, item_counts());
  EXPECT_EQ(after.nodes[1].inputs[0].items, (item_counts{.accepted = 2, .handled = 2}));
  EXPECT_EQ(before.nodes.size(), after.nodes.size());
  EXPECT_EQ(before.edges.size(), after.edges.size());
}

TEST_F(GraphFile, ThatIsMissingIsAnError) {
  const auto g = load_graph(nodes, "/nowhere/graph.toml");
  ASSERT_FALSE(g);
  EXPECT_TRUE(g.error().is(errc::not_found));
  EXPECT_NE(std::string(g.error().message()).find("/nowhere/graph.toml"), std::string::npos);
}

TEST_F(GraphFile, IsCheckedAsAnyGraphBeforeItRuns) {
  auto g = load("[nodes.a]\nrun = \"twice\"\n[[edges]]\nfrom = \"a\"\nto = \"a\"\ncapacity = 1\n");
  ASSERT_TRUE(g) << g.error().message();
  EXPECT_EQ(g->faults().size(), 2u);
}

TEST_F(GraphFile, NamesAreRegisteredOnce) {
  EXPECT_THROW(nodes.add("count", twice), usage_error);
  EXPECT_THROW(nodes.add_key<int>("itself", [](int n) { return -n; }), usage_error);
}

} // namespace
} // namespace greenroom::graph_file_test
