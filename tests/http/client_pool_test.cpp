#include <greenroom/http/client.hpp>

#include <memory>
#include <string>
#include <vector>

#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_pool_test {
namespace {

using namespace test;

client_request put(std::string url) { return {method::put, std::move(url)}; }

/// "opened 1, reused 0, open 1, idle 1, waiting 0"
std::string told(const client& web) {
  const auto s = web.stats();
  return "opened " + std::to_string(s.opened) + ", reused " + std::to_string(s.reused) + ", open " +
         std::to_string(s.open) + ", idle " + std::to_string(s.idle) + ", waiting " + std::to_string(s.waiting);
}

/// Has a connection made and returned to the pool.
peer one_kept(wire& w) {
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, answer("kept"));
  EXPECT_EQ(c->told(), "200 kept");
  return p;
}

// -- reuse ------------------------------------------------------------------------------------------------

TEST(ConnectionPool, KeepsAConnectionForTheNextRequest) {
  wire w;
  auto p = one_kept(w);
  EXPECT_EQ(told(*w.web), "opened 1, reused 0, open 1, idle 1, waiting 0");
  auto c = w.get("/two");
  EXPECT_EQ(p.heard().substr(0, 9), "GET /two ");
  w.say(p, answer("two"));
  EXPECT_EQ(c->told(), "200 two");
  EXPECT_TRUE(w.nobody_came());
  EXPECT_EQ(told(*w.web), "opened 1, reused 1, open 1, idle 1, waiting 0");
}

TEST(ConnectionPool, TakesTheConnectionThatWasUsedLast) {
  wire w;
  auto a = w.get("/a");
  auto b = w.get("/b");
  auto pa = w.accept();
  auto pb = w.accept();
  pa.heard(), pb.heard();
  w.say(pb, answer("b"));
  w.say(pa, answer("a"));
  EXPECT_EQ(w.web->stats().idle, 2u);
  auto c = w.get("/c");
  EXPECT_EQ(pb.heard(), "");
  EXPECT_EQ(pa.heard().substr(0, 7), "GET /c ");
  w.say(pa, answer("c"));
}

TEST(ConnectionPool, KeepsNoConnectionWhoseServerSaysClose) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, answer("last", "Connection: close\r\n"));
  EXPECT_EQ(c->told(), "200 last");
  EXPECT_TRUE(p.is_left());
  EXPECT_EQ(told(*w.web), "opened 1, reused 0, open 0, idle 0, waiting 0");
}

TEST(ConnectionPool, KeepsNoConnectionWithBytesThatNobodyAskedFor) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, answer("mine") + answer("of somebody else"));
  EXPECT_EQ(c->told(), "200 mine");
  EXPECT_EQ(w.web->stats().open, 0u);
}

TEST(ConnectionPool, TakesNoKeptConnectionThatHasSentSomethingMeanwhile) {
  wire w;
  auto p = one_kept(w);
  w.say(p, answer("of somebody else"));
  auto c = w.get();
  auto p2 = w.accept();
  p2.heard();
  w.say(p2, answer("mine"));
  EXPECT_EQ(c->told(), "200 mine");
  EXPECT_EQ(w.web->stats().stale, 1u);
}

TEST(ConnectionPool, KeepsThemApartByOrigin) {
  wire w;
  w.listen("other", 80);
  auto p = one_kept(w);
  auto c = w.send(client_request(method::get, "http://other/"));
  EXPECT_EQ(p.heard(), "");
  auto other = w.accept("other");
  other.heard();
  w.say(other, answer("other"));
  EXPECT_EQ(c->told(), "200 other");
  EXPECT_EQ(w.web->stats().idle, 2u);
}

// -- what is kept is closed in the end --------------------------------------------------------------------

TEST(ConnectionPool, ClosesWhatIsUnusedTooLong) {
  wire w({.idle_time = 10s});
  auto early = w.get("/early");
  auto late = w.get("/late");
  auto first = w.accept();
  auto second = w.accept();
  first.heard(), second.heard();
  w.say(first, answer(""));
  w.advance(5s);
  w.say(second, answer(""));
  w.advance(4900ms);
  EXPECT_EQ(w.web->stats().idle, 2u);
  w.advance(100ms);
  EXPECT_EQ(w.web->stats().idle, 1u);
  EXPECT_TRUE(first.is_left());
  EXPECT_FALSE(second.is_left());
  w.advance(5s);
  EXPECT_TRUE(second.is_left());
  EXPECT_EQ(w.web->stats().open, 0u);
  EXPECT_EQ(w.sys.live_actors(), 0u); // who closed them is gone as well
  auto again = one_kept(w);
  w.advance(11s); // and comes again
  EXPECT_TRUE(again.is_left());
}

