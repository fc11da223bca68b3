#include <greenroom/runtime/transport.hpp>

#include <atomic>
#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/socket_kit.hpp>

namespace greenroom::transport_test {
namespace {

using namespace test;

struct world {
  std::size_t workers;
  bool in_memory;
  friend void PrintTo(const world& w, std::ostream* out) {
    *out << w.workers << (w.in_memory ? " in memory" : " over TCP");
  }
};
std::string name_of(const testing::TestParamInfo<world>& at) {
  return (at.param.in_memory ? "Memory" : "Tcp") + std::to_string(at.param.workers);
}

/// Each test runs on one worker and on three, over TCP and in memory: programs should notice no difference.
class Transport : public testing::TestWithParam<world> {
protected:
  /// Runs a scenario, and expects that it leaves nobody.
  template <class... Args>
  void run(task<> (*scenario)(Args...), std::type_identity_t<Args>... args) {
    const auto outcome = sys_.run(scenario, std::move(args)...);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    EXPECT_TRUE(sys_.stop().complete());
    EXPECT_EQ(sys_.live_timers(), 0U);
  }

  memory_transport net_;
  actor_system sys_{quiet(GetParam().workers), environment{.net = GetParam().in_memory ? &net_ : nullptr}};
};
INSTANTIATE_TEST_SUITE_P(, Transport, testing::Values(world{1, false}, world{3, false}, world{1, true}, world{3, true}),
                         name_of);

/// What only sockets do.
class TcpTransport : public Transport {};
INSTANTIATE_TEST_SUITE_P(, TcpTransport, testing::Values(world{1, false}, world{3, false}), name_of);

// -- bytes ------------------------------------------------------------------------------------------

task<> say_and_hear(std::uint16_t port, std::string text) {
  auto server = co_await connect_here(port);
  EXPECT_TRUE(co_await server->write_all(bytes_of(text)));
  EXPECT_EQ((co_await read_text(server.get(), text.size())).value(), text);
  server->shutdown_send();
  EXPECT_EQ((co_await read_text(server.get(), 1)).value(), ""); // the echo has closed too
}

task<> fifty_at_once() {
  auto at = listen_here(this_actor::system());
  const auto server = spawn(serve_echo, at.get());
  std::vector<actor> clients;
  for (int i = 0; i < 50; ++i) {
    std::string text;
    for (int line = 0; line < 1000; ++line) text += std::to_string(i) + ' ';
    clients.push_back(spawn(say_and_hear, at->port(), std::move(text)));
  }
  for (auto& c : clients) {
    const auto why = co_await c.join();
    EXPECT_TRUE(why.normal()) << why.to_string();
  }
  at->close();
  co_await server.join();
}

TEST_P(Transport, FiftyConnectionsAtOnceGetTheirOwnBytes) { run(fifty_at_once); }

std::string eight_megabytes(unsigned char seed) {
  std::string text(8 << 20, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>((i * 31 + i / 4096 + seed) & 0xff);
  return text;
}

task<> send_all(stream* to, const std::string* text) {
  EXPECT_TRUE(co_await to->write_all(bytes_of(*text)));
  to->shutdown_send();
}
task<> expect_all(stream* from, const std::string* text) {
  const auto got = co_await read_text(from, text->size() + 1);
  EXPECT_TRUE(got && *got == *text);
}

task<> transfer_both_ways() {
  auto both = co_await make_pair();
  const auto there = eight_megabytes(1);
  const auto back = eight_megabytes(2);
  const auto near_writer = spawn(send_all, both.near.get(), &there);
  const auto far_writer = spawn(send_all, both.far.get(), &back);
  co_await until_waits(near_writer, "io"); // nobody reads
  co_await until_waits(far_writer, "io");
  const auto near_reader = spawn(expect_all, both.near.get(), &back);
  const auto far_reader = spawn(expect_all, both.far.get(), &there);
  for (const auto& a : {near_writer, far_writer, near_reader, far_reader}) co_await a.join();
}

TEST_P(Transport, WritersWaitForReadersAndNothingIsLostBothWays) { run(transfer_both_ways); }

task<> wait_without_buffer(stream* from, std::atomic<bool>* ended) {
  const bool ready = co_await from->readable();
  EXPECT_TRUE(ready);
  *ended = true;
  EXPECT_EQ((co_await read_text(from, 2)).value(), "hi");
}

task<> wait_for_readiness() {
  auto both = co_await make_pair();
  std::atomic<bool> ended{false};
  const auto reader = spawn(wait_without_buffer, both.near.get(), &ended);
  co_await until_waits(reader, "io");
  EXPECT_FALSE(ended);
  EXPECT_TRUE(co_await both.far->write_all(bytes_of("hi")));
  co_await reader.join();
}

TEST_P(Transport, ReadableEndsWhenSomethingHasCome) { run(wait_for_readiness); }

task<> close_orderly() {
  auto both = co_await make_pair();
  EXPECT_TRUE(co_await both.far->write_all(bytes_of("last words")));
  both.far.reset();
  EXPECT_EQ((co_await read_text(both.near.get(), 100)).value(), "last words");
  std::byte one[1];
  EXPECT_EQ((co_await both.near->read_some(one)).value(), 0U);
  EXPECT_EQ((co_await both.near->read_some(one)).value(), 0U);
}

TEST_P(Transport, APeerThatClosesIsReadToItsEndThenZero) { run(close_orderly); }

task<> read_until_reset(listener* at, raw_socket* peer) {
  auto accepted = (co_await at->accept()).value();
  EXPECT_EQ(accepted->peer(), "127.0.0.1:" + std::to_string(peer->port()));
  peer->reset();
  std::byte one[1];
  const auto got = co_await accepted->read_some(one);
  EXPECT_FALSE(got);
  EXPECT_TRUE(got.error().is(errc::io));
  EXPECT_EQ(got.error().message(), "cannot read from: " + accepted->peer() + ": Connection reset by peer");
  const auto put = co_await accepted->write_all(bytes_of("x"));
  EXPECT_FALSE(put);
  EXPECT_EQ(put.error().message(), "cannot write to: " + accepted->peer() + ": Broken pipe");
}

TEST_P(TcpTransport, AResetIsAnIoErrorThatNamesThePeer) {
  const auto at = listen_here(sys_);
  raw_socket peer;
  peer.connect(at->port());
  run(read_until_reset, at.get(), &peer);
}

task<> read_bytewise(stream* from, std::size_t count, bool* ended) {
  std::byte one[1];
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ((co_await from->read_some(one)).value(), 1U);
  *ended = true;
}

task<> count_turns(const bool* ended, int* turns) {
  while (!*ended) {
    ++*turns;
    co_await yield();
  }
}

task<> read_beside_another() {
  auto both = co_await make_pair();
  const std::string text(10'000, 'x');
  EXPECT_TRUE(co_await both.far->write_all(bytes_of(text)));
  bool ended = false;
  int turns = 0;
  const auto reader = spawn(read_bytewise, both.near.get(), text.size(), &ended);
  const auto counter = spawn(count_turns, &ended, &turns);
  co_await reader.join();
  co_await counter.join();
  EXPECT_GE(turns, 10);
}

TEST(Stream, AReaderThatNeverHasToWaitLetsOthersRun) {
  one_worker sys;
  EXPECT_TRUE(sys.run(read_beside_another));
}

// -- cancellation -----------------------------------------------------------------------------------

task<> just_read(stream* from) {
  (void)co_await read_text(from, 1);
  ADD_FAILURE() << "there was nothing to read";
}

task<> cancel_reads() {
  auto both = co_await make_pair();
  const auto [ctx, cancel] = this_actor::context().with_cancel();
  const auto reader = spawn({.ctx = ctx}, just_read, both.near.get());
  co_await until_waits(reader, "io");
  cancel(error(errc::cancelled, "not wanted"));
  EXPECT_EQ((co_await reader.join()).to_string(), "cancelled: not wanted");

  const auto killed = spawn(just_read, both.near.get());
  co_await until_waits(killed, "io");
  killed.kill();
  EXPECT_EQ((co_await killed.join()).kind(), exit_kind::killed);

  const auto late = co_await with_timeout(1ms, read_text(both.near.get(), 1));
  EXPECT_TRUE(late.error().is(errc::timed_out));

  EXPECT_TRUE(co_await both.far->write_all(bytes_of("still here")));
  EXPECT_EQ((co_await read_text(both.near.get(), 10)).value(), "still here");
}

TEST_P(Transport, AReadThatIsCancelledKilledOrTimedOutLeavesTheStreamUsable) { run(cancel_reads); }

task<> read_though_cancelled(stream* from, bool* thrown) {
  this_actor::self().cancel();
  try {
    (void)co_await read_text(from, 2);
  } catch (const cancelled&) {
    *thrown = true;
    throw;
  }
}

task<> cancel_before_the_read() {
  auto both = co_await make_pair();
  EXPECT_TRUE(co_await both.far->write_all(bytes_of("hi")));
  const bool ready = co_await both.near->readable();
  EXPECT_TRUE(ready);
  bool thrown = false;
  co_await spawn(read_though_cancelled, both.near.get(), &thrown).join();
  EXPECT_TRUE(thrown);
  EXPECT_EQ((co_await read_text(both.near.get(), 2)).value(), "hi");
}

TEST_P(Transport, AReadByACancelledActorTakesNothing) { run(cancel_before_the_read); }

task<> write_slowly(stream* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const char byte = static_cast<char>(i % 251);
    EXPECT_TRUE(co_await to->write_all(bytes_of({&byte, 1})));
    co_await yield();
  }
  to->shutdown_send();
}

/// Waits with limits that end sooner or later than the next byte comes.
task<> read_hastily(stream* from, std::size_t count, std::uint64_t seed) {
  xoshiro random(seed);
  std::size_t seen = 0;
  for (;;) {
    std::byte one[1];
    const std::chrono::microseconds limit(random.below(300));
    const auto got = co_await with_timeout(limit, from->read_some(one));
    if (!got) {
      EXPECT_TRUE(got.error().is(errc::timed_out)) << got.error().message();
      continue;
    }
    if (*got == 0) break;
    EXPECT_EQ(static_cast<std::size_t>(one[0]), seen++ % 251);
  }
  EXPECT_EQ(seen, count);
}

task<> race_limits_with_bytes(std::uint64_t seed) {
  constexpr std::size_t count = 3000;
  auto both = co_await make_pair();
  const auto writer = spawn(write_slowly, both.far.get(), count);
  co_await read_hastily(both.near.get(), count, seed);
  co_await writer.join();
}

TEST_P(Transport, ReadsThatRaceWithTheirLimitsLoseNothing) {
  const auto seed = random_seed();
  SCOPED_TRACE(seed);
  run(race_limits_with_bytes, seed);
}

task<> just_accept(listener* at) {
  (void)co_await at->accept();
  ADD_FAILURE() << "there was no connection";
}

task<> cancel_accepts() {
  auto at = listen_here(this_actor::system());
  const auto first = spawn(just_accept, at.get());
  co_await until_waits(first, "io");
  first.cancel();
  EXPECT_EQ((co_await first.join()).kind(), exit_kind::cancelled);
  const auto second = spawn(just_accept, at.get());
  co_await until_waits(second, "io");
  second.kill();
  EXPECT_EQ((co_await second.join()).kind(), exit_kind::killed);
  EXPECT_TRUE((co_await with_timeout(1ms, at->accept())).error().is(errc::timed_out));

  auto client = co_await connect_here(at->port());
  EXPECT_TRUE(co_await at->accept());
}

TEST_P(Transport, AnAcceptThatIsCancelledKilledOrTimedOutLeavesTheListenerUsable) { run(cancel_accepts); }

task<> just_connect(std::uint16_t port) { (void)co_await connect_here(port); }

task<> cancel_connects(std::uint16_t port) {
  const auto first = spawn(just_connect, port);
  co_await until_waits(first, "io");
  first.cancel();
  EXPECT_EQ((co_await first.join()).kind(), exit_kind::cancelled);
  const auto second = spawn(just_connect, port);
  co_await until_waits(second, "io");
  second.kill();
  EXPECT_EQ((co_await second.join()).kind(), exit_kind::killed);
  auto late = co_await with_timeout(1ms, this_actor::system().net().connect({"127.0.0.1", port}));
  EXPECT_TRUE(late.error().is(errc::timed_out));
}

TEST_P(TcpTransport, AConnectThatIsCancelledKilledOrTimedOutLeavesNoDescriptor) {
  raw_socket silent; // its queue is full: Linux lets further connections wait for an answer
  silent.bind();
  silent.listen(0);
  raw_socket in_queue;
  in_queue.connect(silent.port());
  const auto before = open_descriptors();
  run(cancel_connects, silent.port());
  EXPECT_EQ(open_descriptors(), before);
}

// -- close ------------------------------------------------------------------------------------------

task<> expect_read_closed(stream* from) {
  std::byte one[1];
  const auto got = co_await from->read_some(one);
  EXPECT_TRUE(got.error().is(errc::closed));
  EXPECT_EQ(got.error().message(), "cannot read from: " + from->peer() + ": it was closed on this side");
  co_await from->readable();
  EXPECT_TRUE(from->try_read(one).error().is(errc::closed));
}
task<> expect_readable_closed(stream* from) {
  co_await from->readable();
  std::byte one[1];
  EXPECT_TRUE(from->try_read(one).error().is(errc::closed));
}
task<> expect_write_closed(stream* to) {
  const auto text = eight_megabytes(0);
  EXPECT_TRUE((co_await to->write_all(bytes_of(text))).error().is(errc::closed));
}
task<> expect_accept_closed(listener* at) { EXPECT_TRUE((co_await at->accept()).error().is(errc::closed)); }

task<> close_under_others() {
  auto at = listen_here(this_actor::system());
  auto both = co_await make_pair();
  auto third = co_await make_pair();
  const std::vector<actor> waiting{spawn(expect_read_closed, both.near.get()),
                                   spawn(expect_write_closed, both.near.get()),
                                   spawn(expect_readable_closed, third.near.get()),
                                   spawn(expect_accept_closed, at.get()), spawn(expect_accept_closed, at.get())};
  for (const auto& a : waiting) co_await until_waits(a, "io");
  both.near->close();
  third.near->close();
  at->close();
  for (const auto& a : waiting) EXPECT_TRUE((co_await a.join()).normal());
  both.near->close();
  both.near->shutdown_send();
  EXPECT_TRUE((co_await at->accept()).error().is(errc::closed));
  auto refused = co_await this_actor::system().net().connect({"127.0.0.1", at->port()});
  EXPECT_FALSE(refused); // the port was given back at once
}

TEST_P(Transport, CloseEndsTheWaitsOfOthers) { run(close_under_others); }

task<> read_until_closed(stream* from) {
  std::byte one[1];
  for (;;) {
    const auto got = co_await from->read_some(one);
    if (got) continue;
    EXPECT_TRUE(got.error().is(errc::closed)) << got.error().message();
    co_return;
  }
}
task<> write_until_refused(stream* to) {
  for (;;) {
    const auto put = co_await to->write_all(bytes_of("xxxx"));
    if (!put) co_return;
  }
}
task<> close_after(stream* target, std::uint32_t turns) {
  for (std::uint32_t i = 0; i < turns; ++i) co_await yield();
  target->close();
}

task<> race_close(std::uint64_t seed) {
  xoshiro random(seed);
  for (int round = 0; round < 100; ++round) {
    auto both = co_await make_pair();
    const std::vector<actor> all{spawn(read_until_closed, both.near.get()), spawn(write_until_refused, both.far.get()),
                                 spawn(close_after, both.near.get(), static_cast<std::uint32_t>(random.below(20))),
                                 spawn(close_after, both.near.get(), static_cast<std::uint32_t>(random.below(20)))};
    for (const auto& a : all) EXPECT_TRUE((co_await a.join()).normal());
  }
}

TEST_P(Transport, CloseMayRaceWithReadsAndWithItself) {
  const auto seed = random_seed();
  SCOPED_TRACE(seed);
  run(race_close, seed);
}

} // namespace
} // namespace greenroom::transport_test
