// The transport and what is around it: addresses, and the start and stop of systems.
#include <greenroom/runtime/transport.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/internal/tcp_transport.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/socket_kit.hpp>

namespace greenroom::transport_system_test {
namespace {

using namespace test;

task<result<std::unique_ptr<stream>>> connect_to(endpoint to) {
  return this_actor::system().net().connect(std::move(to));
}

/// Returns what a connection to `to` fails with.
error connect_failure(actor_system& sys, endpoint to) {
  const auto made = sys.run(connect_to, std::move(to));
  EXPECT_FALSE(made);
  return made.error();
}

// -- addresses --------------------------------------------------------------------------------------

TEST(Endpoint, BracketsStandAroundAnAddressOfVersionSix) {
  EXPECT_EQ((endpoint{"127.0.0.1", 80}.to_string()), "127.0.0.1:80");
  EXPECT_EQ((endpoint{"::1", 80}.to_string()), "[::1]:80");
}

TEST(TransportAddresses, ARefusedConnectionNamesHostAndPort) {
  one_worker sys;
  raw_socket deaf; // bound, not listening
  deaf.bind();
  const auto port = std::to_string(deaf.port());
  const auto why = connect_failure(sys, {"127.0.0.1", deaf.port()});
  EXPECT_TRUE(why.is(errc::io));
  EXPECT_EQ(why.message(), "cannot connect: 127.0.0.1:" + port + ": Connection refused");
}

TEST(TransportAddresses, AnUnknownNameIsNotFound) {
  one_worker sys;
  const auto why = connect_failure(sys, {"no name", 80}); // a space: no name service need be asked
  EXPECT_TRUE(why.is(errc::not_found));
  EXPECT_EQ(why.message(), "cannot connect: no name:80: Name or service not known");
  EXPECT_TRUE(connect_failure(sys, {"", 80}).is(errc::not_found));
}

task<> connect_by_name() {
  auto at = listen_here(this_actor::system());
  const auto made = co_await this_actor::system().net().connect({"localhost", at->port()});
  EXPECT_TRUE(made);
  EXPECT_TRUE(co_await at->accept());
}

TEST(TransportAddresses, ANameIsTriedAddressByAddress) {
  one_worker sys;
  EXPECT_TRUE(sys.run(connect_by_name));
}

TEST(TransportAddresses, ListeningAtAUsedPortSaysSo) {
  one_worker sys;
  const auto first = listen_here(sys);
  const auto second = sys.net().listen({"127.0.0.1", first->port()});
  EXPECT_TRUE(second.error().is(errc::already_exists));
  EXPECT_EQ(second.error().message(),
            "cannot listen: 127.0.0.1:" + std::to_string(first->port()) + ": Address already in use");
}

TEST(TransportAddresses, AClosedListenerGivesItsPortBack) {
  one_worker sys;
  const auto first = listen_here(sys);
  first->close();
  EXPECT_TRUE(sys.net().listen({"127.0.0.1", first->port()}));
}

TEST(TransportAddresses, ListeningWantsANumericAddressOfThisMachine) {
  one_worker sys;
  for (const char* host : {"localhost", "", "127.0.0", "1.2.3.4.5"}) {
    const auto at = sys.net().listen({host, 0});
    ASSERT_FALSE(at) << host;
    EXPECT_TRUE(at.error().is(errc::invalid_argument)) << host;
    EXPECT_EQ(at.error().message(),
              "cannot listen: " + std::string(host) +
                  ":0: the host must be a numeric address, such as 127.0.0.1 or ::1; 0.0.0.0 or :: "
                  "stands for all of this machine");
  }
  const auto foreign = sys.net().listen({"192.0.2.1", 0}); // a documentation address, nobody's own
  EXPECT_TRUE(foreign.error().is(errc::io));
  EXPECT_EQ(foreign.error().message(), "cannot listen: 192.0.2.1:0: Cannot assign requested address");
  const auto none = sys.net().listen({"127.0.0.1", 0}, {.backlog = 0});
  EXPECT_EQ(none.error().message(), "cannot listen: 127.0.0.1:0: the backlog must be at least 1, not 0");
}

TEST(TransportAddresses, VersionSixWorksWhereTheMachineHasIt) {
  one_worker sys;
  const auto at = sys.net().listen({"::1", 0});
  if (!at) GTEST_SKIP() << at.error().message();
  const auto made = sys.run(connect_to, endpoint{"::1", (*at)->port()});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ((*made)->peer(), "[::1]:" + std::to_string((*at)->port()));
}

// -- systems ----------------------------------------------------------------------------------------

task<> idle(std::unique_ptr<stream> with, bool in_read) {
  std::byte one[1];
  if (in_read) {
    (void)co_await with->read_some(one);
  } else {
    (void)co_await with->readable();
  }
}

task<> accept_idlers(std::unique_ptr<listener> at) {
  for (;;) {
    auto next = co_await at->accept();
    if (!next) co_return;
    spawn(idle, *std::move(next), true);
  }
}

task<> open_idlers(int count) {
  auto at = listen_here(this_actor::system());
  const auto port = at->port();
  spawn(accept_idlers, std::move(at));
  for (int i = 0; i < count; ++i) spawn(idle, co_await connect_here(port), false);
}

class TransportStop : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(, TransportStop, testing::Values(1, 3));

TEST_P(TransportStop, LeavesNoDescriptorAndNoThread) {
  { const actor_system warm_up(quiet(1)); }
  const auto descriptors = open_descriptors();
  const auto threads_before = threads();
  {
    actor_system sys(quiet(GetParam()));
    EXPECT_TRUE(sys.run(open_idlers, 10));
    for (int idlers = 0; idlers < 21;) { // two for each connection, and the listener's
      idlers = 0;
      for (const auto& a : sys.actors()) idlers += a.waits_for == "io" ? 1 : 0;
    }
    EXPECT_TRUE(sys.stop().complete());
    EXPECT_EQ(sys.live_actors(), 0U);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  await_threads(threads_before);
}

task<> kill_idlers() {
  auto warm_up = co_await make_pair();
  for (int i = 0; i < 10; ++i) {
    const auto before = open_descriptors();
    auto both = co_await make_pair();
    const auto idler = spawn(idle, std::move(both.near), i % 2 == 0);
    co_await until_waits(idler, "io");
    idler.kill();
    co_await idler.join();
    EXPECT_EQ(open_descriptors(), before + 1);
  }
}

TEST(TransportKill, OfAWaitingActorClosesItsStream) {
  one_worker sys;
  EXPECT_TRUE(sys.run(kill_idlers));
}

task<> keep_one_end(std::unique_ptr<listener>* at, stream_pair* kept) {
  *at = listen_here(this_actor::system());
  *kept = co_await make_pair();
  (void)co_await with_timeout(1ms, read_text(kept->near.get(), 1));
  (void)co_await with_timeout(1ms, (*at)->accept());
}

TEST_P(TransportStop, ClosesWhatOutlivesTheSystem) {
  { const actor_system warm_up(quiet(1)); }
  const auto before = open_descriptors();
  std::unique_ptr<listener> at;
  stream_pair kept;
  {
    actor_system sys(quiet(GetParam()));
    EXPECT_TRUE(sys.run(keep_one_end, &at, &kept));
  }
  EXPECT_EQ(open_descriptors(), before);
  kept.near->close();
  at.reset();
}

TEST_P(TransportStop, StartAndStopWithConnectionsInFlightManyTimes) {
  for (int round = 0; round < 20; ++round) {
    actor_system sys(quiet(GetParam()));
    EXPECT_TRUE(sys.run(open_idlers, 3));
  }
}

class no_transport final : public transport {
public:
  result<std::unique_ptr<listener>> listen(const endpoint&, const listen_options&) override { return errc::full; }
  task<result<std::unique_ptr<stream>>> connect(endpoint) override { co_return errc::full; }
};

TEST(TransportEnvironment, ItsTransportIsTheOneOfTheSystem) {
  no_transport mine;
  actor_system sys(quiet(1), environment{.net = &mine});
  EXPECT_EQ(&sys.net(), &mine);
  EXPECT_TRUE(connect_failure(sys, {"127.0.0.1", 1}).is(errc::full));
  EXPECT_TRUE(real_transport(sys).listen({"127.0.0.1", 0}));
}

task<> connect_by(transport* net, error* why) { *why = (co_await net->connect({"127.0.0.1", 1})).error(); }

TEST(TransportEnvironment, AnotherExecutorHasNoSockets) {
  one_worker sys;
  internal::tcp_transport net(sys.core(), nullptr);
  const auto at = net.listen({"127.0.0.1", 0}, {});
  ASSERT_FALSE(at);
  EXPECT_TRUE(at.error().is(errc::unsupported));
  EXPECT_EQ(at.error().message(),
            "cannot listen: 127.0.0.1:0: the system runs on an executor of its environment, which "
            "polls no sockets; set environment::net too");
  error why = errc::failed;
  EXPECT_TRUE(sys.run(connect_by, &net, &why));
  EXPECT_TRUE(why.is(errc::unsupported));
}

} // namespace
} // namespace greenroom::transport_system_test