TEST(ConnectionPool, KeepsNoMoreThanItsLimitAndClosesTheOldest) {
  wire w({.idle_connections = 2});
  for (const auto* host : {"a", "b", "c"}) w.listen(host, 80);
  std::vector<peer> peers;
  for (const auto* host : {"a", "b", "c"}) {
    auto c = w.send(client_request(method::get, "http://" + std::string(host) + "/"));
    peers.push_back(w.accept(host));
    peers.back().heard();
    w.say(peers.back(), answer(""));
  }
  EXPECT_EQ(told(*w.web), "opened 3, reused 0, open 2, idle 2, waiting 0");
  EXPECT_TRUE(peers[0].is_left());
  EXPECT_FALSE(peers[1].is_left());
}

TEST(ConnectionPool, CloseIdleClosesWhatNobodyUses) {
  wire w;
  auto used = w.get("/used");
  auto user = w.accept();
  user.heard();
  auto kept = one_kept(w);
  w.web->close_idle();
  EXPECT_TRUE(kept.is_left());
  EXPECT_FALSE(user.is_left());
  w.say(user, answer("used"));
  EXPECT_EQ(used->told(), "200 used");
}

// -- a kept connection that has died ----------------------------------------------------------------------

TEST(ConnectionPool, OpensAnotherConnectionForOneThatTheServerHasClosed) {
  wire w({.retries = 0});
  auto p = one_kept(w);
  p.leave();
  auto c = w.post("once"); // it may not be repeated, but nothing of it was sent
  auto p2 = w.accept();
  EXPECT_NE(p2.heard().find("once"), std::string::npos);
  w.say(p2, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
  EXPECT_EQ(w.web->stats().stale, 1u);
  EXPECT_EQ(w.web->stats().retries, 0u);
}

TEST(ConnectionPool, RepeatsARequestThatMetTheCloseOfItsConnection) {
  wire w({.retries = 0});
  auto p = one_kept(w);
  auto c = w.send(put("http://server/x"));
  EXPECT_EQ(p.heard().substr(0, 6), "PUT /x");
  p.leave(); // having read the request, and no answer
  w.settle();
  auto p2 = w.accept();
  EXPECT_EQ(p2.heard().substr(0, 6), "PUT /x");
  w.say(p2, answer("done"));
  EXPECT_EQ(c->told(), "200 done");
}

TEST(ConnectionPool, RepeatsItOnceOnly) {
  wire w({.retries = 0});
  auto p = one_kept(w);
  auto c = w.get();
  p.heard();
  p.leave();
  w.settle();
  auto p2 = w.accept();
  p2.heard();
  p2.leave();
  w.settle();
  EXPECT_EQ(c->told(), "cannot GET http://server/: the server closed the connection without an answer");
  EXPECT_TRUE(w.nobody_came());
}

TEST(ConnectionPool, DoesNotRepeatWhatMayHaveBeenDone) {
  wire w({.retries = 0});
  auto p = one_kept(w);
  auto c = w.post("once");
  p.heard();
  p.leave();
  w.settle();
  EXPECT_EQ(c->told(), "cannot POST http://server/: the server closed the connection without an answer");
  EXPECT_TRUE(w.nobody_came());
}

TEST(ConnectionPool, DoesNotRepeatWhatWasAnsweredInPart) {
  wire w({.retries = 0});
  auto p = one_kept(w);
  auto c = w.get();
  p.heard();
  w.say(p, "HTTP/1.1 200 OK\r\n");
  p.leave();
  w.settle();
  EXPECT_EQ(c->code(), errc::upstream);
  EXPECT_TRUE(w.nobody_came());
}

TEST(ConnectionPool, DropsTheOthersOfAServerOfWhichOneHasDied) {
  wire w({.retries = 0});
  auto a = w.get();
  auto b = w.get();
  auto pa = w.accept();
  auto pb = w.accept();
  pa.heard(), pb.heard();
  w.say(pa, answer(""));
  w.say(pb, answer(""));
  auto c = w.get();
  pb.heard();
  pb.leave();
  w.settle();
  EXPECT_TRUE(pa.is_left());
  auto p2 = w.accept();
  p2.heard();
  w.say(p2, answer("fresh"));
  EXPECT_EQ(c->told(), "200 fresh");
}

// -- the limit, and who waits -----------------------------------------------------------------------------

TEST(ConnectionPool, ServesThoseWhoWaitInTheirOrder) {
  wire w({.connections_per_host = 1});
  auto a = w.get("/a");
  auto b = w.get("/b");
  auto c = w.get("/c");
  auto p = w.accept();
  EXPECT_TRUE(w.nobody_came());
  EXPECT_EQ(told(*w.web), "opened 1, reused 0, open 1, idle 0, waiting 2");
  EXPECT_EQ(p.heard().substr(0, 7), "GET /a ");
  w.say(p, answer(""));
  EXPECT_EQ(p.heard().substr(0, 7), "GET /b ");
  w.say(p, answer(""));
  EXPECT_EQ(p.heard().substr(0, 7), "GET /c ");
  w.say(p, answer("c"));
  EXPECT_EQ(c->told(), "200 c");
  EXPECT_EQ(told(*w.web), "opened 1, reused 2, open 1, idle 1, waiting 0");
}

TEST(ConnectionPool, TheLimitIsThatOfEachOrigin) {
  wire w({.connections_per_host = 1});
  w.listen("other", 80);
  auto a = w.get();
  auto b = w.send(client_request(method::get, "http://other/"));
  auto pa = w.accept();
  auto pb = w.accept("other");
  w.say(pa, answer("a"));
  w.say(pb, answer("b"));
  EXPECT_EQ(b->told(), "200 b");
}

TEST(ConnectionPool, WhoWaitsGetsANewConnectionWhenTheOldOneIsLost) {
  wire w({.connections_per_host = 1, .retries = 0});
  auto a = w.post("a");
  auto b = w.get("/b");
  auto p = w.accept();
  p.heard();
  p.leave();
  w.settle();
  EXPECT_EQ(a->code(), errc::upstream);
  auto p2 = w.accept();
  p2.heard();
  w.say(p2, answer("b"));
  EXPECT_EQ(b->told(), "200 b");
}

TEST(ConnectionPool, ACallGivesUpWaitingWhenItsTimeIsOver) {
  wire w({.connections_per_host = 1});
  auto a = w.get("/a");
  client_request q(method::get, "http://server/b");
  q.limit(1s);
  auto b = w.send(std::move(q));
  auto p = w.accept();
  p.heard();
  w.advance(1s);
  EXPECT_EQ(b->told(), "cannot GET http://server/b: no connection was free within 1 s: others used all that one host "
                       "may have, the limit of 1 (client_options::connections_per_host)");
  EXPECT_EQ(b->code(), errc::full) << "the limit is our own, so that nobody takes the server for slow";
  EXPECT_EQ(told(*w.web), "opened 1, reused 0, open 1, idle 0, waiting 0");
  w.say(p, answer("a"));
  EXPECT_EQ(a->told(), "200 a");
}

TEST(ConnectionPool, ACancelledCallLeavesTheLine) {
  wire w({.connections_per_host = 1});
  auto a = w.get("/a");
  auto b = w.get("/b");
  auto c = w.get("/c");
  b->who.cancel();
  w.settle();
  EXPECT_EQ(b->told(), "cancelled");
  auto p = w.accept();
  p.heard();
  w.say(p, answer(""));
  EXPECT_EQ(p.heard().substr(0, 7), "GET /c ");
  w.say(p, answer(""));
  EXPECT_EQ(c->told(), "200 ");
}

TEST(ConnectionPool, NeverHasMoreOpenThanItsLimit) {
  wire w({.connections_per_host = 3, .retries = 0});
  std::vector<std::unique_ptr<call>> calls;
  std::vector<peer> peers;
  for (int round = 0; round < 40; ++round) {
    calls.push_back(w.get("/" + std::to_string(round)));
    while (auto next = w.doors.at("server")->try_accept()) peers.emplace_back(std::move(next).value());
    EXPECT_LE(w.web->stats().open, 3u);
    auto& p = peers[static_cast<std::size_t>(round * 7) % peers.size()];
    if (p.heard().empty()) continue;
    if (round % 5 == 4) {
      p.leave();
      w.settle();
      std::erase_if(peers, [&p](const peer& each) { return &each == &p; });
    } else {
      w.say(p, answer(""));
    }
    if (peers.empty()) break;
  }
  EXPECT_GT(w.web->stats().reused, 2u);
  for (auto& each : calls) each->who.cancel();
  w.settle();
  EXPECT_EQ(w.web->stats().waiting, 0u);
}

} // namespace
} // namespace greenroom::http::client_pool_test
