#include <greenroom/actors/retry.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <greenroom/actors/detail/retry_tokens.hpp>
#include <greenroom/actors/hedge.hpp>
#include <greenroom/tests/actors/guard_kit.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::retry_test {
namespace {

using namespace test;

/// Gives one answer after the other; the last one again and again.
struct script {
  stub_service seen = {};
  std::vector<result<int>> answers = {};
  duration takes = 0ms;
  std::vector<time_point> begun = {};
};
task<result<int>> next_of(script* s) {
  s->begun.push_back(this_actor::system().now());
  const auto i = std::min(static_cast<std::size_t>(s->seen.begun), s->answers.size() - 1);
  return serve(&s->seen, s->takes, s->answers[i]);
}
task<result<int>> ask(retry_budget budget, const retry_options& how, script* s) {
  return retry(std::move(budget), how, [s] { return next_of(s); });
}
task<result<int>> ask(retry_budget budget, int retries, script* s) {
  const retry_options how{.retries = retries};
  return ask(std::move(budget), how, s);
}
task<result<int>> ask_twice(retry_budget budget, duration after, script* s) {
  return hedge(std::move(budget), after, [s] { return next_of(s); });
}

// -- retry ------------------------------------------------------------------------------------------------

task<> tries_until_it_works() {
  const retry_budget budget;
  script s{.answers = {errc::upstream, errc::timed_out, 7}};
  co_await gives("7", ask(budget, 2, &s));
  same(s.seen.begun, 3);
  same(budget.stats().calls, 1u);
  same(budget.stats().retries, 2u);
  co_await gives("7", ask(budget, 2, &s));
  same(s.seen.begun, 4); // at once
}
TEST(Retry, AsksUntilItSucceeds) { play(tries_until_it_works); }

task<> gives_up() {
  const retry_budget budget;
  script s{.answers = {error(errc::upstream, "no answer")}};
  co_await refuses("no answer (made 3 times; as often as it may be)", ask(budget, 2, &s));
  same(s.seen.begun, 3);
  co_await refuses("no answer", ask(budget, 0, &s));
  same(s.seen.begun, 4);
}
TEST(Retry, GivesTheLastErrorAndSaysHowOftenItAsked) { play(gives_up); }

task<> does_not_repeat_what_stays_wrong() {
  const retry_budget budget;
  for (const auto code : {errc::not_found, errc::invalid_argument, errc::unavailable, errc::full, errc::limit}) {
    script s{.answers = {error(code, "no")}};
    co_await refuses("no", ask(budget, 2, &s));
    same(s.seen.begun, 1);
  }
  script s{.answers = {errc::io, error(errc::not_found, "no such thing")}};
  co_await refuses("no such thing (made 2 times; this error does not pass)", ask(budget, 2, &s));
  retry_options mine;
  mine.passing = [](const error& why) { return why.is(errc::full); };
  script full{.answers = {errc::full, 3}};
  co_await gives("3", ask(budget, mine, &full));
}
TEST(Retry, AsksAgainOnlyAfterErrorsThatMayPass) { play(does_not_repeat_what_stays_wrong); }

task<> pauses_grow() {
  const retry_budget budget({.reserve = 1000});
  const retry_options how{.retries = 4, .pause = 100ms, .longest_pause = 300ms};
  duration longest[4] = {};
  for (int n = 0; n < 60; ++n) {
    script s{.answers = {errc::io}};
    co_await gives("io", ask(budget, how, &s));
    for (std::size_t i = 0; i < 4; ++i) longest[i] = std::max(longest[i], duration(s.begun[i + 1] - s.begun[i]));
  }
  const duration most[4] = {100ms, 200ms, 300ms, 300ms};
  for (int i = 0; i < 4; ++i) {
    require(longest[i] <= most[i], "a pause was too long");
    require(longest[i] > most[i] / 2, "no pause was long"); // of 60: with probability 2^-60
  }
}
TEST(Retry, PausesAreDrawnUpToALimitThatDoublesUpToAnother) { play(pauses_grow, 3); }

task<> heeds_the_budget() {
  const retry_budget budget({.share = 0.5, .reserve = 1});
  script s{.answers = {error(errc::io, "down")}};
  co_await refuses("down (made 2 times; the budget of retries is used up)", ask(budget, 5, &s));
  co_await refuses("down (made 1 time; the budget of retries is used up)", ask(budget, 5, &s));
  co_await refuses("down (made 2 times; the budget of retries is used up)", ask(budget, 5, &s));
  same(budget.stats().denied, 3u);
  const retry_budget none({.share = 0, .reserve = 0});
  co_await refuses("down (made 1 time; the budget of retries is used up)", ask(none, 2, &s));
}
TEST(Retry, RetriesStayAShareOfAllCalls) { play(heeds_the_budget); }

task<> heeds_the_deadline() {
  const retry_budget budget({.reserve = 1000});
  for (int n = 0; n < 50; ++n) {
    script s{.answers = {error(errc::io, "down")}, .takes = 10ms};
    const auto end = this_actor::system().now() + 100ms;
    auto asking = with_deadline(end, ask(budget, {.retries = 100, .pause = 20ms, .attempt_takes = 11ms}, &s));
    const auto got = co_await std::move(asking);
    require(got.error().is(errc::io), "it was cut off: " + text_of(got)); // so none was begun in vain
    require(text_of(got).find("another attempt could not end in the 0.0") != std::string::npos, text_of(got));
    require(s.seen.cancelled == 0 && this_actor::system().now() < end + 1ms, "an attempt was cut off");
  }
}
TEST(Retry, BeginsNoAttemptThatCannotEndInTime) { play(heeds_the_deadline, 5); }

task<> is_cancelled(bool in_pause, bool kills) {
  const retry_budget budget;
  script s{.answers = {errc::io}, .takes = in_pause ? 0ms : duration(1h)};
  caller c(ask(budget, {.pause = 24h * 365, .longest_pause = 24h * 365}, &s));
  co_await sleep_for(1ms);
  kills ? c.who.kill() : c.who.cancel();
  (void)co_await c.who.join();
  same(c.got(), kills ? "under way" : "cancelled");
  same(s.seen.begun, 1);
  same(s.seen.running, 0);
}
TEST(Retry, EndsWhenItsCallerDoesInACallAndInAPause) {
  for (const bool in_pause : {false, true}) {
    for (const bool kills : {false, true}) {
      play([=] { return is_cancelled(in_pause, kills); });
    }
  }
}

task<> exceptions_pass() {
  const retry_budget budget;
  int made = 0;
  auto asking = retry(budget, {}, [&made] { return ++made, throwing(); });
  bool passed = false;
  try {
    (void)co_await std::move(asking);
  } catch (const std::runtime_error&) {
    passed = true;
  }
  require(passed && made == 1, "the exception was taken for a failure of the service");
}
TEST(Retry, ExceptionsPassAndAreNotRepeated) { play(exceptions_pass); }

TEST(RetryBudget, RefusesOptionsThatMakeNoSense) {
  is_refused([] { retry_budget({.share = 1.5}); }, "retry_budget: share must be from 0 to 1, not 1.5");
  is_refused([] { retry_budget({.reserve = -1}); }, "retry_budget: reserve must be from 0 to 1,000,000, not -1");
}

// -- what it has in common with the HTTP client -----------------------------------------------------------

task<std::vector<duration>> draw_pauses() {
  std::vector<duration> drawn;
  for (int i = 0; i < 200; ++i) drawn.push_back(detail::full_jitter(100ms, i % 4));
  co_return drawn;
}

TEST(RetryTokens, PausesAreDrawnUpToALimitThatDoubles) {
  const auto draw = [](std::uint64_t seed) {
    auto how = quiet(1);
    how.seed = seed;
    actor_system sys(how);
    return sys.run(draw_pauses).value();
  };
  const auto drawn = draw(7);
  duration longest[4] = {};
  for (std::size_t i = 0; i < drawn.size(); ++i) longest[i % 4] = std::max(longest[i % 4], drawn[i]);
  for (int i = 0; i < 4; ++i) {
    const auto most = duration(100ms) * (1 << i);
    EXPECT_LE(longest[i], most);
    EXPECT_GT(longest[i], most * 3 / 4); // 50 draws: all below with probability 6e-7, and the seed is fixed
  }
  EXPECT_GT(std::set<duration>(drawn.begin(), drawn.end()).size(), 190u);
  EXPECT_EQ(draw(7), drawn); // a run can be repeated
  EXPECT_NE(draw(8), drawn);
}

TEST(RetryTokens, LetAShareOfAllCallsBeRetries) {
  detail::retry_tokens tokens(0.1, 2);
  EXPECT_TRUE(tokens.spend());
  EXPECT_TRUE(tokens.spend());
  EXPECT_FALSE(tokens.spend());
  for (int i = 0; i < 9; ++i) tokens.earn();
  EXPECT_FALSE(tokens.spend());
  tokens.earn();
  EXPECT_TRUE(tokens.spend());
  for (int i = 0; i < 1'000; ++i) tokens.earn(); // more than its reserve it does not save
  EXPECT_TRUE(tokens.spend());
  EXPECT_TRUE(tokens.spend());
  EXPECT_FALSE(tokens.spend());
}

// -- hedge ------------------------------------------------------------------------------------------------

task<> asks_once_if_fast() {
  const retry_budget budget;
  script s{.answers = {7}, .takes = 50ms};
  co_await gives("7", ask_twice(budget, 51ms, &s));
  script bad{.answers = {errc::io, 7}, .takes = 50ms};
  co_await gives("io", ask_twice(budget, 51ms, &bad)); // that is for retry()
  same(s.seen.begun + bad.seen.begun, 2);
  same(budget.stats().hedges, 0u);
}
TEST(Hedge, AsksOnceWhatIsFast) { play(asks_once_if_fast); }

task<result<int>> slow_then_fast(stub_service* s) { return serve(s, s->begun == 0 ? duration(1h) : 10ms, s->begun); }
task<result<int>> slow_then_failing(stub_service* s) {
  return s->begun == 0 ? serve(s, 100ms, 7) : serve(s, 10ms, errc::io);
}
task<result<int>> failing_late(stub_service* s) { return serve(s, s->begun == 0 ? 100ms : 10ms, errc::io); }

task<> takes_the_faster() {
  const retry_budget budget;
  stub_service s;
  const auto begun = this_actor::system().now();
  auto asking = hedge(budget, 50ms, [&s] { return slow_then_fast(&s); });
  co_await gives("1", std::move(asking));
  require(this_actor::system().now() - begun < 62ms, "it took longer");
  same(s.cancelled, 1); // and the loser has unwound
  same(budget.stats().hedges, 1u);
}
TEST(Hedge, TakesTheFasterAndCancelsTheOther) { play(takes_the_faster); }

task<> one_failure_is_not_the_end() {
  const retry_budget budget;
  stub_service s, t;
  auto asking = hedge(budget, 50ms, [&s] { return slow_then_failing(&s); });
  co_await gives("7", std::move(asking));
  auto in_vain = hedge(budget, 50ms, [&t] { return failing_late(&t); });
  co_await gives("io", std::move(in_vain));
  same(t.done, 2);
}
TEST(Hedge, FailsOnlyWhenBothHaveFailed) { play(one_failure_is_not_the_end); }

task<> needs_the_budget() {
  const retry_budget none({.share = 0, .reserve = 0});
  script s{.answers = {7}, .takes = 100ms};
  co_await gives("7", ask_twice(none, 50ms, &s));
  same(s.seen.begun, 1);
  same(none.stats().denied, 1u);
  const retry_budget budget;
  co_await gives("7", ask_twice(budget, 0ms, &s));
  same(s.seen.begun, 3); // at once
}
TEST(Hedge, AsksTwiceOnlyWithinItsBudget) { play(needs_the_budget); }

task<> hedge_is_cancelled(bool kills) {
  const retry_budget budget;
  script s{.answers = {7}, .takes = 1h};
  caller c(ask_twice(budget, 50ms, &s));
  co_await sleep_for(100ms);
  same(s.seen.running, 2);
  kills ? c.who.kill() : c.who.cancel();
  (void)co_await c.who.join();
  co_await sleep_for(1ms);
  same(s.seen.cancelled, 2);
}
TEST(Hedge, CancelsBothCallsWithItsCaller) {
  for (const bool kills : {false, true}) play([=] { return hedge_is_cancelled(kills); });
}

task<> an_exception_is_a_failure() {
  const retry_budget budget;
  co_await refuses("out of order", hedge(budget, 50ms, throwing));
}
TEST(Hedge, AnExceptionOfACallIsItsError) { play(an_exception_is_a_failure); }

} // namespace
} // namespace greenroom::retry_test
