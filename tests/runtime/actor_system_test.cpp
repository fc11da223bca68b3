#include <greenroom/runtime/actor_system.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/socket_kit.hpp>

namespace greenroom::actor_system_test {
namespace {

using namespace test;

task<> wait_for_ever() { co_await sleep_until(never); }

// -- options, several systems ---------------------------------------------------------------------------------

TEST(ActorSystem, BadOptionsAreASentence) {
  const auto text_of = [](options o) -> std::string {
    try {
      actor_system sys(std::move(o));
    } catch (const usage_error& e) {
      return e.what();
    }
    return "accepted";
  };
  auto o = quiet(0);
  EXPECT_NE(text_of(o).find("workers"), std::string::npos) << text_of(o);
  o = quiet(1);
  o.step_budget = 0;
  EXPECT_NE(text_of(o).find("step_budget"), std::string::npos) << text_of(o);
  o = quiet(1);
  o.name = "";
  EXPECT_NE(text_of(o).find("name"), std::string::npos) << text_of(o);
  o = quiet(1);
  o.log_level = "loud";
  EXPECT_NE(text_of(o).find("loud"), std::string::npos) << text_of(o);
}

TEST(ActorSystem, KeepsItsSettings) {
  auto o = quiet(1);
  o.step_budget = 7;
  o.seed = 99;
  actor_system sys(o);
  EXPECT_EQ(sys.settings().step_budget, 7u);
  EXPECT_EQ(sys.settings().seed, 99u);
}

TEST(ActorSystem, SeveralLiveInOneProcessAndTalk) {
  one_worker first;
  one_worker second;
  auto there = make_mailbox<int>(rendezvous());
  auto back = make_mailbox<int>(rendezvous());
  const auto echo = first.spawn(
      [](mailbox<int> in, address<int> out) -> task<> {
        while (const auto n = co_await in.receive()) EXPECT_TRUE(co_await out.send(*n + 1));
      },
      there.in, back.out);
  const auto sum = second.run(
      [](address<int> out, mailbox<int> in) -> task<int> {
        int total = 0;
        for (int i = 0; i < 1'000; ++i) {
          EXPECT_TRUE(co_await out.send(i));
          const auto n = co_await in.receive();
          total += *n - i;
        }
        co_return total;
      },
      there.out, back.in);
  EXPECT_EQ(sum.value(), 1'000);
  EXPECT_TRUE(second.stop().complete());
  EXPECT_FALSE(first.stopping());
  EXPECT_FALSE(echo.finished());
  there.out = {};
  EXPECT_TRUE(echo.wait().normal());
}

// -- run ----------------------------------------------------------------------------------------------------------

TEST(ActorSystem, RunGivesTheValue) {
  one_worker sys;
  EXPECT_EQ(sys.run([](int a, int b) -> task<int> { co_return a* b; }, 6, 7).value(), 42);
  const auto moved = sys.run([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); });
  EXPECT_EQ(**moved, 3);
  EXPECT_TRUE(sys.run([]() -> task<> { co_return; }));
}

TEST(ActorSystem, RunGivesWhatEndedTheActorOtherwise) {
  one_worker sys;
  const auto failed = sys.run([]() -> task<int> {
    throw std::runtime_error("no luck");
    co_return 0;
  });
  EXPECT_EQ(failed.error().code(), errc::failed);
  EXPECT_EQ(failed.error().message(), "std::runtime_error: no luck");
  const auto stopped = sys.run([]() -> task<> {
    this_actor::self().cancel(errc::limit);
    co_await wait_for_ever();
  });
  EXPECT_EQ(stopped.error().code(), errc::limit);
  sys.stop();
  EXPECT_EQ(sys.run([]() -> task<int> { co_return 1; }).error().code(), errc::stopped);
}

TEST(ActorSystem, RunOnAWorkerIsAUsageErrorAndStartsNothing) {
  actor_system sys(quiet(2));
  const auto got = sys.run([]() -> task<> {
    bool ran = false;
    try {
      (void)this_actor::system().run([](bool* f) -> task<> { co_return void(*f = true); }, &ran);
      ADD_FAILURE() << "ran on a worker";
    } catch (const usage_error& e) {
      EXPECT_NE(std::string(e.what()).find("worker thread"), std::string::npos) << e.what();
    }
    co_await settle();
    EXPECT_FALSE(ran);
  });
  EXPECT_TRUE(got);
}

// -- stop ---------------------------------------------------------------------------------------------------------

TEST(ActorSystem, StopEndsActorsParkedInAnyWait) {
  one_worker sys;
  auto ends = make_mailbox<int>(rendezvous());
  std::vector<actor> all{
      sys.spawn(wait_for_ever),
      sys.spawn([](mailbox<int> in) -> task<> { co_await in.receive(); }, ends.in),
      sys.spawn([](mailbox<int> in) -> task<> { (void)co_await in.receive_for(1h); }, mailbox<int>(bounded(1))),
      sys.spawn([](mailbox<int> in) -> task<> { co_await select(in.receive(), after(1h)); }, ends.in),
      sys.spawn([]() -> task<> { co_await select(at(never)); }),
      sys.spawn([]() -> task<> { co_await this_actor::self().join(); }),
      sys.spawn([]() -> task<> {
        auto [in, out] = make_mailbox<int>(rendezvous());
        (void)co_await out.send(1);
      }),
      sys.spawn([]() -> task<> {
        for (;;) co_await yield();
      })};
  (void)sys.run(settle);
  const auto report = sys.stop();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.to_string(), "Every actor has ended.");
  for (auto& a : all) {
    EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
    EXPECT_EQ(a.wait().why().code(), errc::stopped);
  }
  EXPECT_EQ(sys.live_actors(), 0u);
  EXPECT_EQ(sys.live_timers(), 0u);
  EXPECT_TRUE(sys.stopping());
  EXPECT_TRUE(sys.context().cancelled());
  EXPECT_TRUE(sys.stop().complete());
}

TEST(ActorSystem, StopKillsWhoGoesOnWaiting) {
  one_worker sys;
  const auto stubborn = sys.spawn([]() -> task<> {
    for (;;) {
      try {
        co_await sleep_until(never);
      } catch (const cancelled&) {}
    }
  });
  await_wait(sys, stubborn, "sleep");
  EXPECT_TRUE(sys.stop(300ms).complete()); // once for its good will, once more for the kill
  EXPECT_EQ(stubborn.wait().kind(), exit_kind::killed);
}

TEST(ActorSystem, StopNamesWhoDoesNotReturnToAWait) {
  actor_system sys(quiet(2));
  std::atomic<bool> begun = false;
  std::atomic<bool> may_end = false;
  const auto busy = sys.spawn(
      {.name = "miner"},
      [](std::atomic<bool>* b, std::atomic<bool>* e) -> task<> {
        *b = true;
        while (!*e) std::this_thread::yield();
        co_return;
      },
      &begun, &may_end);
  while (!begun) std::this_thread::yield();
  const auto report = sys.stop(1ms);
  EXPECT_FALSE(report.complete());
  ASSERT_EQ(report.not_stopped.size(), 1u);
  EXPECT_EQ(report.not_stopped[0].name, "miner");
  EXPECT_EQ(report.not_stopped[0].id, busy.id());
  EXPECT_NE(report.to_string().find("1 actor(s) did not stop, because their code did not return to a wait: "),
            std::string::npos);
  EXPECT_NE(report.to_string().find("('miner', spawned at actor_system_test.cpp:"), std::string::npos);
  may_end = true;
  EXPECT_TRUE(sys.stop(std::chrono::milliseconds::max()).complete());
  EXPECT_TRUE(busy.wait().normal());
}

TEST(ActorSystem, StopOnAWorkerIsAUsageError) {
  one_worker sys;
  const auto got = sys.run([]() -> task<> {
    this_actor::system().stop();
    co_return;
  });
  EXPECT_NE(got.error().message().find("stop: called on a worker of the actor system 'test'"), std::string_view::npos);
}

TEST(ActorSystem, DestructorStopsItsActors) {
  actor a;
  {
    one_worker sys;
    a = sys.spawn(wait_for_ever);
  }
  EXPECT_EQ(a.wait().kind(), exit_kind::cancelled);
}

TEST(ActorSystem, TwoHundredCyclesLeaveNoThread) {
  { one_worker warm_up; } // sanitizers and the log may start threads of their own
  const auto before = threads();
  for (int i = 0; i < 200; ++i) {
    actor_system sys(quiet(1 + static_cast<std::size_t>(i) % 3));
    for (int j = 0; j < i % 5; ++j) (void)sys.spawn(wait_for_ever);
    EXPECT_EQ(sys.run([]() -> task<int> { co_return 1; }).value(), 1);
  }
  await_threads(before);
}

TEST(ActorSystem, SpawnsRacingWithItsStopEndOneWayOrTheOther) {
  for (int round = 0; round < 50; ++round) {
    actor_system sys(quiet(2));
    std::vector<actor> made;
    std::atomic<bool> begun = false;
    std::thread other([&] {
      for (int i = 0; i < 500; ++i) {
        made.push_back(sys.spawn(wait_for_ever));
        begun = true;
      }
    });
    while (!begun) std::this_thread::yield();
    EXPECT_TRUE(sys.stop().complete());
    other.join();
    for (auto& a : made) {
      EXPECT_TRUE(a.finished());
      EXPECT_EQ(a.wait().why().code(), errc::stopped);
    }
  }
}

// The sender may still be waking a worker when the actor that it served has ended and its system goes.
TEST(ActorSystem, MayEndWhileAnotherThreadIsStillSending) {
  for (int i = 0; i < 300; ++i) {
    auto [in, out] = make_mailbox<int>(rendezvous());
    std::thread sender([to = out] {
      while (!to.try_send(1)) std::this_thread::yield();
    });
    {
      one_worker sys;
      EXPECT_TRUE(sys.run([](mailbox<int> box) -> task<> { co_await box.receive(); }, in));
    }
    sender.join();
  }
}

// -- reports --------------------------------------------------------------------------------------------------------

TEST(ActorSystem, ListsItsActorsWithWhatTheyWaitFor) {
  timed_system t;
  EXPECT_TRUE(t.sys.actors().empty());
  const auto line = std::source_location::current().line() + 1;
  const auto a = t.sys.spawn({.name = "sleeper"}, wait_for_ever);
  await_wait(t.sys, a, "sleep");
  t.advance(5s);
  const auto all = t.sys.actors();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(t.sys.live_actors(), 1u);
  EXPECT_EQ(all[0].id, a.id());
  EXPECT_EQ(all[0].name, "sleeper");
  EXPECT_EQ(all[0].spawned_at, "actor_system_test.cpp:" + std::to_string(line));
  EXPECT_EQ(all[0].waits_for, "sleep");
  EXPECT_EQ(all[0].waits_since, 5s);
  a.kill();
  a.wait();
  EXPECT_TRUE(t.sys.actors().empty());
}

TEST(ActorSystem, ListsARunningActorAsWaitingForNothing) {
  one_worker sys;
  const auto text =
      sys.run([]() -> task<std::string> { co_return waits_for(this_actor::system(), this_actor::self()); });
  EXPECT_EQ(text.value(), "nothing: it runs or is ready");
}

TEST(ActorSystem, ReportsWhileActorsComeAndGo) {
  actor_system sys(quiet(2));
  std::atomic<bool> done = false;
  const auto churn = sys.spawn(
      [](std::atomic<bool>* d) -> task<> {
        for (int i = 0; i < 3'000; ++i) {
          auto [in, out] = make_mailbox<int>(rendezvous());
          const auto a = spawn([](mailbox<int> box) -> task<> { (void)co_await box.receive_for(1h); }, in);
          co_await yield();
          out = {};
          co_await a.join();
        }
        *d = true;
      },
      &done);
  std::size_t most = 0;
  std::chrono::milliseconds longest{};
  while (!done) {
    const auto all = sys.actors();
    most = std::max(most, all.size());
    for (const auto& info : all) longest = std::max(longest, info.waits_since);
  }
  EXPECT_TRUE(churn.wait().normal());
  EXPECT_LE(most, 2u);
  EXPECT_LT(longest, 24h);
}

} // namespace
} // namespace greenroom::actor_system_test
