#include <greenroom/actors/gather.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::gather_test {
namespace {

using namespace test;

/// Counts the calls that have begun and those that were unwound by cancellation.
struct log {
  int begun = 0;
  int cancelled = 0;
};

task<result<int>> after(log* seen, duration wait, result<int> gives) {
  ++seen->begun;
  try {
    co_await sleep_for(wait);
  } catch (const cancelled&) {
    ++seen->cancelled;
    throw;
  }
  co_return gives;
}
task<result<std::string>> word(std::string text) { co_return text; }
task<result<void>> nothing_wrong() { co_return result<void>(); }
task<result<int>> throws() {
  co_await yield();
  throw std::runtime_error("out of order");
}

using calls = std::vector<task<result<int>>>;

struct step {
  duration wait;
  result<int> gives;
};
calls list(log* seen, const std::vector<step>& steps) {
  calls made;
  for (const auto& each : steps) made.push_back(after(seen, each.wait, each.gives));
  return made;
}

std::string told(const std::vector<int>& values) {
  std::string text;
  for (const int v : values) text += std::to_string(v) + " ";
  return text;
}
template <class T>
std::string told(const result<T>& got) {
  if (!got) return std::string(to_string(got.error().code())) + ": " + std::string(got.error().message());
  if constexpr (std::is_same_v<T, int>) {
    return std::to_string(*got);
  } else {
    return told(*got);
  }
}

/// Runs what gathers, lets it have its time, and gives what it told; nothing may be left of it.
struct gatherer : timed_system {
  log seen;
  std::string got = "under way";
  actor who;

