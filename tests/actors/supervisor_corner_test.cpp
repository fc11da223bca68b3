// Corners of supervision that a review has found wrong once.
#include <algorithm>

#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::supervisor_corner_test {
namespace {

task<> temporary_first(restart_strategy how) {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.strategy = how, .intensity = {3, 5s}});
  if (how == one_for_all) {
    spec.child("t", {.restart = temporary}, performer, s, std::string("t"));
    spec.child("a", performer, s, std::string("a"));
  } else {
    spec.child("a", performer, s, std::string("a"));
    spec.child("t", {.restart = temporary}, performer, s, std::string("t"));
  }
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  co_await end(s, "a", ending::failed);
  require_equal<std::string>(s->counts(), "a2 t1", "starts");
  co_await stop(top);
}

TEST(SupervisorCorner, RoundForgetsATemporaryChildWhereverItStands) {
  play([] { return temporary_first(one_for_all); });
  play([] { return temporary_first(rest_for_one); });
}

task<> terminated_below() {
  const auto s = std::make_shared<cast>();
  supervisor_spec inner("inner");
  inner.child("a", performer, s, std::string("a"));
  supervisor_spec outer("outer");
  outer.child("inner", std::move(inner));
  const auto top = co_await started(std::move(outer));
  const auto below = co_await top.find("inner");
  const auto gone = co_await top.terminate_child(std::string("inner"));
  require(gone.has_value(), "not terminated");
  const auto counts = co_await below->count_children();
  require(!counts && counts.error().is(errc::closed), "a terminated supervisor answers");
  const auto again = co_await top.find("inner");
  require(!again && again.error().is(errc::closed), "a terminated supervisor is found");
  const auto back = co_await top.restart_child("inner");
  require(back.has_value(), "not started again");
  const auto after = co_await below->count_children(); // through the old handle
  require(after.has_value() && after->running == 1, "the old handle has no way to the new one");
  co_await stop(top);
}

TEST(SupervisorCorner, TerminatedSupervisorRefusesCallsUntilItIsStartedAgain) { play(terminated_below, 30); }

task<> takes_one(mailbox<int> in) { (void)co_await in.receive(); }

task<> forgotten_ports() {
  auto ends = make_mailbox<int>(bounded(1));
  supervisor_spec spec("top");
  spec.child("t", {.restart = temporary}, takes_one, std::move(ends.in));
  const auto top = co_await started(std::move(spec));
  (void)co_await top.terminate_child(std::string("t"));
  const auto sent = co_await ends.out.send(1);
  require(!sent && sent.error().is(errc::closed), "the mailbox of a forgotten child is open");
  co_await stop(top);
}

TEST(SupervisorCorner, ForgottenChildGivesUpItsPorts) { play(forgotten_ports); }

task<> dynamic_ends() {
  const auto held = std::make_shared<int>(0);
  const auto top = co_await started(supervisor_spec("top", {.strategy = dynamic}));
  for (int i = 0; i < 10; ++i) {
    (void)co_await top.start_child(
        "c", {.restart = transient}, [](std::shared_ptr<int>) -> task<> { co_return; }, held);
  }
  co_await settle_all();
  const auto counts = co_await top.count_children();
  require_equal<std::size_t>(counts->children, 0, "children known");
  require_equal<std::size_t>(static_cast<std::size_t>(held.use_count()), 1, "holders of what they were given");
  co_await stop(top);
}

TEST(SupervisorCorner, DynamicSupervisorForgetsWhatHasEnded) { play(dynamic_ends); }

task<> factory_throws() {
  int tries = 0;
  supervisor_spec spec("top", {.intensity = {1000, 1h}});
  child_options how;
  how.backoff = {.first = 100ms, .most = 30s, .factor = 2, .jitter = 0};
  const auto s = std::make_shared<cast>();
  spec.child(
      "a", how,
      [](int, stage st) -> task<> {
        st->who["a"] = this_actor::self();
        co_await sleep_for(24h);
      },
      made_by([&tries] {
        if (++tries > 1) throw std::runtime_error("no connection");
        return 1;
      }),
      s);
  const auto top = co_await started(std::move(spec));
  co_await sleep_for(1min);
  s->who["a"].kill();
  co_await sleep_for(1min);
  require(tries > 5 && tries < 12, "tried " + std::to_string(tries) + " times in a minute");
  co_await stop(top);
}

