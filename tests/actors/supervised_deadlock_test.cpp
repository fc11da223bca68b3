// Deadlocks among the children of supervisors and the nodes of graphs: the ends that are kept for restarts hide none, and make none up.
#include <greenroom/runtime/deadlock.hpp>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test::supervised_deadlock_test {
namespace {

using names = std::vector<std::string>;

names knot_of(const deadlock& d) {
  names all;
  for (const auto& a : d.actors) {
    if (a.in_knot) all.push_back(a.name);
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// Searches until these are found waiting for each other. Ends by the time limit of the test if they never are.
void expect_knot(actor_system& sys, const names& wanted) {
  for (;;) {
    for (const auto& d : sys.deadlocks().found) {
      if (knot_of(d) == wanted) return;
    }
    std::this_thread::yield();
  }
}

struct supervised_deadlocks : testing::Test {
  actor_system sys{quiet(2)};

  child_info child(const supervisor& top, const std::string& name) {
    const auto all = sys.run([](supervisor of) -> task<result<std::vector<child_info>>> { return of.children(); }, top);
    return *std::find_if(all->begin(), all->end(), [&](const auto& c) { return c.name == name; });
  }
};

task<> sends_first(address<int> out, mailbox<int> in) {
  (void)co_await out.send(1);
  (void)co_await in.receive();
}

supervisor_spec pair_of(restart_strategy strategy, task<> (*body)(address<int>, mailbox<int>)) {
  auto a = make_mailbox<int>(rendezvous());
  auto b = make_mailbox<int>(rendezvous());
  supervisor_spec spec("pair", {.strategy = strategy});
  spec.child("a", body, std::move(b.out), std::move(a.in));
  spec.child("b", body, std::move(a.out), std::move(b.in));
  return spec;
}

TEST_F(supervised_deadlocks, OfChildrenAreFound) {
  for (const auto strategy : {one_for_one, one_for_all}) {
    const auto top = supervise(sys, pair_of(strategy, sends_first));
    ASSERT_TRUE(top.has_value());
    expect_knot(sys, {"a", "b"});
    top->self().cancel();
    (void)top->self().wait();
  }
}

TEST_F(supervised_deadlocks, OfChildrenBelowAnotherSupervisorAreFoundAfterARestartToo) {
  supervisor_spec top_spec("top");
  top_spec.child("pair", pair_of(one_for_one, sends_first));
  const auto top = supervise(sys, std::move(top_spec));
  ASSERT_TRUE(top.has_value());
  expect_knot(sys, {"a", "b"});
  const auto below = sys.run([](supervisor of) -> task<result<supervisor>> { return of.find("pair"); }, *top);
  ASSERT_TRUE(below.has_value());
  const auto first = child(*below, "a").who;
  first.kill();
  (void)first.wait();
  while (child(*below, "a").who == first) std::this_thread::yield();
  expect_knot(sys, {"a", "b"});
}

task<> gives_twice(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) {
    (void)co_await out.send(*n);
    (void)co_await out.send(*n);
  }
}
task<> begins(address<int> out) { (void)co_await out.send(1); }

TEST_F(supervised_deadlocks, OfACycleInAGraphAreFound) {
  graph g("ring");
  const auto source = g.add("source", begins);
  const auto a = g.add("a", gives_twice);
  const auto b = g.add("b", gives_twice);
  g.connect(source, a, bounded(1));
  g.connect(a, b, bounded(1));
  g.connect(b, a, bounded(1), {.allow_cycle = "to see what the search makes of it"});
  const auto s = run(sys, std::move(g));
  ASSERT_TRUE(s.has_value());
  expect_knot(sys, {"a", "b"});
  s->stop();
  (void)s->self().wait();
}

task<> only_receives(mailbox<int> in) { (void)co_await in.receive(); }
task<> fails_at_once(address<int> out) {
  (void)out;
  throw std::runtime_error("as always");
  co_return;
}

TEST_F(supervised_deadlocks, AreNotMadeUpWhileTheSenderPausesBeforeItsRestart) {
  auto ends = make_mailbox<int>(bounded(1));
  supervisor_spec spec("top");
  child_options pauses;
  pauses.backoff.first = pauses.backoff.most = 1h;
  spec.child("receiver", only_receives, std::move(ends.in));
  spec.child("sender", pauses, fails_at_once, std::move(ends.out));
  const auto top = supervise(sys, std::move(spec));
  ASSERT_TRUE(top.has_value());
  while (child(*top, "sender").state != child_state::pausing) std::this_thread::yield();
  await_wait(sys, child(*top, "receiver").who, "receive");
  EXPECT_TRUE(sys.deadlocks().found.empty()) << sys.deadlocks().to_string();
}

TEST_F(supervised_deadlocks, AreNotMadeUpWhileAnEntryIsHeld) {
  graph g("idle");
  const auto sink = g.add("sink", only_receives);
  const auto in = g.entry(sink.in<0>(), bounded(1));
  const auto s = run(sys, std::move(g));
  ASSERT_TRUE(s.has_value());
  const auto to = s->to(in);
  await_wait(sys, child(s->top(), "sink").who, "receive");
  EXPECT_TRUE(sys.deadlocks().found.empty()) << sys.deadlocks().to_string();
}

} // namespace
} // namespace greenroom::test::supervised_deadlock_test
