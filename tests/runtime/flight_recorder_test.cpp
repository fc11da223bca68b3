#include <greenroom/runtime/flight_recorder.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <greenroom/runtime/trace.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom {
namespace flight_test {

struct order {
  std::string goods;
};
std::string describe(const order& o) { return "some " + o.goods; }

struct secret {};
struct streamed {};
std::ostream& operator<<(std::ostream& out, streamed) { return out << "by a stream"; }
struct broken {};
std::string describe(const broken&) { throw std::runtime_error("no text"); }

} // namespace flight_test
namespace {

using namespace test;
using flight_test::order;

template <class T>
task<> takes_all(mailbox<T> in) {
  while (auto item = co_await in.receive()) {}
}

/// Sends all and returns the actor that has taken them.
template <class T>
actor take_all(actor_system& sys, mailbox<T> in, std::vector<T> items) {
  auto out = in.address();
  for (auto& item : items) EXPECT_TRUE(out.try_send(std::move(item)));
  out = {};
  auto taker = sys.spawn({.name = "taker"}, takes_all<T>, std::move(in));
  taker.wait();
  return taker;
}

std::vector<flight_event> events_of(actor_system& sys, const actor& who, flight_kind what) {
  auto all = sys.flight({.actor = who.id()}).events;
  std::erase_if(all, [what](const auto& e) { return e.what != what; });
  return all;
}

TEST(Flight, ShowsWhatAnActorTookFromItsSpawnToItsEnd) {
  timed_system t;
  t.time.advance(7ms);
  const auto who = take_all(t.sys, mailbox<order>(bounded(2)), {order{"apples"}});
  const auto log = t.sys.flight({.actor = who.id()});
  ASSERT_EQ(log.events.size(), 3U) << log.to_string();
  EXPECT_EQ(log.events[0].what, flight_kind::spawned);
  EXPECT_EQ(log.events[0].by, 0U) << "the spawn was none of an actor's";
  EXPECT_EQ(log.events[1].what, flight_kind::took);
  EXPECT_EQ(log.events[1].type, "greenroom::flight_test::order");
  EXPECT_EQ(log.events[1].text, "") << "nobody asked for texts";
  EXPECT_EQ(log.events[2].what, flight_kind::ended);
  EXPECT_EQ(log.events[2].text, "normal");
  for (const auto& e : log.events) {
    EXPECT_EQ(e.actor, who.id());
    EXPECT_EQ(e.name, "taker") << "its name is known although it has ended";
    EXPECT_EQ(e.at, 7ms);
  }
  EXPECT_EQ(log.now, 7ms);
  EXPECT_FALSE(log.actor);
}

task<> waits_for_two(mailbox<int> first, mailbox<int> second) {
  const auto a = co_await first.receive();
  const auto b = co_await second.receive();
  const auto c = co_await first.receive_for(1h);
  const auto d = co_await select(first.receive(), second.receive());
  EXPECT_TRUE(a && b && c && d.index() == 1);
}

TEST(Flight, KeepsItemsThatCameByEachWayOfReceiving) {
  one_worker sys;
  auto [first, to_first] = make_mailbox<int>(rendezvous());
  auto [second, to_second] = make_mailbox<int>(bounded(1));
  const auto who = sys.spawn({.name = "both"}, waits_for_two, std::move(first), std::move(second));
  const auto send = [](address<int> to) -> task<> {
    const auto sent = co_await to.send(1);
    EXPECT_TRUE(sent);
  };
  await_wait(sys, who, "receive"); // handed over to one that waits
  ASSERT_TRUE(sys.run(send, to_first));
  ASSERT_TRUE(sys.run(send, to_second));
  ASSERT_TRUE(sys.run(send, to_first));
  ASSERT_TRUE(sys.run(send, to_second));
  who.wait();
  const auto took = events_of(sys, who, flight_kind::took);
  ASSERT_EQ(took.size(), 4U);
  EXPECT_EQ(took[0].mailbox, took[2].mailbox);
  EXPECT_EQ(took[1].mailbox, took[3].mailbox);
  EXPECT_NE(took[0].mailbox, took[1].mailbox);
}

task<> polls(mailbox<int> in) {
  const auto item = in.try_receive();
  EXPECT_TRUE(item);
  const auto none = in.try_receive();
  EXPECT_FALSE(none);
  co_return;
}

TEST(Flight, KeepsItemsThatWereTakenWithoutAWaitButNotThoseOfThreads) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(2));
  ASSERT_TRUE(out.try_send(1));
  ASSERT_TRUE(out.try_send(2));
  EXPECT_TRUE(in.try_receive());
  const auto who = sys.spawn(polls, in);
  who.wait();
  EXPECT_EQ(events_of(sys, who, flight_kind::took).size(), 1U);
  EXPECT_EQ(sys.flight().events.size(), 3U) << sys.flight().to_string();
}