TEST(SupervisorCorner, PausesGrowWhenTheArgumentsCannotBeMade) { play(factory_throws, 2); }

task<> ready_and_gone(stage s, bool fails) {
  ++s->starts["a"];
  this_child::ready();
  if (fails) throw std::runtime_error("after it was ready");
  co_return;
}

task<> ready_counts(bool fails) {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.intensity = {2, 1h}});
  spec.child("a", {.restart = transient, .reports_ready = true}, ready_and_gone, s, fails);
  const auto top = co_await supervise(std::move(spec));
  require(top.has_value(), "a child that was ready has not started");
  co_await settle_all();
  if (fails) {
    require(top->self().finished() && s->starts["a"] == 3, "it was not restarted as often as it may");
    co_return;
  }
  const auto known = co_await top->children();
  require_equal<std::string>(greenroom::to_string(known->front().state), "ended", "the state");
  co_await stop(*top);
}

TEST(SupervisorCorner, ChildThatWasReadyHasStartedHoweverSoonItEnds) {
  play([] { return ready_counts(false); }, 100);
  play([] { return ready_counts(true); }, 100);
}

TEST(SupervisorCorner, FirstTurnsComeInTheOrderOfTheStarts) {
  actor_system sys(options{.workers = 1, .log_level = "off"});
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top");
  for (const auto* name : {"a", "b", "c", "d"}) spec.child(name, performer, s, std::string(name));
  ASSERT_TRUE(supervise(sys, std::move(spec)));
  (void)sys.run([]() -> task<> {
    for (int i = 0; i < 100; ++i) co_await yield();
  });
  EXPECT_EQ(s->story(), "start a, start b, start c, start d");
}

struct only_one {
  explicit only_one(std::shared_ptr<int> n) : count(std::move(n)) { require(++*count == 1, "two of a kind at once"); }
  only_one(const only_one&) = delete;
  only_one& operator=(const only_one&) = delete;
  ~only_one() { --*count; }
  std::shared_ptr<int> count;
};
task<> exclusive(std::shared_ptr<int> count, std::shared_ptr<std::string> fault) {
  std::optional<only_one> me;
  try {
    me.emplace(count);
  } catch (const std::exception& e) {
    *fault = e.what();
  }
  co_await sleep_for(24h);
}

task<> killed_below() {
  const auto fault = std::make_shared<std::string>();
  supervisor_spec lowest("lowest");
  lowest.child("x", exclusive, std::make_shared<int>(0), fault).child("y", exclusive, std::make_shared<int>(0), fault);
  supervisor_spec inner("inner");
  inner.child("lowest", std::move(lowest)).child("z", exclusive, std::make_shared<int>(0), fault);
  supervisor_spec outer("outer", {.intensity = {100, 1h}});
  outer.child("inner", std::move(inner));
  const auto top = co_await started(std::move(outer));
  for (int i = 0; i < 5; ++i) {
    co_await settle_all();
    const auto known = co_await top.children();
    known->front().who.kill();
  }
  co_await settle_all();
  require(fault->empty(), *fault);
  co_await stop(top);
}

TEST(SupervisorCorner, KilledSupervisorIsStartedAnewWhenItsOldChildrenAreGone) { play(killed_below, 200); }

TEST(SupervisorCorner, MovedFromSpecsAreUsageErrors) {
  const auto s = std::make_shared<cast>();
  supervisor_spec one("one");
  supervisor_spec two(std::move(one));
  EXPECT_THROW(one.child("a", performer, s, std::string("a")), usage_error);
  EXPECT_THROW(two.child("b", std::move(one)), usage_error);
}

