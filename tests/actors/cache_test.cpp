#include <greenroom/actors/cache.hpp>

#include <memory>
#include <string>
#include <vector>

#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::cache_test {
namespace {

using namespace test;
using numbers = cache<std::string, int>;

/// What the cache loads from: gives the number of the load, or an error.
struct source {
  stub_service seen = {};
  duration takes = 0ms;
  std::optional<error> fails = {};
};
task<result<int>> load_from(source* s, std::string) {
  return serve(&s->seen, s->takes, s->fails ? result<int>(*s->fails) : s->seen.begun + 1);
}
numbers over(source* s, cache_options how) {
  return numbers(std::move(how), [s](std::string key) { return load_from(s, std::move(key)); });
}

task<> keeps_what_is_fresh() {
  source s;
  const auto c = over(&s, {.fresh = 1s});
  co_await gives("1", c.get("a"));
  co_await sleep_for(999ms);
  co_await gives("1", c.get("a"));
  co_await sleep_for(1ms);
  co_await gives("2", c.get("a"));
  co_await gives("3", c.get("b"));
  const auto seen = c.stats();
  same(seen.hits, 1u);
  same(seen.misses, 3u);
  same(seen.loads, 3u);
  same(seen.entries, 2u);
}
TEST(Cache, LoadsOnceAndAgainWhenItIsNoLongerFresh) { play(keeps_what_is_fresh); }

task<> keeps_nothing() {
  source s{.takes = 10ms};
  const auto c = over(&s, {.fresh = 0s});
  caller one(c.get("a"));
  co_await sleep_for(1ms);
  co_await gives("1", c.get("a")); // shares the load
  co_await gives("2", c.get("a"));
  same(one.got(), "1");
  same(c.stats().entries, 0u);
}
TEST(Cache, WithNoFreshTimeSharesLoadsAndKeepsNothing) { play(keeps_nothing); }

task<> a_herd() {
  source s{.takes = 10ms};
  const auto c = over(&s, {.fresh = 1s});
  for (int round = 1; round <= 3; ++round) {
    std::vector<caller> all;
    for (int i = 0; i < 50; ++i) all.emplace_back(c.get("a"));
    co_await sleep_for(20ms);
    for (const auto& one : all) same(one.got(), std::to_string(round));
    co_await sleep_for(1s);
  }
  same(s.seen.begun, 3);
}
TEST(Cache, AHerdLoadsOnceEachTimeThatAValueHasAged) { play(a_herd); }

task<> gives_what_is_stale() {
  source s{.takes = 10ms};
  const auto c = over(&s, {.fresh = 1s, .stale = 2s});
  co_await gives("1", c.get("a"));
  co_await sleep_for(1s);
  const auto begun = this_actor::system().now();
  for (int i = 0; i < 5; ++i) co_await gives("1", c.get("a"));
  require(this_actor::system().now() == begun, "it waited");
  co_await sleep_for(11ms);
  same(s.seen.begun, 2); // one load for the five
  co_await gives("2", c.get("a"));
  same(c.stats().stale, 5u);
  co_await sleep_for(3s); // fresh for one, stale for two: over
  co_await gives("3", c.get("a"));
}
TEST(Cache, GivesAStaleValueAtOnceWhileOneActorLoadsItAnew) { play(gives_what_is_stale); }

task<> stale_outlives_failures() {
  source s{.takes = 10ms};
  const auto c = over(&s, {.fresh = 1s, .stale = 10s, .negative = 5s});
  co_await gives("1", c.get("a"));
  co_await sleep_for(1s);
  s.fails = errc::not_found; // would be kept if there were no value
  for (int i = 0; i < 3; ++i) {
    co_await gives("1", c.get("a"));
    co_await sleep_for(20ms);
  }
  same(c.stats().failed, 3u); // each of them tried again, after the one before
  s.fails.reset();
  s.takes = 1h;
  co_await gives("1", c.get("a"));
  co_await sleep_for(31s); // reload_limit: the load that hangs is given up
  same(s.seen.cancelled, 1);
  s.takes = 0s;
  co_await gives("6", c.get("a"));
}
TEST(Cache, AReloadThatFailsOrHangsLeavesTheStaleValue) { play(stale_outlives_failures); }

task<> negative() {
  source s{.fails = error(errc::not_found, "no such symbol")};
  const auto c = over(&s, {.fresh = 1h, .negative = 1s});
  for (int i = 0; i < 3; ++i) co_await refuses("no such symbol", c.get("a"));
  same(s.seen.begun, 1);
  co_await sleep_for(1s);
  s.fails = errc::io;
  for (int i = 0; i < 2; ++i) co_await gives("io", c.get("a"));
  same(s.seen.begun, 3); // passing errors are not kept
  const auto plain = over(&s, {.fresh = 1h});
  s.fails = errc::not_found;
  for (int i = 0; i < 2; ++i) co_await gives("not_found", plain.get("a"));
  same(s.seen.begun, 5);
  cache_options all{.negative = 1s};
  all.keeps = [](const error&) { return true; };
  const auto any = over(&s, all);
  s.fails = errc::io;
  for (int i = 0; i < 2; ++i) co_await gives("io", any.get("a"));
  same(s.seen.begun, 6);
}
TEST(Cache, KeepsErrorsOnlyIfItIsToldAndOnlyThoseItIsTold) { play(negative); }

task<> evicts() {
  source s;
  const auto c = over(&s, {.entries = 2});
  co_await gives("1", c.get("a"));
  co_await gives("2", c.get("b"));
  co_await gives("1", c.get("a"));
  co_await gives("3", c.get("c")); // b goes, as it was used least lately
  co_await gives("1", c.get("a"));
  co_await gives("4", c.get("b"));
  same(c.stats().evicted, 2u);
  same(c.stats().entries, 2u);
  source t;
  const auto one = over(&t, {.entries = 1});
  co_await gives("1", one.get("a"));
  co_await gives("2", one.get("b"));
  co_await gives("2", one.get("b"));
  co_await gives("3", one.get("a"));
}
TEST(Cache, GivesUpTheEntryThatWasUsedLeastLately) { play(evicts); }

task<> forgets(bool by_clear) {
  source s{.takes = 10ms};
  const auto c = over(&s, {});
  co_await gives("1", c.get("a"));
  by_clear ? c.clear() : c.forget("a");
  caller old(c.get("a"));
  co_await sleep_for(1ms);
  by_clear ? c.clear() : c.forget("a");
  co_await gives("3", c.get("a")); // began after it was forgotten
  same(old.got(), "2");
  co_await gives("3", c.get("a")); // and the older load has not overwritten it
  c.put("a", 100);
  co_await gives("100", c.get("a"));
  same(s.seen.begun, 3);
}
TEST(Cache, WhatIsForgottenIsNotGivenAgainAlsoNotByALoadUnderWay) {
  for (const bool by_clear : {false, true}) play([=] { return forgets(by_clear); });
}

task<> put_beats_a_load() {
  source s{.takes = 10ms};
  const auto c = over(&s, {});
  caller old(c.get("a"));
  co_await sleep_for(1ms);
  c.put("a", 100);
  co_await gives("100", c.get("a"));
  co_await sleep_for(20ms);
  same(old.got(), "1");
  co_await gives("100", c.get("a"));
}
TEST(Cache, WhatIsPutIsNotOverwrittenByAnOlderLoad) { play(put_beats_a_load); }

task<> callers_leave(bool kills) {
  source s{.takes = 1h};
  const auto c = over(&s, {});
  caller one(c.get("a"));
  caller two(c.get("a"));
  co_await sleep_for(1ms);
  kills ? one.who.kill() : one.who.cancel();
  (void)co_await one.who.join();
  same(s.seen.running, 1);
  kills ? two.who.kill() : two.who.cancel();
  (void)co_await two.who.join();
  co_await sleep_for(1ms);
  same(s.seen.cancelled, 1);
  s.takes = 0s;
  co_await gives("2", c.get("a"));
}
TEST(Cache, TheLastCallerToLeaveCancelsTheLoad) {
  for (const bool kills : {false, true}) play([=] { return callers_leave(kills); });
}

task<result<int>> throws_at(int* n, std::string) {
  if (++*n == 1) throw std::runtime_error("out of order");
  co_return *n;
}
task<> exceptions() {
  int n = 0;
  const numbers c({}, [&n](std::string key) { return throws_at(&n, std::move(key)); });
  co_await refuses("out of order", c.get("a"));
  co_await gives("2", c.get("a"));
}
TEST(Cache, AnExceptionOfALoadIsItsErrorAndIsNotKept) { play(exceptions); }

task<> use(numbers c, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    const auto n = seed * 5 + i * 3;
    const std::string key(1, static_cast<char>('a' + n % 3));
    if (n % 7 == 0) c.forget(key);
    auto getting = with_timeout(n % 4 * 1ms, c.get(key));
    (void)co_await std::move(getting);
    co_await sleep_for(n % 2 * 3ms);
  }
}
task<> a_crowd(scope& all, numbers c, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < 4; ++i) all.spawn(use, c, seed + i);
  co_return;
}
TEST(Cache, KeepsItsBoundsInACrowd) {
  const auto program = [](std::uint64_t seed) -> task<> {
    const auto s = std::make_unique<source>();
    s->takes = 1ms;
    const auto c = over(s.get(), {.entries = 2, .fresh = 2ms, .stale = 5ms});
    auto crowd = with_scope(a_crowd, c, seed);
    const auto ended = co_await std::move(crowd);
    require(ended.has_value(), "a caller failed");
    const auto seen = c.stats();
    require(seen.entries <= 2, "it keeps too many");
    same(seen.hits + seen.stale + seen.misses, 32u);
    co_await sleep_for(1s); // a reload may be under way
  };
  const auto found = testkit::explore({.runs = 300}, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

TEST(Cache, RefusesOptionsThatMakeNoSense) {
  source s;
  is_refused([&] { over(&s, {.entries = 0}); }, "cache: entries must be 1 or more, not 0");
  is_refused([&] { over(&s, {.fresh = -1s}); }, "cache: fresh must be at least 0 s, not -1 s");
  is_refused([&] { over(&s, {.stale = -1s}); }, "cache: stale must be at least 0 s, not -1 s");
  is_refused([&] { over(&s, {.negative = -1s}); }, "cache: negative must be at least 0 s, not -1 s");
  is_refused([&] { over(&s, {.reload_limit = 0s}); }, "cache: reload_limit must be more than 0 s, not 0 s");
}

} // namespace
} // namespace greenroom::cache_test
