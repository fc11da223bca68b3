#include <greenroom/http/client.hpp>

#include <string>

#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_stream_test {
namespace {

using namespace test;

/// An answer that is opened, of which this much has come.
struct opened {
  explicit opened(client_options how = {}, std::size_t capacity = 65'536)
      : w(std::move(how), capacity), c(w.open(client_request(method::get, "http://server/"))), p(w.accept()) {
    p.heard();
  }
  ~opened() {
    c.reset();
    p.leave();
  }
  wire w;
  std::unique_ptr<call> c;
  peer p;
};

TEST(StreamedResponse, GivesTheHeadBeforeTheBodyHasCome) {
  opened o;
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nA: b\r\n\r\n");
  EXPECT_EQ(o.c->told(), "200 open");
  EXPECT_EQ((**o.c->opened).header("a"), "b");
  EXPECT_EQ((**o.c->opened).url(), "http://server/");
  EXPECT_EQ(o.w.read(*o.c), "under way");
  o.w.say(o.p, "hello");
  EXPECT_EQ(wire::piece(*o.c), "hello");
  o.w.say(o.p, "world");
  EXPECT_EQ(o.w.read(*o.c), "world");
  EXPECT_EQ(o.w.read(*o.c), "");
  EXPECT_EQ(o.w.read(*o.c), ""); // and again
  EXPECT_EQ(o.w.web->stats().idle, 1u);
}

TEST(StreamedResponse, GivesPiecesOutOfTheirChunks) {
  opened o;
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nd");
  EXPECT_EQ(o.w.read(*o.c), "abcd");
  o.w.say(o.p, "e\r\n0\r\n");
  EXPECT_EQ(o.w.read(*o.c), "e");
  EXPECT_EQ(o.w.read(*o.c), "under way"); // the last empty line is missing
  o.w.say(o.p, "\r\n");
  EXPECT_EQ(wire::piece(*o.c), "");
  EXPECT_EQ(o.w.web->stats().idle, 1u);
}

TEST(StreamedResponse, HasItsTrailersOnceItIsReadToItsEnd) {
  opened o;
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nDigest: x\r\n\r\n");
  EXPECT_EQ(o.w.read(*o.c), "abc");
  EXPECT_TRUE((**o.c->opened).trailers().empty());
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(o.w.read(*o.c), "");
    ASSERT_EQ((**o.c->opened).trailers().size(), 1u);
    EXPECT_EQ((**o.c->opened).trailers().front().value, "x");
  }
  EXPECT_FALSE((**o.c->opened).header("Digest"));
}

TEST(StreamedResponse, IsNotHeldToTheLimitOfWholeBodies) {
  opened o({.body = 10});
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
  std::size_t all = 0;
  for (int i = 0; i < 6; ++i) {
    o.w.say(o.p, std::string(10'000, 'x'));
    all += o.w.read(*o.c).size();
  }
  EXPECT_EQ(all, 60'000u);
  EXPECT_EQ(o.w.read(*o.c), "");
}

TEST(StreamedResponse, HoldsTheServerUpWhileNobodyReads) {
  opened o({}, 1'000);
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  std::size_t taken = 0;
  for (int i = 0; i < 10; ++i) {
    taken += o.p.say(std::string(1'000, 'x'));
    o.w.settle();
  }
  EXPECT_EQ(taken, 1'000u); // what the network holds, and no more
  EXPECT_EQ(o.w.read(*o.c).size(), 1'000u);
  EXPECT_EQ(o.p.say(std::string(2'000, 'x')), 1'000u);
}

TEST(StreamedResponse, OneThatIsNotReadToItsEndClosesItsConnection) {
  opened o;
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  EXPECT_EQ(o.w.read(*o.c), "hello");
  EXPECT_FALSE(o.p.is_left());
  o.c->opened.reset();
  o.w.settle();
  EXPECT_TRUE(o.p.is_left());
  EXPECT_EQ(o.w.web->stats().open, 0u);
}

TEST(StreamedResponse, CanBeReadOnAfterALateOrCancelledRead) {
  opened o({.request_time = 2s});
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  o.w.begin_read(*o.c);
  o.w.advance(2s);
  EXPECT_EQ(wire::piece(*o.c), "cannot read the answer to GET http://server/: nothing came within 2 s");
  o.w.begin_read(*o.c);
  o.c->who.cancel();
  o.w.settle();
  EXPECT_EQ(wire::piece(*o.c), "cancelled");
  o.w.say(o.p, "0123456789");
  EXPECT_EQ(o.w.read(*o.c), "0123456789");
  EXPECT_EQ(o.w.read(*o.c), "");
}

TEST(StreamedResponse, TheTimeOfEachReadIsItsOwn) {
  opened o({.request_time = 2s});
  o.w.say(o.p, "HTTP/1.1 200 OK\r\n\r\n");
  for (int i = 0; i < 4; ++i) {
    o.w.begin_read(*o.c);
    o.w.advance(1500ms);
    o.w.say(o.p, "piece");
    EXPECT_EQ(wire::piece(*o.c), "piece");
  }
}

TEST(StreamedResponse, SaysWhenTheServerBreaksOff) {
  opened o;
  o.w.say(o.p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  o.p.leave();
  EXPECT_EQ(o.w.read(*o.c), "hello");
  const auto why = "cannot read the answer to GET http://server/: the connection ended 5 bytes before the end of the "
                   "answer's body";
  EXPECT_EQ(o.w.read(*o.c), why);
  EXPECT_EQ(o.w.read(*o.c), why);
  EXPECT_EQ(o.w.web->stats().open, 0u);
}

TEST(StreamedResponse, OpenFailsAsSendDoes) {
  wire w({.retries = 0});
  auto refused = w.open(client_request(method::get, "http://nowhere/"));
  EXPECT_EQ(refused->told(),
            "cannot GET http://nowhere/: cannot connect: nowhere:80: Connection refused: nobody listens "
            "there");
  auto late = w.open(client_request(method::get, "http://server/"));
  auto p = w.accept();
  w.advance(31s);
  EXPECT_EQ(late->told(), "cannot GET http://server/: there was no answer within 30 s");
  EXPECT_TRUE(p.is_left());
}

} // namespace
} // namespace greenroom::http::client_stream_test
