#include <greenroom/actors/reliable_address.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/inbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/explore.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/actors/delivery_kit.hpp>

namespace greenroom::reliable_address_test {
namespace {

using namespace std::chrono_literals;
using test::bad_wire;
using test::behind_wire;
using test::deliveries;
using test::taker;
using test::up_to;
using testkit::require;

/// Runs a program in virtual time.
template <class F, class... Args>
void lives(F program, Args... args) {
  testkit::simulation world;
  testkit::random_schedule by(7);
  const auto r = world.run(by, program, args...);
  EXPECT_TRUE(r.passed()) << r.why;
}

reliable_address<int> sender_to(address<deliveries> to, reliable_options<int> how = {}) {
  if (how.sender.empty()) how.sender = "shop";
  return reliable_address<int>(this_actor::system(), std::move(how), std::move(to));
}

address<deliveries> inbox_of(taker* who, delivery_memory memory = delivery_memory()) {
  return start_inbox<int>(this_actor::system(), test::to(who), std::move(memory));
}

task<> send_all(reliable_address<int> to, int last) {
  for (int i = 1; i <= last; ++i) {
    const auto kept = co_await to.send(i);
    EXPECT_TRUE(kept);
  }
}

task<> several(taker* who, int last) {
  const auto to = sender_to(inbox_of(who), {.window = 4});
  auto sending = send_all(to, last);
  co_await std::move(sending);
  const auto all = co_await to.flush(1s);
  EXPECT_TRUE(all) << all.error().message();
  EXPECT_EQ(who->taken, up_to(last));
  EXPECT_EQ(to.stats().acknowledged, static_cast<std::uint64_t>(last));
  EXPECT_EQ(to.stats().failures, 0U);
}

TEST(ReliableAddress, DeliversEachItemOnceInOrderAndFlushWaitsForAll) {
  taker who;
  lives(several, &who, 50);
}

task<> one_that_takes_a_second(taker* who) {
  who->time_for_each = 1s;
  const auto to = sender_to(inbox_of(who));
  const auto too_early = co_await to.deliver(1, 999ms);
  EXPECT_TRUE(too_early.error().is(errc::timed_out));
  const auto begun = this_actor::system().now();
  const auto done = co_await to.deliver(2, 10s);
  EXPECT_TRUE(done);
  EXPECT_GE(this_actor::system().now() - begun, 1s);
  EXPECT_EQ(who->taken, up_to(2)); // who stopped waiting has not taken his item back
}

TEST(ReliableAddress, DeliverIsTrueOnlyWhenTheHandlerHasFinished) {
  taker who;
  lives(one_that_takes_a_second, &who);
}

task<> as_many_as_there_is_room_for(taker* who) {
  who->time_for_each = 1h;
  const auto to = sender_to(inbox_of(who), {.window = 4});
  int sent = 0;
  for (;;) {
    auto sending = with_timeout(1s, to.send(sent + 1));
    const auto kept = co_await std::move(sending);
    if (!kept) break;
    ++sent;
  }
  EXPECT_GE(sent, 2 * 4);
  EXPECT_LE(sent, 2 * 4 + 3); // the first left before the others came: a delivery of one
  to.cancel();
}

TEST(ReliableAddress, AFullWindowHoldsTheSenderBack) {
  taker who;
  lives(as_many_as_there_is_room_for, &who);
}

/// Takes nothing until it has refused so many deliveries.
task<> be_away(mailbox<deliveries> in, int times, std::vector<std::int64_t>* tries, address<deliveries> then) {
  const auto begun = this_actor::system().now();
  while (auto asked = co_await in.receive()) {
    const auto now = this_actor::system().now() - begun;
    tries->push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    if (times-- > 0) {
      asked->fail({errc::unavailable, "the connection broke"});
    } else {
      (void)co_await then.send(*std::move(asked));
    }
  }
}

task<> with_a_broken_line(taker* who, std::vector<std::int64_t>* tries) {
  auto [in, out] = make_mailbox<deliveries>(bounded(8));
  spawn(be_away, std::move(in), 6, tries, inbox_of(who));
  const auto to = sender_to(std::move(out), {.pause = 100ms, .most_pause = 1s});
  const auto done = co_await to.deliver(1, 60s);
  EXPECT_TRUE(done);
}

TEST(ReliableAddress, RepeatsAfterLongerAndLongerPauses) {
  taker who;
  std::vector<std::int64_t> tries;
  lives(with_a_broken_line, &who, &tries);
  EXPECT_EQ(tries, (std::vector<std::int64_t>{0, 100, 300, 700, 1500, 2500, 3500}));
  EXPECT_EQ(who.taken, up_to(1));
}

task<> slowly(taker* who, duration each) {
  who->time_for_each = each;
  const auto to = sender_to(inbox_of(who), {.limit = 5s});
  auto sending = send_all(to, 10);
  co_await std::move(sending);
  const auto all = co_await to.flush(10min);
  EXPECT_TRUE(all);
  EXPECT_EQ(who->taken, up_to(10));
}

TEST(ReliableAddress, SlowHandlersCostNoRepeats) {
  taker who;
  lives(slowly, &who, duration(2s));
}

TEST(ReliableAddress, AHandlerThatIsSlowerThanTheLimitStillHasEachItemOnce) {
  taker who;
  lives(slowly, &who, duration(7s));
}

task<> with_poison(taker* who, std::string* given_up, bool hook) {
  who->poison = 2;
  reliable_options<int> how{.tries = 3};
  if (hook)
    how.given_up = [given_up](const int& item, const error& why) {
      *given_up += std::to_string(item) + " " + std::string(why.message());
    };
  const auto to = sender_to(inbox_of(who), std::move(how));
  (void)co_await to.send(1);
  const auto refused = co_await to.deliver(2, 60s);
  EXPECT_TRUE(refused.error().is(errc::invalid_argument));
  (void)co_await to.send(3);
  const auto all = co_await to.flush(60s);
  EXPECT_EQ(all.error().message(), "1 item was given up since the last flush, the last one because: nobody wants it");
  const auto again = co_await to.flush(60s);
  EXPECT_TRUE(again);
  EXPECT_EQ(to.stats().given_up, 1U);
}

TEST(ReliableAddress, GivesARefusedItemUpAfterItsTriesSaysSoAndGoesOn) {
  for (const bool hook : {true, false}) {
    taker who;
    std::string given_up;
    lives(with_poison, &who, &given_up, hook);
    EXPECT_EQ(who.taken, (std::vector<int>{1, 3}));
    EXPECT_EQ(given_up, hook ? "2 nobody wants it" : "");
    EXPECT_EQ(who.tries.size(), 5U);
  }
}

task<> too_large() {
  auto [in, out] = make_mailbox<request<delivery<std::string>>>(bounded(8));
  const reliable_address<std::string> to(this_actor::system(), {.sender = "shop", .most_bytes = 100}, std::move(out));
  const auto refused = co_await to.send(std::string(200, 'x'));
  EXPECT_TRUE(refused.error().is(errc::limit));
  EXPECT_EQ(refused.error().message(), "the item is too large to be delivered: it takes 204 bytes, and "
                                       "reliable_options::most_bytes is 100");
  const std::string item(60, 'x');
  for (int i = 0; i < 3; ++i) (void)co_await to.send(item);
  std::vector<std::size_t> sizes;
  while (auto asked = co_await in.receive()) {
    sizes.push_back(asked->message.items.size());
    const auto last = asked->message.items.back().number;
    asked->reply(receipt{1, asked->message.epoch, last});
    if (last == 3) break;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 1, 1}));
}

