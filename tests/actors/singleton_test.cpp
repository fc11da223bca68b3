#include <greenroom/actors/singleton.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <greenroom/actors/fence.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/tests/actors/cluster_kit.hpp>

namespace greenroom::singleton_test {
namespace {

using namespace test;

/// What the one that should be alone does, seen by all.
struct stage {
  int running = 0;
  int most = 0;
  int begun = 0;
  int ended_in_order = 0;
  std::uint64_t newest = 0;
  std::string now; // who runs
};

/// Counts itself as running for as long as its frame lives.
struct on_stage {
  on_stage(stage* at, const lease& held) : s(at) {
    require(held.token > s->newest, fmt::format("token {} came behind {}", held.token, s->newest));
    s->newest = held.token;
    s->most = std::max(s->most, ++s->running);
    s->now = held.holder;
    ++s->begun;
    require(s->running == 1, fmt::format("{} run at once, the last under token {}", s->running, held.token));
  }
  on_stage(const on_stage&) = delete;
  on_stage& operator=(const on_stage&) = delete;
  ~on_stage() {
    --s->running;
    s->now.clear();
  }
  stage* s;
};

task<> play_alone(lease held, stage* s) {
  const on_stage here(s, held);
  try {
    co_await sleep_until(never);
  } catch (const cancelled&) {
    ++s->ended_in_order;
    throw;
  }
}

task<> rest(duration span) { co_await sleep_for(span); }

/// Needs some time to end; how much, is told.
task<> end_slowly(lease held, stage* s, duration takes) {
  const on_stage here(s, held);
  try {
    co_await sleep_until(never);
  } catch (const cancelled&) { // a handler cannot wait
  }
  auto unwinding = rest(takes);
  co_await shielded(1h, std::move(unwinding));
  ++s->ended_in_order;
}

singleton_options books(std::string holder) { return {.name = "books", .holder = std::move(holder)}; }

actor begin(const std::shared_ptr<cluster_store>& store, const char* holder, stage* s) {
  return spawn({.name = "member"}, singleton(store, books(holder), play_alone), s);
}

task<> one_of_two(bool kills) {
  const auto store = memory_cluster_store();
  stage s;
  const auto a = begin(store, "a", &s);
  co_await sleep_for(1s);
  const auto b = begin(store, "b", &s);
  co_await sleep_for(60s); // many renewals
  same(s.now, "a");
  same(s.begun, 1);
  kills ? a.kill() : a.cancel();
  (void)co_await a.join();
  co_await sleep_for(kills ? 12s : 2s); // the rest of its lease, or the next look of b
  same(s.now, "b");
  same(s.ended_in_order, kills ? 0 : 1);
  b.cancel();
  (void)co_await b.join();
  same(s.most, 1);
}
TEST(Singleton, RunsOnOneMemberAndOnAnotherWhenThatOneStops) {
  play([] { return one_of_two(false); });
}
TEST(Singleton, RunsOnAnotherAfterTheLeaseOfOneThatIsKilled) {
  play([] { return one_of_two(true); });
}

task<> cut_off(bool deaf) {
  const auto shared = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(shared);
  stage s;
  const auto a = begin(line, "a", &s);
  co_await sleep_for(20500ms);
  same(s.now, "a");
  const auto last_renewed = this_actor::system().now() - 500ms;
  (deaf ? line->deaf : line->cut) = true;
  const auto b = begin(shared, "b", &s);
  co_await sleep_until(last_renewed + 7s - 1ms); // grace is 3 s of 10
  same(s.now, "a");
  co_await sleep_for(2ms);
  same(s.now, "");
  same(s.ended_in_order, 1);
  co_await sleep_for(5s);
  same(s.now, "b");
  (deaf ? line->deaf : line->cut) = false;
  co_await sleep_for(60s);
  same(s.now, "b");
  b.cancel();
  (void)co_await b.join();
  if (!deaf) { // whose last call has not ended
    co_await sleep_for(2s);
    same(s.now, "a");
  }
  a.cancel();
  (void)co_await a.join();
  same(s.most, 1);
}
TEST(Singleton, EndsBeforeItsLeaseDoesWhenTheStoreIsOutOfReach) {
  play([] { return cut_off(false); });
}
TEST(Singleton, EndsBeforeItsLeaseDoesWhenTheStoreDoesNotAnswer) {
  play([] { return cut_off(true); });
}

task<> cancelled_while_it_asks() {
  const auto store = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(store);
  line->slow = 1s;
  stage s;
  for (auto when = 0ms; when < 2s; when += 100ms) {
    const auto a = begin(line, "a", &s);
    co_await sleep_for(when);
    a.cancel();
    (void)co_await a.join();
    const auto held = co_await store->look("books");
    same(held.value().has_value(), false);
  }
}
TEST(Singleton, LeavesNoLeaseBehindWhenItIsCancelledWhileItAsks) { play(cancelled_while_it_asks); }

task<> one_failed_renewal() {
  const auto shared = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(shared);
  stage s;
  const auto a = begin(line, "a", &s);
  co_await sleep_for(3s);
  line->cut = true;
  co_await sleep_for(4s);
  line->cut = false;
  co_await sleep_for(60s);
  same(s.begun, 1);
  a.cancel();
  (void)co_await a.join();
}
TEST(Singleton, GoesOnIfARenewalFailsAndALaterOneIsInTime) { play(one_failed_renewal); }

task<> slow_to_end(duration takes, bool in_time) {
  const auto shared = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(shared);
  stage s;
  const auto a = spawn({.name = "member"}, singleton(line, books("a"), end_slowly), &s, takes);
  co_await sleep_for(1s);
  line->cut = true;
  const auto b = begin(shared, "b", &s);
  co_await sleep_for(11s);
  same(s.ended_in_order, in_time ? 1 : 0);
  same(s.now, "b");
  a.cancel();
  b.cancel();
  (void)co_await a.join();
  (void)co_await b.join();
  same(s.most, 1);
}
TEST(Singleton, WaitsForItsActorToEndWithinTheGrace) {
  play([] { return slow_to_end(1s, true); });
}
TEST(Singleton, KillsItsActorWhenItDoesNotEndInTheGrace) {
  play([] { return slow_to_end(1h, false); });
}

task<> lost() {
  const auto store = memory_cluster_store();
  stage s;
  const auto a = begin(store, "a", &s);
  co_await sleep_for(1s);
  const lease held{"books", "a", 1};
  same(kind(co_await store->release(held)), "ok"); // as an administrator may
  const auto stolen = co_await store->acquire("books", "b", 5s);
  same(stolen.value().token, 2U);
  co_await sleep_for(2s);
  same(s.running, 0);
  co_await sleep_for(7s);
  same(s.now, "a");
  same(s.newest, 3U);
  a.cancel();
  (void)co_await a.join();
}
TEST(Singleton, EndsWhenItIsToldThatItsLeaseIsOverAndTriesAgain) { play(lost); }

task<> fail_once(lease held, stage* s) {
  const on_stage here(s, held);
  co_await sleep_for(1s);
  if (s->begun == 1) throw std::runtime_error("out of paper");
}
task<> its_actor_fails() {
  const auto store = memory_cluster_store();
  stage s;
  const auto first = spawn({.name = "member"}, singleton(store, books("a"), fail_once), &s);
  const auto why = co_await first.join();
  require(why.to_string().find("the singleton 'books' has failed: ") != std::string::npos &&
              why.to_string().find("out of paper") != std::string::npos,
          why.to_string());
  same((co_await store->look("books")).value().has_value(), false);
  const auto second = spawn({.name = "member"}, singleton(store, books("a"), fail_once), &s);
  same((co_await second.join()).to_string(), "normal");
  same((co_await store->look("books")).value().has_value(), false);
}
TEST(Singleton, FailsOrReturnsWithItsActorAndLetsGo) { play(its_actor_fails); }

task<> supervised() {
  const auto store = memory_cluster_store();
  stage s;
  supervisor_spec shop("shop");
  shop.child("books", {.restart = transient}, singleton(store, books("a"), fail_once), &s);
  auto starting = supervise(std::move(shop));
  const auto running = co_await std::move(starting);
  co_await sleep_for(5s);
  same(s.begun, 2);
  same(s.newest, 2U);
  running.value().self().cancel();
  (void)co_await running.value().self().join();
}
TEST(Singleton, IsStartedAnewByItsSupervisorUnderANewerToken) { play(supervised); }

task<> no_leases() {
  const cluster_member a{"a", "here", 1};
  stage s;
  const auto store = static_members(std::vector<cluster_member>(1, a));
  const auto only = begin(store, "a", &s);
  const auto why = co_await only.join();
  require(why.to_string().find("a fixed list of members has none") != std::string::npos, why.to_string());
}
TEST(Singleton, FailsWhereThereAreNoLeases) { play(no_leases); }

TEST(Singleton, RefusesTimesThatCannotBe) {
  const auto made = [](singleton_options how) { singleton(memory_cluster_store(), std::move(how), play_alone); };
  is_refused([&] { made({.name = "x", .holder = "a", .ttl = 5s}); },
             "the lease of the singleton 'x' lasts 5000 ms: too short for two renewals and the grace (7000 ms)");
  is_refused([&] { made({.name = "x", .holder = "a", .every = 0s}); },
             "a time of the singleton 'x' is 0 ms: from 1 ms to 24 h");
  is_refused([&] { made({.name = "x", .holder = ""}); }, "a singleton needs a name, and the name of its holder");
}

// -- at random -----------------------------------------------------------------------------------------

struct line_fault {
  std::shared_ptr<line_to_store> line;
  actor member;
};

/// Three members that come and go, whose lines to the store are slow and break; no two must ever run at once.
task<> at_random(std::uint64_t seed) {
  xoshiro random(seed);
  const auto shared = memory_cluster_store();
  stage s;
  const char* const names[] = {"a", "b", "c"};
  std::vector<line_fault> members(3);
  for (int step = 0; step < 40; ++step) {
    const auto i = random.below(3);
    auto& at = members[i];
    if (!at.member || at.member.finished()) {
      at.line = std::make_shared<line_to_store>(shared, seed + static_cast<std::uint64_t>(step));
      at.line->slow = 4s;
      const auto takes = duration(static_cast<std::int64_t>(random.below(3'000'000'000)));
      at.member = spawn({.name = "member"}, singleton(at.line, books(names[i]), end_slowly), &s, takes);
    } else if (const auto what = random.below(6); what == 0) {
      at.member.cancel();
    } else if (what == 1) {
      at.member.kill();
    } else {
      at.line->cut = what < 4;
    }
    co_await sleep_for(duration(static_cast<std::int64_t>(random.below(8'000'000'000))));
  }
  for (const auto& at : members) {
    if (at.member) at.member.cancel();
  }
  for (const auto& at : members) {
    if (at.member) (void)co_await at.member.join();
  }
  require(s.begun > 3, "it was never handed over");
}
TEST(Singleton, NeverRunsTwiceAtOnceWhateverHappensToMembersAndLines) {
  const auto found = testkit::explore({.runs = 250}, at_random);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

// -- late --------------------------------------------------------------------------------------------

/// What a resource has taken, with the tokens.
struct resource {
  fence only_newest{"books"};
  std::vector<std::uint64_t> taken;
  int refused = 0;

  void write(std::uint64_t token) {
    if (only_newest.check(token)) {
      taken.push_back(token);
    } else {
      ++refused;
    }
  }
};

task<> arrive_later(std::uint64_t token, resource* to, duration on_the_way) {
  co_await sleep_for(on_the_way);
  to->write(token);
}
/// What it writes is on the way for a while, as through a network: the end of its lease does not call that back.
task<> keep_writing(lease held, resource* to, xoshiro* random) {
  for (;;) {
    spawn({.name = "write"}, arrive_later, held.token, to, std::chrono::seconds(random->below(20)));
    co_await sleep_for(1s);
  }
}

task<> late_writes(std::uint64_t seed, int* refused) {
  const auto store = memory_cluster_store();
  xoshiro random(seed);
  resource r;
  for (int i = 0; i < 4; ++i) {
    const auto member =
        spawn({.name = "member"}, singleton(store, books(i % 2 == 0 ? "a" : "b"), keep_writing), &r, &random);
    co_await sleep_for(20s);
    member.cancel();
    (void)co_await member.join();
  }
  co_await sleep_for(20s);
  require(std::is_sorted(r.taken.begin(), r.taken.end()), "an older token has written behind a newer one");
  same(r.taken.back(), 4U);
  *refused += r.refused;
}
TEST(Singleton, WhatItsHolderWroteLateIsRefusedByTheFence) {
  int refused = 0;
  const auto found = testkit::explore({.runs = 50}, [&](std::uint64_t seed) { return late_writes(seed, &refused); });
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_GT(refused, 0) << "none was late";
}

} // namespace
} // namespace greenroom::singleton_test
