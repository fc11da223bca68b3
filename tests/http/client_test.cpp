#include <greenroom/http/client.hpp>

#include <atomic>
#include <string>
#include <vector>

#include <greenroom/http/server.hpp>
#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_test {
namespace {

using namespace test;

// -- what is sent -----------------------------------------------------------------------------------------

TEST(Client, SendsAGetAsOneWouldWriteItByHand) {
  wire w;
  auto c = w.get("/quote?id=7#part");
  auto p = w.accept();
  EXPECT_EQ(p.heard(), "GET /quote?id=7 HTTP/1.1\r\nHost: server\r\nUser-Agent: greenroom/0.1.0\r\n\r\n");
  w.say(p, answer("hello", "Quote: 7\r\n"));
  EXPECT_EQ(c->told(), "200 hello");
  const auto& got = **c->got;
  EXPECT_TRUE(got.ok());
  EXPECT_EQ(got.reason(), "OK");
  EXPECT_EQ(got.header("quote"), "7");
  EXPECT_EQ(got.header("other"), std::nullopt);
  EXPECT_EQ(got.headers().size(), 2u);
  EXPECT_EQ(got.url(), "http://server/quote?id=7");
}

TEST(Client, SendsFieldsAndBodyWithTheirLength) {
  wire w;
  client_request q(method::post, "http://server:80/orders");
  q.header("Content-Type", "application/json").header("User-Agent", "mine").body("{}");
  auto c = w.send(std::move(q));
  auto p = w.accept();
  EXPECT_EQ(p.heard(), "POST /orders HTTP/1.1\r\nHost: server\r\nContent-Type: application/json\r\nUser-Agent: mine\r\n"
                       "Content-Length: 2\r\n\r\n{}");
  w.say(p, answer("", "", "201 Created"));
  EXPECT_EQ(c->told(), "201 ");
}

TEST(Client, AnnouncesAnEmptyBodyWhereOneIsExpected) {
  wire w;
  auto c = w.post("");
  auto p = w.accept();
  EXPECT_NE(p.heard().find("\r\nContent-Length: 0\r\n"), std::string::npos);
  w.say(p, answer(""));
  EXPECT_EQ(c->told(), "200 ");
}

TEST(Client, SendsAMethodOfOnesOwn) {
  wire w;
  client_request q(method("PURGE"), "http://server/a");
  auto c = w.send(std::move(q));
  auto p = w.accept();
  EXPECT_EQ(p.heard(), "PURGE /a HTTP/1.1\r\nHost: server\r\nUser-Agent: greenroom/0.1.0\r\n\r\n");
  w.say(p, answer(""));
  EXPECT_EQ(c->told(), "200 ");
}

TEST(Client, NamesAPortThatDoesNotGoWithoutSaying) {
  wire w;
  w.listen("::1", 8080);
  auto c = w.send(client_request(method::get, "http://[::1]:8080"));
  auto p = w.accept("::1");
  EXPECT_EQ(p.heard().substr(0, 34), "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n");
  w.say(p, answer(""));
}

TEST(Client, SendsTheTraceOfItsContext) {
  struct trace {
    std::string text;
  };
  client_options how;
  how.traceparent = [](const context& ctx) {
    const auto* const found = ctx.value<trace>();
    return found == nullptr ? std::string() : found->text;
  };
  wire w(std::move(how));
  auto with = w.send(client_request(method::get, "http://server"), w.sys.context().with_value(trace{"00-ab-cd-01"}));
  auto p = w.accept();
  EXPECT_NE(p.heard().find("\r\ntraceparent: 00-ab-cd-01\r\n"), std::string::npos);
  w.say(p, answer(""));
  auto without = w.get();
  EXPECT_EQ(p.heard().find("traceparent"), std::string::npos);
  w.say(p, answer(""));
  auto torn = w.send(client_request(method::get, "http://server"), w.sys.context().with_value(trace{"a\r\nX: y"}));
  EXPECT_EQ(p.heard().find("traceparent"), std::string::npos); // what would inject a field is not sent
  w.say(p, answer(""));
}

TEST(Client, SendsABodyThatDoesNotFitAtOnce) {
  wire w({}, 1'000);
  auto c = w.post(std::string(50'000, 'x'));
  auto p = w.accept();
  std::string all;
  for (auto part = p.heard(); !part.empty(); part = p.heard()) {
    all += part;
    w.settle();
  }
  EXPECT_EQ(all.substr(all.find("\r\n\r\n") + 4), std::string(50'000, 'x'));
  w.say(p, answer("taken"));
  EXPECT_EQ(c->told(), "200 taken");
  EXPECT_EQ(w.web->stats().idle, 1u);
}

TEST(Client, StopsSendingWhenItIsAnsweredBeforeItHasSentAll) {
  wire w({}, 1'000);
  auto c = w.post(std::string(50'000, 'x'));
  auto p = w.accept();
  w.say(p, answer("too large", "", "413 Content Too Large"));
  EXPECT_EQ(c->told(), "413 too large");
  EXPECT_EQ(w.web->stats().open, 0u); // the server waits for the rest of the body
}

TEST(Client, RefusesFieldsThatItWritesItselfOrThatBreakTheLine) {
  client_request q(method::get, "http://server");
  EXPECT_THROW(q.header("Content-Length", "1"), usage_error);
  EXPECT_THROW(q.header("HOST", "other"), usage_error);
  EXPECT_THROW(q.header("Transfer-Encoding", "chunked"), usage_error);
  EXPECT_THROW(q.header("a b", "1"), usage_error);
  EXPECT_THROW(q.header("", "1"), usage_error);
  EXPECT_THROW(q.header("A", "1\r\nB: 2"), usage_error);
}

// -- what comes -------------------------------------------------------------------------------------------

TEST(Client, PassesOverInterimAnswers) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  w.say(p, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(c->told(), "under way");
  w.say(p, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
  EXPECT_EQ((**c->got).header("Link"), std::nullopt);
}

TEST(Client, TakesABodyOutOfItsChunks) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  w.say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  EXPECT_EQ(c->told(), "under way");
  w.say(p, "6;a=b\r\n world\r\n0\r\nSum: 1\r\n\r\n");
  EXPECT_EQ(c->told(), "200 hello world");
  ASSERT_EQ((**c->got).trailers().size(), 1u);
  EXPECT_EQ((**c->got).trailers().front().name, "Sum");
  EXPECT_FALSE((**c->got).header("Sum"));
}

TEST(Client, ReadsToTheEndOfTheConnectionWhereNothingElseEndsTheBody) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  w.say(p, "HTTP/1.0 200 OK\r\n\r\nhel");
  w.say(p, "lo");
  EXPECT_EQ(c->told(), "under way");
  p.heard();
  p.leave();
  w.settle();
  EXPECT_EQ(c->told(), "200 hello");
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(Client, TheAnswerToAHeadHasNoBody) {
  wire w;
  auto c = w.send(client_request(method::head, "http://server"));
  auto p = w.accept();
  w.say(p, "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n");
  EXPECT_EQ(c->told(), "200 ");
  EXPECT_EQ(w.web->stats().idle, 1u);
}

TEST(Client, AnyStatusIsAnAnswer) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  w.say(p, answer("nothing here", "", "404 Not Found"));
  EXPECT_EQ(c->told(), "404 nothing here");
  EXPECT_FALSE((**c->got).ok());
}

TEST(Client, RefusesAnAnswerThatIsTooLargeAndSaysTheLimit) {
  wire w({.head = 300, .fields = 3, .body = 10});
  auto c = w.get("/a");
  auto p = w.accept();
  w.say(p, answer("12345678901"));
  EXPECT_EQ(c->told(), "cannot GET http://server/a: the answer is refused: its body of 11 bytes is longer than the "
                       "limit of 10 bytes");
  EXPECT_EQ(c->code(), errc::upstream);
  EXPECT_TRUE(p.is_left());
  client_request q(method::get, "http://server/b");
  q.body_limit(11);
  auto larger = w.send(std::move(q));
  auto p2 = w.accept();
  w.say(p2, answer("12345678901"));
  EXPECT_EQ(larger->told(), "200 12345678901");
  auto head = w.get("/c");
  w.say(p2, answer("", "A: " + std::string(300, 'a') + "\r\n"));
  EXPECT_EQ(head->told(), "cannot GET http://server/c: the answer is refused: the header section is longer than the "
                          "limit of 300 bytes");
}

TEST(Client, HoldsABodyOfUnknownLengthToItsLimit) {
  wire w({.body = 10});
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 2; ++i) w.say(p, "5\r\nhello\r\n");
  EXPECT_EQ(c->told(), "under way"); // exactly the limit
  w.say(p, "1\r\n");
  EXPECT_EQ(c->told(),
            "cannot GET http://server/: the answer is refused: the body is longer than the limit of 10 bytes");
  EXPECT_TRUE(p.is_left());
  auto d = w.get();
  auto p2 = w.accept();
  p2.heard();
  w.say(p2, "HTTP/1.1 200 OK\r\n\r\n");
  w.say(p2, "0123456789");
  EXPECT_EQ(d->told(), "under way");
  w.say(p2, "0");
  EXPECT_EQ(d->code(), errc::upstream);
}

TEST(Client, SaysWhereAnAnswerBrokeOff) {
  wire w({.retries = 0});
  const auto told_of = [&w](std::string_view bytes) {
    auto c = w.get();
    auto p = w.accept();
    p.heard();
    w.say(p, bytes);
    p.leave();
    w.settle();
    EXPECT_EQ(c->code(), errc::upstream);
    return c->told().substr(std::string_view("cannot GET http://server/: ").size());
  };
  EXPECT_EQ(told_of(""), "the server closed the connection without an answer");
  EXPECT_EQ(told_of("HTTP/1.1 2"), "the connection ended within the header section of the answer");
  EXPECT_EQ(told_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"),
            "the connection ended 3 bytes before the end of the answer's body");
  EXPECT_EQ(told_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n"),
            "the connection ended before the last chunk of the answer's body");
}

// -- addresses --------------------------------------------------------------------------------------------

TEST(Client, SaysWhatIsWrongWithAnAddress) {
  wire w;
  auto c = w.send(client_request(method::get, "ftp://server/"));
  EXPECT_EQ(c->told(), "cannot send a GET request: the address must begin with http:// or https://");
  EXPECT_EQ(c->code(), errc::invalid_argument);
  EXPECT_TRUE(w.nobody_came());
  EXPECT_EQ(w.web->stats().failed, 1u);
  auto tunnel = w.send(client_request(method::connect, "http://server/"));
  EXPECT_EQ(tunnel->code(), errc::invalid_argument);
}

TEST(Client, SpeaksNoHttpsWithoutItsHook) {
  wire w;
  auto c = w.send(client_request(method::get, "https://server/"));
  EXPECT_EQ(c->told(), "cannot GET https://server/: this client speaks no https, as client_options::secure is not set");
  EXPECT_EQ(c->code(), errc::unsupported);
}

task<result<std::unique_ptr<stream>>> greet_first(std::unique_ptr<stream> raw, std::string host) {
  const auto put = co_await raw->write_all(std::as_bytes(std::span(host)));
  if (!put) co_return put.error();
  co_return raw;
}

TEST(Client, SendsOverTheSecureStreamOfItsHook) {
  client_options how;
  how.secure = greet_first;
  wire w(std::move(how));
  w.listen("safe", 443);
  auto c = w.send(client_request(method::get, "https://safe/"));
  auto p = w.accept("safe");
  EXPECT_EQ(p.heard().substr(0, 30), "safeGET / HTTP/1.1\r\nHost: safe");
  w.say(p, answer("secret"));
  EXPECT_EQ(c->told(), "200 secret");
}

TEST(Client, RefusesOptionsThatMakeNoSense) {
  actor_system sys(quiet(1));
  EXPECT_THROW(client(sys, {.connections_per_host = 0}), usage_error);
  EXPECT_THROW(client(sys, {.head = 10}), usage_error);
  EXPECT_THROW(client(sys, {.retry_share = 1.5}), usage_error);
  const auto outcome = client_options{.request_time = 0ms}.check();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message(), "the option request_time of an HTTP client must be at least 1 ms, not 0 ms");
}

// -- the four ways that a wait can end: it has succeeded above ---------------------------------------------

TEST(Client, GivesUpWhenItsTimeIsOver) {
  wire w;
  client_request q(method::get, "http://server/slow");
  q.limit(2s);
  auto c = w.send(std::move(q));
  auto p = w.accept();
  p.heard();
  w.advance(1990ms);
  EXPECT_EQ(c->told(), "under way");
  w.advance(10ms);
  EXPECT_EQ(c->told(), "cannot GET http://server/slow: there was no answer within 2 s");
  EXPECT_EQ(c->code(), errc::timed_out);
  EXPECT_TRUE(p.is_left());
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(Client, GivesUpInTheMiddleOfABody) {
  wire w({.request_time = 2s});
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12");
  w.advance(2s);
  EXPECT_EQ(c->code(), errc::timed_out);
  EXPECT_TRUE(p.is_left());
}

TEST(Client, TheEarlierDeadlineOfItsContextHolds) {
  wire w;
  auto c = w.send(client_request(method::get, "http://server/"), w.sys.context().with_deadline(w.sys.now() + 1s));
  auto p = w.accept();
  p.heard();
  w.advance(1s);
  EXPECT_EQ(c->told(), "cancelled");
  EXPECT_TRUE(c->who.wait().why().is(errc::timed_out));
  EXPECT_TRUE(p.is_left());
}

TEST(Client, ACancelledCallClosesItsConnection) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  c->who.cancel();
  w.settle();
  EXPECT_EQ(c->told(), "cancelled");
  EXPECT_TRUE(p.is_left());
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(Client, AKilledCallClosesItsConnection) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  c->who.kill();
  w.settle();
  EXPECT_TRUE(p.is_left());
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(Client, SaysThatNobodyListens) {
  wire w({.retries = 0});
  auto c = w.send(client_request(method::get, "http://nowhere:81/"));
  EXPECT_EQ(c->told(), "cannot GET http://nowhere:81/: cannot connect: nowhere:81: Connection refused: nobody listens "
                       "there");
  EXPECT_EQ(c->code(), errc::upstream);
  EXPECT_EQ(w.web->stats().failed, 1u);
}

TEST(Client, SaysThatTheServerHasReset) {
  wire w({.retries = 0});
  auto c = w.get();
  auto p = w.accept();
  p.reset();
  w.settle();
  EXPECT_EQ(c->told(), "cannot GET http://server/: cannot read from: server:80: Connection reset by peer");
}

TEST(Client, MayBeDestroyedWhileACallIsUnderWay) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  w.web.reset();
  w.say(p, answer("still"));
  EXPECT_EQ(c->told(), "200 still");
  p.heard();
  EXPECT_TRUE(p.is_left()); // there is nobody to keep the connection for
}

// -- with a server of our own -----------------------------------------------------------------------------

task<result<std::string>> ask_both(client* web, std::string base) {
  auto getting = web->get(base + "/hello");
  auto hello = co_await std::move(getting);
  if (!hello) co_return hello.error();
  auto posting = web->post(base + "/echo", "text/plain", "some bytes");
  auto echo = co_await std::move(posting);
  if (!echo) co_return echo.error();
  co_return hello->take_body() + ", " + echo->take_body();
}

TEST(Client, AndServerUnderstandEachOther) {
  wire w;
  {
    server front(w.sys, {.port = 0});
    front.get("/hello", [] { return text("hello"); });
    front.post("/echo", [](request r) { return response(200, "application/octet-stream", r.take_body()); });
    ASSERT_TRUE(front.start());
    const auto got = w.sys.run(ask_both, w.web.get(), front.url());
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(*got, "hello, some bytes");
    EXPECT_EQ(w.web->stats().opened, 1u);
    EXPECT_EQ(w.web->stats().reused, 1u);
    EXPECT_EQ(front.stats().refused, 0u);
    w.web->close_idle();
    w.settle();
  }
}

task<> ask_often(client* web, std::string url, std::atomic<int>* right) {
  for (int i = 0; i < 50; ++i) {
    auto asking = web->post(url + "/echo", "text/plain", std::to_string(i));
    const auto got = co_await std::move(asking);
    if (got && got->body() == std::to_string(i)) ++*right;
    if (i % 10 == 9) web->close_idle();
  }
}

TEST(Client, ServesActorsOfAllWorkersAtOnce) {
  memory_transport net;
  actor_system sys{quiet(4), environment{.net = &net}};
  server front(sys, {.port = 0});
  front.post("/echo", [](request r) { return response(200, "application/octet-stream", r.take_body()); });
  ASSERT_TRUE(front.start());
  client web(sys, {.connections_per_host = 4});
  std::atomic<int> right{0};
  std::vector<actor> callers;
  for (int i = 0; i < 32; ++i) callers.push_back(sys.spawn(ask_often, &web, front.url(), &right));
  for (const auto& each : callers) EXPECT_TRUE(each.wait().normal());
  EXPECT_EQ(right, 32 * 50);
  const auto s = web.stats();
  EXPECT_EQ(s.requests, 32u * 50u);
  EXPECT_EQ(s.failed, 0u);
  EXPECT_EQ(s.opened + s.reused, 32u * 50u);
  EXPECT_EQ(s.waiting, 0u);
  EXPECT_EQ(s.open, s.idle);
  EXPECT_LE(s.open, 4u);
}

TEST(Client, SpeaksOverRealSocketsToo) {
  actor_system sys(quiet(2));
  server front(sys, {.port = 0});
  front.get("/hello", [] { return text("hello"); });
  front.post("/echo", [](request r) { return response(200, "application/octet-stream", r.take_body()); });
  ASSERT_TRUE(front.start());
  client web(sys);
  for (int i = 0; i < 3; ++i) {
    const auto got = sys.run(ask_both, &web, front.url());
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(*got, "hello, some bytes");
  }
  EXPECT_EQ(web.stats().opened, 1u);
}

} // namespace
} // namespace greenroom::http::client_test
