// Monitors and links between lightweight actors and CAF's own, in both directions.
#include <functional>
#include <string>

#include <greenroom/runtime/select.hpp>
#include <greenroom/tests/caf/kit.hpp>

namespace greenroom::test::link_test {
namespace {

// -- CAF monitors a lightweight actor -------------------------------------------------------------

struct ending {
  const char* name;
  void (*end)(running_server&);
  caf::error why;
  exit_kind kind;
};

void end_normally(running_server& s) { post(s.handle, number{0}); }
void end_with_failure(running_server& s) { post(s.handle, number{-1}); }
void end_by_kill(running_server& s) { s.who.kill(); }
void end_by_cancel(running_server& s) { s.who.cancel(); }

class CafMonitor : public testing::TestWithParam<ending> {};
INSTANTIATE_TEST_SUITE_P(
    Endings, CafMonitor,
    testing::Values(ending{"Normal", end_normally, {}, exit_kind::normal},
                    ending{"Failure", end_with_failure, caf::make_error(caf::sec::runtime_error), exit_kind::failed},
                    ending{"Kill", end_by_kill, caf::make_error(caf::exit_reason::kill), exit_kind::killed},
                    ending{"Cancel", end_by_cancel, caf::make_error(caf::exit_reason::user_shutdown),
                           exit_kind::cancelled}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_P(CafMonitor, GetsOneDownMessageWithTheReason) {
  for (const auto m : {mode::own, mode::attached}) {
    world w(m);
    running_server server(w);
    caf::scoped_actor self(w.caf());
    self->monitor(server.handle);
    GetParam().end(server);
    const auto down = next_down(self);
    EXPECT_EQ(down.source, server.handle.address());
    EXPECT_EQ(down.reason, GetParam().why);
    w.sys().stop(); // whatever was to come has come
    EXPECT_FALSE(self->has_next_message());
  }
}

TEST_P(CafMonitor, OfAnEndedActorGetsTheReasonAtOnce) {
  world w(mode::attached);
  caf::actor_addr before;
  running_server server(w);
  before = server.handle.address();
  GetParam().end(server);
  (void)server.who.wait();
  server.handle = {};
  caf::scoped_actor self(w.caf());
  const auto after = caf_handle(server.who);
  EXPECT_EQ(after, before);
  self->monitor(after);
  EXPECT_EQ(next_down(self).reason, GetParam().why);
}

TEST_P(CafMonitor, ReasonComesBackAsItWas) {
  world w;
  const auto reason = from_caf(w.caf(), GetParam().why);
  EXPECT_EQ(reason.kind(), GetParam().kind);
  EXPECT_EQ(to_caf(reason), GetParam().why);
}

TEST(CafMonitor, OfAFailureCarriesItsText) {
  world w;
  running_server server(w);
  caf::scoped_actor self(w.caf());
  self->monitor(server.handle);
  end_with_failure(server);
  const auto why = from_caf(w.caf(), next_down(self).reason);
  EXPECT_EQ(why.kind(), exit_kind::failed);
  EXPECT_NE(why.to_string().find("a negative number"), std::string::npos) << why.to_string();
}

// -- a lightweight actor monitors CAF's -----------------------------------------------------------

caf::behavior ends_on_demand(caf::event_based_actor* self) {
  return {[=](caf::exit_reason why) { self->quit(why); },
          [=](const std::string& text) { self->quit(caf::make_error(caf::sec::runtime_error, text)); }};
}

task<> watch(caf::actor peer, event* watching, exit_reason* why, std::uint64_t* id) {
  auto watching_it = monitor_caf(peer);
  peer = {};
  watching->set();
  const auto down = co_await watching_it.down();
  *id = down->id;
  *why = down->why;
  const auto second = co_await watching_it.down();
  EXPECT_FALSE(second.has_value());
}

class CafMonitorOfPeer : public testing::TestWithParam<mode> {
protected:
  event watching; // what actors write to outlives them
  exit_reason why;
  std::uint64_t id = 0;
  world w{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Modes, CafMonitorOfPeer, testing::Values(mode::own, mode::attached), name_of);

TEST_P(CafMonitorOfPeer, GivesOneNoticeOfANormalEnd) {
  auto peer = w.caf().spawn(ends_on_demand);
  const auto watcher = w.sys().spawn(watch, peer, &watching, &why, &id);
  ASSERT_TRUE(watching.wait());
  post(peer, caf::exit_reason::normal);
  EXPECT_TRUE(watcher.wait().normal());
  EXPECT_EQ(id, peer.id());
  EXPECT_TRUE(why.normal());
}

TEST_P(CafMonitorOfPeer, GivesTheTextOfAFailure) {
  auto peer = w.caf().spawn(ends_on_demand);
  const auto watcher = w.sys().spawn(watch, peer, &watching, &why, &id);
  ASSERT_TRUE(watching.wait());
  post(peer, "it broke");
  EXPECT_TRUE(watcher.wait().normal());
  EXPECT_EQ(why.to_string(), "failed: it broke");
}

TEST_P(CafMonitorOfPeer, GivesNoticeOfAKill) {
  auto peer = w.caf().spawn(ends_on_demand);
  const auto watcher = w.sys().spawn(watch, peer, &watching, &why, &id);
  ASSERT_TRUE(watching.wait());
  caf::anon_send_exit(peer, caf::exit_reason::kill);
  EXPECT_TRUE(watcher.wait().normal());
  EXPECT_EQ(why.kind(), exit_kind::killed);
}

TEST_P(CafMonitorOfPeer, GivesNoticeAtOnceIfItHasEnded) {
  auto peer = w.caf().spawn(ends_on_demand);
  caf::anon_send_exit(peer, caf::exit_reason::kill);
  caf::scoped_actor self(w.caf());
  self->wait_for(peer);
  EXPECT_TRUE(w.sys().spawn(watch, peer, &watching, &why, &id).wait().normal());
  EXPECT_EQ(why.kind(), exit_kind::killed);
}

TEST_P(CafMonitorOfPeer, DoesNotKeepThePeerAlive) {
  auto peer = w.caf().spawn(ends_on_demand);
  const auto watcher = w.sys().spawn(watch, peer, &watching, &why, &id);
  ASSERT_TRUE(watching.wait());
  peer = {}; // CAF ends an actor that nobody can reach
  EXPECT_TRUE(watcher.wait().normal());
  EXPECT_EQ(why.kind(), exit_kind::failed);
}

task<> watch_twice_drop_one(caf::actor peer, event* watching) {
  auto stays = monitor_caf(peer);
  { const auto goes = monitor_caf(peer); }
  auto moved = std::move(stays);
  watching->set();
  const auto down = co_await moved.down();
  EXPECT_TRUE(down.has_value());
}

TEST_P(CafMonitorOfPeer, DroppedMonitorLeavesTheOthers) {
  auto peer = w.caf().spawn(ends_on_demand);
  const auto watcher = w.sys().spawn(watch_twice_drop_one, peer, &watching);
  ASSERT_TRUE(watching.wait());
  post(peer, caf::exit_reason::normal);
  EXPECT_TRUE(watcher.wait().normal());
}

task<> watch_two(caf::actor first, caf::actor second, event* watching) {
  auto one = monitor_caf(first);
  auto two = monitor_caf(second);
  watching->set();
  auto s = co_await select(one.down(), two.down());
  EXPECT_EQ(s.index(), 1U);
}

TEST_P(CafMonitorOfPeer, IsASelectCase) {
  auto first = w.caf().spawn(ends_on_demand);
  auto second = w.caf().spawn(ends_on_demand);
  const auto watcher = w.sys().spawn(watch_two, first, second, &watching);
  ASSERT_TRUE(watching.wait());
  post(second, caf::exit_reason::normal);
  EXPECT_TRUE(watcher.wait().normal());
  post(first, caf::exit_reason::normal);
}

TEST_P(CafMonitorOfPeer, OfAnEmptyHandleIsAUsageError) {
  EXPECT_THROW((void)monitor_caf(caf::strong_actor_ptr()), usage_error);
}

// -- links ----------------------------------------------------------------------------------------

task<> linked(caf::actor peer, event* ready, event* gone) {
  const frame_guard guard(gone);
  link_caf(peer);
  auto [in, out] = make_mailbox<number>(bounded(4));
  caf_accept(out);
  ready->set();
  while (auto n = co_await in.receive()) {
    if (*n < 0) throw std::runtime_error("a negative number");
    if (*n == 0) co_return;
  }
}

class CafLink : public testing::TestWithParam<mode> {
protected:
  event ready;
  event gone;
  world w{GetParam()};
  caf::actor peer = w.caf().spawn(ends_on_demand);
  actor who = w.sys().spawn(linked, peer, &ready, &gone);
  caf::actor handle = caf_handle(who);

  void SetUp() override { ASSERT_TRUE(ready.wait()); }
  void TearDown() override {
    who.kill();
    (void)who.wait();
    caf::anon_send_exit(peer, caf::exit_reason::kill);
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, CafLink, testing::Values(mode::own, mode::attached), name_of);

TEST_P(CafLink, FailureOfThePeerCancelsTheActor) {
  post(peer, "it broke");
  EXPECT_TRUE(gone.wait());
  const auto why = who.wait();
  EXPECT_EQ(why.kind(), exit_kind::cancelled);
  EXPECT_NE(why.to_string().find("it broke"), std::string::npos) << why.to_string();
}

TEST_P(CafLink, KillOfThePeerKillsTheActor) {
  caf::anon_send_exit(peer, caf::exit_reason::kill);
  EXPECT_EQ(who.wait().kind(), exit_kind::killed);
}

TEST_P(CafLink, NormalEndOfThePeerChangesNothing) {
  caf::scoped_actor self(w.caf());
  post(peer, caf::exit_reason::normal);
  self->wait_for(peer);
  EXPECT_FALSE(who.finished());
  post(handle, number{0});
  EXPECT_TRUE(who.wait().normal());
}

TEST_P(CafLink, FailureOfTheActorEndsThePeer) {
  caf::scoped_actor self(w.caf());
  self->monitor(peer);
  post(handle, number{-1});
  const auto why = from_caf(w.caf(), next_down(self).reason);
  EXPECT_NE(why.to_string().find("a negative number"), std::string::npos) << why.to_string();
}

TEST_P(CafLink, NormalEndOfTheActorChangesNothing) {
  caf::scoped_actor self(w.caf());
  post(handle, number{0});
  EXPECT_TRUE(who.wait().normal());
  w.sys().stop(); // the peer has been told
  self->monitor(peer);
  EXPECT_FALSE(self->has_next_message());
  post(peer, caf::exit_reason::user_shutdown);
  EXPECT_EQ(next_down(self).reason, caf::exit_reason::user_shutdown); // not what the link said
}

caf::behavior links_itself(caf::event_based_actor* self, caf::actor whom, caf::actor tell) {
  self->link_to(whom);
  say(self, tell, caf::ok_atom_v);
  return {[](number) {}};
}

TEST_P(CafLink, MayBeMadeByThePeer) {
  caf::scoped_actor self(w.caf());
  const auto other = w.caf().spawn(links_itself, handle, caf::actor(self));
  self->receive([](caf::ok_atom) {});
  self->monitor(other);
  who.kill();
  EXPECT_EQ(next_down(self).reason, caf::exit_reason::kill);
}

TEST_P(CafLink, ToAPeerThatHasFailedCancelsAtOnce) {
  caf::anon_send_exit(peer, caf::exit_reason::user_shutdown);
  EXPECT_EQ(who.wait().kind(), exit_kind::cancelled);
  event again;
  event late_gone;
  const auto late = w.sys().spawn(linked, peer, &again, &late_gone);
  EXPECT_EQ(late.wait().kind(), exit_kind::cancelled);
}

TEST_P(CafLink, JoinsTwoLightweightActors) {
  event other_ready;
  event other_gone;
  const auto other = w.sys().spawn(linked, handle, &other_ready, &other_gone);
  ASSERT_TRUE(other_ready.wait());
  post(handle, number{-1});
  EXPECT_EQ(other.wait().kind(), exit_kind::cancelled);
}

} // namespace
} // namespace greenroom::test::link_test