TEST(ReliableAddress, KeepsADeliveryWithinItsBytes) { lives(too_large); }

task<> ask_for_delivery(reliable_address<int> to, int item, address<errc> answer) {
  const auto got = co_await to.deliver(item, 1h);
  (void)co_await answer.send(got ? errc{} : got.error().code());
}

task<> cancelled_meanwhile(taker* who) {
  who->time_for_each = 1h;
  const auto to = sender_to(inbox_of(who), {.window = 1});
  auto [in, out] = make_mailbox<errc>(bounded(8));
  for (int i = 1; i <= 4; ++i) spawn(ask_for_delivery, to, i, out);
  co_await sleep_for(1s);
  to.cancel();
  int without = 0;
  for (int i = 0; i < 4; ++i) {
    const auto why = co_await in.receive();
    without += *why == errc::no_reply || *why == errc::closed;
  }
  EXPECT_EQ(without, 4);
  const auto late = co_await to.send(5);
  EXPECT_TRUE(late.error().is(errc::closed));
}

TEST(ReliableAddress, WhoWaitsForACancelledOneIsTold) {
  taker who;
  lives(cancelled_meanwhile, &who);
}

task<> closed_for_good(std::vector<int>* given_up) {
  auto [in, out] = make_mailbox<deliveries>(bounded(8));
  const auto note = [given_up](const int& item, const error&) { given_up->push_back(item); };
  const auto to = sender_to(std::move(out), {.given_up = note});
  (void)co_await to.send(1);
  in.close(queued::drop);
  const auto refused = co_await to.deliver(2, 60s);
  EXPECT_TRUE(refused.error().is(errc::closed));
}

