// Answers that go on behind their head: streamed(), feed() and upgraded() of body.hpp.
#include <algorithm>
#include <cctype>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/body.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::streamed_answer_test {
namespace {

using namespace test;

/// How a function that writes has ended.
struct outcome {
  std::string end = "running";
  std::size_t written = 0;
};

task<> write_from(body_writer out, mailbox<std::string> parts, outcome* seen) {
  try {
    for (;;) {
      auto part = co_await parts.receive();
      if (!part) break;
      const auto size = part->size();
      auto sent = co_await out.write(*std::move(part));
      if (!sent) co_return;
      seen->written += size;
    }
    seen->end = "returned";
  } catch (const cancelled&) {
    seen->end = "cancelled";
    throw;
  }
}

struct streaming : testing::Test {
  streaming() {
    auto [in, out] = make_mailbox<std::string>(bounded(1'000));
    parts = out;
    r.front.get(
        "/rows", [](mailbox<std::string> from, outcome* to) { return streamed("text/csv", write_from, from, to); }, in,
        &seen);
    r.front.get(
        "/known",
        [](mailbox<std::string> from, outcome* to) {
          return streamed(response(200, "text/plain", "").content_length(6), write_from, from, to);
        },
        in, &seen);
    r.front.get(
        "/feed",
        [](mailbox<std::string> from, outcome* to) {
          return feed(response(200, "text/plain", ""), write_from, from, to);
        },
        in, &seen);
    r.front.get("/hello", [] { return text("hello"); });
    r.start();
  }
  void put(std::string part) { ASSERT_TRUE(parts.try_send(std::move(part))); }
  void end() { parts = {}; } // the route keeps the receive end, but the mailbox is closed
  outcome seen;
  address<std::string> parts;
  rig r;
};

using StreamedAnswer = streaming;

TEST_F(StreamedAnswer, GoesInChunksAsItIsWritten) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  r.settle();
  auto head = r.hear_until(c, "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << "the head comes before the first part: " << head;
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), head.npos);
  EXPECT_EQ(head.find("Content-Length"), head.npos);
  put("one,two\n");
  EXPECT_EQ(r.hear_until(c, "\n\r\n"), "8\r\none,two\n\r\n");
  put("a");
  r.settle();
  put("b");
  end();
  EXPECT_EQ(r.hear_until(c, "0\r\n\r\n"), "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  EXPECT_EQ(seen.end, "returned");
  EXPECT_EQ(r.say_and_hear(c, get("/hello")).body, "hello") << "the connection is kept";
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST_F(StreamedAnswer, HasItsLengthAnnouncedWhereThatIsKnown) {
  auto c = r.connect();
  put("abc");
  put("def");
  end();
  const auto answer = r.say_and_hear(c, get("/known"));
  EXPECT_EQ(answer.field("Content-Length"), "6");
  EXPECT_EQ(answer.field("Transfer-Encoding"), "none");
  EXPECT_EQ(answer.body, "abcdef");
  EXPECT_EQ(r.say_and_hear(c, get("/hello")).body, "hello");
}

TEST_F(StreamedAnswer, IsCutOffWhereItIsShorterThanAnnounced) {
  auto c = r.connect();
  put("abc");
  end();
  r.say(c, get("/known") + get("/hello"));
  const auto all = r.hear_all(c);
  EXPECT_TRUE(all.ends_with("\r\n\r\nabc")) << all;
}

TEST_F(StreamedAnswer, IsCutOffWhereItIsLongerThanAnnounced) {
  auto c = r.connect();
  put("abcdefg");
  end();
  r.say(c, get("/known") + get("/hello"));
  const auto all = r.hear_all(c);
  EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
}

TEST(StreamedAnswerBytes, CountsWhatWasSentAlone) {
  std::vector<std::uint64_t> bytes;
  server_options how;
  how.on_answer = [&bytes](const answered& a) { bytes.push_back(a.body_bytes); };
  rig r(how);
  const auto write_two = [](body_writer out) -> task<> {
    (void)co_await out.write("abc");
    co_await yield();
    (void)co_await out.write("defg");
  };
  for (const std::uint64_t announced : {2u, 6u, 7u}) {
    r.front.get("/" + std::to_string(announced), [announced, write_two] {
      return streamed(response(200, "text/plain", "").content_length(announced), write_two);
    });
  }
  r.start();
  for (const auto* const path : {"/2", "/6", "/7"}) {
    auto c = r.connect();
    r.say(c, get(path, "Connection: close\r\n"));
    r.hear_all(c);
  }
  EXPECT_EQ(bytes, std::vector<std::uint64_t>({0, 3, 7}));
}

TEST_F(StreamedAnswer, EndsWithTheConnectionInHttp10) {
  auto c = r.connect();
  put("abc");
  end();
  r.say(c, "GET /rows HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto all = r.hear_all(c);
  EXPECT_NE(all.find("Connection: close\r\n"), all.npos) << all;
  EXPECT_EQ(all.find("chunked"), all.npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\nabc")) << all;
}

TEST_F(StreamedAnswer, GivesItsHeadAloneToHead) {
  auto c = r.connect();
  r.say(c, "HEAD /rows HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto head = r.hear_until(c, "\r\n\r\n");
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), head.npos) << head;
  EXPECT_EQ(r.say_and_hear(c, get("/hello")).body, "hello");
  EXPECT_EQ(seen.end, "running") << "the function must not be called";
}

TEST_F(StreamedAnswer, IsCancelledWhenTheClientLeaves) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  put("abc");
  r.settle();
  c.leave();
  r.settle();
  EXPECT_EQ(seen.end, "cancelled");
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST_F(StreamedAnswer, HasNoDeadlineBehindItsHead) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  r.settle();
  r.advance(1h); // far beyond handler_time
  put("late");
  end();
  const auto all = r.hear_until(c, "0\r\n\r\n");
  EXPECT_TRUE(all.ends_with("4\r\nlate\r\n0\r\n\r\n")) << all;
  EXPECT_EQ(r.front.stats().timed_out, 0u);
}

TEST_F(StreamedAnswer, WaitsForAClientThatDoesNotRead) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  r.settle();
  r.hear_until(c, "\r\n\r\n");
  for (int i = 0; i < 100; ++i) put(std::string(10'000, 'x'));
  end();
  r.settle();
  EXPECT_LT(seen.written, 400'000u) << "a megabyte was written to a client that takes nothing";
  EXPECT_EQ(seen.end, "running");
  const auto all = r.hear_until(c, "\r\n0\r\n\r\n");
  EXPECT_EQ(std::count(all.begin(), all.end(), 'x'), 1'000'000);
  EXPECT_EQ(seen.end, "returned");
}

TEST_F(StreamedAnswer, CutsOffAClientThatTakesNothing) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  for (int i = 0; i < 100; ++i) put(std::string(10'000, 'x'));
  r.settle();
  r.advance(29s);
  EXPECT_EQ(seen.end, "running");
  r.advance(2s);
  EXPECT_EQ(seen.end, "cancelled");
  EXPECT_EQ(r.front.stats().connections_open, 0u);
}

TEST_F(StreamedAnswer, CutsOffAClientThatTakesAByteNowAndThen) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  for (int i = 0; i < 100; ++i) put(std::string(10'000, 'x'));
  r.settle();
  for (int i = 0; i < 8 && seen.end == "running"; ++i) {
    r.advance(10s);
    r.hear_some(c, 500);
    r.settle();
  }
  EXPECT_EQ(seen.end, "cancelled") << "50 bytes a second keep a place for ever";
}

TEST(StreamedAnswerFault, IsSeenAsABodyWithoutItsEnd) {
  rig r;
  r.front.get("/bad", [] {
    return streamed("text/plain", [](body_writer out) -> task<> {
      auto sent = co_await out.write("so far");
      (void)sent;
      throw std::runtime_error("disk on fire");
    });
  });
  r.start();
  auto c = r.connect();
  r.say(c, get("/bad") + get("/bad"));
  const auto all = r.hear_all(c);
  EXPECT_TRUE(all.ends_with("6\r\nso far\r\n")) << all;
  EXPECT_EQ(r.front.stats().failed, 1u);
}

task<response> echo_stream(request, body_reader body) {
  co_return streamed(
      "application/octet-stream",
      [](body_writer out, body_reader in) -> task<> {
        for (;;) {
          auto part = co_await in.read();
          if (!part || part->empty()) co_return;
          auto sent = co_await out.write(*std::move(part));
          if (!sent) co_return;
        }
      },
      std::move(body));
}

TEST(StreamedAnswerBothWays, EchoesWhileTheBodyStillComes) {
  rig r;
  r.front.post("/echo", echo_stream);
  r.start();
  auto c = r.connect();
  r.say(c, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  EXPECT_TRUE(r.hear_until(c, "one\r\n").ends_with("3\r\none\r\n"));
  r.say(c, "3\r\ntwo\r\n");
  EXPECT_EQ(r.hear_until(c, "two\r\n"), "3\r\ntwo\r\n");
  r.say(c, "0\r\n\r\n" + get("/none"));
  EXPECT_EQ(r.hear_until(c, "0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_EQ(r.hear(c).status, 404) << "the connection is kept when both are at their ends";
}

// -- the stop ---------------------------------------------------------------------------------------------

actor stop_within(rig& r, duration limit, server_stop_report* report) {
  return r.sys.spawn([](server* s, std::chrono::milliseconds most,
                        server_stop_report* to) -> task<> { *to = co_await s->stopped(most); },
                     &r.front, std::chrono::duration_cast<std::chrono::milliseconds>(limit), report);
}

TEST_F(StreamedAnswer, IsFinishedByAStop) {
  auto c = r.connect();
  r.say(c, get("/rows"));
  r.settle();
  server_stop_report report;
  auto stop = stop_within(r, 10s, &report);
  r.advance(1s);
  EXPECT_FALSE(stop.finished());
  put("abc");
  end();
  EXPECT_TRUE(r.hear_until(c, "0\r\n\r\n").ends_with("3\r\nabc\r\n0\r\n\r\n"));
  c.leave();
  r.advance_until_end(stop);
  EXPECT_TRUE(report.complete()) << report.to_string();
}

TEST_F(StreamedAnswer, OfAFeedEndsInGoodOrderWhenTheServerStops) {
  auto c = r.connect();
  r.say(c, get("/feed"));
  put("abc");
  r.settle();
  server_stop_report report;
  auto stop = stop_within(r, 1h, &report);
  r.settle();
  EXPECT_EQ(seen.end, "cancelled");
  const auto all = r.hear_all(c);
  EXPECT_TRUE(all.ends_with("3\r\nabc\r\n0\r\n\r\n")) << all;
  c.leave();
  r.advance_until_end(stop);
  EXPECT_TRUE(report.complete()) << report.to_string();
}

TEST_F(StreamedAnswer, OfAFeedEndsAtOnceHoweverMuchItsClientHasAskedForMeanwhile) {
  auto c = r.connect();
  r.say(c, get("/feed"));
  r.settle();
  auto more = r.sys.spawn([](raw_client* who) -> task<> { co_await who->say(std::string(200'000, 'G')); }, &c);
  r.settle();
  server_stop_report report;
  auto stop = stop_within(r, 1h, &report);
  r.settle();
  EXPECT_EQ(seen.end, "cancelled");
  more.cancel();
  (void)more.wait();
  c.leave();
  r.advance_until_end(stop);
}

// -- upgrades ---------------------------------------------------------------------------------------------

/// A protocol that says back each line, in capitals.
task<> shout(upgraded_connection with, outcome* seen) {
  try {
    std::string got = with.rest;
    for (;;) {
      for (char& each : got) each = static_cast<char>(std::toupper(each));
      auto sent = co_await with.io->write_all(std::as_bytes(std::span(got)));
      if (!sent) break;
      got.resize(100);
      auto n = co_await with.io->read_some(std::as_writable_bytes(std::span(got)));
      if (!n || *n == 0) break;
      got.resize(*n);
    }
    seen->end = "returned";
  } catch (const cancelled&) {
    seen->end = "cancelled";
    throw;
  }
}

struct upgrading : testing::Test {
  upgrading() { r.say(c, get("/shout", "Connection: Upgrade\r\nUpgrade: shout\r\n") + "early "); }
  outcome seen;
  rig r;
  raw_client c = listen();

private:
  raw_client listen() {
    r.front.get(
        "/shout", [](outcome* to) { return upgraded("shout", response(), shout, to); }, &seen);
    r.start();
    return r.connect();
  }
};

using UpgradedConnection = upgrading;

TEST_F(UpgradedConnection, BelongsToTheRequestActor) {
  const auto head = r.hear_until(c, "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << head;
  EXPECT_NE(head.find("Upgrade: shout\r\n"), head.npos);
  EXPECT_NE(head.find("Connection: Upgrade\r\n"), head.npos);
  EXPECT_EQ(head.find("Content-Length"), head.npos);
  EXPECT_EQ(r.hear_until(c, "EARLY "), "EARLY ");
  r.say(c, "GET / HTTP/1.1\r\n");
  EXPECT_EQ(r.hear_until(c, "\r\n"), "GET / HTTP/1.1\r\n") << "this is no longer HTTP";
  r.advance(1h); // no deadline
  r.say(c, "x");
  EXPECT_EQ(r.hear_until(c, "X"), "X");
  EXPECT_EQ(r.front.stats().in_flight, 1u);
  c.leave();
  r.settle();
  EXPECT_EQ(seen.end, "returned");
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
}

TEST_F(UpgradedConnection, IsNotGivenToHeadNorToHttp10) {
  auto other = r.connect();
  r.say(other, "HEAD /shout HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(r.hear(other, true).status, 400);
  EXPECT_EQ(r.say_and_hear(other, get("/none")).status, 404) << "it is HTTP still";
  EXPECT_EQ(r.ask("GET /shout HTTP/1.0\r\n\r\n").status, 400);
}

TEST_F(UpgradedConnection, IsCancelledWhenTheServerStops) {
  r.settle();
  server_stop_report report;
  auto stop = stop_within(r, 1h, &report);
  r.settle();
  EXPECT_EQ(seen.end, "cancelled");
  r.advance_until_end(stop);
  EXPECT_TRUE(report.complete()) << report.to_string();
}

} // namespace
} // namespace greenroom::http::streamed_answer_test
