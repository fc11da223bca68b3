#include <greenroom/http/body.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::body_test {
namespace {

using namespace test;

constexpr std::string_view chunked_head = "POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a handler has read of its body so far, or how that ended.
struct diary {
  std::vector<std::string> parts;
  std::string end;
  std::string trailers;
  std::size_t early_trailers = 0;
};

task<response> note_parts(request, body_reader body, diary* notes) {
  try {
    for (;;) {
      auto part = co_await body.read();
      if (!part) {
        notes->end = part.error().message();
        co_return text("broken\n", 400);
      }
      if (part->empty()) break;
      notes->parts.push_back(*part);
      notes->early_trailers += body.trailers().size();
    }
    for (const auto& f : body.trailers()) notes->trailers.append(f.name).append(1, '=').append(f.value);
  } catch (const cancelled&) {
    notes->end = "cancelled";
    throw;
  }
  notes->end = "whole";
  co_return text(std::to_string(notes->parts.size()) + " parts\n");
}

struct reading : testing::Test {
  reading() {
    r.front.post("/up", supervised(1h, note_parts), &notes).get("/hello", [] { return text("hello"); });
    r.start();
  }
  diary notes;
  rig r;
};

using BodyReader = reading;

TEST_F(BodyReader, GivesThePartsAsTheyCome) {
  auto c = r.connect();
  r.say(c, post("/up", "", "").replace(post("/up", "").find("Length: 0"), 9, "Length: 6") + "one");
  r.settle();
  EXPECT_EQ(notes.parts, std::vector<std::string>({"one"}));
  EXPECT_EQ(notes.end, "");
  EXPECT_EQ(r.say_and_hear(c, "two").body, "2 parts\n");
  EXPECT_EQ(notes.parts, std::vector<std::string>({"one", "two"}));
  EXPECT_EQ(r.say_and_hear(c, get("/hello")).body, "hello") << "the connection is kept";
}

TEST_F(BodyReader, GivesTheContentOfChunks) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n");
  r.settle();
  EXPECT_EQ(notes.parts, std::vector<std::string>({"one"}));
  EXPECT_EQ(r.say_and_hear(c, "3\r\ntwo\r\n0\r\nTrailer: x\r\n\r\n" + get("/hello")).body, "2 parts\n");
  EXPECT_EQ(r.hear(c).body, "hello");
}

TEST_F(BodyReader, GivesTheTrailersBehindTheEnd) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n");
  r.settle();
  EXPECT_EQ(r.say_and_hear(c, "0\r\nDigest: abc\r\n\r\n").body, "1 parts\n");
  EXPECT_EQ(notes.trailers, "Digest=abc");
  EXPECT_EQ(notes.early_trailers, 0u);
}

TEST(RequestTrailers, StandApartFromTheHead) {
  rig r;
  r.front.post("/up", [](request asked) {
    std::string all;
    for (const auto& f : asked.trailers()) all.append(f.name).append(1, '=').append(f.value).append(1, ' ');
    return text(all + std::string(asked.header("Digest").value_or("none")));
  });
  r.start();
  const std::string body = "3\r\none\r\n0\r\n";
  EXPECT_EQ(r.ask(std::string(chunked_head) + body + "Digest: abc\r\nContent-Length:  5\r\n\r\n").body,
            "Digest=abc Content-Length=5 none");
  EXPECT_EQ(r.ask(std::string(chunked_head) + body + "\r\n").body, "none");
  EXPECT_EQ(r.ask(post("/up", "one")).body, "none");
}

TEST_F(BodyReader, GivesTheEndAtOnceWhereThereIsNoBody) {
  EXPECT_EQ(r.ask(post("/up", "")).body, "0 parts\n");
  EXPECT_EQ(notes.end, "whole");
}

TEST_F(BodyReader, IsCancelledWhenTheClientLeavesBeforeTheEnd) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "5\r\non");
  r.settle();
  c.leave();
  r.settle();
  EXPECT_EQ(notes.end, "cancelled");
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST_F(BodyReader, IsCancelledWhenTheRestIsMalformed) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n");
  r.settle();
  const auto refused = r.say_and_hear(c, "zz\r\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.field("Connection"), "close");
  EXPECT_EQ(notes.end, "cancelled");
  EXPECT_EQ(r.hear_all(c), "");
  EXPECT_EQ(r.front.stats().refused, 1u);
}

TEST_F(BodyReader, StopsWaitingForAClientThatSendsNoMore) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n");
  r.settle();
  for (int i = 0; i < 2; ++i) { // each part gives it new time
    r.advance(20s);
    r.say(c, "1\r\nx\r\n");
    r.settle();
  }
  EXPECT_EQ(notes.end, "") << "the handler has an hour, the client thirty seconds for each part";
  r.advance(30'001ms);
  EXPECT_EQ(r.hear(c).status, 408);
  EXPECT_EQ(notes.end, "cancelled");
}

