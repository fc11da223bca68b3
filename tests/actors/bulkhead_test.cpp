#include <greenroom/actors/bulkhead.hpp>

#include <memory>
#include <string>
#include <vector>

#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::bulkhead_test {
namespace {

using namespace test;

void counts(const bulkhead& b, std::int64_t running, std::int64_t waiting, place at = place::current()) {
  const auto now = b.stats();
  require(
      now.running == running && now.waiting == waiting,
      fmt::format("line {}: {} run and {} wait, not {} and {}", at.line(), now.running, now.waiting, running, waiting));
}

task<> bounds_both() {
  const bulkhead b({.name = "bank", .at_once = 2, .queue = 1});
  stub_service s;
  caller one(b.call(serve(&s, 100ms, 1)));
  caller two(b.call(serve(&s, 200ms, 2)));
  co_await sleep_for(1ms);
  caller three(b.call(serve(&s, 100ms, 3)));
  co_await sleep_for(1ms);
  counts(b, 2, 1);
  same(s.running, 2);
  co_await refuses("bulkhead 'bank' is full: 2 calls run and 1 wait, its limits", b.call(serve(&s, 0ms, 4)));
  co_await sleep_for(100ms); // the first has ended
  counts(b, 2, 0);
  caller four(b.call(serve(&s, 0ms, 4)));
  co_await sleep_for(1ms);
  counts(b, 2, 1);
  co_await sleep_for(1s);
  for (const auto* c : {&one, &two, &three, &four}) require(c->got().size() == 1, c->got());
  same(s.most, 2);
  counts(b, 0, 0);
  same(b.stats().admitted, 4u);
  same(b.stats().refused, 1u);
}
TEST(Bulkhead, LetsSoManyRunAndSoManyWaitAndRefusesTheRest) { play(bounds_both); }

task<> has_no_queue() {
  const bulkhead b({.at_once = 1, .queue = 0});
  stub_service s;
  caller one(b.call(serve(&s, 100ms, 1)));
  co_await sleep_for(1ms);
  co_await gives("full", b.call(serve(&s, 0ms, 2)));
  co_await sleep_for(100ms);
  co_await gives("3", b.call(serve(&s, 0ms, 3)));
}
TEST(Bulkhead, WithoutAQueueRefusesAtOnceWhatHasNoRoom) { play(has_no_queue); }

task<> waits_so_long() {
  const bulkhead b({.name = "bank", .at_once = 1, .queue = 5, .wait = 50ms});
  stub_service s;
  caller one(b.call(serve(&s, 100ms, 1)));
  co_await sleep_for(60ms);
  caller in_time(b.call(serve(&s, 100ms, 2)));
  co_await sleep_for(1ms);
  co_await refuses("bulkhead 'bank' is full: none of its 1 calls ended in the 0.050 s that one waits",
                   b.call(serve(&s, 0ms, 3)));
  same(b.stats().late, 1u);
  co_await sleep_for(200ms);
  same(in_time.got(), "2");
  same(s.begun, 2);
}
TEST(Bulkhead, RefusesWhatHasWaitedTooLong) { play(waits_so_long); }

task<> serves_in_order() {
  const bulkhead b({.at_once = 1});
  stub_service s;
  std::vector<caller> all;
  for (int i = 0; i < 5; ++i) {
    all.emplace_back(b.call(serve(&s, 10ms, i)));
    co_await sleep_for(1ms);
  }
  for (int i = 0; i < 5; ++i) {
    co_await sleep_until(this_actor::system().now() + (i == 0 ? 6ms : 10ms)); // a millisecond after each end
    same(all[static_cast<std::size_t>(i)].got(), std::to_string(i));
    if (i < 4) same(all[static_cast<std::size_t>(i) + 1].got(), "under way");
  }
}
TEST(Bulkhead, ServesThoseWhoWaitInTheirOrder) { play(serves_in_order); }

task<> gives_back(bool kills) {
  const bulkhead b({.at_once = 1, .queue = 1});
  stub_service s;
  caller runs(b.call(serve(&s, 1h, 1)));
  co_await sleep_for(1ms);
  caller waits(b.call(serve(&s, 1h, 2)));
  co_await sleep_for(1ms);
  kills ? waits.who.kill() : waits.who.cancel();
  (void)co_await waits.who.join();
  counts(b, 1, 0);
  same(s.begun, 1); // who waited has not begun
  caller next(b.call(serve(&s, 0ms, 3)));
  co_await sleep_for(1ms);
  kills ? runs.who.kill() : runs.who.cancel();
  (void)co_await next.who.join();
  same(next.got(), "3");
  counts(b, 0, 0);
}
TEST(Bulkhead, WhoIsCancelledGivesItsPlaceBackWaitingOrRunning) {
  play([] { return gives_back(false); });
}
TEST(Bulkhead, WhoIsKilledGivesItsPlaceBackWaitingOrRunning) {
  play([] { return gives_back(true); });
}

task<> gives_back_after_exceptions() {
  const bulkhead b({.at_once = 1, .queue = 0});
  for (int i = 0; i < 3; ++i) {
    bool passed = false;
    try {
      co_await gives("", b.call(throwing()));
    } catch (const std::runtime_error&) {
      passed = true;
    }
    require(passed, "the exception did not pass");
  }
  counts(b, 0, 0);
}
TEST(Bulkhead, AnExceptionPassesAndGivesThePlaceBack) { play(gives_back_after_exceptions); }

task<> meets_a_deadline() {
  const bulkhead b({.at_once = 1});
  stub_service s;
  caller runs(b.call(serve(&s, 1s, 1)));
  co_await sleep_for(1ms);
  co_await gives("timed_out", with_timeout(50ms, b.call(serve(&s, 0ms, 2))));
  counts(b, 1, 0);
  co_await sleep_for(1s);
}
TEST(Bulkhead, ADeadlineEndsTheWait) { play(meets_a_deadline); }

task<> a_call_outlives_its_bulkhead() {
  stub_service s;
  auto b = std::make_unique<bulkhead>(bulkhead_options{.at_once = 1});
  caller one(b->call(serve(&s, 10ms, 1)));
  co_await sleep_for(1ms);
  caller two(b->call(serve(&s, 10ms, 2)));
  co_await sleep_for(1ms);
  b.reset();
  co_await sleep_for(30ms);
  same(one.got() + two.got(), "12");
}
TEST(Bulkhead, CallsUnderWayOutliveIt) { play(a_call_outlives_its_bulkhead); }

task<> come_and_go(bulkhead b, std::shared_ptr<stub_service> s, std::uint64_t seed, std::uint64_t* made) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto n = seed * 7 + i * 5;
    auto call = with_timeout((n % 5 + 1) * 1ms, b.call(serve(s.get(), (n % 4) * 1ms, 1)));
    ++*made;
    (void)co_await std::move(call);
  }
}
task<> a_crowd(scope& all, bulkhead b, std::shared_ptr<stub_service> s, std::uint64_t seed, std::uint64_t* made) {
  for (std::uint64_t i = 0; i < 6; ++i) all.spawn(come_and_go, b, s, seed + i, made);
  co_return;
}
TEST(Bulkhead, KeepsItsLimitsInACrowdThatComesAndGoes) {
  const auto program = [](std::uint64_t seed) -> task<> {
    const bulkhead b({.at_once = 2, .queue = 2, .wait = 3ms});
    const auto s = std::make_shared<stub_service>();
    std::uint64_t made = 0;
    auto crowd = with_scope(a_crowd, b, s, seed, &made);
    const auto ended = co_await std::move(crowd);
    require(ended.has_value() && s->most <= 2, "more than two ran");
    const auto seen = b.stats();
    require(seen.running == 0 && seen.waiting == 0, "a place was lost");
    require(seen.admitted >= static_cast<std::uint64_t>(s->begun), "more began than it knows");
    require(seen.admitted + seen.refused + seen.late <= made, "it counts more than there were");
  };
  const auto found = testkit::explore({.runs = 500, .world = {.time_races = true}}, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

TEST(Bulkhead, RefusesOptionsThatMakeNoSense) {
  is_refused([] { bulkhead({.name = "bank", .at_once = 0}); },
             "bulkhead 'bank': at_once must be from 1 to 1,000,000, not 0");
  is_refused([] { bulkhead({.name = "bank", .queue = -1}); },
             "bulkhead 'bank': queue must be from 0 to 1,000,000, not -1");
  is_refused([] { bulkhead({.name = "bank", .wait = -1s}); }, "bulkhead 'bank': wait must be 0 s or longer, not -1");
}

} // namespace
} // namespace greenroom::bulkhead_test
