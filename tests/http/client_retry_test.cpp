#include <greenroom/http/client.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <greenroom/http/internal/retry_after.hpp>
#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_retry_test {
namespace {

using namespace test;

std::string busy(std::string_view more = "") { return answer("busy", more, "503 Service Unavailable"); }

/// Lets the longest pause before the nth retry pass.
void let_pause_pass(wire& w) { w.advance(500ms); }

// -- when a request is sent again -------------------------------------------------------------------------

TEST(ClientRetry, SendsAnIdempotentRequestAgainAfterAPassingFailure) {
  for (const auto* status : {"502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"}) {
    wire w;
    auto c = w.get();
    auto p = w.accept();
    p.heard();
    w.say(p, answer("busy", "", status));
    EXPECT_EQ(c->told(), "under way");
    let_pause_pass(w);
    EXPECT_EQ(p.heard().substr(0, 6), "GET / "); // over the same connection: the answer was complete
    w.say(p, answer("done"));
    EXPECT_EQ(c->told(), "200 done");
    EXPECT_EQ(w.web->stats().retries, 1u);
  }
}

TEST(ClientRetry, TakesAnyOtherStatusForTheAnswer) {
  for (const auto* status : {"500 Internal Server Error", "429 Too Many Requests", "501 Not Implemented"}) {
    wire w;
    auto c = w.get();
    auto p = w.accept();
    p.heard();
    w.say(p, answer("so be it", "", status));
    EXPECT_EQ(c->told().substr(3), " so be it");
  }
}

TEST(ClientRetry, SendsAgainWhenTheConnectionBreaksBeforeAnAnswer) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.reset();
  w.settle();
  let_pause_pass(w);
  auto p2 = w.accept();
  p2.heard();
  w.say(p2, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
}

TEST(ClientRetry, DoesNotSendAgainWhatWasAnsweredInPart) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12");
  p.leave();
  w.settle();
  EXPECT_EQ(c->code(), errc::upstream);
  EXPECT_EQ(w.web->stats().retries, 0u);
}

TEST(ClientRetry, APostIsNotSentAgain) {
  wire w;
  auto c = w.post("order");
  auto p = w.accept();
  p.heard();
  w.say(p, busy());
  EXPECT_EQ(c->told(), "503 busy");
  auto d = w.post("order");
  p.heard();
  p.reset();
  w.settle();
  EXPECT_EQ(d->code(), errc::upstream);
  EXPECT_EQ(w.web->stats().retries, 0u);
}

TEST(ClientRetry, APostThatSaysSoIsSentAgain) {
  for (const bool by_key : {true, false}) {
    wire w;
    client_request q(method::post, "http://server/");
    q.body("order");
    if (by_key) {
      q.header("Idempotency-Key", "8e03978e");
    } else {
      q.idempotent();
    }
    auto c = w.send(std::move(q));
    auto p = w.accept();
    p.heard();
    w.say(p, busy());
    let_pause_pass(w);
    EXPECT_NE(p.heard().find("order"), std::string::npos);
    w.say(p, answer("done"));
    EXPECT_EQ(c->told(), "200 done");
  }
}

TEST(ClientRetry, AnyRequestIsSentAgainThatCouldNotConnect) {
  wire w;
  w.doors.clear();
  auto c = w.post("order");
  EXPECT_EQ(c->told(), "under way");
  w.listen("server", 80);
  let_pause_pass(w);
  auto p = w.accept();
  p.heard();
  w.say(p, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
}

TEST(ClientRetry, GivesTheLastAnswerWhenItHasTriedOftenEnough) {
  wire w({.retries = 2});
  auto c = w.get();
  auto p = w.accept();
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(p.heard(), "");
    w.say(p, busy());
    let_pause_pass(w);
  }
  EXPECT_EQ(c->told(), "503 busy");
  EXPECT_EQ(w.web->stats().retries, 2u);
}

TEST(ClientRetry, IsCancelledInItsPause) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, busy("Retry-After: 5\r\n"));
  EXPECT_EQ(waits_for(w.sys, c->who), "sleep");
  c->who.cancel();
  w.settle();
  EXPECT_EQ(c->told(), "cancelled");
}

// -- Retry-After ------------------------------------------------------------------------------------------

TEST(ClientRetry, WaitsAsLongAsTheServerAsks) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, busy("Retry-After: 7\r\n"));
  w.advance(6900ms);
  EXPECT_EQ(p.heard(), "");
  w.advance(100ms);
  EXPECT_NE(p.heard(), "");
  w.say(p, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
}

TEST(ClientRetry, DoesNotWaitLongerThanItsDeadline) {
  wire w({.request_time = 5s});
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, busy("Retry-After: 7\r\n"));
  EXPECT_EQ(c->told(), "503 busy"); // at once: nobody has anything from waiting
}

TEST(ClientRetry, ReadsRetryAfterAsSecondsOrAsADate) {
  using internal::read_retry_after;
  const auto now = std::chrono::system_clock::time_point() + 784'111'770s; // 7 s before the date of RFC 9110
  EXPECT_EQ(read_retry_after("120", now), duration(120s));
  EXPECT_EQ(read_retry_after("0", now), duration(0));
  EXPECT_EQ(read_retry_after("99999999999999999999", now), duration::max());
  EXPECT_EQ(read_retry_after("9999999999999", now), duration::max());
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), duration(7s));
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:29 GMT", now), duration(0));
  for (const auto* none : {"", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT"}) {
    EXPECT_EQ(read_retry_after(none, now), std::nullopt) << none;
  }
}

