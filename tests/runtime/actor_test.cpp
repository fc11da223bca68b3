// Handles, ends and their reasons. spawn_test.cpp has what may be spawned.
#include <greenroom/runtime/actor.hpp>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::actor_test {
namespace {

using namespace test;

task<> nothing_to_do() { co_return; }
task<> wait_for_ever() { co_await sleep_until(never); }

// -- identity -------------------------------------------------------------------------------------------

TEST(Actor, IdsAreUniqueInASystem) {
  actor_system sys(quiet(2));
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(ids.insert(sys.spawn(nothing_to_do).id()).second);
  const auto inside = sys.run([]() -> task<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> all{this_actor::id()};
    for (int i = 0; i < 200; ++i) all.push_back(spawn(nothing_to_do).id());
    co_return all;
  });
  for (const auto id : inside.value()) EXPECT_TRUE(ids.insert(id).second);
  EXPECT_FALSE(ids.contains(0));
}

TEST(Actor, HasTheNameItWasGiven) {
  one_worker sys;
  EXPECT_EQ(sys.spawn(nothing_to_do).name(), "actor");
  EXPECT_EQ(sys.spawn({.name = "pricing"}, nothing_to_do).name(), "pricing");
  const auto a = sys.spawn(spawn_options{.made_name = "pricing " + std::to_string(7)}, []() -> task<> {
    EXPECT_EQ(this_actor::name(), "pricing 7");
    co_return;
  });
  EXPECT_EQ(a.name(), "pricing 7");
  EXPECT_TRUE(a.wait().normal());
}

TEST(Actor, KnowsWhereItWasSpawned) {
  one_worker sys;
  const auto line = std::source_location::current().line() + 1;
  const auto a = sys.spawn(nothing_to_do);
  EXPECT_EQ(a.spawned_at().line(), line);
  EXPECT_NE(std::string(a.spawned_at().file_name()).find("actor_test.cpp"), std::string::npos);
}

TEST(Actor, HandlesCompareByActor) {
  one_worker sys;
  const auto a = sys.spawn(nothing_to_do);
  const auto b = sys.spawn(nothing_to_do);
  const auto copy = a; // NOLINT: a copy is what is tested
  EXPECT_EQ(a, copy);
  EXPECT_NE(a, b);
  EXPECT_FALSE(actor());
  EXPECT_EQ(actor(), actor());
}

TEST(Actor, HandleStaysValidAfterActorAndSystem) {
  actor a;
  {
    one_worker sys;
    a = sys.spawn({.name = "short"}, nothing_to_do);
    a.wait();
  }
  EXPECT_TRUE(a.finished());
  EXPECT_EQ(a.name(), "short");
  EXPECT_TRUE(a.wait().normal());
  a.cancel();
  a.kill();
}

TEST(ThisActor, IsAUsageErrorOutsideActors) {
  EXPECT_THROW(this_actor::self(), usage_error);
  EXPECT_THROW(this_actor::id(), usage_error);
  EXPECT_THROW(this_actor::name(), usage_error);
  EXPECT_THROW(this_actor::context(), usage_error);
  EXPECT_THROW(this_actor::system(), usage_error);
  EXPECT_THROW(this_actor::cancel_requested(), usage_error);
  try {
    spawn(nothing_to_do);
    ADD_FAILURE() << "spawned outside a system";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(), "spawn: called outside an actor; call it on the actor_system, or from a task that it runs");
  }
}

TEST(ThisActor, NamesActorAndSystem) {
  one_worker sys;
  const auto a = sys.spawn(
      [](actor_system* mine) -> task<> {
        EXPECT_EQ(&this_actor::system(), mine);
        EXPECT_EQ(this_actor::self().id(), this_actor::id());
        EXPECT_FALSE(this_actor::cancel_requested());
        this_actor::self().cancel();
        EXPECT_TRUE(this_actor::cancel_requested());
        co_return;
      },
      &sys);
  EXPECT_TRUE(a.wait().normal()) << "a cancellation that meets no wait has no effect";
}

// -- ends and reasons ---------------------------------------------------------------------------------------

TEST(ExitReason, ReadsAsASentence) {
  EXPECT_EQ(exit_reason().to_string(), "normal");
  EXPECT_EQ(exit_reason(exit_kind::failed, error(errc::failed, "division by zero")).to_string(),
            "failed: division by zero");
  EXPECT_EQ(exit_reason(exit_kind::killed, errc::killed).to_string(), "killed: actor killed");
}

