// Two hosts on loopback, each with a Greenroom system: lightweight actors are published, asked, monitored and linked by BASP.
#include <string>

#include <greenroom/tests/caf/kit.hpp>

namespace greenroom::test::remote_test {
namespace {

struct node_config : caf::actor_system_config {
  node_config() {
    load<caf::io::middleman>();
    internal::use_threads_of_caf(*this, 2);
  }
};

struct node {
  node_config config;
  caf::actor_system caf{config};
  actor_system sys{quiet(), in_caf_system(caf)};
};

/// Returns `served`, an actor of node `from`, as node `to` sees it.
caf::actor through_network(const caf::actor& served, node& from, node& to) {
  const auto port = from.caf.middleman().publish(served, 0, "127.0.0.1");
  EXPECT_TRUE(port);
  auto proxy = to.caf.middleman().remote_actor("127.0.0.1", *port);
  EXPECT_TRUE(proxy);
  return std::move(*proxy);
}

class CafRemote : public testing::Test {
protected:
  void SetUp() override {
    who = there.sys.spawn(server, &ready, &gone);
    ASSERT_TRUE(ready.wait());
    proxy = through_network(caf_handle(who), there, here);
  }

  event ready; // the events outlive the actors
  event gone;
  node there;
  node here;
  actor who;
  caf::actor proxy;
};

TEST_F(CafRemote, AnswersRequestsFromAnotherNode) {
  caf::scoped_actor self(here.caf);
  EXPECT_NE(proxy.node(), here.caf.node());
  EXPECT_EQ(proxy.id(), who.id());
  EXPECT_EQ(ask(self, proxy, number{41}).value, 42);
  EXPECT_EQ(ask(self, proxy, number{1000}).why, caf::sec::request_receiver_down);
}

task<number> ask_twice(caf::actor whom) {
  auto first = ask_caf<number>(whom, patience, number{1});
  const auto one = co_await std::move(first);
  auto second = ask_caf<number>(whom, patience, *one);
  const auto two = co_await std::move(second);
  co_return *two;
}

TEST_F(CafRemote, IsAskedByALightweightActorOfAnotherNode) { EXPECT_EQ(here.sys.run(ask_twice, proxy).value(), 3); }

TEST_F(CafRemote, AsksABehaviourOfAnotherNode) {
  const auto behaviour = here.caf.spawn([]() -> caf::behavior { return {[](number n) { return n + 1; }}; });
  EXPECT_EQ(there.sys.run(ask_twice, through_network(behaviour, here, there)).value(), 3);
  caf::anon_send_exit(behaviour, caf::exit_reason::kill); // published, it would hold up the shutdown
}

task<result<number>> ask_bad_number(caf::actor whom) {
  auto asking = ask_caf<number>(whom, patience, number{2000});
  co_return co_await std::move(asking);
}

TEST_F(CafRemote, ErrorTextsTravel) {
  const auto got = here.sys.run(ask_bad_number, proxy);
  EXPECT_NE(got.error().message().find("too much"), std::string::npos) << got.error().message();
}

TEST_F(CafRemote, MonitorOfAnotherNodeGetsTheKill) {
  caf::scoped_actor self(here.caf);
  self->monitor(proxy);
  EXPECT_EQ(ask(self, proxy, number{1}).value, 2); // behind the monitor
  who.kill();
  EXPECT_EQ(next_down(self).reason, caf::exit_reason::kill);
}

TEST_F(CafRemote, ExitMessageOfAnotherNodeKills) {
  caf::anon_send_exit(proxy, caf::exit_reason::kill);
  EXPECT_TRUE(gone.wait());
  EXPECT_EQ(who.wait().kind(), exit_kind::killed);
}

task<exit_reason> watch_and_provoke(caf::actor peer) {
  auto watching = monitor_caf(peer);
  auto asking = ask_caf<number>(peer, patience, number{1}); // behind the monitor
  (void)co_await std::move(asking);
  send_caf(peer, number{-1});
  auto down = co_await watching.down();
  co_return down->why;
}

TEST_F(CafRemote, LightweightActorMonitorsOneOfAnotherNode) {
  const auto why = here.sys.run(watch_and_provoke, proxy).value();
  EXPECT_EQ(why.kind(), exit_kind::failed);
  EXPECT_NE(why.to_string().find("a negative number"), std::string::npos) << why.to_string();
}

task<> link_and_provoke(caf::actor peer, number with) {
  link_caf(peer);
  auto asking = ask_caf<number>(peer, patience, number{1}); // behind the link
  (void)co_await std::move(asking);
  if (with == 0) throw std::runtime_error("it broke here");
  send_caf(peer, with);
  mailbox<int> nothing_comes(bounded(1));
  (void)co_await nothing_comes.receive();
}

TEST_F(CafRemote, LinkBringsAFailureFromAnotherNode) {
  const auto why = here.sys.spawn(link_and_provoke, proxy, number{-1}).wait();
  EXPECT_EQ(why.kind(), exit_kind::cancelled);
  EXPECT_NE(why.to_string().find("a negative number"), std::string::npos) << why.to_string();
}

TEST_F(CafRemote, LinkTakesAFailureToAnotherNode) {
  EXPECT_EQ(here.sys.spawn(link_and_provoke, proxy, number{0}).wait().kind(), exit_kind::failed);
  const auto why = who.wait();
  EXPECT_EQ(why.kind(), exit_kind::cancelled);
  EXPECT_NE(why.to_string().find("it broke here"), std::string::npos) << why.to_string();
}

} // namespace
} // namespace greenroom::test::remote_test
