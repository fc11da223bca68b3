// Graphs from files: what is read, and the place and sentence of each fault.
#include <greenroom/actors/graph_file.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include <greenroom/actors/graph_service.hpp>

namespace greenroom {
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
       "'speed' is not known here; there are run, replicas, restart, settings");
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
       "the edge begins with items of type greenroom::(anonymous namespace)::parcel, and ends at an input for int");
  says(two + "from = \"a\"\nto = \"b\"\ncapacity = 1\nby_key = \"name\"\n", "13:10",
       "there is no key 'name' for items of type int");
  says("[nodes\n", "1:7", "");
  EXPECT_NE(why("[nodes.a]\nrun = 1\n[nodes.b]\nrun = 2\n").find("\n"), std::string::npos)
      << "only the first fault is named";
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
} // namespace greenroom