TEST(Actor, EndsNormallyWhenItsFunctionReturns) {
  one_worker sys;
  const auto a = sys.spawn(nothing_to_do);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_TRUE(a.finished());
}

TEST(Actor, FailsWithTypeAndTextOfTheException) {
  one_worker sys;
  const auto a = sys.spawn([]() -> task<> {
    co_await yield();
    throw std::out_of_range("row 7");
  });
  const auto why = a.wait();
  EXPECT_EQ(why.kind(), exit_kind::failed);
  EXPECT_EQ(why.why().code(), errc::failed);
  EXPECT_EQ(why.to_string(), "failed: std::out_of_range: row 7");
}

TEST(Actor, FailsWithWhateverIsThrown) {
  one_worker sys;
  const auto a = sys.spawn([]() -> task<> {
    throw 5;
    co_return;
  });
  EXPECT_EQ(a.wait().to_string(), "failed: an exception that is not derived from std::exception");
}

TEST(Actor, CancelEndsItsWaitWithTheCauseGiven) {
  one_worker sys;
  bool unwound = false;
  const auto a = sys.spawn(
      [](bool* flag) -> task<> {
        try {
          co_await wait_for_ever();
        } catch (const cancelled& c) {
          EXPECT_EQ(c.cause.message(), "the shop closes");
          *flag = true;
          throw;
        }
      },
      &unwound);
  await_wait(sys, a, "sleep");
  a.cancel(error(errc::cancelled, "the shop closes"));
  a.cancel(error(errc::limit, "too late: the first cause holds"));
  EXPECT_EQ(a.wait().to_string(), "cancelled: the shop closes");
  EXPECT_TRUE(unwound);
}

TEST(Actor, CancelBeforeItsFirstTurnMeetsItsFirstWait) {
  one_worker sys;
  const auto reason = sys.run([]() -> task<exit_reason> {
    const auto child = spawn(wait_for_ever);
    child.cancel();
    co_return co_await child.join();
  });
  EXPECT_EQ(reason.value().kind(), exit_kind::cancelled);
}

TEST(Actor, KillDestroysItsFramesWithoutAnException) {
  one_worker sys;
  std::string seen;
  struct at_end {
    std::string* log;
    ~at_end() { *log += "destroyed"; }
  };
  const auto a = sys.spawn(
      [](std::string* log) -> task<> {
        at_end end{log};
        try {
          co_await sleep_until(never);
        } catch (...) {
          *log += "caught ";
          throw;
        }
      },
      &seen);
  EXPECT_EQ(kill_in(sys, a, "sleep").to_string(), "killed: actor killed");
  EXPECT_EQ(seen, "destroyed");
}

TEST(Actor, KillBeforeItsFirstTurnRunsNothingOfIt) {
  one_worker sys;
  bool ran = false;
  const auto reason = sys.run(
      [](bool* flag) -> task<exit_reason> {
        const auto child = spawn([](bool* f) -> task<> { co_return void(*f = true); }, flag);
        child.kill();
        co_return co_await child.join();
      },
      &ran);
  EXPECT_EQ(reason.value().kind(), exit_kind::killed);
  EXPECT_FALSE(ran);
}

// Each wait that a cancelled actor repeats for ever must leave room for a kill and for the others.
template <class Wait>
void check_kill_beats_swallowed_cancellation(Wait wait) {
  one_worker sys;
  const auto a = sys.spawn(
      [](Wait w) -> task<> {
        for (;;) {
          try {
            co_await w();
          } catch (const cancelled&) {}
        }
      },
      wait);
  a.cancel();
  EXPECT_TRUE(sys.run(settle)) << "others still run";
  a.kill();
  EXPECT_EQ(a.wait().kind(), exit_kind::killed);
}

TEST(Actor, KillEndsOneThatSwallowsCancellation) {
  check_kill_beats_swallowed_cancellation([]() -> task<> { co_await sleep_until(never); });
  check_kill_beats_swallowed_cancellation([]() -> task<> { co_await yield(); });
  check_kill_beats_swallowed_cancellation([]() -> task<> { co_await select(at(never)); });
  check_kill_beats_swallowed_cancellation([]() -> task<> { co_await mailbox<int>(bounded(1)).receive(); });
  check_kill_beats_swallowed_cancellation([]() -> task<> {
    auto ends = make_mailbox<int>(bounded(1));
    (void)co_await ends.out.send(1);
  });
  check_kill_beats_swallowed_cancellation([]() -> task<> { co_await this_actor::self().join(); });
  check_kill_beats_swallowed_cancellation([]() -> task<> { co_await this_actor::context().done(); });
}