TEST(ReliableAddress, EndsWhenItsInboxIsClosedForGood) {
  std::vector<int> given_up;
  lives(closed_for_good, &given_up);
  EXPECT_EQ(given_up, up_to(2));
}

/// What the first life has not had acknowledged is lost with it; the second one begins its numbers anew, and what comes late of the first is not taken.
task<> two_lives(taker* who) {
  auto [in, out] = make_mailbox<deliveries>(bounded(8));
  const auto box = inbox_of(who);
  const auto first = sender_to(out);
  (void)co_await first.send(1);
  auto held = co_await in.receive(); // it is under way, and stays so
  first.cancel();
  co_await sleep_for(1s);
  const auto second = sender_to(box);
  const auto done = co_await second.deliver(2, 1s);
  EXPECT_TRUE(done);
  const auto late = co_await ask(box, held->message, 1s);
  EXPECT_GT(late->epoch, held->message.epoch);
  EXPECT_EQ(who->taken, (std::vector<int>{2}));
}

TEST(ReliableAddress, ALaterLifeOfTheSenderEndsTheEarlierOnes) {
  taker who;
  lives(two_lives, &who);
}

task<> behind_its_time(taker* who) {
  delivery_memory memory;
  const auto future = memory.look("shop", ~std::uint64_t{0} - 1000);
  memory.note("shop", future.epoch, 17);
  const auto to = sender_to(inbox_of(who, memory));
  auto sending = send_all(to, 3);
  co_await std::move(sending);
  const auto all = co_await to.flush(10s);
  EXPECT_TRUE(all);
  EXPECT_EQ(to.stats().superseded, 0U); // that was an earlier life
}

TEST(ReliableAddress, AClockThatWasSetBackLosesNothing) {
  taker who;
  lives(behind_its_time, &who);
  EXPECT_EQ(who.taken, up_to(3));
}

task<> side_by_side(taker* who) {
  const auto box = inbox_of(who);
  const auto one = sender_to(box), other = sender_to(box);
  for (std::uint64_t times = 0; times < 3; ++times) { // at first nobody knows that the one lives yet
    (void)co_await one.deliver(1, 10s);
    (void)co_await other.deliver(2, 10s);
    EXPECT_EQ(one.stats().superseded + other.stats().superseded, 2 * times);
  }
}

TEST(ReliableAddress, TwoThatLiveUnderOneNameAreCounted) { lives(side_by_side, std::make_unique<taker>().get()); }

task<> forgets(taker* who) {
  auto box = inbox_of(who);
  auto where = std::make_shared<address<deliveries>>(box);
  using way = route<int>;
  const auto look = [where]() -> way::finder::result_type {
    constexpr auto now = [](std::shared_ptr<address<deliveries>> at) -> way::finder::result_type { co_return *at; };
    return now(where);
  };
  const reliable_address<int> to(this_actor::system(), {.sender = "shop"}, way(way::finder(look)));
  (void)co_await to.deliver(1, 1s);
  EXPECT_EQ(to.stats().forgotten, 0U);
  box.close();
  *where = inbox_of(who);
  const auto done = co_await to.deliver(2, 10s);
  EXPECT_TRUE(done);
  EXPECT_EQ(to.stats().forgotten, 1U);
}