TEST_F(BodyReader, TakesFramingAloneForNoProgress) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n1;");
  r.settle();
  for (int i = 0; i < 2; ++i) { // an extension that goes on
    r.advance(14s);
    r.say(c, "x");
    r.settle();
  }
  EXPECT_EQ(notes.end, "");
  r.advance(2'001ms);
  EXPECT_EQ(r.hear(c).status, 408);
  EXPECT_EQ(notes.end, "cancelled");
}

TEST(BodyReaderLimits, AnnouncesMoreThanTheLimitAndIsRefusedBeforeItIsSent) {
  server_options how;
  how.limits.body = 10;
  how.limits.streamed_body = 100;
  diary notes;
  rig r(how);
  r.front.post("/up", note_parts, &notes).post("/own", handler(note_parts, &notes).body_limit(5));
  r.start();
  auto head = [](int length, std::string_view path) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  };
  EXPECT_EQ(r.ask(head(101, "/up")).body, "the body of 101 bytes is longer than the limit of 100 bytes\n");
  EXPECT_EQ(r.ask(head(6, "/own")).status, 413);
  EXPECT_EQ(r.ask(post("/up", std::string(100, 'x'))).status, 200);
}

TEST(BodyReaderLimits, SendsChunksBeyondTheLimitAndIsCutOff) {
  server_options how;
  how.limits.streamed_body = 100;
  diary notes;
  rig r(how);
  r.front.post("/up", note_parts, &notes);
  r.start();
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "a\r\n0123456789\r\n");
  r.settle();
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += "a\r\n0123456789\r\n";
  r.say(c, bytes);
  EXPECT_EQ(r.hear(c).status, 413);
  EXPECT_EQ(notes.end, "cancelled");
}

// -- 100 Continue -----------------------------------------------------------------------------------------

const std::string expecting = "POST /up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";

TEST_F(BodyReader, InvitesTheBodyWithItsFirstRead) {
  auto c = r.connect();
  EXPECT_EQ(r.say_and_hear(c, expecting).status, 100);
  EXPECT_EQ(r.say_and_hear(c, "one").body, "1 parts\n");
}

TEST(BodyReaderUnread, IsNotInvitedByAHandlerThatDoesNotReadIt) {
  rig r;
  r.front.post("/up", [](request, body_reader) -> task<response> { co_return text("no\n", 401); });
  r.start();
  auto c = r.connect();
  const auto answer = r.say_and_hear(c, expecting);
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.field("Connection"), "close")
      << "the body may come, or not: nobody could tell where the next request begins";
  EXPECT_EQ(r.hear_all(c), "");
}

TEST(BodyReaderUnread, IsNotInvitedByAHandlerThatWaitsAndThenRefuses) {
  rig r;
  r.front.post("/up", [](request, body_reader) -> task<response> {
    co_await sleep_for(5ms);
    co_return text("no\n", 401);
  });
  r.start();
  auto c = r.connect();
  r.say(c, expecting);
  r.settle();
  r.advance(6ms);
  EXPECT_EQ(r.hear(c).status, 401);
  EXPECT_EQ(r.hear_all(c), "");
}

