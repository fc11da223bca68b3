#if GREENROOM_HAS_TLS

#include <greenroom/runtime/tls.hpp>

#include <algorithm>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/tls_kit.hpp>

// What the streams of TLS do with bytes, and with their ends.

namespace greenroom::tls_stream_test {
namespace {

using namespace test;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Bytes that repeat themselves late, so that a lost or doubled part shows.
std::string pattern(std::size_t size, unsigned seed) {
  std::mt19937 draw(seed);
  std::string text(size, '\0');
  for (auto& c : text) c = static_cast<char>(draw());
  return text;
}

task<> send_all(stream* to, const std::string* text) {
  auto done = to->write_all(bytes_of(*text));
  const auto sent = co_await std::move(done);
  EXPECT_TRUE(sent) << sent.error().message();
}
task<> send_all_and_end(stream* to, const std::string* text) {
  co_await send_all(to, text);
  to->shutdown_send();
}

/// Reads so many bytes, at most `most` at a time, and lets others run before each.
task<> receive(stream* from, std::size_t size, std::size_t most, std::string* text) {
  std::vector<std::byte> part(most);
  while (text->size() < size) {
    for (int i = 0; i < 3; ++i) co_await yield();
    const auto got = co_await from->read_some(part);
    EXPECT_TRUE(got) << got.error().message();
    if (!got || *got == 0) co_return;
    text->append(reinterpret_cast<const char*>(part.data()), *got);
  }
}

/// Both directions at once, two actors on each stream.
void exchange(actor_system& sys, stream& near, stream& far, std::size_t size, std::size_t most) {
  const auto there = pattern(size, 1);
  const auto back = pattern(size, 2);
  std::string got_there;
  std::string got_back;
  const std::vector<actor> all{sys.spawn(send_all, &near, &there), sys.spawn(send_all, &far, &back),
                               sys.spawn(receive, &far, size, most, &got_there),
                               sys.spawn(receive, &near, size, most, &got_back)};
  for (const auto& one : all) EXPECT_TRUE(one.wait().normal());
  EXPECT_TRUE(got_there == there);
  EXPECT_TRUE(got_back == back);
}

TEST(TlsStream, CarriesAMegabyteEachWayAtOnceToSlowReaders) {
  tls_world w;
  auto both = w.pair();
  exchange(w.sys, *both.near, *both.far, 1 << 20, 1000);
}

TEST(TlsStream, CarriesAMegabyteEachWayOverSocketsAndThreads) {
  actor_system sys(quiet(3));
  auto raw = sys.run(make_pair).value();
  std::optional<made_stream> near;
  std::optional<made_stream> far;
  const auto accepts =
      sys.spawn(accept_into, tls_server::make(serves(root().issue())).value(), std::move(raw.far), &far);
  const auto connects =
      sys.spawn(connect_into, tls_client::make(trusts(root())).value(), std::move(raw.near), "localhost", &near);
  ASSERT_TRUE(accepts.wait().normal() && connects.wait().normal());
  ASSERT_TRUE(*near && *far);
  exchange(sys, ***near, ***far, 1 << 20, 5000);
}

TEST(TlsStream, CarriesAllOverNetworksThatHoldNextToNothing) {
  for (const std::size_t capacity : {1U, 2U, 7U, 100U}) {
    tls_world w(capacity);
    auto both = w.pair();
    exchange(w.sys, *both.near, *both.far, 5'000, 64);
  }
}

TEST(TlsStream, CarriesAllOverANetworkOfSingleBytes) {
  tls_world w;
  auto raw = w.raw_pair();
  auto both = w.pair(
      {std::make_unique<thin_stream>(std::move(raw.near), 1), std::make_unique<thin_stream>(std::move(raw.far), 1)});
  exchange(w.sys, *both.near, *both.far, 20'000, 4096);
}

// -- readiness --------------------------------------------------------------------------------------------

task<bool> readable_now(stream* on) { co_return co_await on->readable_until(this_actor::system().now()); }
task<bool> writable_now(stream* on) { co_return co_await on->writable_until(this_actor::system().now()); }

TEST(TlsStream, IsReadableAsLongAsItHoldsPlainText) {
  tls_world w;
  auto both = w.pair();
  std::byte some[10];
  EXPECT_TRUE(both.near->try_read(some).error().is(errc::empty)); // takes in the server's tickets
  EXPECT_FALSE(w.sys.run(readable_now, both.near.get()).value());
  EXPECT_TRUE(w.write(*both.far, std::string(25, 'x'))); // one record
  for (const std::size_t expected : {10U, 10U, 5U}) {
    EXPECT_TRUE(w.sys.run(readable_now, both.near.get()).value());
    both.near->wake();
    EXPECT_TRUE(w.sys.run(readable_now, both.near.get()).value()) << "woken for something else";
    EXPECT_TRUE(w.sys.run(readable_now, both.near.get()).value()) << "and still readable";
    EXPECT_EQ(both.near->try_read(some).value(), expected);
  }
  EXPECT_TRUE(both.near->try_read(some).error().is(errc::empty));
  EXPECT_FALSE(w.sys.run(readable_now, both.near.get()).value());
}

TEST(TlsStream, WakeEndsAWait) {
  tls_world w;
  auto both = w.pair();
  const auto waits = w.sys.spawn([](stream* on) -> task<> { co_await on->readable(); }, both.far.get());
  await_wait(w.sys, waits, "io");
  both.far->wake();
  EXPECT_TRUE(waits.wait().normal());
}

TEST(TlsStream, ACancelledReadLeavesItUsable) {
  tls_world w;
  auto both = w.pair();
  const auto reads = w.sys.spawn([](stream* on) -> task<> { (void)co_await read_text(on, 1); }, both.near.get());
  EXPECT_FALSE(cancel_in(w.sys, reads, "io").normal());
  EXPECT_TRUE(w.write(*both.far, "after all"));
  EXPECT_EQ(w.read(*both.near, 9), "after all");
}

// -- a stream below that is full --------------------------------------------------------------------------

/// Writes until nothing is taken any more, and returns what counts as written.
std::string fill(stream& to, const std::string& text) {
  std::size_t at = 0;
  for (;;) {
    const auto put = to.try_write(bytes_of(text).subspan(at));
    if (!put) {
      EXPECT_TRUE(put.error().is(errc::full)) << put.error().message();
      return text.substr(0, at);
    }
    at += *put;
  }
}

TEST(TlsStream, WhoReadsSeesOutWhatWasWritten) {
  tls_world w(1'000);
  auto both = w.pair();
  const auto written = fill(*both.near, pattern(100'000, 3));
  EXPECT_GT(written.size(), 1'000u) << "a whole record counts, which does not fit";
  EXPECT_FALSE(w.sys.run(writable_now, both.near.get()).value());
  const auto waits = w.sys.spawn([](stream* on) -> task<> { (void)co_await read_text(on, 1); }, both.near.get());
  await_wait(w.sys, waits, "io"); // nobody writes any more
  EXPECT_TRUE(w.read(*both.far, written.size()) == written);
  EXPECT_EQ(waits_for(w.sys, waits), "io");
  both.near->close();
  EXPECT_TRUE(waits.wait().normal());
}

TEST(TlsStream, AByteThatIsHeldBackIsWrittenOnceForWhoComesBackWithIt) {
  tls_world w(1'000);
  auto both = w.pair();
  const auto text = pattern(5'000, 4);
  const auto put = both.near->try_write(bytes_of(text));
  EXPECT_EQ(put.value(), 4'999u) << "else nobody would come back to see the record out";
  const auto last = text.substr(4'999);
  EXPECT_TRUE(both.near->try_write(bytes_of(last)).error().is(errc::full));
  const auto rest = w.sys.spawn(send_all, both.near.get(), &last);
  EXPECT_TRUE(w.read(*both.far, text.size()) == text);
  EXPECT_TRUE(rest.wait().normal());
}

TEST(TlsStream, OtherBytesAfterACancelledWriteComeWholeBehindAPartOfIt) {
  for (const std::size_t size : {1U, 2U, 900U, 5'000U, 60'000U}) {
    tls_world w(500);
    auto both = w.pair();
    EXPECT_TRUE(w.write(*both.near, std::string(470, '-'))); // 492 bytes below: there is room for a part of a record
    const std::string first(size, 'a');
    const auto writes = w.sys.spawn(send_all, both.near.get(), &first);
    EXPECT_FALSE(cancel_in(w.sys, writes, "io").normal());
    const std::string second(3'000, 'b');
    const auto again = w.sys.spawn(send_all_and_end, both.near.get(), &second);
    const auto sees_out = w.sys.spawn([](stream* on) -> task<> { (void)co_await read_text(on, 1); }, both.near.get());
    const auto got = w.read(*both.far, 100'000);
    both.far.reset();
    EXPECT_TRUE(again.wait().normal() && sees_out.wait().normal());
    const auto a = static_cast<std::size_t>(std::ranges::count(got, 'a'));
    EXPECT_LE(a, size);
    EXPECT_TRUE(got.ends_with(std::string(a, 'a') + second)) << size;
    EXPECT_EQ(got.find_first_not_of('-') + a + second.size(), got.size());
  }
}

TEST(TlsStream, TheEndOfSendingComesBehindAllThatWasWritten) {
  tls_world w(1'000);
  auto both = w.pair();
  const auto written = fill(*both.near, pattern(100'000, 5));
  both.near->shutdown_send();
  const auto refused = both.near->try_write(bytes_of("x"));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::io));
  const auto waits = w.sys.spawn([](stream* on) -> task<> { (void)co_await read_text(on, 1); }, both.near.get());
  const auto got = w.read(*both.far, 200'000);
  EXPECT_GE(got.size(), written.size());
  EXPECT_TRUE(got.starts_with(written));
  both.far.reset();
  EXPECT_TRUE(waits.wait().normal());
}

// -- ends -------------------------------------------------------------------------------------------------

TEST(TlsStream, AnAnnouncedEndIsAnEndAndTheOtherDirectionGoesOn) {
  tls_world w;
  auto both = w.pair();
  EXPECT_TRUE(w.write(*both.near, "question"));
  both.near->shutdown_send();
  both.near->shutdown_send();
  EXPECT_EQ(w.read(*both.far, 100), "question");
  std::byte some[4];
  EXPECT_EQ(both.far->try_read(some).value(), 0u) << "it stays the end";
  EXPECT_TRUE(w.sys.run(readable_now, both.far.get()).value());
  EXPECT_TRUE(w.write(*both.far, "answer"));
  both.far->close();
  EXPECT_EQ(w.read(*both.near, 100), "answer");
}

TEST(TlsStream, AConnectionThatWasCutIsAnErrorAndNoEnd) {
  tls_world w;
  auto raw = w.raw_pair();
  auto* const below = raw.near.get();
  auto both = w.pair(std::move(raw));
  EXPECT_TRUE(w.write(*both.near, "half a mess"));
  below->shutdown_send(); // as somebody on the way could
  std::byte some[100];
  EXPECT_EQ(both.far->try_read(some).value(), 11u);
  for (int i = 0; i < 2; ++i) {
    const auto cut = both.far->try_read(some);
    ASSERT_FALSE(cut);
    EXPECT_TRUE(cut.error().is(errc::io));
    EXPECT_TRUE(has(cut.error().message(), ": the peer ended the connection without announcing it (close_notify)"));
    EXPECT_TRUE(w.sys.run(readable_now, both.far.get()).value());
    EXPECT_FALSE(both.far->try_write(bytes_of("x")));
  }
}

TEST(TlsStream, AResetIsAnErrorOnBothSides) {
  tls_world w;
  auto raw = w.raw_pair();
  auto* const below = raw.near.get();
  auto both = w.pair(std::move(raw));
  const auto reads = w.sys.spawn([](stream* on) -> task<> { EXPECT_FALSE(co_await read_text(on, 1)); }, both.far.get());
  await_wait(w.sys, reads, "io");
  memory_transport::reset(*below);
  EXPECT_TRUE(reads.wait().normal());
  std::byte some[4];
  for (auto* const end : {both.near.get(), both.far.get()}) {
    EXPECT_TRUE(end->try_write(bytes_of("x")).error().is(errc::io));
    const auto got = end->try_read(some);
    ASSERT_FALSE(got);
    EXPECT_TRUE(has(got.error().message(), "Connection reset by peer")) << got.error().message();
    EXPECT_TRUE(w.sys.run(writable_now, end).value());
  }
}

TEST(TlsStream, InputLeftUnreadAtTheCloseIsToldThePeer) {
  tls_world w;
  auto both = w.pair();
  EXPECT_TRUE(w.write(*both.near, "unread"));
  EXPECT_TRUE(w.write(*both.far, "answer"));
  both.far->close();
  const auto got = w.sys.run(read_text, both.near.get(), 100);
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().is(errc::io));
}

TEST(TlsStream, TicketsLeftUnreadDoNotResetTheConnection) {
  tls_world w;
  auto both = w.pair();
  EXPECT_TRUE(w.write(*both.near, "last words"));
  both.near.reset(); // has read nothing
  EXPECT_EQ(w.read(*both.far, 100), "last words");
}

TEST(TlsStream, CloseEndsTheCallsUnderWayFromAnyThread) {
  tls_world w(100);
  auto both = w.pair();
  const auto ends_closed = [](const result<void>& done) { return !done && done.error().is(errc::closed); };
  bool read_closed = false;
  bool write_closed = false;
  const auto reads = w.sys.spawn(
      [](stream* on, bool* out) -> task<> {
        const auto got = co_await read_text(on, 1);
        *out = !got && got.error().is(errc::closed);
      },
      both.near.get(), &read_closed);
  const std::string much(10'000, 'x');
  const auto writes = w.sys.spawn(
      [](stream* on, const std::string* text, bool (*closed)(const result<void>&), bool* out) -> task<> {
        auto done = on->write_all(bytes_of(*text));
        *out = closed(co_await std::move(done));
      },
      both.near.get(), &much, +ends_closed, &write_closed);
  await_wait(w.sys, reads, "io");
  await_wait(w.sys, writes, "io");
  std::thread([&] { both.near->close(); }).join();
  EXPECT_TRUE(reads.wait().normal() && writes.wait().normal());
  EXPECT_TRUE(read_closed && write_closed);
  both.near->close();
  EXPECT_TRUE(both.near->try_write(bytes_of("x")).error().is(errc::closed));
}

} // namespace
} // namespace greenroom::tls_stream_test

#endif
