#include <greenroom/actors/circuit_breaker.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::circuit_breaker_test {
namespace {

using namespace test;

constexpr breaker_state closed = breaker_state::closed;
constexpr breaker_state open = breaker_state::open;
constexpr breaker_state half_open = breaker_state::half_open;

void is(const circuit_breaker& b, breaker_state wanted, place at = place::current()) {
  require(b.state() == wanted,
          fmt::format("line {}: it is {}, not {}", at.line(), to_string(b.state()), to_string(wanted)));
}

circuit_breaker_options small() {
  return {
      .name = "bank", .failure_share = 0.5, .window = 10s, .least_calls = 4, .open_time = 1s, .longest_open_time = 4s};
}

/// Opens a breaker of these options.
task<> fail_four_times(circuit_breaker b) {
  stub_service s;
  for (int i = 0; i < 4; ++i) co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  is(b, open);
}

// -- closed -----------------------------------------------------------------------------------------------

task<> opens_at_its_share() {
  const circuit_breaker b(small());
  stub_service s;
  co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  co_await gives("1", b.call(serve(&s, 0ms, 1)));
  is(b, closed); // two of three, but fewer than four
  co_await gives("2", b.call(serve(&s, 0ms, 2)));
  is(b, open); // two of four: the success that made it four showed it
  require(b.stats().tries_at == this_actor::system().now() + 1s, "it says otherwise when it tries");
  co_await sleep_for(400ms);
  co_await refuses(
      "circuit breaker 'bank' is open: 2 of 4 calls in 10 s failed (limit 50 %); it lets a call through in 0.600 s",
      b.call(serve(&s, 0ms, 3)));
  co_await gives("unavailable", b.call(serve(&s, 0ms, 3)));
  same(s.begun, 4);
  const auto seen = b.stats();
  same(seen.succeeded, 2u);
  same(seen.failed, 2u);
  same(seen.refused, 2u);
  same(seen.opened, 1u);
}
TEST(CircuitBreaker, OpensAtItsShareOfFailuresAndItsNumberOfCallsAndSaysWhenItTriesAgain) { play(opens_at_its_share); }

task<> stays_closed_below() {
  const circuit_breaker b(small());
  stub_service s;
  for (int i = 0; i < 100; ++i) {
    co_await gives("1", b.call(serve(&s, 0ms, 1)));
    if (i % 3 == 2) co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream))); // one of four
  }
  is(b, closed);
}
TEST(CircuitBreaker, StaysClosedBelowItsShare) { play(stays_closed_below); }

task<> forgets_what_is_old() {
  const circuit_breaker b(small());
  stub_service s;
  for (int i = 0; i < 3; ++i) co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  same(b.stats().window_failures, 3u);
  co_await sleep_for(10s);
  co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  is(b, closed); // one in the last ten seconds
  same(b.stats().window_calls, 1u);
  co_await sleep_for(9s);
  for (int i = 0; i < 3; ++i) co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  is(b, open); // that one was still in the window
}
TEST(CircuitBreaker, ForgetsWhatHasLeftItsWindow) { play(forgets_what_is_old); }

task<> one_call_is_enough() {
  const circuit_breaker b({.failure_share = 1, .least_calls = 1, .trials = 1});
  stub_service s;
  co_await gives("upstream", b.call(serve(&s, 0ms, errc::upstream)));
  is(b, open);
}
TEST(CircuitBreaker, OpensAtTheFirstFailureIfOneCallIsEnough) { play(one_call_is_enough); }

// -- what counts ------------------------------------------------------------------------------------------

task<> refusals_do_not_count() {
  const circuit_breaker b(small());
  auto how = small();
  how.counts = [](const error& why) { return why.is(errc::not_found); };
  const circuit_breaker picky(how);
  stub_service s;
  for (int i = 0; i < 4; ++i) {
    co_await gives("not_found", b.call(serve(&s, 0ms, errc::not_found)));
    co_await gives("not_found", picky.call(serve(&s, 0ms, errc::not_found)));
  }
  is(b, closed);
  same(b.stats().succeeded, 4u);
  is(picky, open);
}
TEST(CircuitBreaker, ErrorsCountAsThePredicateSays) { play(refusals_do_not_count); }