// -- the budget -------------------------------------------------------------------------------------------

TEST(ClientRetry, AServerThatIsDownIsNotAskedMuchMoreOften) {
  wire w({.retry_share = 0.1, .retry_reserve = 3});
  w.doors.clear();
  for (int i = 0; i < 40; ++i) {
    auto c = w.get();
    for (int n = 0; n < 3; ++n) let_pause_pass(w);
    EXPECT_EQ(c->code(), errc::upstream);
  }
  EXPECT_EQ(w.web->stats().retries, 6u); // the reserve, and a tenth of what came after it was touched
  EXPECT_GE(w.web->stats().retries_denied, 33u);
}

// -- hedging ----------------------------------------------------------------------------------------------

client_request hedged(method m = method::get) {
  client_request q(m, "http://server/");
  q.hedge_after(100ms);
  return q;
}

TEST(ClientHedge, SendsASecondRequestWhenTheFirstIsSlowAndTakesTheFirstAnswer) {
  wire w;
  auto c = w.send(hedged());
  auto slow = w.accept();
  slow.heard();
  w.advance(90ms);
  EXPECT_TRUE(w.nobody_came());
  w.advance(10ms);
  auto fast = w.accept();
  EXPECT_EQ(fast.heard().substr(0, 6), "GET / ");
  w.say(fast, answer("fast"));
  EXPECT_EQ(c->told(), "200 fast");
  EXPECT_TRUE(slow.is_left()); // the loser is cancelled
  EXPECT_EQ(w.web->stats().hedges, 1u);
  EXPECT_EQ(w.web->stats().open, 1u);
}

TEST(ClientHedge, TheFirstRequestMayStillWin) {
  wire w;
  auto c = w.send(hedged());
  auto first = w.accept();
  first.heard();
  w.advance(100ms);
  auto second = w.accept();
  second.heard();
  w.say(first, answer("first"));
  EXPECT_EQ(c->told(), "200 first");
  EXPECT_TRUE(second.is_left());
}

TEST(ClientHedge, AFastAnswerNeedsNoSecondRequest) {
  wire w;
  auto c = w.send(hedged());
  auto p = w.accept();
  p.heard();
  w.say(p, answer("fast"));
  EXPECT_EQ(c->told(), "200 fast");
  w.advance(1s);
  EXPECT_TRUE(w.nobody_came());
  EXPECT_EQ(w.web->stats().hedges, 0u);
}

TEST(ClientHedge, WaitsForTheOtherWhenOneFails) {
  wire w({.retries = 0});
  auto c = w.send(hedged());
  auto first = w.accept();
  first.heard();
  w.advance(100ms);
  auto second = w.accept();
  first.reset();
  w.settle();
  EXPECT_EQ(c->told(), "under way");
  second.heard();
  w.say(second, answer("second"));
  EXPECT_EQ(c->told(), "200 second");
}

TEST(ClientHedge, FailsWhenBothFail) {
  wire w({.retries = 0});
  auto c = w.send(hedged());
  auto first = w.accept();
  w.advance(100ms);
  auto second = w.accept();
  first.reset();
  second.reset();
  w.settle();
  EXPECT_EQ(c->told(), "cannot GET http://server/: cannot read from: server:80: Connection reset by peer");
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(ClientHedge, APostIsNotHedged) {
  wire w;
  auto c = w.send(hedged(method::post));
  auto p = w.accept();
  p.heard();
  w.advance(1s);
  EXPECT_TRUE(w.nobody_came());
  w.say(p, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
}

TEST(ClientHedge, IsPaidFromTheBudgetOfRetries) {
  wire w({.retry_share = 0, .retry_reserve = 1});
  auto a = w.send(hedged());
  auto b = w.send(hedged());
  w.advance(100ms);
  EXPECT_EQ(w.web->stats().hedges, 1u);
  EXPECT_EQ(w.web->stats().retries_denied, 1u);
  EXPECT_EQ(w.web->stats().open, 3u);
  a->who.cancel();
  b->who.cancel();
}

TEST(ClientHedge, AKilledCallLeavesNothingBehind) {
  wire w;
  auto c = w.send(hedged());
  auto first = w.accept();
  w.advance(100ms);
  auto second = w.accept();
  c->who.kill();
  w.settle();
  EXPECT_TRUE(first.is_left());
  EXPECT_TRUE(second.is_left());
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(ClientHedge, TimeAndCancellationEndBoth) {
  for (const bool by_time : {true, false}) {
    wire w({.request_time = 1s});
    auto c = w.send(hedged());
    auto first = w.accept();
    w.advance(100ms);
    auto second = w.accept();
    if (by_time) {
      w.advance(1s);
      EXPECT_EQ(c->code(), errc::timed_out);
    } else {
      c->who.cancel();
      w.settle();
      EXPECT_EQ(c->told(), "cancelled");
    }
    EXPECT_TRUE(first.is_left());
    EXPECT_TRUE(second.is_left());
    EXPECT_EQ(w.web->stats().open, 0u);
  }
}

} // namespace
} // namespace greenroom::http::client_retry_test
