// Starting: order, children that decline, fail or are never ready, starts that fail again at a restart, and specs that are refused.
#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::supervisor_start_test {
namespace {

child_options tells_ready(restart_kind kind = permanent) { return {.restart = kind, .reports_ready = true}; }

task<> slow_to_be_ready(stage s, std::string name, duration needs) {
  const note_end at_end(s, name);
  s->log.push_back("begin " + name);
  co_await sleep_for(needs);
  s->log.push_back("ready " + name);
  this_child::ready();
  co_await sleep_for(24h);
}

task<> declines(stage s, std::string name) {
  s->log.push_back("decline " + name);
  co_return;
}

task<> fails_at_once(stage s, std::string name) {
  s->log.push_back("fail " + name);
  throw std::runtime_error("no database");
  co_return;
}

task<> in_order() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top");
  spec.child("a", tells_ready(), slow_to_be_ready, s, std::string("a"), duration(2s))
      .child("b", tells_ready(), slow_to_be_ready, s, std::string("b"), duration(1s))
      .child("c", performer, s, std::string("c"));
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  require_equal<std::string>(s->story(), "begin a, ready a, begin b, ready b, start c", "the start");
  co_await stop(top);
  require_equal<std::string>(s->story(), "end c, end b, end a", "the stop");
}

TEST(SupervisorStart, StartsEachChildWhenTheOneBeforeIsReadyAndStopsInReverse) { play(in_order); }

task<> one_fails() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("shop");
  spec.child("a", tells_ready(), performer, s, std::string("a"))
      .child("b", tells_ready(), performer, s, std::string("b"))
      .child("c", tells_ready(), fails_at_once, s, std::string("c"))
      .child("d", performer, s, std::string("d"));
  const auto top = co_await supervise(std::move(spec));
  require(!top, "it has started");
  const auto why = std::string(top.error().message());
  require(why.find("supervisor 'shop': child 'c' (actor ") != why.npos && why.find("no database") != why.npos, why);
  const auto story = s->story();
  require(story.find("start d") == story.npos, "d was started: " + story);
  require(story.find("end b, end a") != story.npos, "not stopped in reverse: " + story);
}

TEST(SupervisorStart, OneThatFailsFailsTheTreeAndStopsThoseBeforeIt) { play(one_fails); }

task<> one_is_never_ready() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("shop");
  auto how = tells_ready();
  how.start_limit = 3s;
  spec.child("late", how, slow_to_be_ready, s, std::string("late"), duration(1h));
  const auto top = co_await supervise(std::move(spec));
  require(!top, "it has started");
  const auto why = std::string(top.error().message());
  require(why.find("'late'") != why.npos && why.find("not ready within 3000 ms") != why.npos, why);
  require_equal<std::string>(s->story(), "begin late, end late", "the start");
}

TEST(SupervisorStart, OneThatIsNotReadyInTimeIsKilledAndFailsTheTree) { play(one_is_never_ready); }

task<> some_decline() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top");
  spec.child("p", tells_ready(permanent), declines, s, std::string("p"))
      .child("tr", tells_ready(transient), declines, s, std::string("tr"))
      .child("te", tells_ready(temporary), declines, s, std::string("te"))
      .child("a", performer, s, std::string("a"));
  const auto top = co_await started(std::move(spec));
  const auto known = co_await top.children();
  std::string states;
  for (const auto& c : *known) states += c.name + ":" + greenroom::to_string(c.state) + " ";
  require_equal<std::string>(states, "p:declined tr:declined a:running ", "the children");
  const auto counts = co_await top.count_children();
  require_equal<std::size_t>(counts->running, 1, "running");
  const auto late = co_await top.start_child("te2", tells_ready(temporary), declines, s, std::string("te2"));
  require(late.has_value() && !*late, "a child that declines has a handle");
  co_await stop(top);
}

TEST(SupervisorStart, OneThatDeclinesIsKeptWithoutAnActorUnlessItIsTemporary) { play(some_decline); }