task<> exceptions_count() {
  const circuit_breaker b(small());
  for (int i = 0; i < 4; ++i) {
    bool passed = false;
    try {
      co_await gives("", b.call(throwing()));
    } catch (const std::runtime_error&) {
      passed = true;
    }
    require(passed, "the exception did not pass");
  }
  is(b, open);
}
TEST(CircuitBreaker, AnExceptionPassesAndCountsAsAFailure) { play(exceptions_count); }

task<> slow_calls_count() {
  auto how = small();
  how.slow_after = 200ms;
  const circuit_breaker b(how);
  stub_service s;
  for (int i = 0; i < 2; ++i) co_await gives("1", b.call(serve(&s, 199ms, 1)));
  for (int i = 0; i < 2; ++i) co_await gives("1", b.call(serve(&s, 200ms, 1)));
  is(b, open);
  same(b.stats().slow, 2u);
}
TEST(CircuitBreaker, SlowCallsAreFailuresWhateverTheyGive) { play(slow_calls_count); }

task<> leavers_count_if_it_was_slow() {
  auto how = small();
  how.slow_after = 200ms;
  const circuit_breaker b(how);
  stub_service s;
  for (int i = 0; i < 8; ++i) {
    caller c(b.call(serve(&s, 1h, 1)));
    co_await sleep_for(100ms);
    i % 2 == 0 ? c.who.cancel() : c.who.kill();
    (void)co_await c.who.join();
  }
  is(b, closed);
  same(b.stats().unknown, 8u);
  for (int i = 0; i < 4; ++i) {
    caller c(b.call(serve(&s, 1h, 1)));
    co_await sleep_for(200ms);
    i % 2 == 0 ? c.who.cancel() : c.who.kill();
    (void)co_await c.who.join();
  }
  is(b, open);
  same(b.stats().slow, 4u);
}
TEST(CircuitBreaker, ACallerWhoLeavesTellsOfAServiceOnlyIfItWasSlow) { play(leavers_count_if_it_was_slow); }

task<> limits_count() {
  const circuit_breaker b(small());
  stub_service s;
  for (int i = 0; i < 8; ++i) co_await gives("timed_out", with_timeout(50ms, b.call(serve(&s, 1h, 1))));
  is(b, closed);
  same(b.stats().unknown, 8u);
  for (int i = 0; i < 4; ++i) co_await gives("timed_out", b.call(with_timeout(50ms, serve(&s, 1h, 1))));
  is(b, open);
}
TEST(CircuitBreaker, ALimitOfTheCallCountsAndTheDeadlineOfAnImpatientCallerDoesNot) { play(limits_count); }

// -- open and half open -----------------------------------------------------------------------------------

task<> closes_after_its_trials() {
  auto how = small();
  how.trials = 2;
  const circuit_breaker b(how);
  co_await fail_four_times(b);
  co_await sleep_for(999ms);
  stub_service s;
  co_await gives("unavailable", b.call(serve(&s, 0ms, 1)));
  co_await sleep_for(1ms);
  is(b, open); // until somebody comes
  caller one(b.call(serve(&s, 100ms, 1)));
  caller two(b.call(serve(&s, 300ms, 2)));
  co_await sleep_for(50ms);
  is(b, half_open);
  co_await refuses("circuit breaker 'bank' is half open: it waits for 2 trial calls to end", b.call(serve(&s, 0ms, 3)));
  co_await sleep_for(100ms);
  is(b, half_open); // one has succeeded; no third is let in for it
  co_await gives("unavailable", b.call(serve(&s, 0ms, 3)));
  co_await sleep_for(200ms);
  is(b, closed);
  same(s.begun, 2);
  same(b.stats().window_calls, 0u); // it begins anew
}
TEST(CircuitBreaker, ClosesWhenAllOfItsTrialsHaveSucceeded) { play(closes_after_its_trials); }