TEST(Flight, CountsItemsThatAreTakenFromOneMailboxInARow) {
  one_worker sys;
  const auto who = take_all(sys, mailbox<int>(bounded(64)), std::vector<int>(50, 1));
  const auto took = events_of(sys, who, flight_kind::took);
  ASSERT_EQ(took.size(), 1U);
  EXPECT_EQ(took[0].times, 50U);
}

task<> spawns_one() {
  auto child = spawn({.name = "child"}, []() -> task<> { co_return; });
  co_await child.join();
}

TEST(Flight, SaysWhoSpawnedWhom) {
  one_worker sys;
  const auto parent = sys.spawn({.name = "parent"}, spawns_one);
  parent.wait();
  const auto all = sys.flight().events;
  const auto child = std::find_if(all.begin(), all.end(), [](const auto& e) { return e.name == "child"; });
  ASSERT_NE(child, all.end());
  EXPECT_EQ(child->what, flight_kind::spawned);
  EXPECT_EQ(child->by, parent.id());
}

TEST(Flight, OverwritesTheOldestAndKeepsAsManyAsTheOptionsSay) {
  auto how = quiet(1);
  how.flight_events = 5; // rounded up to 8
  actor_system sys(how);
  std::vector<actor> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(take_all(sys, mailbox<int>(bounded(1)), {i}));
  }
  EXPECT_TRUE(events_of(sys, all.front(), flight_kind::ended).empty());
  EXPECT_EQ(events_of(sys, all.back(), flight_kind::ended).size(), 1U);
  // 8 of the worker and 8 of main, which spawned them; what may just be overwritten is left out.
  EXPECT_EQ(sys.flight().events.size(), 14U);
  EXPECT_EQ(sys.flight({.most = 3}).events.size(), 3U);
  EXPECT_EQ(sys.flight({.most = 1}).events[0].actor, all.back().id()) << "the newest are kept";
}

TEST(Flight, KeepsNothingWhenItIsSwitchedOff) {
  auto how = quiet(1);
  how.flight_events = 0;
  actor_system sys(how);
  const auto who = take_all(sys, mailbox<int>(bounded(1)), {1});
  const auto log = sys.flight({.actor = who.id()});
  EXPECT_TRUE(log.events.empty());
  EXPECT_EQ(log.to_string(), "no events\n");
}

TEST(Flight, KeepsTheTextsOfItemsOfAMailboxThatAsksForIt) {
  one_worker sys;
  mailbox<order> in(bounded(4));
  in.show_items();
  const auto who = take_all(sys, std::move(in), {order{"apples"}, order{std::string(300, 'x')}});
  const auto took = events_of(sys, who, flight_kind::took);
  ASSERT_EQ(took.size(), 2U);
  EXPECT_EQ(took[0].text, "some apples");
  EXPECT_EQ(took[0].type, "greenroom::flight_test::order");
  EXPECT_EQ(took[1].text, "some " + std::string(195, 'x') + "...") << "it is cut";
}

TEST(Flight, KeepsTheTextsOfAllItemsIfTheOptionsSaySo) {
  auto how = quiet(1);
  how.flight_items = 6;
  actor_system sys(how);
  const auto text_of = [&sys]<class T>(T item) {
    const auto took = events_of(sys, take_all(sys, mailbox<T>(bounded(1)), {std::move(item)}), flight_kind::took);
    return took.size() == 1 ? took[0].text : "not one event";
  };
  EXPECT_EQ(text_of(order{"a"}), "some a");
  EXPECT_EQ(text_of(order{"ä"}), "some ...") << "cut between characters";
  EXPECT_EQ(text_of(12345), "12345");
  EXPECT_EQ(text_of(flight_test::streamed{}), "by a s...");
  EXPECT_EQ(text_of(flight_test::secret{}), "") << "it has no text";
  EXPECT_EQ(text_of(flight_test::broken{}), "(its t...");
}

/// A system whose log can be read.
struct logging : testing::Test {
  std::ostringstream written;
  std::shared_ptr<spdlog::logger> host =
      std::make_shared<spdlog::logger>("host", std::make_shared<spdlog::sinks::ostream_sink_mt>(written));
  std::optional<actor_system> sys;

  logging() {
    host->set_pattern("%l %v");
    environment e;
    e.log = use_logger(host);
    sys.emplace(options{.workers = 1}, std::move(e));
  }
};
using FlightOfALog = logging;

task<> logs_between_items(mailbox<int> in) {
  const auto one = co_await in.receive();
  this_actor::system().log().info("half of it\nis done");
  const auto two = co_await in.receive();
  EXPECT_TRUE(one && two);
  this_actor::system().log().debug("nobody wants this");
}