// -- join: succeeds, is cancelled, is killed, the target is gone; for a time-out see select_test ---------------

TEST(Actor, JoinWaitsForTheEndAndGivesItsReason) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  const auto target = sys.spawn(
      [](mailbox<int> box) -> task<> {
        co_await box.receive();
        throw std::runtime_error("late");
      },
      in);
  std::string reasons;
  std::vector<actor> joiners;
  for (int i = 0; i < 3; ++i) {
    joiners.push_back(sys.spawn(
        [](actor who, std::string* log) -> task<> {
          const auto why = co_await who.join();
          *log += why.to_string() + ";";
        },
        target, &reasons));
    await_wait(sys, joiners.back(), "join");
  }
  out = {};
  for (auto& j : joiners) EXPECT_TRUE(j.wait().normal());
  EXPECT_EQ(reasons, "failed: std::runtime_error: late;failed: std::runtime_error: late;"
                     "failed: std::runtime_error: late;");
}

TEST(Actor, JoinOfTheEndedDoesNotWait) {
  one_worker sys;
  const auto reason = sys.run([]() -> task<exit_reason> {
    const auto child = spawn(nothing_to_do);
    while (!child.finished()) co_await yield();
    co_return co_await child.join();
  });
  EXPECT_TRUE(reason.value().normal());
}

TEST(Actor, JoinOfATemporaryHandleKeepsIt) {
  one_worker sys;
  const auto reason = sys.run([]() -> task<exit_reason> { co_return co_await spawn(settle).join(); });
  EXPECT_TRUE(reason.value().normal());
}

TEST(Actor, JoinIsCancelledOrKilledWithoutHarmToTheTarget) {
  one_worker sys;
  const auto target = sys.spawn(wait_for_ever);
  const auto joiner = [](actor who) -> task<> { co_await who.join(); };
  EXPECT_EQ(cancel_in(sys, sys.spawn(joiner, target), "join").kind(), exit_kind::cancelled);
  EXPECT_EQ(kill_in(sys, sys.spawn(joiner, target), "join").kind(), exit_kind::killed);
  EXPECT_FALSE(target.finished());
  target.kill();
  EXPECT_EQ(target.wait().kind(), exit_kind::killed);
}

TEST(Actor, JoinOfNoActorIsAUsageError) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> { co_await actor().join(); });
  EXPECT_NE(got.error().message().find("join: this handle names no actor"), std::string_view::npos);
}

TEST(Actor, IsNoLongerCountedOnceItsJoinReturns) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 300; ++i) {
    sys.spawn(nothing_to_do).wait();
    ASSERT_EQ(sys.live_actors(), 0u);
  }
  const auto most = sys.run([]() -> task<std::size_t> {
    std::size_t n = 0;
    for (int i = 0; i < 300; ++i) {
      co_await spawn(nothing_to_do).join();
      n = std::max(n, this_actor::system().live_actors());
    }
    co_return n;
  });
  EXPECT_EQ(most.value(), 1u);
}

TEST(Actor, WaitOnAWorkerIsAUsageError) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> {
    const auto child = spawn(nothing_to_do);
    child.wait();
    co_return;
  });
  EXPECT_NE(got.error().message().find("actor::wait: it would block a worker thread"), std::string_view::npos);
}

TEST(Actor, YieldLetsAllOthersRunFirst) {
  one_worker sys;
  const auto ran = sys.run([]() -> task<int> {
    int n = 0;
    for (int i = 0; i < 10; ++i) spawn([](int* count) -> task<> { co_return void(++*count); }, &n);
    co_await yield();
    co_return n;
  });
  EXPECT_EQ(ran.value(), 10);
}

TEST(Actor, YieldIsCancelled) {
  one_worker sys;
  const auto a = sys.spawn([]() -> task<> {
    for (;;) co_await yield();
  });
  a.cancel(errc::limit);
  EXPECT_EQ(a.wait().why().code(), errc::limit);
}

} // namespace
} // namespace greenroom::actor_test