task<> backs_off() {
  const circuit_breaker b(small());
  co_await fail_four_times(b);
  stub_service s;
  for (const auto next : {2s, 4s, 4s}) { // longest_open_time is 4 s
    co_await sleep_until(b.stats().tries_at.value());
    co_await gives("io", b.call(serve(&s, 0ms, errc::io)));
    is(b, open);
    require(b.stats().tries_at == this_actor::system().now() + next, "it is open for another time");
  }
  co_await refuses("circuit breaker 'bank' is open: its trial call failed, too; it lets a call through in 4.000 s",
                   b.call(serve(&s, 0ms, 1)));
  co_await sleep_for(4s);
  co_await gives("1", b.call(serve(&s, 0ms, 1)));
  is(b, closed);
  co_await fail_four_times(b);
  require(b.stats().tries_at == this_actor::system().now() + 1s, "the success did not end the back-off");
}
TEST(CircuitBreaker, IsOpenForTwiceAsLongAfterEachFailedTrialUntilOneSucceeds) { play(backs_off); }

task<> trials_give_back_their_places() {
  const circuit_breaker b(small());
  co_await fail_four_times(b);
  co_await sleep_for(1s);
  stub_service s;
  for (int i = 0; i < 4; ++i) {
    caller c(b.call(serve(&s, 1h, 1)));
    co_await sleep_for(10ms);
    is(b, half_open);
    co_await gives("unavailable", b.call(serve(&s, 0ms, 1)));
    i % 2 == 0 ? c.who.cancel() : c.who.kill();
    (void)co_await c.who.join();
  }
  is(b, half_open);
  co_await gives("1", b.call(serve(&s, 0ms, 1)));
  is(b, closed);
}
TEST(CircuitBreaker, ATrialWhoseCallerLeavesMakesRoomForAnother) { play(trials_give_back_their_places); }

task<> late_ends_do_not_count() {
  const circuit_breaker b(small());
  stub_service s;
  caller good(b.call(serve(&s, 2s, 1)));
  caller bad(b.call(serve(&s, 3s, errc::io)));
  co_await sleep_for(1ms);
  co_await fail_four_times(b);
  co_await sleep_for(1s);
  caller trial(b.call(serve(&s, 5s, 1)));
  co_await sleep_for(3s); // both have ended, in the half-open time
  same(good.got(), "1");
  same(bad.got(), "io");
  is(b, half_open);
  co_await sleep_for(3s);
  is(b, closed);
}
TEST(CircuitBreaker, CallsThatBeganBeforeItOpenedDecideNothingAfterwards) { play(late_ends_do_not_count); }

task<> fails_while_a_trial_runs() {
  auto how = small();
  how.trials = 3;
  const circuit_breaker b(how);
  co_await fail_four_times(b);
  co_await sleep_for(1s);
  stub_service s;
  caller slow(b.call(serve(&s, 100ms, 1)));
  caller fails(b.call(serve(&s, 10ms, errc::io)));
  co_await sleep_for(50ms);
  is(b, open);
  co_await sleep_for(100ms); // the success of the slow one comes too late
  is(b, open);
  co_await sleep_until(b.stats().tries_at.value());
  for (int i = 0; i < 3; ++i) co_await gives("1", b.call(serve(&s, 0ms, 1)));
  is(b, closed);
}
TEST(CircuitBreaker, OneFailedTrialOpensItWhileOthersRun) { play(fails_while_a_trial_runs); }

// -- the rest ---------------------------------------------------------------------------------------------

task<result<std::unique_ptr<int>>> unique() { co_return std::make_unique<int>(7); }
task<result<void>> nothing_wrong() { co_return result<void>(); }

task<> takes_any_call() {
  const circuit_breaker b;
  const auto one = co_await b.call(unique());
  require(one && **one == 7, "no value");
  const auto none = co_await b.call(nothing_wrong());
  require(none.has_value(), "no success");
}
TEST(CircuitBreaker, TakesCallsOfAnyValue) { play(takes_any_call); }

/// Trials that run, by the time at which it opened before them.
using trials = std::map<std::uint64_t, int>;