TEST_F(FlightOfALog, ShowsTheLinesOfAnActorBetweenItsItems) {
  auto [in, out] = make_mailbox<int>(bounded(2));
  ASSERT_TRUE(out.try_send(1));
  ASSERT_TRUE(out.try_send(2));
  const auto who = sys->spawn({.name = "half"}, logs_between_items, in);
  who.wait();
  const auto log = sys->flight({.actor = who.id()});
  ASSERT_EQ(log.events.size(), 5U) << log.to_string();
  EXPECT_EQ(log.events[1].what, flight_kind::took);
  EXPECT_EQ(log.events[1].times, 1U);
  EXPECT_EQ(log.events[2].what, flight_kind::logged);
  EXPECT_EQ(log.events[2].level, log_level::info);
  EXPECT_EQ(log.events[2].text, "half of it\\nis done");
  EXPECT_EQ(log.events[2].name, "half");
  EXPECT_EQ(log.events[3].what, flight_kind::took);
  EXPECT_NE(written.str().find("half of it\\nis done"), std::string::npos);
}

TEST_F(FlightOfALog, NamesTheTraceOfALine) {
  const auto trace = begin_trace(false);
  const auto logs = [](const char* what) -> task<> {
    this_actor::system().log().warn("{}", what);
    co_return;
  };
  sys->spawn({.ctx = sys->context().with_value(trace)}, logs, "in it").wait();
  sys->spawn(logs, "in none").wait();
  auto lines = sys->flight().events;
  std::erase_if(lines, [](const auto& e) { return e.what != flight_kind::logged; });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].trace_id, trace.trace_id());
  EXPECT_EQ(lines[1].trace_id, "");
}

TEST_F(FlightOfALog, KeepsLinesOfThreadsAndOfLoggersThatOutliveTheSystem) {
  const auto log = sys->log();
  log.warn("by main");
  ASSERT_EQ(sys->flight().events.size(), 1U);
  EXPECT_EQ(sys->flight().events[0].actor, 0U);
  EXPECT_EQ(sys->flight().events[0].text, "by main");
  sys.reset();
  log.warn("after the end");
  EXPECT_NE(written.str().find("after the end"), std::string::npos);
}

task<> fails_at_the_third(mailbox<int> in) {
  for (int i = 0; i < 3; ++i) {
    const auto item = co_await in.receive();
    EXPECT_TRUE(item);
  }
  throw std::runtime_error("too many");
}

TEST_F(FlightOfALog, TellsWhatAnActorDidBeforeItFailed) {
  auto [in, out] = make_mailbox<int>(bounded(4));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(out.try_send(i));
  sys->spawn({.name = "poor"}, fails_at_the_third, in).wait();
  const auto text = written.str();
  EXPECT_NE(text.find(" poor] ended by "), std::string::npos) << text;
  EXPECT_NE(text.find(" poor] before that it was spawned "), std::string::npos) << text;
  EXPECT_NE(text.find("; took int 3 times "), std::string::npos) << text;
}

TEST_F(FlightOfALog, TellsOfTwentyFailuresOfABurstOnly) {
  for (int i = 0; i < 100; ++i) {
    sys->spawn([]() -> task<> {
         throw std::runtime_error("again");
         co_return;
       })
        .wait();
  }
  const auto text = written.str();
  std::size_t told = 0;
  for (auto at = text.find("before that it "); at != text.npos; at = text.find("before that it ", at + 1)) ++told;
  const auto seconds = static_cast<std::size_t>(sys->flight().now / 1s) + 1; // a slow machine needs more than one
  EXPECT_GE(told, 20U);
  EXPECT_LE(told, 20 * seconds);
}

TEST(Flight, SaysWhatALivingActorWaitsForNow) {
  timed_system t;
  mailbox<int> in(bounded(1));
  const auto who = t.sys.spawn({.name = "waiter"}, takes_all<int>, in);
  await_wait(t.sys, who, "receive");
  t.advance(12ms);
  const auto log = t.sys.flight({.actor = who.id()});
  ASSERT_TRUE(log.actor);
  EXPECT_EQ(log.actor->waits_for, "receive");
  EXPECT_EQ(log.actor->waits_since, 12ms);
  EXPECT_NE(log.to_string().find("waits for receive since 12 ms"), std::string::npos);
  in.close();
  who.wait();
}

