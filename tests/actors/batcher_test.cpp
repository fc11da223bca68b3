#include <greenroom/actors/batcher.hpp>

#include <memory>
#include <string>
#include <vector>

#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::batcher_test {
namespace {

using namespace test;
using squares = batcher<int, int>;

/// What is asked in batches: gives the square of each number, and an error for 13.
struct oracle {
  std::vector<std::vector<int>> asked = {};
  duration takes = 0ms;
  int running = 0;
  int most = 0;
  int cancelled = 0;
};
task<result<squares::answers>> square_all(oracle* o, std::vector<int> numbers) {
  o->asked.push_back(numbers);
  o->most = std::max(o->most, ++o->running);
  try {
    if (o->takes > 0ms) co_await sleep_for(o->takes);
  } catch (const cancelled&) {
    --o->running, ++o->cancelled;
    throw;
  }
  --o->running;
  squares::answers all;
  for (const int n : numbers) all.push_back(n == 13 ? result<int>(errc::not_found) : n * n);
  co_return all;
}
squares over(oracle* o, batcher_options how) {
  return squares(this_actor::system(), how,
                 [o](std::vector<int> numbers) { return square_all(o, std::move(numbers)); });
}
std::string told(const oracle& o) {
  std::string text;
  for (const auto& batch : o.asked) {
    for (const int n : batch) text += std::to_string(n) + " ";
    text += "| ";
  }
  return text;
}
/// Asks for some numbers, a millisecond after each other.
task<std::vector<caller>> ask_for(squares s, std::vector<int> numbers) {
  std::vector<caller> all;
  for (const int n : numbers) {
    all.emplace_back(s.ask(n));
    co_await sleep_for(1ms);
  }
  co_return all;
}

task<> begins_when_full() {
  oracle o;
  const auto s = over(&o, {.most = 3, .longest_wait = 1h});
  const std::vector<int> wanted{1, 13, 3, 4};
  const auto all = co_await ask_for(s, wanted);
  same(told(o), "1 13 3 | ");
  same(all[0].got() + all[1].got() + all[2].got() + all[3].got(), "1not_found9under way");
  co_await sleep_for(1h);
  same(all[3].got(), "16");
  const auto seen = s.stats();
  same(seen.items, 4u);
  same(seen.calls, 2u);
  same(seen.full, 1u);
  same(seen.largest, 3u);
}
TEST(Batcher, BeginsWhenItIsFullAndGivesEachItsOwnAnswer) { play(begins_when_full); }

task<> begins_when_old() {
  oracle o;
  const auto s = over(&o, {.most = 100, .longest_wait = 10ms});
  const std::vector<int> wanted{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto all = co_await ask_for(s, wanted);
  same(o.asked.size(), 1u); // 10 ms after the first
  co_await sleep_for(20ms);
  same(o.asked.size(), 2u);
  for (std::size_t i = 0; i < all.size(); ++i) same(all[i].got(), std::to_string((i + 1) * (i + 1)));
}
TEST(Batcher, BeginsWhenItsFirstItemHasWaitedLongEnough) { play(begins_when_old); }

task<> grows_under_load() {
  oracle o{.takes = 100ms};
  const auto s = over(&o, {.most = 100, .longest_wait = 0ms});
  const std::vector<int> wanted{1, 2, 3, 4};
  const auto all = co_await ask_for(s, wanted);
  co_await sleep_for(300ms);
  same(told(o), "1 | 2 3 4 | "); // what came during the first call went together
  same(o.most, 1);
  same(all[3].got(), "16");
}
TEST(Batcher, CollectsWhileACallRuns) { play(grows_under_load); }

task<> runs_several() {
  oracle o{.takes = 100ms};
  const auto s = over(&o, {.most = 1, .longest_wait = 0ms, .at_once = 2});
  const std::vector<int> wanted{1, 2, 3};
  const auto all = co_await ask_for(s, wanted);
  same(o.running, 2);
  co_await sleep_for(1s);
  same(o.most, 2);
  same(all[2].got(), "9");
}
TEST(Batcher, RunsAsManyCallsAsItMay) { play(runs_several); }

task<> leavers_are_left_out(bool kills) {
  oracle o{.takes = 10ms};
  const auto s = over(&o, {.most = 100, .longest_wait = 50ms});
  const std::vector<int> wanted{1, 2, 3};
  auto all = co_await ask_for(s, wanted);
  kills ? all[1].who.kill() : all[1].who.cancel();
  (void)co_await all[1].who.join();
  co_await sleep_for(1s);
  same(told(o), "1 3 | ");
  same(s.stats().dropped, 1u);
  caller nobody(s.ask(4));
  co_await sleep_for(1ms);
  kills ? nobody.who.kill() : nobody.who.cancel();
  co_await sleep_for(1s);
  same(o.asked.size(), 1u); // there was nothing left to ask
  caller late(s.ask(5));
  caller stays(s.ask(6));
  co_await sleep_for(55ms); // the call runs
  late.who.cancel();
  co_await sleep_for(1s);
  same(stays.got(), "36");
}
TEST(Batcher, ItemsWhoseAskersHaveLeftAreNotAskedFor) {
  for (const bool kills : {false, true}) play([=] { return leavers_are_left_out(kills); });
}

task<result<squares::answers>> too_few(std::vector<int>) { co_return squares::answers{1}; }
task<result<squares::answers>> down(std::vector<int>) { co_return error(errc::upstream, "down"); }
task<result<squares::answers>> thrower(std::vector<int>) {
  co_await yield();
  throw std::runtime_error("out of order");
}
task<> fails_as(squares::batch_call call, const char* sentence) {
  const squares s(this_actor::system(), {.most = 2, .longest_wait = 1h}, std::move(call));
  for (int round = 0; round < 2; ++round) { // it goes on after the first
    caller one(s.ask(1));
    co_await refuses(sentence, s.ask(2));
    (void)co_await one.who.join();
    require(one.got() != "under way", "one was left without an answer");
  }
  same(s.stats().failed, 2u);
}
TEST(Batcher, ACallThatFailsFailsForAllOfItsItems) {
  play([] { return fails_as(down, "down"); });
  play([] { return fails_as(thrower, "out of order"); });
  play([] {
    return fails_as(too_few, "batcher: its call gave 1 answers for 2 items; it must give one for each, in their order");
  });
}

task<> is_limited() {
  oracle o{.takes = 1h};
  const auto s = over(&o, {.most = 1, .limit = 50ms});
  co_await gives("timed_out", s.ask(1));
  same(o.cancelled, 1);
  o.takes = 0ms;
  co_await gives("4", s.ask(2));
}
TEST(Batcher, ACallThatHangsIsGivenUp) { play(is_limited); }

task<> finishes() {
  oracle o{.takes = 10ms};
  std::vector<caller> all;
  {
    const auto s = over(&o, {.most = 2, .longest_wait = 1h});
    const std::vector<int> wanted{1, 2, 3};
    all = co_await ask_for(s, wanted);
  }
  // The last asker holds the mailbox open while it waits, so the batch of one waits for its hour.
  co_await sleep_for(1h);
  co_await sleep_for(11ms);
  same(all[0].got() + all[1].got() + all[2].got(), "149");
}
TEST(Batcher, AnswersWhatWasAskedWhenItsHandlesAreGone) { play(finishes); }

task<> waits_for_room() {
  oracle o{.takes = 10ms};
  const auto s = over(&o, {.most = 1, .longest_wait = 0ms, .queue = 1});
  std::vector<caller> all;
  for (int i = 0; i < 20; ++i) all.emplace_back(s.ask(i));
  co_await sleep_for(1s);
  for (int i = 0; i < 20; ++i)
    same(all[static_cast<std::size_t>(i)].got(), i == 13 ? "not_found" : std::to_string(i * i));
}
TEST(Batcher, AskersWaitForRoomInItsQueue) { play(waits_for_room); }

task<> ask_some(squares s, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto n = static_cast<int>(seed % 100 * 10 + i + 20);
    auto asking = with_timeout((seed + i) % 4 * 2ms, s.ask(n));
    const auto got = co_await std::move(asking);
    if (got) same(*got, n * n);
  }
}
task<> a_crowd(scope& all, squares s, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < 5; ++i) all.spawn(ask_some, s, seed * 5 + i);
  co_return;
}
TEST(Batcher, NeverMixesUpAnswersInACrowdThatComesAndGoes) {
  const auto program = [](std::uint64_t seed) -> task<> {
    const auto o = std::make_unique<oracle>();
    o->takes = 1ms;
    {
      const auto s = over(o.get(), {.most = 3, .longest_wait = 2ms, .at_once = 2, .queue = 2});
      auto crowd = with_scope(a_crowd, s, seed);
      const auto ended = co_await std::move(crowd);
      require(ended.has_value() && o->most <= 2, "an asker failed, or three calls ran at once");
      for (const auto& batch : o->asked) require(batch.size() <= 3, "a batch is too large");
    }
    co_await sleep_for(1s); // a call may be under way
  };
  const auto found = testkit::explore({.runs = 500}, program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

TEST(Batcher, RefusesOptionsThatMakeNoSense) {
  actor_system sys;
  const auto with = [&sys](batcher_options how) { return [&sys, how] { squares(sys, how, down); }; };
  is_refused(with({.most = 0}), "batcher: most must be 1 or more, not 0");
  is_refused(with({.longest_wait = -1s}), "batcher: longest_wait must be 0 s or longer, not -1");
  is_refused(with({.at_once = 0}), "batcher: at_once must be 1 or more, not 0");
  is_refused(with({.queue = 0}), "batcher: queue must be 1 or more, not 0");
  is_refused(with({.limit = 0s}), "batcher: limit must be more than 0 s, not 0");
}

} // namespace
} // namespace greenroom::batcher_test