TEST(BodyReaderUnread, IsNotInvitedBehindTheHeadOfAnAnswer) {
  rig r;
  r.front.post("/up", [](request, body_reader body) -> task<response> {
    co_await sleep_for(5ms);
    co_return streamed(
        "text/plain",
        [](body_writer out, body_reader in) -> task<> {
          auto part = co_await in.read();
          auto sent = co_await out.write(part.value());
          (void)sent;
        },
        std::move(body));
  });
  r.start();
  auto c = r.connect();
  r.say(c, expecting);
  r.settle();
  r.advance(6ms);
  EXPECT_TRUE(r.hear_until(c, "\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
  r.say(c, "one"); // it need not wait for ever: RFC 9110 section 10.1.1
  const auto rest = r.hear_until(c, "0\r\n\r\n");
  EXPECT_EQ(rest, "3\r\none\r\n0\r\n\r\n");
}

TEST(BodyReaderUnread, IsNotMissedWhileTheAnswerGoesOn) {
  rig r;
  r.front.post("/up", [](request, body_reader) -> task<response> {
    co_return streamed("text/plain", [](body_writer out) -> task<> {
      co_await sleep_for(2min);
      auto sent = co_await out.write("late");
      (void)sent;
    });
  });
  r.start();
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n");
  r.settle();
  r.advance(1min);
  r.advance(1min);
  r.advance(1s);
  const auto all = r.hear_all(c);
  EXPECT_TRUE(all.ends_with("4\r\nlate\r\n0\r\n\r\n")) << all;
}

TEST_F(BodyReader, GivesTheNextHeadItsOwnTime) {
  auto c = r.connect();
  r.say(c, std::string(chunked_head) + "3\r\none\r\n");
  r.settle();
  r.advance(29s);
  EXPECT_EQ(r.say_and_hear(c, "0\r\n\r\nGET /hel").status, 200);
  r.advance(9s);
  EXPECT_EQ(r.say_and_hear(c, "lo HTTP/1.1\r\nHost: x\r\n\r\n").body, "hello");
}

TEST(BodyReaderUnread, HasTheConnectionClosedWhereItIsNotReadToItsEnd) {
  rig r;
  r.front.post("/up", [](request, body_reader) -> task<response> { co_return text("enough\n"); });
  r.start();
  auto c = r.connect();
  const auto answer = r.say_and_hear(c, std::string(chunked_head) + "3\r\none\r\n");
  EXPECT_EQ(answer.body, "enough\n");
  EXPECT_EQ(answer.field("Connection"), "close");
  r.say(c, "0\r\n\r\n" + get("/up"));
  EXPECT_EQ(r.hear_all(c), "") << "what comes behind it is not served";
}

// -- back-pressure ----------------------------------------------------------------------------------------

task<response> read_when_told(request, body_reader body, mailbox<int> go, std::size_t* got) {
  co_await go.receive();
  auto all = co_await body.read_all(10'000'000);
  *got = all ? all->size() : 0;
  co_return text("done\n");
}

/// A client whose body is more than the pipe, and what is read ahead, and a handler that waits before it reads.
class BodyInParts : public testing::Test {
protected:
  BodyInParts() {
    r.front.post("/up", read_when_told, go.in, &got);
    r.start();
    c.emplace(r.connect());
    r.say(*c, post("/up", std::string(180'000, 'x')));
  }
  rig r;
  std::size_t got = 0;
  mailbox_ends<int> go = make_mailbox<int>(bounded(1));
  std::optional<raw_client> c;
};

TEST_F(BodyInParts, ReachesAHandlerThatComesToItAfterItsClientHasEndedItsSending) {
  c->end_sending();
  r.settle();
  r.advance(5s);
  EXPECT_EQ(r.front.stats().in_flight, 1u);
  EXPECT_TRUE(go.out.try_send(1));
  EXPECT_EQ(r.hear(*c).status, 200);
  EXPECT_EQ(got, 180'000u);
}

TEST_F(BodyInParts, IsCancelledWhenTheConnectionBreaksThoughNobodyReads) {
  r.settle();
  c->reset();
  r.advance(1s);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST(BodyReaderBackPressure, HoldsTheClientBackUntilTheHandlerReads) {
  rig r;
  std::size_t got = 0;
  auto [ready, go] = make_mailbox<int>(bounded(1));
  r.front.post("/up", read_when_told, ready, &got);
  r.start();
  auto c = r.connect();
  const std::size_t size = 2'000'000;
  auto sender = r.sys.spawn(
      [](raw_client* who, std::size_t n) -> task<> {
        co_await who->say("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(n) + "\r\n\r\n");
        co_await who->say(std::string(n, 'x'));
      },
      &c, size);
  r.advance(1s);
  EXPECT_FALSE(sender.finished()) << "the server has taken in two megabytes that nobody reads";
  EXPECT_TRUE(go.try_send(1));
  EXPECT_EQ(r.hear(c).body, "done\n");
  EXPECT_EQ(got, size);
  EXPECT_TRUE(sender.wait().normal());
}

TEST(BodyReaderBackPressure, DoesNotBlameTheClientForASlowHandler) {
  rig r;
  std::size_t got = 0;
  auto [ready, go] = make_mailbox<int>(bounded(1));
  r.front.post("/up", supervised(1h, read_when_told), ready, &got);
  r.start();
  auto c = r.connect();
  auto sender = r.sys.spawn(
      [](raw_client* who) -> task<> {
        co_await who->say("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        co_await who->say(std::string(1'000'000, 'x'));
      },
      &c);
  r.advance(31s);
  r.advance(31s);
  EXPECT_TRUE(go.try_send(1));
  EXPECT_EQ(r.hear(c).body, "done\n");
  EXPECT_EQ(got, 1'000'000u);
  (void)sender.wait();
}

TEST(BodyReaderLimits, ReadAllRefusesMoreThanItWasTold) {
  rig r;
  std::string why;
  r.front.post(
      "/up",
      [](request, body_reader body, std::string* out) -> task<response> {
        auto all = co_await body.read_all(4);
        if (!all) *out = all.error().message();
        co_return text("done\n");
      },
      &why);
  r.start();
  EXPECT_EQ(r.ask(post("/up", "12345")).status, 200);
  EXPECT_EQ(why, "cannot read the body: it is longer than 4 bytes");
  why = "";
  EXPECT_EQ(r.ask(post("/up", "1234")).status, 200);
  EXPECT_EQ(why, "");
}

} // namespace
} // namespace greenroom::http::body_test