task<result<int>> watched(circuit_breaker b, std::shared_ptr<trials> running, task<result<int>> call) {
  struct visit {
    explicit visit(int* of) : n(of) { require(n == nullptr || ++*n <= 2, "three trials run at once"); }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() {
      if (n != nullptr) --*n;
    }
    int* n;
  };
  const auto seen = b.stats();
  const visit here(seen.state == half_open ? &(*running)[seen.opened] : nullptr);
  co_return co_await std::move(call);
}

task<> ask_often(circuit_breaker b, std::shared_ptr<stub_service> s, std::uint64_t seed, int* made,
                 std::shared_ptr<trials> running) {
  xoshiro random(seed);
  for (int i = 0; i < 30; ++i) {
    const bool works = random.below(3) != 0;
    const auto takes = duration(random.below(3'000) * 1ms);
    const bool leaves = random.below(8) == 0;
    ++*made;
    const result<int> answer = works ? result<int>(1) : errc::io;
    auto call = b.call(watched(b, running, serve(s.get(), takes, answer)));
    auto limited = with_timeout(leaves ? 1s : 1h, std::move(call));
    (void)co_await std::move(limited);
    co_await sleep_for(duration(random.below(500) * 1ms));
  }
}

task<> a_crowd(scope& all, circuit_breaker b, std::shared_ptr<stub_service> s, std::uint64_t seed, int* made) {
  const auto running = std::make_shared<trials>();
  for (std::uint64_t i = 0; i < 6; ++i) all.spawn(ask_often, b, s, seed + i, made, running);
  co_return;
}

task<> one_crowd(std::uint64_t seed, std::uint64_t* opened) {
  auto how = small();
  how.trials = 2;
  const circuit_breaker b(how);
  const auto s = std::make_shared<stub_service>();
  int made = 0;
  auto crowd = with_scope(a_crowd, b, s, seed, &made);
  const auto ended = co_await std::move(crowd);
  require(ended.has_value(), "a caller failed");
  const auto seen = b.stats();
  same(seen.succeeded + seen.failed + seen.unknown + seen.refused, static_cast<std::uint64_t>(made));
  same(static_cast<std::uint64_t>(s->begun) + seen.refused, static_cast<std::uint64_t>(made));
  *opened += seen.opened;
}
TEST(CircuitBreaker, LosesNoCallOfACrowdAndNeverLetsInMoreTrialsThanItMay) {
  std::uint64_t opened = 0;
  const auto program = [&opened](std::uint64_t seed) { return one_crowd(seed, &opened); };
  const auto found = testkit::explore({.runs = 200}, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_GT(opened, 200u) << "the crowds have shown nothing";
}

TEST(CircuitBreaker, RefusesOptionsThatMakeNoSense) {
  const auto with = [](auto change) {
    return [change] {
      auto how = small();
      change(how);
      (void)circuit_breaker(how);
    };
  };
  is_refused(with([](auto& o) { o.failure_share = 0; }),
             "circuit_breaker 'bank': failure_share must be above 0 and at most 1, not 0");
  is_refused(with([](auto& o) { o.failure_share = 1.5; }),
             "circuit_breaker 'bank': failure_share must be above 0 and at most 1, not 1.5");
  is_refused(with([](auto& o) { o.window = 0s; }), "circuit_breaker 'bank': window must be 0.001 s or longer, not 0");
  is_refused(with([](auto& o) { o.least_calls = 0; }), "circuit_breaker 'bank': least_calls must be 1 or more, not 0");
  is_refused(with([](auto& o) { o.slow_after = 0s; }),
             "circuit_breaker 'bank': slow_after must be more than 0 s, not 0");
  is_refused(with([](auto& o) { o.open_time = 0s; }), "circuit_breaker 'bank': open_time must be more than 0 s, not 0");
  is_refused(with([](auto& o) { o.longest_open_time = 500ms; }),
             "circuit_breaker 'bank': longest_open_time must be open_time or longer, not 0.5");
  is_refused(with([](auto& o) { o.trials = 0; }), "circuit_breaker 'bank': trials must be 1 or more, not 0");
}

} // namespace
} // namespace greenroom::circuit_breaker_test
