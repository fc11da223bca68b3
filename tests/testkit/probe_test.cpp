#include <greenroom/testkit/probe.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::testkit::probe_test {
namespace {

using namespace std::chrono_literals;

/// Runs a program in a simulation and returns why it failed; "" if it passed.
std::string why(std::function<task<>()> program) {
  simulation world;
  random_schedule by(1);
  return world.run(by, std::move(program)).why;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Sends the numbers, each after a pause.
task<> count(address<int> to, int n, duration pause) {
  for (int i = 1; i <= n; ++i) {
    co_await sleep_for(pause);
    const auto sent = co_await to.send(i);
    require(sent.has_value(), "the probe is gone");
  }
}

TEST(Probe, TakesMessagesInOrderAndSeesTheEnd) {
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              spawn(count, p.address(), 3, 1s);
              const auto first = co_await p.next();
              require(first == 1, "not the first");
              co_await p.expect(2);
              const auto last = co_await p.expect_that([](int n) { return n > 2; }, "a number above 2");
              require(last == 3, "not the last");
              co_await p.expect_closed();
              require(p.received() == 3 && p.allowed() == 0, "counted wrongly");
            }),
            "");
}

task<> expect_wrongly(int* line) {
  probe<int> p("clock");
  spawn(count, p.address(), 3, 500ms);
  co_await p.expect(1);
  *line = __LINE__ + 1;
  co_await p.expect(7, 2s);
}

TEST(Probe, AWrongMessageIsNamedBesideTheExpectedOneWithPlaceAndTime) {
  int line = 0;
  const auto text = why([&line] { return expect_wrongly(&line); });
  EXPECT_TRUE(has(text, "probe 'clock' at probe_test.cpp:" + std::to_string(line) + ": expected 7, but 2 came ("))
      << text << ", not at " << line;
  EXPECT_TRUE(has(text, "(waited 50")) << text; // the timers' wheel is coarse
  EXPECT_TRUE(has(text, " ms of at most 2000 ms; 1 message(s) came before, 0 passed over)")) << text;
}

TEST(Probe, NothingInTimeIsAFaultAfterTheWholeLimitOnly) {
  const auto text = why([]() -> task<> {
    probe<int> p;
    spawn(count, p.address(), 1, 10s);
    co_await p.next(2s);
  });
  EXPECT_TRUE(has(text, "expected a message, but nothing came (waited 200")) << text;
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              spawn(count, p.address(), 1, 10s);
              co_await p.expect(1, 11s);
            }),
            "");
}

TEST(Probe, AClosedMailboxEndsAnExpectationAtOnce) {
  const auto text = why([]() -> task<> {
    probe<int> p;
    spawn(count, p.address(), 1, 0s);
    co_await p.next();
    co_await p.next(1h);
  });
  EXPECT_TRUE(has(text, "expected a message, but the mailbox closed (waited 0")) << text;
  EXPECT_TRUE(has(text, "1 message(s) came before")) << text;
}

TEST(Probe, APredicateThatRefusesShowsWhatItWanted) {
  const auto text = why([]() -> task<> {
    probe<int> p;
    spawn(count, p.address(), 1, 0s);
    co_await p.expect_that([](int n) { return n > 100; }, "a number above 100");
  });
  EXPECT_TRUE(has(text, "expected a number above 100, but 1 came")) << text;
}

TEST(Probe, TakesMessagesInAnyOrderButEachOnce) {
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              spawn(count, p.address(), 3, 1ms);
              const std::vector all{3, 1, 2};
              co_await p.expect_in_any_order(all);
              co_await p.expect_in_any_order(std::vector<int>());
            }),
            "");
  const auto text = why([]() -> task<> {
    probe<int> p;
    const auto to = p.address();
    for (const int n : {1, 2, 2}) {
      const auto sent = co_await to.send(n);
      require(sent.has_value(), "not sent");
    }
    const std::vector all{2, 3, 1};
    co_await p.expect_in_any_order(all);
  });
  EXPECT_TRUE(has(text, "expected in any order still {3}, but 2 came")) << text;
  EXPECT_TRUE(has(text, "2 message(s) came before")) << text;
}

TEST(Probe, ExpectsNothingForTheWholeSpan) {
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              const auto begun = this_actor::system().now();
              const auto kept = p.address();
              co_await p.expect_nothing(1min);
              require(this_actor::system().now() - begun >= 1min, "it did not wait");
            }),
            "");
  const auto text = why([]() -> task<> {
    probe<int> p;
    spawn(count, p.address(), 1, 59s);
    co_await p.expect_nothing(1min);
  });
  EXPECT_TRUE(has(text, "expected no message, but 1 came (waited 5900")) << text;
}

TEST(Probe, AnOpenMailboxIsNoEndOfMessages) {
  const auto text = why([]() -> task<> {
    probe<int> p;
    const auto kept = p.address();
    co_await p.expect_closed(1s);
  });
  EXPECT_TRUE(has(text, "expected the end of the messages, but nothing came")) << text;
}

