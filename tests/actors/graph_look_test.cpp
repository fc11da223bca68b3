// What a look at a graph says of its nodes and edges: who is stuck where, since when, and how long items take.
#include <greenroom/actors/graph_look.hpp>

#include <stdexcept>
#include <string>
#include <thread>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::graph_look_test {
namespace {

task<service> running(graph g, graph_options how = {}) {
  auto s = co_await run(std::move(g), how);
  require(s.has_value(), "it does not run");
  co_return *std::move(s);
}

const node_look& node(const graph_look& look, const std::string& name) {
  for (const auto& n : look.nodes) {
    if (n.name == name) return n;
  }
  throw std::out_of_range(name);
}
template <class Number>
void expect(Number actual, long wanted, const char* what) {
  require_equal(static_cast<long>(actual), wanted, what);
}
void require_doing(const graph_look& look, const std::string& name, node_state state, const std::string& words) {
  const auto* const first = node(look, name).foremost();
  require(first != nullptr && first->state == state && first->doing == words, name + ": " + look.to_json());
}

task<> send_for_ever(address<int> out) {
  for (int n = 0;; ++n) (void)co_await out.send(n);
}
task<> count_to(int most, address<int> out) {
  for (int n = 0; n < most; ++n) (void)co_await out.send(n);
}
task<> take_slowly(mailbox<int> in, duration each) {
  while (const auto n = co_await in.receive()) co_await sleep_for(each);
}
task<> take_all(mailbox<int> in) {
  while (const auto n = co_await in.receive()) continue;
}

task<> behind_a_slow_node() {
  graph g("slow");
  const auto source = g.add("source", {.replicas = 2}, send_for_ever);
  const auto sink = g.add("sink", take_slowly, duration(10s));
  g.connect(source, sink, bounded(3));
  const auto s = co_await running(std::move(g));
  co_await sleep_for(250ms);
  const auto look = s.look();
  require_doing(look, "source", node_state::blocked, "blocked sending to 'sink'");
  require_doing(look, "sink", node_state::waiting, "sleeping");
  expect(node(look, "source").foremost()->since / 1ms, 250, "the wait, in ms");
  const auto& in = node(look, "sink").inputs.at(0);
  expect(in.capacity.value_or(0), 3, "the capacity");
  expect(in.items.queued, 3, "queued");
  expect(in.blocked_senders, 2, "senders that wait");
  expect(in.oldest.value_or(-1ms) / 1ms, 250, "the age of the oldest, in ms");
  s.stop();
  (void)co_await s.self().join();
  const auto after = s.look();
  require_doing(after, "source", node_state::ended, "ended");
  require(!node(after, "sink").inputs.at(0).oldest, after.to_json());
}

TEST(GraphLook, ShowsWhoWaitsBeforeAFullEdgeAndForHowLong) { play(behind_a_slow_node); }

task<> handling_times() {
  graph g("times");
  const auto source = g.add("source", count_to, 5);
  const auto sink = g.add("sink", {.restart = permanent}, take_slowly, duration(10ms));
  const auto in = g.entry(sink.in<0>(), bounded(8));
  g.connect(source, sink, bounded(8));
  const auto s = co_await running(std::move(g));
  const auto to = s.to(in);
  co_await sleep_for(45ms);
  expect(node(s.look(), "sink").inputs.at(0).handling / 1ms, 45, "in hand so far, one after the other");
  co_await sleep_for(1s);
  expect(node(s.look(), "sink").inputs.at(0).handling / 1ms, 50, "idle time is none");
  require_doing(s.look(), "sink", node_state::idle, "waiting for input");
  (void)co_await to.send(1);
  co_await sleep_for(1s);
  expect(node(s.look(), "sink").inputs.at(0).handling / 1ms, 60, "one more");
  s.stop();
  (void)co_await s.self().join();
}

TEST(GraphLook, SumsTheTimesInWhichItemsWereInHand) { play(handling_times, 20); }

task<> from_either(mailbox<int> a, mailbox<int> b) {
  for (;;) {
    auto next = co_await select(a.receive(), b.receive());
    if (next.index() == 0 ? !next.get<0>() : !next.get<1>()) co_return;
    co_await sleep_for(20ms);
  }
}

task<> handling_in_a_select() {
  graph g("either");
  const auto source = g.add("source", count_to, 3);
  const auto idle = g.add("idle source", {.restart = permanent}, count_to, 0);
  const auto sink = g.add("sink", from_either);
  g.connect(source.out<0>(), sink.in<0>(), bounded(8));
  g.connect(idle.out<0>(), sink.in<1>(), bounded(8));
  (void)idle;
  const auto s = co_await running(std::move(g), {.intensity = {0, 1s}});
  (void)co_await s.self().join();
  const auto look = s.look();
  require(node(look, "sink").inputs.at(0).handling / 1ms % 20 == 0, look.to_json());
}

TEST(GraphLook, TimesWhatASelectTakes) { play(handling_in_a_select); }

task<> fails_at_two(mailbox<int> in) {
  while (const auto n = co_await in.receive()) {
    if (*n == 2) throw std::runtime_error("two is \"bad\"");
  }
}

task<> after_a_failure() {
  graph g("failing");
  backoff slowly;
  slowly.first = slowly.most = 1h;
  const auto source = g.add("source", count_to, 9);
  const auto sink = g.add("sink", {.restart = permanent, .backoff = slowly}, fails_at_two);
  const auto other = g.add("other source", {.restart = temporary}, count_to, 9);
  const auto gone = g.add("gone", {.restart = temporary}, fails_at_two);
  g.connect(source, sink, bounded(64));
  g.connect(other, gone, bounded(64));
  g.group("pair", {.strategy = rest_for_one, .intensity = {3, 2s}}, other, gone);
  const auto s = co_await running(std::move(g));
  co_await sleep_for(1s);
  const auto look = s.look();
  require_doing(look, "sink", node_state::restarting, "about to be restarted");
  require_doing(look, "gone", node_state::failed, "failed");
  require_doing(look, "source", node_state::ended, "ended");
  const auto& why = node(look, "sink").foremost()->last_failure;
  require(why.find("two is \"bad\"") != std::string::npos && why.find("in hand") != std::string::npos, why);
  require(look.to_json().find(R"(two is \"bad\")") != std::string::npos, look.to_json());
  const auto& pair = look.supervisors.at(node(look, "gone").supervisor);
  require(pair.name == "pair" && pair.strategy == "rest_for_one", pair.name + pair.strategy);
  require(pair.most_restarts == 3 && pair.period == 2s, look.to_json());
  require(look.supervisors.at(0).name == "failing" && pair.parent == 0, "the tree");
  s.stop();
  (void)co_await s.self().join();
}

TEST(GraphLook, ShowsWhatHasFailedAndWhy) { play(after_a_failure); }

task<> double_up(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) {
    (void)co_await out.send(*n);
    (void)co_await out.send(*n);
  }
}

