// The two modes (a CAF system of the host, or the system's own), shutdown, and what is left behind.
#include <atomic>
#include <string>
#include <vector>

#include <greenroom/tests/caf/kit.hpp>

namespace greenroom::test::modes_test {
namespace {

class CafModes : public testing::TestWithParam<mode> {};
INSTANTIATE_TEST_SUITE_P(Modes, CafModes, testing::Values(mode::own, mode::attached), name_of);

TEST_P(CafModes, ParkedActorHoldsUpNoShutdown) {
  event ready;
  event gone;
  actor who;
  {
    world w(GetParam());
    who = w.sys().spawn(park, &ready, &gone);
    ASSERT_TRUE(ready.wait());
    const auto handle = caf_handle(who);
    w.caf().registry().put(handle.id(), caf::actor_cast<caf::strong_actor_ptr>(handle));
    w.caf().await_all_actors_done(); // CAF does not count it
    EXPECT_FALSE(who.finished());
  }
  EXPECT_TRUE(gone.wait());
  EXPECT_EQ(who.wait().kind(), exit_kind::cancelled);
}

TEST_P(CafModes, HandleMayOutliveTheSystem) {
  caf::actor handle;
  {
    world w(GetParam());
    running_server server(w);
    handle = server.handle;
  }
  EXPECT_NE(handle.id(), 0U);
}

TEST_P(CafModes, TenThousandHandlesLeaveNoIdentity) {
  world w(GetParam());
  event ready;
  std::vector<actor> all;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(w.sys().spawn(park, &ready, nullptr));
    (void)caf_handle(all.back());
    (void)caf_handle(all.back());
  }
  EXPECT_EQ(w.counters().identities, 10'000U);
  for (const auto& one : all) one.kill();
  for (const auto& one : all) (void)one.wait();
  for (const auto& one : all) (void)caf_handle(one); // of an actor that has ended
  w.sys().stop();
  EXPECT_EQ(w.counters().identities, 0U);
}

TEST_P(CafModes, RegistryKnowsLightweightActorsByName) {
  world w(GetParam());
  running_server server(w);
  auto& registry = w.caf().registry();
  const auto name = registry_name("server");
  registry.put(name, caf::actor_cast<caf::strong_actor_ptr>(server.handle));
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, registry.get<caf::actor>(name), number{1}).value, 2);
  registry.erase(name);
}

/// Sends `count` requests at once, and tells how many were answered and refused when all are settled.
caf::behavior flood(caf::event_based_actor* self, caf::actor whom, caf::actor tell, number count) {
  struct tally {
    number answers = 0;
    number errors = 0;
  };
  const auto seen = std::make_shared<tally>();
  const auto settle = [=] {
    if (seen->answers + seen->errors == count) say(self, tell, seen->answers, seen->errors);
  };
  for (number i = 1; i <= count; ++i) {
    request(self, whom, number{1})
        .then([=](number) { ++seen->answers, settle(); }, [=](caf::error&) { ++seen->errors, settle(); });
  }
  return {[](caf::unit_t) {}};
}

TEST_P(CafModes, EveryRequestIsSettledOnceWhenTheActorIsKilledMeanwhile) {
  world w(GetParam());
  for (int round = 0; round < 50; ++round) {
    running_server server(w);
    caf::scoped_actor self(w.caf());
    constexpr number count = 200;
    w.caf().spawn(flood, server.handle, caf::actor(self), count);
    if (round % 2 != 0) (void)ask(self, server.handle, number{1}); // in the middle of the flood
    server.who.kill();
    number settled = 0;
    self->receive([&](number answers, number errors) { settled = answers + errors; });
    EXPECT_EQ(settled, count);
  }
}

TEST_P(CafModes, HandlesAreMadeWhileTheActorEnds) {
  world w(GetParam());
  caf::scoped_actor self(w.caf());
  constexpr int rounds = 300;
  for (int round = 0; round < rounds; ++round) {
    event ready;
    const auto who = w.sys().spawn(park, &ready, nullptr);
    ASSERT_TRUE(ready.wait());
    who.kill(); // ends on a worker while the handle is made here
    self->monitor(caf_handle(who));
    EXPECT_EQ(next_down(self).reason, caf::exit_reason::kill);
  }
  w.sys().stop();
  EXPECT_FALSE(self->has_next_message());
  EXPECT_EQ(w.counters().identities, 0U);
}

TEST(CafModes, SeveralSystemsShareAHost) {
  caf::actor_system_config config;
  caf::actor_system host(config);
  actor_system first(quiet(), in_caf_system(host));
  event ready;
  event gone;
  actor who;
  {
    actor_system second(quiet(), in_caf_system(host));
    who = second.spawn(server, &ready, &gone);
    ASSERT_TRUE(ready.wait());
    EXPECT_EQ(&caf_system(first), &caf_system(second));
    constexpr auto ask_other = [](caf::actor whom) -> task<number> {
      auto asking = ask_caf<number>(whom, patience, number{1});
      co_return *co_await std::move(asking);
    };
    EXPECT_EQ(first.run(ask_other, caf_handle(who)).value(), 2);
  }
  EXPECT_TRUE(gone.wait());
}

TEST(CafModes, ActorsOfTwoOwnSystemsTalk) {
  world first;
  world second;
  running_server server(second);
  constexpr auto ask_other = [](caf::actor whom) -> task<number> {
    auto asking = ask_caf<number>(whom, patience, number{1});
    co_return *co_await std::move(asking);
  };
  const auto behaviour = second.caf().spawn([]() -> caf::behavior { return {[](number n) { return n + 10; }}; });
  EXPECT_EQ(first.sys().run(ask_other, server.handle).value(), 2);
  EXPECT_EQ(first.sys().run(ask_other, behaviour).value(), 11);
}

} // namespace
} // namespace greenroom::test::modes_test