TEST(Probe, PassesOverWhatIsAllowedInEveryExpectation) {
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              p.allow([](int n) { return n % 2 == 0; });
              p.allow([](int n) { return n == 5; });
              spawn(count, p.address(), 8, 1s);
              co_await p.expect(1);
              co_await p.expect(3);
              co_await p.expect_nothing(2500ms);
              co_await p.expect(7);
              co_await p.expect_closed();
              require(p.received() == 3 && p.allowed() == 5, "counted wrongly");
            }),
            "");
}

task<> flood(address<int> to, const bool* over) {
  while (!*over) {
    const auto sent = co_await to.send(0);
    if (!sent) co_return;
    co_await yield();
  }
}

TEST(Probe, AFloodOfAllowedMessagesDoesNotOutlastTheLimit) {
  actor_system sys(test::quiet(1));
  const auto done = sys.run([]() -> task<> {
    probe<int> p("flooded", bounded(4));
    p.allow([](int) { return true; });
    bool over = false;
    const auto source = spawn(flood, p.address(), &over);
    co_await p.expect_nothing(2ms); // real time: some thousand messages
    over = true;
    co_await p.expect_closed();
    require(p.allowed() > 0, "there was no flood");
  });
  EXPECT_TRUE(done) << done.error().message();
}

TEST(Probe, WhatWasThereBeforeIsFoundWithoutTime) {
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              p.allow([](int n) { return n < 3; });
              auto to = p.address();
              for (int i = 1; i <= 3; ++i) {
                const auto sent = co_await to.send(i);
                require(sent.has_value(), "not sent");
              }
              co_await p.expect(3, 0s);
              to = {};
              co_await p.expect_closed(0s);
            }),
            "");
}

TEST(Probe, ACancelledExpectationHasTakenNothing) {
  EXPECT_EQ(why([]() -> task<> {
              probe<int> p;
              const auto to = p.address();
              auto first = p.next(1h);
              const auto in_time = co_await with_timeout(1s, std::move(first));
              require(!in_time && in_time.error().is(errc::timed_out), "it was not cancelled");
              const auto sent = co_await to.send(5);
              require(sent.has_value(), "not sent");
              co_await p.expect(5);
            }),
            "");
}

struct opaque {
  std::unique_ptr<int> owned;
};
struct streamed {
  std::string text;
  friend bool operator==(const streamed&, const streamed&) = default;
  friend std::ostream& operator<<(std::ostream& to, const streamed& s) { return to << "<" << s.text << ">"; }
};

TEST(Probe, ShowsMessagesAsTheyPrintElseByTheirType) {
  auto text = why([]() -> task<> {
    probe<opaque> p;
    const auto to = p.address();
    opaque item;
    const auto sent = co_await to.send(std::move(item));
    require(sent.has_value(), "not sent");
    co_await p.expect_nothing(1s);
  });
  EXPECT_TRUE(has(text, "but a message of type greenroom::testkit::probe_test::(anonymous namespace)::opaque came"))
      << text;
  text = why([]() -> task<> {
    probe<streamed> p;
    const auto to = p.address();
    const streamed item{"left"};
    const streamed other{"right"};
    const auto sent = co_await to.send(item);
    require(sent.has_value(), "not sent");
    co_await p.expect(other);
  });
  EXPECT_TRUE(has(text, "expected <right>, but <left> came")) << text;
  text = why([]() -> task<> {
    probe<std::string> p;
    const auto to = p.address();
    const auto sent = co_await to.send("a sentence");
    require(sent.has_value(), "not sent");
    co_await p.expect("another");
  });
  EXPECT_TRUE(has(text, "expected 'another', but 'a sentence' came")) << text;
}

template <class F>
std::string thrown(F f) {
  try {
    f();
  } catch (const broken_requirement& e) {
    return e.what();
  }
  return "";
}

TEST(MailboxAssertions, TellSizeAndWhetherItIsClosed) {
  auto [in, out] = make_mailbox<int>(bounded(8));
  EXPECT_EQ(thrown([&box = in] { expect_empty(box); }), "");
  EXPECT_TRUE(out.try_send(1) && out.try_send(2));
  EXPECT_EQ(thrown([&box = in] { expect_size(box, 2); }), "");
  const auto more = thrown([&box = in] { expect_size(box, 3); });
  EXPECT_TRUE(has(more, "expected 3 message(s), but it holds 2 message(s) and is open")) << more;
  EXPECT_TRUE(has(more, "mailbox at probe_test.cpp:")) << more;
  EXPECT_TRUE(has(thrown([&box = in] { expect_empty(box); }), "expected 0 message(s), but it holds 2"));
  EXPECT_TRUE(has(thrown([&box = in] { expect_closed_and_empty(box); }), "expected the end of the messages"));
  out.close();
  EXPECT_TRUE(has(thrown([&box = in] { expect_closed_and_empty(box); }), "holds 2 message(s) and is closed"));
  EXPECT_TRUE(in.try_receive() && in.try_receive());
  EXPECT_EQ(thrown([&box = in] { expect_closed_and_empty(box); }), "");
}

} // namespace
} // namespace greenroom::testkit::probe_test