TEST(GraphLook, MarksTheNodesOfAKnotAndNoOthers) {
  options how;
  how.log_level = "off";
  actor_system sys(how);
  graph g("ring");
  const auto source = g.add("source", count_to, 1);
  const auto a = g.add("a", double_up);
  const auto b = g.add("b <&>", double_up);
  const auto aside = g.add("aside", take_all);
  const auto in = g.entry(aside.in<0>(), unbounded());
  g.connect(source, a, bounded(1));
  g.connect(a, b, bounded(1));
  g.connect(b, a, bounded(1), {.allow_cycle = "it is to fill up"});
  const auto s = run(sys, std::move(g)).value();
  const auto keeps_open = s.to(in);
  EXPECT_EQ(&s.system(), &sys);
  while (sys.deadlocks().found.empty()) // ends by the time limit of the test if it is never found
    std::this_thread::yield();
  auto look = s.look(); // only now: one from before the knot closed would still show rings with room
  look.mark(sys.deadlocks());
  EXPECT_EQ(node(look, "a").knot(), 1U);
  EXPECT_EQ(node(look, "b <&>").knot(), 1U);
  EXPECT_EQ(node(look, "aside").knot(), 0U);
  EXPECT_FALSE(node(look, "aside").inputs.at(0).capacity.has_value());
  EXPECT_NE(look.to_json().find(R"("knots":[{"until_deadline":false,"actors":[{"id":)"), std::string::npos);
  EXPECT_NE(look.to_dot().find(R"([label="a", color=red])"), std::string::npos) << look.to_dot();
  const auto text = look.to_mermaid();
  EXPECT_TRUE(text.starts_with("flowchart LR\n  n")) << text;
  EXPECT_NE(text.find(R"(["b #60;#38;#62;"])"), std::string::npos) << text;
  EXPECT_NE(text.find("==>"), std::string::npos) << text;
  EXPECT_NE(text.find("knot\n"), std::string::npos) << text;
  s.stop();
  (void)s.self().wait();
}

TEST(GraphLook, OfAGraphThatDoesNotRunHasNoActors) {
  graph g("still");
  const auto source = g.add("source", count_to, 1);
  const auto sink = g.add("sink", take_all);
  g.connect(source, sink, bounded(7));
  const auto look = look_at(g);
  EXPECT_EQ(node(look, "sink").foremost(), nullptr);
  EXPECT_EQ(node(look, "sink").inputs.at(0).capacity, 7U);
  EXPECT_NE(look.to_json().find(R"("state":"declared")"), std::string::npos) << look.to_json();
}

TEST(GraphLook, MarksWhoKeepsAWorker) {
  graph_look look;
  look.nodes.resize(1);
  look.nodes[0].actors.resize(2);
  look.nodes[0].actors[0].id = 7;
  look.nodes[0].actors[0].state = node_state::running;
  stuck_actor one;
  one.actor.id = 7;
  one.for_at_least = 1'500ms;
  look.mark(std::vector<stuck_actor>{one});
  EXPECT_EQ(look.nodes[0].foremost()->state, node_state::stuck);
  EXPECT_EQ(look.nodes[0].foremost()->since, 1'500ms);
}

} // namespace
} // namespace greenroom::test::graph_look_test