  ~gatherer() {
    EXPECT_EQ(sys.live_actors(), 0u);
    EXPECT_EQ(sys.live_timers(), 0u);
  }
  template <class F>
  void begin(F how, std::vector<step> steps) {
    who = sys.spawn(run<F>, how, this, std::move(steps));
    (void)sys.run(settle);
  }
  template <class F>
  static task<> run(F how, gatherer* self, std::vector<step> steps) {
    auto gathering = how(list(&self->seen, steps));
    const auto outcome = co_await std::move(gathering);
    self->got = told(outcome);
  }
};

error bad(const char* why) { return {errc::io, why}; }

// -- all --------------------------------------------------------------------------------------------------

const auto take_all = [](calls c) { return all(std::move(c)); };

TEST(Gather, AllGivesTheValuesInTheOrderOfTheCalls) {
  gatherer g;
  g.begin(take_all, {{3s, 1}, {1s, 2}, {2s, 3}});
  EXPECT_EQ(g.seen.begun, 3);
  g.advance(2500ms);
  EXPECT_EQ(g.got, "under way");
  g.advance(600ms);
  EXPECT_EQ(g.got, "1 2 3 ");
}

TEST(Gather, AllEndsWithTheFirstFailureAndCancelsTheRest) {
  gatherer g;
  g.begin(take_all, {{3s, 1}, {2s, bad("second")}, {1s, bad("first")}});
  g.advance(1100ms);
  EXPECT_EQ(g.got, "io: first");
  EXPECT_EQ(g.seen.cancelled, 2);
}

TEST(Gather, AllOfNoneIsThereAtOnce) {
  gatherer g;
  g.begin(take_all, {});
  EXPECT_EQ(g.got, "");
}

TEST(Gather, AllIsCancelledWithItsCalls) {
  gatherer g;
  g.begin(take_all, {{1s, 1}, {2s, 2}});
  g.who.cancel();
  (void)g.sys.run(settle);
  EXPECT_EQ(g.who.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(g.seen.cancelled, 2);
}

TEST(Gather, AKilledCallerLeavesNothingBehind) {
  gatherer g;
  g.begin(take_all, {{1s, 1}, {2s, 2}});
  g.who.kill();
  (void)g.sys.run(settle);
  EXPECT_EQ(g.seen.cancelled, 2);
}

task<> gather_under(std::vector<step> steps, log* seen, std::string* got) {
  auto body = all(list(seen, steps));
  auto limited = with_timeout(1s, std::move(body));
  const auto outcome = co_await std::move(limited);
  *got = told(outcome);
}

TEST(Gather, TheDeadlineOfItsContextHoldsForTheCalls) {
  gatherer g;
  std::string got;
  const std::vector<step> steps{{500ms, 1}, {2s, 2}};
  g.who = g.sys.spawn(gather_under, steps, &g.seen, &got);
  (void)g.sys.run(settle);
  g.advance(1100ms);
  EXPECT_EQ(got.substr(0, 10), "timed_out:");
  EXPECT_EQ(g.seen.cancelled, 1);
}

task<std::string> mixed() {
  auto gathering = all(word("a"), nothing_wrong(), word("b"));
  auto got = co_await std::move(gathering);
  if (!got) co_return std::string(got.error().message());
  co_return std::get<0>(*got) + std::get<2>(*got);
}
task<std::string> mixed_with_failure() {
  auto gathering = all(word("a"), throws());
  auto got = co_await std::move(gathering);
  co_return got ? "succeeded" : std::string(got.error().message());
}

TEST(Gather, AllTakesCallsOfDifferentKinds) {
  one_worker sys;
  EXPECT_EQ(sys.run(mixed).value(), "ab");
}

TEST(Gather, AnExceptionOfACallIsItsError) {
  one_worker sys;
  EXPECT_EQ(sys.run(mixed_with_failure).value(), "out of order");
}

task<result<int>> kills_itself() {
  this_actor::self().kill();
  co_await yield();
  co_return 1;
}
task<std::string> with_a_killed_one(log* seen) {
  calls c;
  c.push_back(kills_itself());
  c.push_back(after(seen, 1h, 2));
  auto gathering = all(std::move(c));
  const auto got = co_await std::move(gathering);
  co_return told(got);
}

TEST(Gather, ACallThatIsKilledEndsIt) {
  one_worker sys;
  log seen;
  EXPECT_EQ(sys.run(with_a_killed_one, &seen).value().substr(0, 7), "killed:");
  EXPECT_EQ(seen.cancelled, 1);
}

// -- first ------------------------------------------------------------------------------------------------

const auto take_first = [](calls c) { return first(std::move(c)); };

TEST(Gather, FirstGivesTheFirstSuccessAndCancelsTheRest) {
  gatherer g;
  g.begin(take_first, {{3s, 1}, {1s, bad("down")}, {2s, 3}});
  g.advance(1100ms);
  EXPECT_EQ(g.got, "under way");
  g.advance(1s);
  EXPECT_EQ(g.got, "3");
  EXPECT_EQ(g.seen.cancelled, 1);
}

TEST(Gather, FirstFailsWhenAllHaveFailed) {
  gatherer g;
  g.begin(take_first, {{2s, bad("last")}, {1s, bad("down")}});
  g.advance(1100ms); // not both at once: timers that are due together have no order
  g.advance(1s);
  EXPECT_EQ(g.got, "io: 0 of 2 calls succeeded where 1 had to; the last failure: last");
}

TEST(Gather, FirstOfNoneIsAnError) {
  gatherer g;
  g.begin(take_first, {});
  EXPECT_EQ(g.got, "invalid_argument: quorum: 1 of 0 calls can never succeed");
}

TEST(Gather, FirstIsCancelledWithItsCalls) {
  gatherer g;
  g.begin(take_first, {{1s, 1}, {2s, 2}});
  g.who.cancel();
  (void)g.sys.run(settle);
  EXPECT_EQ(g.who.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(g.seen.cancelled, 2);
}

// -- quorum -----------------------------------------------------------------------------------------------

const auto take_two = [](calls c) { return quorum(2, std::move(c)); };

TEST(Gather, QuorumGivesTheValuesInTheOrderOfSuccess) {
  gatherer g;
  g.begin(take_two, {{3s, 1}, {2s, 2}, {1s, 3}, {1h, 4}});
  g.advance(1100ms);
  g.advance(1s);
  EXPECT_EQ(g.got, "3 2 ");
  EXPECT_EQ(g.seen.cancelled, 2);
}

TEST(Gather, QuorumFailsAsSoonAsItCannotBeReached) {
  gatherer g;
  g.begin(take_two, {{1s, bad("a")}, {2s, bad("b")}, {1h, 3}});
  g.advance(1100ms);
  EXPECT_EQ(g.got, "under way");
  g.advance(1s);
  EXPECT_EQ(g.got, "io: 0 of 3 calls succeeded where 2 had to; the last failure: b");
  EXPECT_EQ(g.seen.cancelled, 1);
}

TEST(Gather, QuorumOfTooFewIsAnErrorAndBeginsNothing) {
  gatherer g;
  g.begin(take_two, {{1s, 1}});
  EXPECT_EQ(g.got, "invalid_argument: quorum: 2 of 1 calls can never succeed");
  EXPECT_EQ(g.seen.begun, 0);
}

// -- each_within ------------------------------------------------------------------------------------------

task<result<std::vector<int>>> codes_within(duration limit, calls c) {
  auto gathering = each_within(limit, std::move(c));
  auto got = co_await std::move(gathering);
  if (!got) co_return got.error();
  std::vector<int> codes;
  for (const auto& each : *got) codes.push_back(each ? *each : -static_cast<int>(each.error().code()));
  co_return codes;
}
const auto within_two_seconds = [](calls c) { return codes_within(2s, std::move(c)); };

TEST(Gather, EachWithinGivesWhatCameInTimeAndCancelsTheRest) {
  gatherer g;
  g.begin(within_two_seconds, {{3s, 1}, {1s, 2}, {1s, bad("down")}});
  g.advance(1900ms);
  EXPECT_EQ(g.got, "under way");
  g.advance(150ms);
  EXPECT_EQ(g.got, "-4 2 -9 "); // timed_out, a value, io
  EXPECT_EQ(g.seen.cancelled, 1);
}

TEST(Gather, EachWithinDoesNotWaitLongerThanItMust) {
  gatherer g;
  g.begin(within_two_seconds, {{1s, 1}, {1s, bad("down")}});
  g.advance(1100ms);
  EXPECT_EQ(g.got, "1 -9 ");
}

TEST(Gather, EachWithinIsCancelledWithItsCalls) {
  gatherer g;
  g.begin(within_two_seconds, {{1s, 1}, {1s, 2}});
  g.who.cancel();
  (void)g.sys.run(settle);
  EXPECT_EQ(g.who.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(g.seen.cancelled, 2);
}

} // namespace
} // namespace greenroom::gather_test
