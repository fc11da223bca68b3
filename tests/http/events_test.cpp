#include <greenroom/http/events.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::events_test {
namespace {

using namespace test;
using namespace std::string_view_literals;

// -- the form ---------------------------------------------------------------------------------------------

TEST(EventText, HasALineForEachPart) {
  event e("12.50", "price");
  e.id = "a-7";
  e.retry = 2500ms;
  EXPECT_EQ(event_text(e).value(), "id: a-7\nevent: price\nretry: 2500\ndata: 12.50\n\n");
}

TEST(EventText, HasADataLineEvenForNoData) { EXPECT_EQ(event_text(event()).value(), "data: \n\n"); }

TEST(EventText, CutsDataAtEachEndOfALineThatAClientKnows) {
  EXPECT_EQ(event_text(event("a\nb\r\nc\rd")).value(), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(event_text(event("a\n\nb\n")).value(), "data: a\ndata: \ndata: b\ndata: \n\n");
  EXPECT_EQ(event_text(event("\n\r")).value(), "data: \ndata: \ndata: \n\n");
}

TEST(EventText, LetsNoDataBecomeAFieldOfItsOwn) {
  EXPECT_EQ(event_text(event("x\revent: admin\r\rdata: y")).value(),
            "data: x\ndata: event: admin\ndata: \ndata: data: y\n\n");
  EXPECT_EQ(event_text(event(" two spaces")).value(), "data:  two spaces\n\n") << "the client takes one off";
}

TEST(EventText, RefusesLineEndsAndNulInNameAndId) {
  for (const auto bad : {"a\nb"sv, "a\rb"sv, "\n"sv, "a\0"sv}) {
    event named("x", std::string(bad));
    EXPECT_TRUE(event_text(named).error().is(errc::invalid_argument));
    event marked("x");
    marked.id = bad;
    const auto refused = event_text(marked);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("its id holds a line end"), std::string_view::npos);
  }
}

TEST(EventText, RefusesANegativeTimeOfRetry) {
  event e("x");
  e.retry = -1ms;
  EXPECT_TRUE(event_text(e).error().is(errc::invalid_argument));
}

TEST(EventComment, IsIgnoredByClientsWhateverItSays) {
  EXPECT_EQ(event_comment(), ":\n\n");
  EXPECT_EQ(event_comment("so\ndata: far"), ": so\n: data: far\n\n");
}

// -- as an answer -----------------------------------------------------------------------------------------

task<> echo_ids(event_writer out, mailbox<event> from) {
  auto sent = co_await out.comment("after " + out.last_id());
  for (;;) {
    auto e = co_await from.receive();
    if (!e || !sent) co_return;
    auto more = co_await out.send(*std::move(e));
    if (!more) more = co_await out.comment("refused");
    sent = std::move(more);
  }
}

struct Events : testing::Test {
  Events() {
    auto [in, out] = make_mailbox<event>(bounded(100));
    feed = out;
    r.front.get(
        "/events", [](request q, mailbox<event> from) { return events(q, echo_ids, from); }, in);
    r.start();
  }
  address<event> feed;
  rig r;
};

TEST_F(Events, HaveAHeadThatNobodyKeepsOrHoldsBack) {
  auto c = r.connect();
  r.say(c, get("/events"));
  const auto head = r.hear_until(c, "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
  EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), head.npos);
  EXPECT_NE(head.find("Cache-Control: no-store\r\n"), head.npos);
}

TEST_F(Events, GoOutOneByOne) {
  auto c = r.connect();
  r.say(c, get("/events", "Last-Event-ID: 41\r\n"));
  EXPECT_NE(r.hear_until(c, ": after 41\n\n").find(": after 41"), std::string::npos);
  ASSERT_TRUE(feed.try_send(event("one", "count")));
  EXPECT_TRUE(r.hear_until(c, "data: one\n\n").ends_with("event: count\ndata: one\n\n"));
  ASSERT_TRUE(feed.try_send(event("two")));
  EXPECT_TRUE(r.hear_until(c, "data: two\n\n").ends_with("data: two\n\n"));
}

TEST_F(Events, ThatAreRefusedLeaveTheFeedAsItWas) {
  auto c = r.connect();
  r.say(c, get("/events"));
  ASSERT_TRUE(feed.try_send(event("x", "a\nid: 7")));
  ASSERT_TRUE(feed.try_send(event("y")));
  const auto all = r.hear_until(c, "data: y\n\n");
  EXPECT_NE(all.find(": refused\n"), all.npos) << all;
  EXPECT_EQ(all.find("id: 7"), all.npos) << all;
}

TEST_F(Events, AreNotMadeForHead) {
  auto c = r.connect();
  r.say(c, "HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto head = r.hear_until(c, "\r\n\r\n");
  EXPECT_NE(head.find("text/event-stream"), head.npos);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST_F(Events, EndInGoodOrderWhenTheServerStops) {
  auto c = r.connect();
  r.say(c, get("/events"));
  r.hear_until(c, "\n\n");
  server_stop_report report;
  auto stop = r.sys.spawn([](server* s, server_stop_report* to) -> task<> { *to = co_await s->stopped(1h); }, &r.front,
                          &report);
  r.settle();
  EXPECT_TRUE(r.hear_all(c).ends_with("0\r\n\r\n"));
  c.leave();
  r.advance_until_end(stop);
  EXPECT_TRUE(report.complete()) << report.to_string();
}

} // namespace
} // namespace greenroom::http::events_test
