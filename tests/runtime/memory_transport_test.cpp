#include <greenroom/runtime/memory_transport.hpp>

#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/socket_kit.hpp>

// What it shares with sockets is in transport_test.cpp.

namespace greenroom::memory_transport_test {
namespace {

using namespace test;

struct world {
  explicit world(std::size_t capacity = 65'536) : net(capacity) {}
  memory_transport net;
  actor_system sys{quiet(1), environment{.net = &net}};

  std::unique_ptr<listener> listen(const std::string& host, std::uint16_t port, int backlog = 8) {
    return net.listen({host, port}, {.backlog = backlog}).value();
  }
  result<std::unique_ptr<stream>> connect(const std::string& host, std::uint16_t port) {
    return sys.run([](memory_transport* to, endpoint at) { return to->connect(std::move(at)); }, &net,
                   endpoint(host, port));
  }
};

TEST(MemoryTransport, ListensOncePerAddressAndPicksFreePorts) {
  world w;
  const auto one = w.listen("here", 80);
  const auto again = w.net.listen({"here", 80});
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().is(errc::already_exists));
  EXPECT_EQ(again.error().message(), "cannot listen: here:80: Address already in use");
  const auto other_host = w.listen("there", 80);
  const auto first = w.listen("here", 0);
  const auto second = w.listen("here", 0);
  EXPECT_NE(first->port(), 0);
  EXPECT_NE(first->port(), second->port());
  one->close();
  EXPECT_TRUE(w.net.listen({"here", 80})) << "a closed listener leaves its address";
}

TEST(MemoryTransport, ConnectsByHostOrToWhoListensAtAll) {
  world w;
  const auto at = w.listen("0.0.0.0", 80);
  EXPECT_TRUE(w.connect("anywhere", 80));
  const auto nobody = w.connect("anywhere", 81);
  ASSERT_FALSE(nobody);
  EXPECT_TRUE(nobody.error().is(errc::io));
  EXPECT_EQ(nobody.error().message(), "cannot connect: anywhere:81: Connection refused: nobody listens there");
}

TEST(MemoryTransport, RefusesBeyondTheBacklog) {
  world w;
  const auto at = w.listen("here", 80, 2);
  const auto one = w.connect("here", 80);
  const auto two = w.connect("here", 80);
  EXPECT_TRUE(one && two);
  EXPECT_FALSE(w.connect("here", 80));
  EXPECT_TRUE(at->try_accept());
  EXPECT_TRUE(w.connect("here", 80)) << "one was taken in";
}

TEST(MemoryTransport, HoldsWhatItsCapacityAllowsAndLosesNothing) {
  world w(3);
  const auto at = w.listen("here", 80);
  const auto near = w.connect("here", 80).value();
  const auto far = at->try_accept().value();
  EXPECT_EQ(near->try_write(bytes_of("abcde")).value(), 3u);
  EXPECT_TRUE(near->try_write(bytes_of("de")).error().is(errc::full));
  std::byte two[2];
  EXPECT_EQ(far->try_read(two).value(), 2u);
  EXPECT_EQ(near->try_write(bytes_of("de")).value(), 2u);
  EXPECT_EQ(w.sys.run(read_text, far.get(), 3).value(), "cde");
  EXPECT_TRUE(far->try_read(two).error().is(errc::empty));
}

TEST(MemoryTransport, ResetBreaksBothEnds) {
  world w;
  const auto at = w.listen("here", 80);
  const auto near = w.connect("here", 80).value();
  const auto far = at->try_accept().value();
  EXPECT_TRUE(near->try_write(bytes_of("lost")));
  memory_transport::reset(*near);
  std::byte some[8];
  EXPECT_TRUE(far->try_read(some).error().is(errc::io));
  EXPECT_TRUE(far->try_write(bytes_of("x")).error().is(errc::io));
  EXPECT_TRUE(near->try_read(some).error().is(errc::io));
}

TEST(MemoryTransport, CloseOnUnreadInputResetsAsTcpDoes) {
  world w;
  const auto at = w.listen("here", 80);
  const auto near = w.connect("here", 80).value();
  auto far = at->try_accept().value();
  EXPECT_TRUE(near->try_write(bytes_of("unread")));
  EXPECT_TRUE(far->try_write(bytes_of("answer")));
  far.reset();
  std::byte some[8];
  EXPECT_TRUE(near->try_read(some).error().is(errc::io));
}

TEST(MemoryTransport, AnOrderlyEndComesBehindTheLastByte) {
  world w;
  const auto at = w.listen("here", 80);
  const auto near = w.connect("here", 80).value();
  auto far = at->try_accept().value();
  EXPECT_TRUE(far->try_write(bytes_of("last")));
  far.reset();
  std::byte some[8];
  EXPECT_EQ(near->try_read(some).value(), 4u);
  EXPECT_EQ(near->try_read(some).value(), 0u);
  EXPECT_TRUE(near->try_write(bytes_of("x")).error().is(errc::io)) << "nobody reads it";
}

TEST(MemoryTransport, ClosingAListenerResetsWhoWaitsToBeAccepted) {
  world w;
  auto at = w.listen("here", 80);
  const auto near = w.connect("here", 80).value();
  at.reset();
  std::byte some[8];
  EXPECT_TRUE(near->try_read(some).error().is(errc::io));
}

TEST(MemoryTransport, StreamsAndListenersMayOutliveIt) {
  std::unique_ptr<listener> at;
  std::unique_ptr<stream> near;
  {
    world w;
    at = w.listen("here", 80);
    near = w.connect("here", 80).value();
  }
  EXPECT_TRUE(near->try_write(bytes_of("x")));
  EXPECT_TRUE(at->try_accept());
  at->close();
}

TEST(MemoryTransport, SaysWhatIsWrongWithItsUse) {
  EXPECT_THROW(memory_transport(0), usage_error);
  memory_transport net;
  const auto none = net.listen({"here", 80}, {.backlog = 0});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message(), "cannot listen: here:80: the backlog must be at least 1, not 0");
}

// -- wake -----------------------------------------------------------------------------------------------

task<bool> ends_with_limit(stream* on) {
  co_return co_await on->readable_until(saturating_add(this_actor::system().now(), 10s));
}

TEST(StreamWake, EndsTheWaitUnderWayOrElseTheNextOne) {
  manual_clock time;
  memory_transport net;
  actor_system sys(quiet(1), environment{.time = &time, .net = &net});
  auto both = sys.run(make_pair).value();
  bool ended = false;
  const auto waiting =
      sys.spawn([](stream* on, bool* out) -> task<> { *out = co_await ends_with_limit(on); }, both.near.get(), &ended);
  await_wait(sys, waiting, "io");
  both.near->wake();
  EXPECT_TRUE(waiting.wait().normal());
  EXPECT_TRUE(ended);
  both.near->wake(); // nobody waits
  EXPECT_TRUE(sys.run(ends_with_limit, both.near.get()).value());
  bool again = true; // it was used up
  const auto third =
      sys.spawn([](stream* on, bool* out) -> task<> { *out = co_await ends_with_limit(on); }, both.near.get(), &again);
  await_wait(sys, third, "io");
  time.advance(11s);
  (void)sys.run(settle); // the worker sleeps in real time: this wakes it
  EXPECT_TRUE(third.wait().normal());
  EXPECT_FALSE(again);
}

// -- what a stream over another one does ----------------------------------------------------------------

struct over_another : stream {
  using stream::source_of;
};

task<> wait_to_read(stream* on) { co_await on->readable(); }

TEST(ReadinessSource, AWaitLooksForWhatItsSideWasTold) {
  using source = detail::readiness_source;
  constexpr auto reading = detail::io_side::reading;
  memory_transport net(4);
  actor_system sys(quiet(1), environment{.net = &net});
  auto both = sys.run(make_pair).value();
  auto& at = over_another::source_of(*both.near);
  at.look_for(reading, source::to_write);
  EXPECT_TRUE(sys.spawn(wait_to_read, both.near.get()).wait().normal()) << "there is room to write";
  EXPECT_TRUE(both.near->try_write(bytes_of("full")));
  const auto until_room = sys.spawn(wait_to_read, both.near.get());
  await_wait(sys, until_room, "io");
  EXPECT_TRUE(both.far->try_write(bytes_of("x")));
  (void)sys.run(settle);
  EXPECT_EQ(waits_for(sys, until_room), "io") << "it does not look for that";
  at.look_for(reading, source::to_read | source::to_write); // which also goes for who waits already
  EXPECT_TRUE(until_room.wait().normal());
  std::byte some[4];
  EXPECT_TRUE(both.near->try_read(some));
  const auto until_either = sys.spawn(wait_to_read, both.near.get());
  await_wait(sys, until_either, "io");
  EXPECT_TRUE(both.far->try_read(some));
  EXPECT_TRUE(until_either.wait().normal());
  at.look_for(reading, source::to_read);
  const auto until_told = sys.spawn(wait_to_read, both.near.get());
  await_wait(sys, until_told, "io");
  at.look_for(reading, source::nothing);
  EXPECT_TRUE(until_told.wait().normal());
}

} // namespace
} // namespace greenroom::memory_transport_test