TEST(Flight, IsWrittenAsTextAndAsJson) {
  flight_log log;
  log.events = {
      {.at = 3ms, .what = flight_kind::spawned, .actor = 7, .name = "a\"b", .by = 2},
      {.at = 4ms, .what = flight_kind::took, .actor = 7, .times = 2, .type = "int", .mailbox = 1, .text = "\xff"},
      {.at = 5ms, .what = flight_kind::logged, .text = "tab\there", .level = log_level::warn},
      {.at = 5ms, .what = flight_kind::logged, .actor = 7, .text = "x", .trace_id = "4bf9"},
      {.at = 6ms, .what = flight_kind::ended, .actor = 7, .name = "a\"b", .text = "failed"}};
  log.now = 9ms;
  EXPECT_EQ(log.to_json(),
            "{\"now_ms\":9,\"actor\":null,\"events\":["
            R"({"at_ms":3,"what":"spawned","actor":7,"name":"a\"b","by":2},)"
            R"({"at_ms":4,"what":"took","actor":7,"name":"","times":2,"type":"int","mailbox":1,"text":"\ufffd"},)"
            R"({"at_ms":5,"what":"logged","actor":0,"name":"","level":"warn","text":"tab\u0009here"},)"
            R"({"at_ms":5,"what":"logged","actor":7,"name":"","level":"info","trace_id":"4bf9","text":"x"},)"
            R"({"at_ms":6,"what":"ended","actor":7,"name":"a\"b","text":"failed"}]})"
            "\n");
  EXPECT_EQ(log.to_string(), "         3 ms  actor 7 'a\"b' spawned by actor 2\n"
                             "         4 ms  actor 7 took int from mailbox 1, 2 times: \xff\n"
                             "         5 ms  - warn: tab\there\n"
                             "         5 ms  actor 7 info: x (trace_id=4bf9)\n"
                             "         6 ms  actor 7 'a\"b' ended: failed\n");
  EXPECT_EQ(log.in_brief(), "was spawned 6 ms ago; took int 2 times (\xff) 5 ms ago; logged \"tab\there\" 4 ms ago; "
                            "logged \"x\" 4 ms ago; ended 3 ms "
                            "ago");
}

TEST(FlightRing, ShowsNoEventThatIsHalfOverwritten) {
  detail::flight_ring ring(8, 0, false);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    // Each event says the same in all of its words, and none is like the one before it.
    for (std::uint64_t i = 1; !done; ++i) {
      ring.note(flight_kind::spawned, i, reinterpret_cast<const char*>(i), i & UINT32_MAX,
                static_cast<std::uint32_t>(i));
    }
  });
  std::size_t seen = 0;
  std::uint64_t last = 0;
  for (int round = 0; round < 20'000 || seen == 0; ++round) {
    std::uint64_t before = 0;
    ring.read([&](std::uint64_t number, const detail::flight_words& w) {
      ++seen;
      ASSERT_EQ(w.actor(), number + 1);
      ASSERT_EQ(w.address(), reinterpret_cast<const void*>(number + 1));
      ASSERT_EQ(w.number(), static_cast<std::uint32_t>(number + 1));
      ASSERT_EQ(w.at(), static_cast<std::uint32_t>(number + 1));
      ASSERT_GT(w.actor(), before) << "in their order";
      before = w.actor();
    });
    ASSERT_GE(std::max(before, last), last) << "what is newest does not go back";
    last = std::max(before, last);
  }
  done = true;
  writer.join();
}

TEST(FlightRing, TellsMailboxesApartThatLieSideBySide) {
  static_assert(sizeof(detail::mailbox_core<char>) >= 64);
  std::vector<mailbox<char>> all;
  std::set<std::uint16_t> tags;
  for (int i = 0; i < 100; ++i) {
    all.emplace_back(bounded(1));
    tags.insert(detail::flight_words::tag_of(all.back().base()));
  }
  EXPECT_EQ(tags.size(), all.size());
}

TEST(FlightRing, KeepsCountingWhereTheCountIsFull) {
  detail::flight_ring ring(2, 0, false);
  for (std::uint32_t i = 0; i < 3; ++i) ring.took(5, typeid(int), nullptr, i);
  ring.leave_place();
  ring.took(5, typeid(int), nullptr, 9); // what stands between them parts them
  std::vector<std::uint32_t> times;
  ring.read([&](std::uint64_t, const detail::flight_words& w) { times.push_back(w.number()); });
  EXPECT_EQ(times, std::vector<std::uint32_t>{1});
}

TEST(FlightRing, AddsToTheLastEventWhereverItStands) {
  detail::flight_ring ring(4, 0, false);
  for (std::uint64_t actor = 1; actor <= 9; ++actor) {
    for (std::uint64_t i = 0; i < actor; ++i) ring.took(actor, typeid(int), nullptr, 0);
    std::uint64_t who = 0;
    std::uint32_t times = 0;
    ring.read([&](std::uint64_t, const detail::flight_words& w) {
      who = w.actor();
      times = w.number();
    });
    EXPECT_EQ(who, actor);
    EXPECT_EQ(times, actor) << "taken by actor " << actor;
  }
}

} // namespace
} // namespace greenroom