TEST(ReliableAddress, FindsItsReceiverAnewAndSeesThatItHasForgotten) {
  taker who;
  lives(forgets, &who);
  EXPECT_EQ(who.taken, up_to(2));
}

TEST(ReliableAddress, RefusesOptionsOutsideTheirBounds) {
  actor_system sys;
  auto [in, out] = make_mailbox<deliveries>(bounded(8));
  using of = reliable_address<int>;
  EXPECT_THROW(of(sys, {}, out), usage_error);
  EXPECT_THROW(of(sys, {.sender = std::string(201, 'x')}, out), usage_error);
  EXPECT_THROW(of(sys, {.sender = "shop", .window = 0}, out), usage_error);
  EXPECT_THROW(of(sys, {.sender = "shop", .limit = 0s}, out), usage_error);
}

// -- any schedule, a bad wire ---------------------------------------------------------------------------------------

/// What a sender has had kept, and what was acknowledged to it. Of items whose sender stopped waiting nobody knows whether they were taken.
struct story {
  std::vector<int> kept, acknowledged;
};

/// Sends the numbers behind `first` by chance in one way or the other.
task<> send_by_chance(reliable_address<int> to, int first, int count, std::uint64_t seed, story* of) {
  xoshiro random(seed);
  for (int i = first + 1; i <= first + count; ++i) {
    if (random_below(random, 2) == 0) {
      const auto sent = co_await to.send(i);
      if (!sent) co_return;
      of->kept.push_back(i);
    } else {
      const auto limit = std::chrono::milliseconds(1 + random_below(random, 20'000));
      const auto done = co_await to.deliver(i, limit);
      if (done) of->acknowledged.push_back(i);
    }
  }
}

/// Of the numbers from `first` to `first` + 999, the sender's own.
void require_once_in_order(const std::vector<int>& all, int first, const std::vector<int>& wanted) {
  std::vector<int> taken;
  std::copy_if(all.begin(), all.end(), std::back_inserter(taken), [first](int i) { return i / 1000 == first / 1000; });
  require(std::adjacent_find(taken.begin(), taken.end(), std::greater_equal<>()) == taken.end(),
          "an item was doubled or out of order");
  require(std::includes(taken.begin(), taken.end(), wanted.begin(), wanted.end()), "an item is missing");
}

task<> flush(reliable_address<int> to) {
  for (;;) { // where time races, no limit is long enough
    const auto all = co_await to.flush(24h);
    if (all) co_return;
    require(all.error().is(errc::timed_out), "the flush failed");
  }
}

task<> one_of_two(address<deliveries> to, taker* who, int first, std::uint64_t seed) {
  const auto out = sender_to(std::move(to), {.sender = "from " + std::to_string(first), .window = 1 + seed % 5});
  story mine;
  auto sending = send_by_chance(out, first, 15, seed, &mine);
  co_await std::move(sending);
  require_once_in_order(who->taken, first, mine.acknowledged);
  auto flushing = flush(out);
  co_await std::move(flushing);
  require_once_in_order(who->taken, first, mine.kept);
}

task<> on_a_bad_wire(std::uint64_t seed) {
  taker who;
  who.random = xoshiro(seed);
  who.moods = 10;
  const bad_wire wire{.lost = 20, .lost_back = 20, .late = 30, .doubled = 20, .seed = seed};
  const auto both = [](scope& here, taker* w, bad_wire bad) -> task<> {
    const auto way = behind_wire(inbox_of(w), bad);
    here.spawn(one_of_two, way, w, 0, bad.seed);
    here.spawn(one_of_two, way, w, 1000, bad.seed + 1);
    co_return;
  };
  const auto fine = co_await with_scope(+both, &who, wire);
  require(fine.has_value(), fine ? "" : std::string(fine.error().message()));
  const auto then = who.taken;
  co_await sleep_for(10min); // what is late comes, and changes nothing
  require(who.taken == then, "something late was handled again");
}

TEST(ReliableAddress, OnAnyWireEachItemIsHandledOnceInTheOrderOfItsSender) {
  for (const bool races : {false, true}) {
    const auto found = testkit::explore({.runs = 300, .world = {.time_races = races}}, on_a_bad_wire);
    EXPECT_TRUE(found.nothing()) << found.to_string();
  }
}

/// One life of the sender after the other: what was acknowledged is there, the rest once or not at all.
task<> with_deaths_of_the_sender(std::uint64_t seed) {
  taker who;
  std::vector<int> acknowledged;
  xoshiro random(seed);
  const bad_wire wire{.lost = 10, .lost_back = 20, .late = 30, .doubled = 20, .seed = seed};
  {
    const auto way = behind_wire(inbox_of(&who), wire);
    for (int life = 0; life < 4; ++life) {
      story mine;
      const auto to = sender_to(way, {.window = 3});
      const auto sending = spawn(send_by_chance, to, life * 100, 10, seed, &mine);
      co_await sleep_for(std::chrono::milliseconds(1 + random_below(random, 8'000)));
      if (life < 3) {
        to.cancel();
        sending.cancel();
      }
      co_await sending.join();
      acknowledged.insert(acknowledged.end(), mine.acknowledged.begin(), mine.acknowledged.end());
      if (life < 3) continue;
      auto flushing = flush(to);
      co_await std::move(flushing);
      acknowledged.insert(acknowledged.end(), mine.kept.begin(), mine.kept.end());
    }
  }
  co_await sleep_for(10min);
  std::sort(acknowledged.begin(), acknowledged.end());
  require_once_in_order(who.taken, 0, acknowledged);
}

TEST(ReliableAddress, OfASenderThatDiesWhatWasAcknowledgedIsThereAndNothingTwice) {
  const auto found = testkit::explore({.runs = 300}, with_deaths_of_the_sender);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

/// The inbox is killed again and again; with its memory kept it is as before, without it some come twice, and none is lost.
task<> with_deaths(std::uint64_t seed, bool remembers) {
  taker who;
  who.time_for_each = 300ms;
  auto ends = make_mailbox<deliveries>(bounded(64));
  delivery_memory memory;
  using handle = decltype(test::to(&who));
  auto box = spawn(inbox<int, handle>, ends.in, memory, test::to(&who));
  const bad_wire wire{.lost_back = 20, .late = 10, .seed = seed};
  {
    const auto to = sender_to(behind_wire(ends.out, wire), {.window = 4});
    auto sending = send_all(to, 12);
    co_await std::move(sending);
    xoshiro random(seed);
    for (int death = 0; death < 5; ++death) {
      co_await sleep_for(std::chrono::milliseconds(random_below(random, 2'000)));
      box.kill();
      co_await box.join();
      if (!remembers) memory = delivery_memory();
      box = spawn(inbox<int, handle>, ends.in, memory, test::to(&who));
    }
    const auto all = co_await to.flush(24h);
    require(all.has_value(), "the flush failed");
  }
  if (remembers) {
    require(who.taken == up_to(12), "an item is missing, doubled or out of order");
  } else {
    std::vector<int> first;
    for (const int i : who.taken) {
      if (std::find(first.begin(), first.end(), i) == first.end()) first.push_back(i);
    }
    require(first == up_to(12), "an item is missing, or was handled first out of order");
  }
  ends.in.close();
  co_await box.join();
}

TEST(ReliableAddress, AnInboxThatDiesAndRemembersHasEachItemOnce) {
  const auto found = testkit::explore({.runs = 200}, [](std::uint64_t seed) { return with_deaths(seed, true); });
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

TEST(ReliableAddress, AnInboxThatDiesAndForgetsHasEachItemAtLeastOnceFirstInOrder) {
  const auto found = testkit::explore({.runs = 200}, [](std::uint64_t seed) { return with_deaths(seed, false); });
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

} // namespace
} // namespace greenroom::reliable_address_test