task<> pausing_dynamic() {
  const auto s = std::make_shared<cast>();
  const auto top = co_await started(supervisor_spec("top", {.strategy = dynamic, .intensity = {5, 5s}}));
  child_options how;
  how.backoff.first = 10s;
  const auto who = co_await top.start_child("a", how, performer, s, std::string("a"));
  co_await settle_all();
  co_await end(s, "a", ending::failed);
  const auto gone = co_await top.terminate_child(*who);
  require(gone.has_value(), "a pausing child cannot be terminated");
  co_await sleep_for(1min);
  require_equal(s->starts["a"], 1, "starts");
  co_await stop(top);
}

TEST(SupervisorCorner, DynamicChildThatPausesCanBeTerminated) { play(pausing_dynamic); }

task<> pauses_of_a_group() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.strategy = rest_for_one, .intensity = {5, 1h}});
  child_options slow;
  slow.backoff = {.first = 1min, .most = 1min, .jitter = 0};
  spec.child("a", slow, performer, s, std::string("a"));
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  co_await end(s, "a", ending::failed);
  (void)co_await top.start_child("b", performer, s, std::string("b"));
  co_await settle_all();
  co_await end(s, "b", ending::failed);
  require_equal<std::string>(s->counts(), "a1 b2", "while a pauses");
  co_await sleep_for(2min);
  require_equal<std::string>(s->counts(), "a2 b2", "after its pause");
  co_await stop(top);
}

TEST(SupervisorCorner, RestartInAGroupLeavesLongerPausesAlone) { play(pauses_of_a_group); }

task<> collects(mailbox<int> in, std::shared_ptr<std::vector<int>> to, stage s) {
  s->who["a"] = this_actor::self();
  while (const auto n = co_await in.receive()) to->push_back(*n);
}

task<> sent_in_the_pause() {
  const auto s = std::make_shared<cast>();
  const auto got = std::make_shared<std::vector<int>>();
  auto ends = make_mailbox<int>(bounded(8));
  supervisor_spec spec("top");
  child_options how{.queue = queue_fate::drop};
  how.backoff.first = 1s;
  spec.child("a", how, collects, std::move(ends.in), got, s);
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  s->who["a"].kill();
  co_await settle_all();
  (void)co_await ends.out.send(1);
  co_await sleep_for(2s);
  (void)co_await ends.out.send(2);
  co_await settle_all();
  require(*got == std::vector<int>{2}, "got " + std::to_string(got->size()) + " item(s)");
  co_await stop(top);
}

TEST(SupervisorCorner, WhatIsSentDuringThePauseIsDroppedToo) { play(sent_in_the_pause); }

task<> never_ready(stage s) {
  const bool first = ++s->starts["a"] == 1;
  s->who["a"] = this_actor::self();
  if (first) this_child::ready();
  co_await sleep_for(24h);
}

task<> hangs_at_each_restart() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top");
  spec.child("a", {.reports_ready = true}, never_ready, s);
  const auto top = co_await started(std::move(spec));
  s->who["a"].kill();
  co_await sleep_for(1h);
  require(top.self().finished(), "nobody gave up after " + std::to_string(s->starts["a"]) + " starts");
  const auto why = co_await top.self().join();
  require(why.to_string().starts_with("failed: supervisor 'top' gives up"), why.to_string());
}

TEST(SupervisorCorner, ChildThatIsNeverReadyAgainIsGivenUpWithTheDefaults) { play(hangs_at_each_restart); }

task<> no_more_work() {
  const auto got = std::make_shared<std::vector<int>>();
  const auto s = std::make_shared<cast>();
  auto ends = make_mailbox<int>(bounded(8));
  supervisor_spec spec("top");
  spec.child("a", {.restart = permanent}, collects, std::move(ends.in), got, s);
  const auto top = co_await started(std::move(spec));
  ends.out = {};
  co_await settle_all();
  const auto known = co_await top.children();
  require(known.has_value(), "the end of its work has failed the tree");
  require_equal<std::string>(greenroom::to_string(known->front().state), "ended", "the state");
  co_await stop(top);
}

TEST(SupervisorCorner, PermanentChildWhoseMailboxHasEndedIsNotRestarted) { play(no_more_work); }

} // namespace
} // namespace greenroom::test::supervisor_corner_test
