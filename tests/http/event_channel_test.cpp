#include <greenroom/http/event_channel.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::event_channel_test {
namespace {

using namespace test;

/// Without chunks, so that what a client sees is what was sent.
std::string plain(std::string_view last_id = "") {
  std::string line = "GET /events HTTP/1.0\r\n";
  if (!last_id.empty()) line.append("Last-Event-ID: ").append(last_id).append("\r\n");
  return line + "\r\n";
}

struct channel_rig {
  explicit channel_rig(event_channel_options how = {}) : channel(named(std::move(how))) {
    r.front.get("/events", serve_events, &channel);
    r.start();
  }
  static event_channel_options named(event_channel_options how) {
    how.series = "s";
    return how;
  }
  void publish(std::string data) { ASSERT_TRUE(channel.publish(std::move(data))); }
  /// A client behind the head of its answer.
  test::raw_client follow(std::string_view last_id = "") {
    auto c = r.connect();
    r.say(c, plain(last_id));
    const auto head = r.hear_until(c, "\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    r.settle();
    return c;
  }
  std::string hear_until(test::raw_client& c, std::string mark) { return r.hear_until(c, std::move(mark)); }

  event_channel channel;
  rig r;
};

std::string kept(std::string_view id, std::string_view data) {
  return "id: " + std::string(id) + "\ndata: " + std::string(data) + "\n\n";
}

TEST(EventChannel, GivesEachEventToAllThatFollow) {
  channel_rig t;
  auto a = t.follow();
  auto b = t.follow();
  EXPECT_EQ(t.channel.publish("12", "price").value(), 1u);
  EXPECT_EQ(t.channel.publish("13").value(), 2u);
  const std::string both = "id: s-1\nevent: price\ndata: 12\n\nid: s-2\ndata: 13\n\n";
  EXPECT_EQ(t.hear_until(a, "13\n\n"), both);
  EXPECT_EQ(t.hear_until(b, "13\n\n"), both);
  EXPECT_EQ(t.channel.stats().subscribers, 2u);
  EXPECT_EQ(t.channel.stats().published, 2u);
}

TEST(EventChannel, BeginsWithWhatComesNext) {
  channel_rig t;
  t.publish("before");
  auto c = t.follow();
  t.publish("behind");
  EXPECT_EQ(t.hear_until(c, "behind\n\n"), kept("s-2", "behind"));
}

TEST(EventChannel, GivesWhatAClientHasMissed) {
  channel_rig t;
  for (const auto* data : {"one", "two", "three"}) t.publish(data);
  auto c = t.follow("s-1");
  EXPECT_EQ(t.hear_until(c, "three\n\n"), kept("s-2", "two") + kept("s-3", "three"));
  auto newest = t.follow("s-3");
  t.publish("four");
  EXPECT_EQ(t.hear_until(newest, "four\n\n"), kept("s-4", "four"));
  EXPECT_EQ(t.channel.stats().resumed, 2u);
  EXPECT_EQ(t.channel.stats().resumed_too_late, 0u);
}

TEST(EventChannel, GivesAllThatIsKeptForAnIdThatIsTooOld) {
  channel_rig t({.backlog = 2});
  for (const auto* data : {"one", "two", "three", "four"}) t.publish(data);
  auto just = t.follow("s-2"); // has seen all that is not kept
  EXPECT_EQ(t.hear_until(just, "four\n\n"), kept("s-3", "three") + kept("s-4", "four"));
  EXPECT_EQ(t.channel.stats().resumed, 1u);
  auto old = t.follow("s-1");
  EXPECT_EQ(t.hear_until(old, "four\n\n"), kept("s-3", "three") + kept("s-4", "four"));
  EXPECT_EQ(t.channel.stats().resumed_too_late, 1u);
}

TEST(EventChannel, GivesAllThatIsKeptForAnIdThatIsUnknown) {
  channel_rig t;
  t.publish("one");
  for (const auto* id : {"s-2", "s-0", "t-1", "1", "s1", "s-", "s-1x", "s--1", "s-99999999999999999999", "ss-1"}) {
    auto c = t.follow(id);
    EXPECT_EQ(t.hear_until(c, "one\n\n"), kept("s-1", "one")) << id;
  }
  EXPECT_EQ(t.channel.stats().resumed_too_late, 10u);
}

TEST(EventChannel, BoundsWhatItKeepsInBytesToo) {
  channel_rig t({.backlog_bytes = 1'024});
  for (int i = 0; i < 10; ++i) t.publish(std::string(300, static_cast<char>('a' + i)));
  auto c = t.follow("s-1");
  t.publish("end");
  const auto all = t.hear_until(c, "end\n\n");
  EXPECT_EQ(all.find("id: s-7\n"), all.npos) << "four of them would be more than 1,024 bytes";
  EXPECT_TRUE(all.starts_with("id: s-8\n")) << all;
}

TEST(EventChannel, RefusesAnEventThatIsLongerThanAllItKeeps) {
  channel_rig t({.backlog_bytes = 1'024});
  t.publish("one");
  const auto refused = t.channel.publish(std::string(1'020, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::limit)) << refused.error().message();
  EXPECT_TRUE(t.channel.publish("x", "a\nb").error().is(errc::invalid_argument));
  EXPECT_EQ(t.channel.publish("two").value(), 2u) << "a refused one uses up no number";
  auto c = t.follow("s-0");
  EXPECT_EQ(t.hear_until(c, "two\n\n"), kept("s-1", "one") + kept("s-2", "two"));
}

TEST(EventChannel, SendsACommentWhenNothingWasSentForAWhile) {
  channel_rig t;
  auto c = t.follow();
  t.r.advance(14s);
  t.publish("one");
  EXPECT_EQ(t.hear_until(c, "one\n\n"), kept("s-1", "one"));
  t.r.settle();
  t.r.advance(14s);
  t.publish("two");
  EXPECT_EQ(t.hear_until(c, "two\n\n"), kept("s-2", "two")) << "each event begins the silence anew";
  t.r.settle();
  t.r.advance(15s + 1ms);
  EXPECT_EQ(t.hear_until(c, "\n\n"), ":\n\n");
  t.r.advance(15s + 1ms);
  EXPECT_EQ(t.hear_until(c, "\n\n"), ":\n\n");
}

TEST(EventChannel, AsksForATimeOfRetryFirst) {
  channel_rig t({.retry = 500ms});
  auto c = t.follow();
  t.publish("one");
  EXPECT_EQ(t.hear_until(c, "one\n\n"), "retry: 500\n\n" + kept("s-1", "one"));
}

TEST(EventChannel, ForgetsAClientThatLeaves) {
  channel_rig t;
  {
    auto a = t.follow();
    auto b = t.follow();
    EXPECT_EQ(t.channel.stats().subscribers, 2u);
    a.leave();
    t.r.settle();
    EXPECT_EQ(t.channel.stats().subscribers, 1u);
  }
  t.r.settle();
  EXPECT_EQ(t.channel.stats().subscribers, 0u);
  EXPECT_EQ(t.r.front.stats().in_flight, 0u);
  t.publish("nobody is there");
}

TEST(EventChannel, CountsNoFollowerForHead) {
  channel_rig t({.subscribers = 1});
  auto c = t.r.connect();
  t.r.say(c, "HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n");
  t.r.hear_until(c, "\r\n\r\n");
  t.r.settle();
  EXPECT_EQ(t.channel.stats().subscribers, 0u);
}

TEST(EventChannel, DisconnectsAClientThatHasMissedAnEvent) {
  channel_rig t({.backlog = 100});
  auto slow = t.follow();
  auto quick = t.follow();
  const std::string big(10'000, 'x');
  for (int i = 0; i < 300; ++i) {
    t.publish(big);
    t.r.settle();
    t.hear_until(quick, "\n\n");
  }
  EXPECT_EQ(t.channel.stats().too_slow, 0u) << "it is stuck in the middle of a part";
  const auto all = t.r.hear_all(slow); // takes what is under way, and finds the end
  EXPECT_EQ(t.channel.stats().too_slow, 1u);
  EXPECT_EQ(t.channel.stats().subscribers, 1u);
  const auto last = all.rfind("id: s-");
  const auto number = std::atoi(all.c_str() + last + 6);
  EXPECT_GT(number, 1);
  EXPECT_LT(number, 200) << "what was kept for it is more than the backlog";
  EXPECT_TRUE(all.ends_with("x\n\n")) << "the last event is whole";
  auto back = t.follow("s-" + std::to_string(number));
  t.r.settle();
  EXPECT_TRUE(t.hear_until(back, "\n\n").starts_with("id: s-201\n"));
  EXPECT_EQ(t.channel.stats().resumed_too_late, 1u);
}

TEST(EventChannel, FeedsAClientThatIsSlowButWithinTheBacklogWithoutAGap) {
  channel_rig t({.backlog = 1'000, .backlog_bytes = 20'000'000});
  auto c = t.follow();
  for (int i = 0; i < 200; ++i) {
    t.publish(std::string(5'000, 'x'));
    t.r.settle();
  }
  t.publish("end");
  const auto all = t.hear_until(c, "end\n\n");
  std::size_t at = 0;
  for (int i = 1; i <= 201; ++i) {
    at = all.find("id: s-" + std::to_string(i) + "\n", at);
    ASSERT_NE(at, all.npos) << i;
  }
  EXPECT_EQ(t.channel.stats().too_slow, 0u);
}

TEST(EventChannel, TurnsAwayWhoIsOneTooMany) {
  channel_rig t({.subscribers = 2});
  auto a = t.follow();
  auto b = t.follow();
  const auto third = t.r.ask(get("/events"));
  EXPECT_EQ(third.status, 503);
  EXPECT_NE(third.field("Retry-After"), "none");
  EXPECT_EQ(t.channel.stats().turned_away, 1u);
  a.leave();
  t.r.settle();
  auto c = t.follow();
  EXPECT_EQ(t.channel.stats().subscribers, 2u);
}

TEST(EventChannel, EndsForAllWhenItIsClosed) {
  channel_rig t;
  auto c = t.r.connect();
  t.r.say(c, get("/events"));
  t.r.settle();
  t.publish("last");
  t.channel.close();
  t.channel.close();
  const auto all = t.hear_until(c, "\r\n0\r\n\r\n");
  EXPECT_NE(all.find(kept("s-1", "last")), all.npos) << "what was published before still arrives: " << all;
  EXPECT_TRUE(t.channel.publish("more").error().is(errc::closed));
  EXPECT_EQ(t.r.ask(get("/events")).status, 204);
  EXPECT_EQ(t.channel.stats().subscribers, 0u);
}

TEST(EventChannel, EndsItsFeedsInGoodOrderWhenTheServerStops) {
  channel_rig t;
  auto c = t.r.connect();
  t.r.say(c, get("/events"));
  t.publish("one");
  t.hear_until(c, "\r\n\r\n");
  t.r.settle();
  server_stop_report report;
  auto stop = t.r.sys.spawn([](server* s, server_stop_report* to) -> task<> { *to = co_await s->stopped(1h); },
                            &t.r.front, &report);
  t.r.settle();
  EXPECT_TRUE(t.r.hear_all(c).ends_with("0\r\n\r\n"));
  c.leave();
  t.r.advance_until_end(stop);
  EXPECT_TRUE(report.complete()) << report.to_string();
  EXPECT_EQ(t.channel.stats().subscribers, 0u);
}

TEST(EventChannel, DrawsASeriesOfItsOwn) {
  event_channel a;
  event_channel b;
  rig r;
  r.front.get("/a", serve_events, &a).get("/b", serve_events, &b);
  r.start();
  ASSERT_TRUE(a.publish("x"));
  ASSERT_TRUE(b.publish("x"));
  const auto first_id = [&r](std::string_view of) {
    auto c = r.connect();
    r.say(c, "GET " + std::string(of) + " HTTP/1.0\r\nLast-Event-ID: unknown\r\n\r\n");
    const auto all = r.hear_until(c, "\n\n");
    const auto at = all.find("id: ");
    return all.substr(at, all.find('\n', at) - at);
  };
  EXPECT_TRUE(first_id("/a").ends_with("-1")) << first_id("/a");
  EXPECT_NE(first_id("/a"), first_id("/b"));
}

TEST(EventChannel, NumbersWhatSeveralThreadsPublishWithoutAGap) {
  channel_rig t({.backlog = 10'000});
  auto c = t.follow();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&t] {
      for (int n = 0; n < 500; ++n) EXPECT_TRUE(t.channel.publish("x"));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto all = t.hear_until(c, "id: s-2000\ndata: x\n\n");
  std::string expected;
  for (int i = 1; i <= 2'000; ++i) expected += kept("s-" + std::to_string(i), "x");
  EXPECT_EQ(all, expected);
}

TEST(EventChannel, RefusesOptionsThatAreOutOfRange) {
  EXPECT_THROW(event_channel({.backlog = 0}), usage_error);
  EXPECT_THROW(event_channel({.backlog_bytes = 1'023}), usage_error);
  EXPECT_THROW(event_channel({.subscribers = 0}), usage_error);
  EXPECT_THROW(event_channel({.heartbeat = 0ms}), usage_error);
  EXPECT_THROW(event_channel({.retry = -1ms}), usage_error);
  EXPECT_THROW(event_channel({.series = "a-b"}), usage_error);
  EXPECT_THROW(event_channel({.series = "a\nb"}), usage_error);
  EXPECT_THROW(event_channel({.series = std::string(33, 'a')}), usage_error);
}

} // namespace
} // namespace greenroom::http::event_channel_test
