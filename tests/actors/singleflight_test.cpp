#include <greenroom/actors/singleflight.hpp>

#include <memory>
#include <string>
#include <vector>

#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::singleflight_test {
namespace {

using namespace test;
using flights = singleflight<std::string, int>;

task<result<int>> fetch(flights f, const char* key, stub_service* s, duration takes, result<int> answer) {
  return f.call(key, [=] { return serve(s, takes, answer); });
}

task<> a_herd() {
  const flights f;
  stub_service s;
  std::vector<caller> all;
  for (int i = 0; i < 100; ++i) all.emplace_back(fetch(f, "a", &s, 10ms, 7));
  caller other(fetch(f, "b", &s, 10ms, 8));
  co_await sleep_for(20ms);
  for (const auto& c : all) same(c.got(), "7");
  same(other.got(), "8");
  same(s.begun, 2);
  const auto seen = f.stats();
  same(seen.calls, 101u);
  same(seen.executions, 2u);
  same(seen.under_way, 0u);
  co_await gives("9", fetch(f, "a", &s, 0ms, 9)); // nothing is kept
}
TEST(Singleflight, AHerdAsksOnceAndEachGetsTheResult) { play(a_herd, 100); }

task<> errors_are_shared() {
  const flights f;
  stub_service s;
  caller one(fetch(f, "a", &s, 10ms, errc::io));
  co_await sleep_for(1ms);
  co_await gives("io", fetch(f, "a", &s, 10ms, 1));
  (void)co_await one.who.join();
  same(one.got(), "io");
  auto shared = f.call("b", throwing);
  co_await refuses("out of order", std::move(shared));
  auto synchronous = f.call("c", []() -> task<result<int>> { throw std::runtime_error("before it began"); });
  co_await refuses("before it began", std::move(synchronous));
  same(f.stats().under_way, 0u);
}
TEST(Singleflight, ErrorsAndExceptionsAreSharedToo) { play(errors_are_shared); }

task<> one_leaves(bool first, bool kills) {
  const flights f;
  stub_service s;
  caller one(fetch(f, "a", &s, 10ms, 7));
  co_await sleep_for(1ms);
  caller two(fetch(f, "a", &s, 10ms, 7));
  co_await sleep_for(1ms);
  auto& leaver = first ? one : two;
  auto& stays = first ? two : one;
  kills ? leaver.who.kill() : leaver.who.cancel();
  (void)co_await leaver.who.join();
  same(s.running, 1);
  co_await sleep_for(10ms);
  same(stays.got(), "7");
  same(s.cancelled, 0);
  same(f.stats().abandoned, 0u);
}
TEST(Singleflight, ACallerWhoLeavesTakesNothingFromTheOthers) {
  for (const bool first : {false, true}) {
    for (const bool kills : {false, true}) play([=] { return one_leaves(first, kills); });
  }
}

task<> the_last_one_leaves(bool kills) {
  const flights f;
  stub_service s;
  caller one(fetch(f, "a", &s, 1h, 7));
  caller two(fetch(f, "a", &s, 1h, 7));
  co_await sleep_for(1ms);
  one.who.cancel();
  (void)co_await one.who.join();
  co_await sleep_for(1ms);
  same(s.cancelled, 0);
  kills ? two.who.kill() : two.who.cancel();
  (void)co_await two.who.join();
  co_await gives("8", fetch(f, "a", &s, 10ms, 8)); // not what is being cancelled
  same(s.cancelled, 1);
  same(f.stats().abandoned, 1u);
  same(f.stats().under_way, 0u);
}
TEST(Singleflight, TheLastOneToLeaveCancelsTheExecution) {
  for (const bool kills : {false, true}) play([=] { return the_last_one_leaves(kills); }, 100);
}

task<> deadlines_are_each_ones_own() {
  const flights f;
  stub_service s;
  caller hasty(with_timeout(5ms, fetch(f, "a", &s, 10ms, 7)));
  co_await sleep_for(1ms);
  co_await gives("7", fetch(f, "a", &s, 10ms, 7));
  same(hasty.got(), "timed_out");
  same(s.begun, 1);
}
TEST(Singleflight, TheDeadlineOfTheFirstIsNotThatOfTheOthers) { play(deadlines_are_each_ones_own); }

task<> forgets() {
  const flights f;
  stub_service s;
  caller old(fetch(f, "a", &s, 10ms, 1));
  co_await sleep_for(1ms);
  f.forget("a");
  caller fresh(fetch(f, "a", &s, 10ms, 2));
  co_await sleep_for(1ms);
  caller joins(fetch(f, "a", &s, 10ms, 3));
  co_await sleep_for(8ms); // the old one has ended, which must not forget the new one
  same(old.got(), "1");
  caller joins_too(fetch(f, "a", &s, 10ms, 4));
  co_await sleep_for(20ms);
  same(fresh.got() + joins.got() + joins_too.got(), "222");
  same(s.begun, 2);
}
TEST(Singleflight, ForgettingBeginsAnewAndLeavesTheOldToItsCallers) { play(forgets); }

struct tag {
  int number;
};
task<result<int>> read_tag() {
  co_await yield();
  const auto here = this_actor::context();
  const auto* t = here.value<tag>();
  co_return t == nullptr ? -1 : t->number + (here.deadline() == never ? 100 : 0);
}
task<> has_the_values() {
  const flights f;
  auto inner = f.call("a", read_tag);
  auto body = within(this_actor::context().with_value(tag{5}).with_timeout(1s), std::move(inner));
  co_await gives("105", std::move(body));
}
TEST(Singleflight, TheExecutionHasTheValuesOfTheFirstCallerAndNoDeadline) { play(has_the_values); }

task<result<void>> nothing_wrong() {
  co_await yield();
  co_return result<void>();
}
task<> calls_without_value() {
  const singleflight<int, void> f;
  const auto got = co_await f.call(1, nothing_wrong);
  require(got.has_value(), "no success");
}
TEST(Singleflight, TakesCallsWithoutValue) { play(calls_without_value); }

// -- many ways to come and go -----------------------------------------------------------------------------

task<> come_and_go(flights f, stub_service* s, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto n = seed * 5 + i * 3;
    const char* const key = n % 2 == 0 ? "a" : "b";
    auto limited = with_timeout(n % 4 * 1ms, fetch(f, key, s, n % 3 * 1ms, static_cast<int>(n % 2)));
    const auto got = co_await std::move(limited);
    if (got) same(*got, static_cast<int>(n % 2)); // of its key
  }
}
task<> a_crowd(scope& all, flights f, stub_service* s, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < 5; ++i) all.spawn(come_and_go, f, s, seed + i);
  co_return;
}
TEST(Singleflight, KeepsNothingBehindACrowdThatComesAndGoes) {
  const auto program = [](std::uint64_t seed) -> task<> {
    const flights f;
    const auto s = std::make_shared<stub_service>();
    auto crowd = with_scope(a_crowd, f, s.get(), seed);
    const auto ended = co_await std::move(crowd);
    require(ended.has_value(), "a caller failed");
    while (f.stats().under_way != 0) co_await sleep_for(1ms); // a run in which that stays so is too long
    require(s->running == 0, "an execution was left");
    same(f.stats().calls, 30u);
  };
  const auto found = testkit::explore({.runs = 500, .world = {.time_races = true}}, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

} // namespace
} // namespace greenroom::singleflight_test
