#include <greenroom/actors/rate_limiter.hpp>

#include <memory>
#include <string>
#include <vector>

#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::rate_limiter_test {
namespace {

using namespace test;

/// A turn each 100 ms.
rate_limiter ten_a_second(std::uint64_t burst = 1) {
  return rate_limiter({.name = "bank", .calls = 10, .period = 1s, .burst = burst});
}

task<> refuses_at_once() {
  const auto r = ten_a_second(3);
  for (int i = 0; i < 3; ++i) require(r.try_take().has_value(), "the burst is smaller");
  co_await sleep_for(40ms);
  const auto no = r.try_take();
  require(!no && no.error().is(errc::limit), "a fourth was let through");
  same(std::string(no.error().message()),
       "rate limiter 'bank': 10 calls in 1 s are let through; the next turn is in 0.060 s");
  co_await sleep_for(60ms);
  require(r.try_take().has_value() && !r.try_take().has_value(), "it is one each 100 ms");
  co_await sleep_for(1h);
  for (int i = 0; i < 3; ++i) require(r.try_take().has_value(), "the burst did not come back");
  require(!r.try_take().has_value(), "it saved more than its burst");
  same(r.stats().taken, 7u);
  same(r.stats().refused, 3u);
}
TEST(RateLimiter, GivesABurstAndThenATurnEachIntervalAndSaysWhenTheNextOneIs) { play(refuses_at_once); }

task<> gives_turns_in_order() {
  const auto r = ten_a_second();
  stub_service s;
  std::vector<caller> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back(r.call(serve(&s, 0ms, i), 1s));
    co_await sleep_for(1ms);
  }
  for (int i = 0; i < 4; ++i) {
    same(s.begun, i + 1);
    co_await sleep_for(100ms);
  }
  for (int i = 0; i < 4; ++i) same(all[static_cast<std::size_t>(i)].got(), std::to_string(i));
  same(r.stats().waited, 3u);
}
TEST(RateLimiter, WhoWaitsHasItsTurnAtItsTime) { play(gives_turns_in_order); }

task<> refuses_what_comes_too_late() {
  const auto r = ten_a_second();
  stub_service s;
  caller first(r.call(serve(&s, 0ms, 0), 1s));
  co_await sleep_for(1ms);
  caller second(r.call(serve(&s, 0ms, 1), 1s));
  co_await sleep_for(1ms);
  const auto begun = this_actor::system().now();
  co_await refuses(
      "rate limiter 'bank': 10 calls in 1 s are let through; the next turn is in 0.198 s, and who asks has 0.150 s",
      r.call(serve(&s, 0ms, 2), 150ms));
  auto body = with_timeout(150ms, r.call(serve(&s, 0ms, 2), 1h));
  co_await gives("limit", std::move(body));
  require(this_actor::system().now() == begun, "it waited in vain");
  co_await gives("3", r.call(serve(&s, 0ms, 3), 198ms)); // just in time: the two have cost nothing
}
TEST(RateLimiter, RefusesAtOnceAWaitThatWouldBeInVain) { play(refuses_what_comes_too_late); }

task<> gives_back(bool kills) {
  const auto r = ten_a_second();
  stub_service s;
  require(r.try_take().has_value(), "there was no first turn");
  caller one(r.call(serve(&s, 0ms, 1), 1h)); // after 100 ms
  co_await sleep_for(1ms);
  caller two(r.call(serve(&s, 0ms, 2), 1h)); // after 200 ms
  co_await sleep_for(1ms);
  kills ? two.who.kill() : two.who.cancel();
  (void)co_await two.who.join();
  caller three(r.call(serve(&s, 0ms, 3), 1h)); // in the place of the second
  co_await sleep_for(1ms);
  kills ? one.who.kill() : one.who.cancel();
  (void)co_await one.who.join();
  caller four(r.call(serve(&s, 0ms, 4), 1h)); // not in that of the first: the third would be beside it
  co_await sleep_for(196ms);
  same(three.got(), "under way");
  co_await sleep_for(2ms);
  same(three.got(), "3");
  same(four.got(), "under way");
  co_await sleep_for(100ms);
  same(four.got(), "4");
  same(r.stats().left, 2u);
}
TEST(RateLimiter, ATurnGivenBackNeverMakesTwoAtOnce) {
  for (const bool kills : {false, true}) play([=] { return gives_back(kills); });
}

task<> take_turns(rate_limiter r, std::uint64_t seed, std::vector<time_point>* turns) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto patience = (seed * 3 + i * 7) % 6 * 50ms;
    auto waiting = with_timeout((seed + i) % 5 * 40ms + 10ms, r.take(patience));
    const auto got = co_await std::move(waiting);
    if (got) turns->push_back(this_actor::system().now());
    co_await sleep_for((seed + i) % 4 * 30ms);
  }
}
task<> a_crowd(scope& all, rate_limiter r, std::uint64_t seed, std::vector<time_point>* turns) {
  for (std::uint64_t i = 0; i < 5; ++i) all.spawn(take_turns, r, seed + i, turns);
  co_return;
}
task<> one_crowd(std::uint64_t seed, std::size_t* taken) {
  const auto r = ten_a_second(2);
  std::vector<time_point> turns;
  auto crowd = with_scope(a_crowd, r, seed, &turns);
  const auto ended = co_await std::move(crowd);
  require(ended.has_value(), "a caller failed");
  for (std::size_t i = 2; i < turns.size(); ++i) { // a timer may be late by less than a millisecond
    require(turns[i] - turns[i - 2] >= 99ms, "three turns within one interval, where two may come at once");
  }
  *taken += turns.size();
}
TEST(RateLimiter, NeverLetsThroughMoreThanItMayWhoeverComesAndGoes) {
  std::size_t taken = 0;
  const auto program = [&taken](std::uint64_t seed) { return one_crowd(seed, &taken); };
  const auto found = testkit::explore({.runs = 300}, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_GT(taken, 300u * 5) << "the crowds have shown nothing";
}

TEST(RateLimiter, RefusesOptionsThatMakeNoSense) {
  const std::string rule =
      "rate_limiter 'bank': calls must be at least 1, period up to a day and at least 1 ns for each of them, not ";
  is_refused([] { rate_limiter({.name = "bank", .calls = 0}); }, rule + "0 in 1000000000 ns");
  is_refused([] { rate_limiter({.name = "bank", .calls = 10, .period = 9ns}); }, rule + "10 in 9 ns");
  is_refused([] { rate_limiter({.name = "bank", .period = 25h}); }, rule + "100 in 90000000000000 ns");
  is_refused([] { rate_limiter({.name = "bank", .burst = 0}); },
             "rate_limiter 'bank': burst must be from 1 to 1000000, not 0");
  is_refused([] { rate_limiter({.name = "bank", .calls = 1, .period = 24h, .burst = 366}); },
             "rate_limiter 'bank': burst must be from 1 to 365, not 366");
}

} // namespace
} // namespace greenroom::rate_limiter_test