task<> restart_fails(restart_strategy how, int fails, bool gives_up) {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.strategy = how, .intensity = {3, 5s}});
  spec.child("a", tells_ready(), performer, s, std::string("a"))
      .child("b", tells_ready(), performer, s, std::string("b"))
      .child("c", tells_ready(), performer, s, std::string("c"));
  const auto top = co_await started(std::move(spec));
  s->fails_to_start["b"] = fails;
  co_await end(s, "b", ending::failed);
  require_equal(top.self().finished(), gives_up, "the supervisor has given up");
  require_equal(s->starts["b"], gives_up ? 4 : 2 + fails, "starts of b");
  const bool all = how == one_for_all;
  if (!gives_up) {
    // Those before b in the round were started and stopped again with each try; those after it came only with the last.
    require_equal(s->starts["a"], all ? 2 + fails : 1, "starts of a");
    require_equal(s->starts["c"], how == one_for_one ? 1 : 2, "starts of c");
    co_await stop(top);
  }
  for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived");
}

TEST(SupervisorStart, RestartThatFailsCountsAsARestartAndIsTriedAgain) {
  for (const auto how : {one_for_one, one_for_all, rest_for_one}) {
    play([how] { return restart_fails(how, 2, false); });
    play([how] { return restart_fails(how, 9, true); });
  }
}

task<> two_in_a_round() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.strategy = one_for_all, .intensity = {3, 5s}});
  for (const char* name : {"a", "b", "c"}) {
    spec.child(name, tells_ready(), performer, s, std::string(name));
  }
  spec.child("t", tells_ready(temporary), performer, s, std::string("t"));
  const auto top = co_await started(std::move(spec));
  s->fails_to_start["c"] = 1;
  s->log.clear();
  co_await end(s, "a", ending::killed);
  require_equal<std::string>(
      s->story(), "end a, end t, end c, end b, start a, start b, fail c, end b, end a, start a, start b, start c",
      "the rounds");
  const auto known = co_await top.children();
  require_equal<std::size_t>(known->size(), 3, "children: a temporary bystander of a round is not restarted");
  co_await stop(top);
}

TEST(SupervisorStart, SecondChildThatFailsToComeBackHasTheWholeRoundTriedAgain) { play(two_in_a_round); }

task<> grows() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.intensity = {100, 1h}});
  child_options how;
  how.backoff = {.first = 100ms, .most = 1s, .factor = 2, .jitter = 0, .lasts = 10s};
  spec.child("a", how, performer, s, std::string("a"));
  const auto top = co_await started(std::move(spec));
  const auto pause_after_end = [](stage st, supervisor sup) -> task<duration> {
    const auto& sys = this_actor::system();
    const auto before = st->starts["a"];
    const auto from = sys.now();
    st->who["a"].kill();
    while (st->starts["a"] == before) co_await sleep_for(1ms);
    (void)sup;
    co_return sys.now() - from;
  };
  co_await settle_all();
  const std::vector<std::chrono::milliseconds> pauses{100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms};
  for (const auto wanted : pauses) {
    const auto took = co_await pause_after_end(s, top);
    require(took >= wanted && took < wanted + 5ms,
            "a pause of " + std::to_string(took.count()) + " ns, not of " + std::to_string(wanted.count()) + " ms");
  }
  co_await sleep_for(11s); // it lasts
  const auto took = co_await pause_after_end(s, top);
  require(took >= 100ms && took < 105ms, "the pause did not begin anew: " + std::to_string(took.count()) + " ns");
  co_await stop(top);
}

TEST(SupervisorStart, PausesGrowUpToTheMostAndBeginAnewAfterAChildHasLasted) { play(grows, 3); }

TEST(Backoff, JitterSpreadsThePausesAsFarAsItSays) {
  xoshiro random(7);
  const backoff how{.first = 1s, .most = 1s, .factor = 1, .jitter = 0.5};
  duration least = 1h, most{};
  detail::restart_pauses pauses;
  for (int i = 0; i < 1000; ++i) {
    const auto pause = pauses.next(how, 1ms, random);
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_GE(least, 500ms);
  EXPECT_LT(least, 520ms);
  EXPECT_LE(most, 1500ms);
  EXPECT_GT(most, 1480ms);
}

task<> serves_meanwhile() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.intensity = {1000000, 1h}});
  spec.child("hopeless", tells_ready(), performer, s, std::string("hopeless"))
      .child("a", performer, s, std::string("a"));
  const auto top = co_await started(std::move(spec));
  s->fails_to_start["hopeless"] = 1000;
  s->who["hopeless"].kill();
  (void)co_await s->who["hopeless"].join();
  const auto known = co_await top.children();
  require(known.has_value() && s->fails_to_start["hopeless"] > 0, "it was not served between the restarts");
  const auto gone = co_await top.terminate_child(std::string("hopeless"));
  require(gone.has_value(), "it cannot be terminated");
  const auto tried = s->starts["hopeless"];
  co_await sleep_for(1s);
  require_equal(s->starts["hopeless"], tried, "starts after it was terminated");
  co_await stop(top);
}

TEST(SupervisorStart, ChildThatNeverComesBackDoesNotBlockTheSupervisorForCalls) { play(serves_meanwhile); }

TEST(SupervisorSpec, RefusesWhatIsOutOfRangeBeforeAnythingStarts) {
  const auto s = std::make_shared<cast>();
  const auto why = [](auto make) -> std::string {
    try {
      make();
    } catch (const usage_error& e) {
      return e.what();
    }
    return "accepted";
  };
  const auto with_child = [&s, &why](child_options how, supervisor_options of = {}) {
    return why([&] { supervisor_spec("top", of).child("x", how, performer, s, std::string("x")); });
  };
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != text.npos; };
  EXPECT_EQ(why([] {
              supervisor_spec("top", {.intensity = {-1, 5s}});
            }),
            "supervisor 'top': intensity: restarts must be 0 or more, not -1");
  EXPECT_EQ(why([] {
              supervisor_spec("top", {.intensity = {1, 0s}});
            }),
            "supervisor 'top': intensity: the period must be more than 0 s, not 0 s");
  EXPECT_EQ(why([] { supervisor_spec("top", {.intensity = {0, 1ns}}); }), "accepted");
  child_options how;
  how.grace = -1ms;
  EXPECT_EQ(with_child(how), "supervisor 'top': child 'x': grace must be 0 or more");
  how = {};
  how.start_limit = 0ms;
  EXPECT_TRUE(has(with_child(how), "start_limit"));
  how = {};
  how.backoff.factor = 0.5;
  EXPECT_EQ(with_child(how), "supervisor 'top': child 'x': backoff: factor must be 1 or more, not 0.5");
  how.backoff = {.first = 10s, .most = 1s};
  EXPECT_TRUE(has(with_child(how), "backoff: most must be `first`, 10 s, or more, not 1"));
  how = {};
  how.significant = true;
  EXPECT_TRUE(has(with_child(how), "permanent"));
  how.restart = transient;
  EXPECT_TRUE(has(with_child(how), "shuts_down"));
  EXPECT_EQ(with_child(how, {.shuts_down = auto_shutdown::any_significant}), "accepted");
  EXPECT_TRUE(has(with_child({}, {.strategy = dynamic}), "begins without children"));
  EXPECT_TRUE(has(why([&s] {
                    supervisor_spec spec("top");
                    spec.child("x", performer, s, std::string("x")).child("x", performer, s, std::string("x"));
                  }),
                  "has a child 'x' already"));
}

TEST(Supervisor, IsStartedFromThreadsToo) {
  actor_system sys(options{.workers = 2, .log_level = "off"});
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top");
  spec.child("a", tells_ready(), performer, s, std::string("a"));
  const auto top = supervise(sys, std::move(spec));
  ASSERT_TRUE(top.has_value());
  EXPECT_EQ(s->starts["a"], 1);
  top->self().cancel();
  EXPECT_EQ(top->self().wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(s->log.back(), "end a");
}

} // namespace
} // namespace greenroom::test::supervisor_start_test
