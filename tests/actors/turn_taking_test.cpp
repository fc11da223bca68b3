#include <greenroom/actors/turn_taking.hpp>

#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::turn_taking_test {
namespace {

using namespace test;
using lines = std::vector<std::string>;

task<> say(turn_seat seat, int times, lines* log) {
  for (int i = 0; i < times; ++i) {
    const bool mine = co_await seat.wait();
    if (!mine) break;
    log->push_back(std::string(seat.name()) + std::to_string(i));
    seat.pass();
  }
}

TEST(TurnTaking, TwoPartiesAlternate) {
  one_worker sys;
  turn_taking table({"ping", "pong"});
  lines log;
  const auto pong = sys.spawn(say, table.seat("pong"), 3, &log);
  const auto ping = sys.spawn(say, table.seat("ping"), 3, &log);
  ping.wait();
  pong.wait();
  EXPECT_EQ(log, (lines{"ping0", "pong0", "ping1", "pong1", "ping2", "pong2"}));
  EXPECT_TRUE(table.over());
}

TEST(TurnTaking, WhoIsLeftPlaysOn) {
  one_worker sys;
  turn_taking table(3);
  lines log;
  for (std::size_t i = 0; i < 3; ++i) sys.spawn(say, table.seat(i), static_cast<int>(i) + 1, &log);
  (void)sys.run(settle);
  EXPECT_EQ(log, (lines{"00", "10", "20", "11", "21", "22"}));
}

task<> take_turn(turn_seat seat, std::optional<bool>* got) { got->emplace(co_await seat.wait()); }
task<> take_turn_for(turn_seat seat, duration limit, std::optional<result<void>>* got) {
  got->emplace(co_await seat.wait_for(limit));
}
/// Holds its turn until it is cancelled.
task<> hold(turn_seat seat) {
  while (auto turn = co_await seat.wait()) co_await sleep_for(1h);
}

TEST(TurnTaking, TheFirstSeatBegins) {
  one_worker sys;
  turn_taking table(2);
  std::optional<bool> got;
  EXPECT_EQ(table.holder(), 0U);
  sys.spawn(take_turn, table.seat(0), &got).wait();
  EXPECT_EQ(got, true);
  EXPECT_EQ(table.holder(), 1U);
}

TEST(TurnTaking, AWaitTimesOut) {
  timed_system t;
  turn_taking table(2);
  std::optional<result<void>> got;
  const auto waiter = t.sys.spawn(take_turn_for, table.seat(1), duration(1s), &got);
  await_wait(t.sys, waiter, "turn");
  t.advance(999ms);
  EXPECT_FALSE(got);
  t.advance(2ms);
  waiter.wait();
  ASSERT_TRUE(got && !*got);
  EXPECT_TRUE(got->error().is(errc::timed_out));
  EXPECT_EQ(t.sys.live_timers(), 0U);
}

TEST(TurnTaking, ACancelledPartyLeaves) {
  one_worker sys;
  turn_taking table(3);
  const auto second = sys.spawn(hold, table.seat(1));
  std::optional<bool> got;
  const auto third = sys.spawn(take_turn, table.seat(2), &got);
  EXPECT_EQ(cancel_in(sys, second, "turn").kind(), exit_kind::cancelled);
  EXPECT_FALSE(table.parties()[1].present);
  { auto first = table.seat(0); }
  third.wait();
  EXPECT_EQ(got, true);
}

TEST(TurnTaking, AKilledHolderGivesItsTurnOn) {
  one_worker sys;
  turn_taking table(2);
  std::optional<bool> got;
  const auto holder = sys.spawn(hold, table.seat(0));
  const auto next = sys.spawn(take_turn, table.seat(1), &got);
  await_wait(sys, next, "turn");
  EXPECT_EQ(kill_in(sys, holder, "sleep").kind(), exit_kind::killed);
  next.wait();
  EXPECT_EQ(got, true);
}

TEST(TurnTaking, AKilledWaiterIsPassedOver) {
  one_worker sys;
  turn_taking table(3);
  const auto holder = sys.spawn(hold, table.seat(0));
  const auto second = sys.spawn(hold, table.seat(1));
  std::optional<bool> got;
  const auto third = sys.spawn(take_turn, table.seat(2), &got);
  EXPECT_EQ(kill_in(sys, second, "turn").kind(), exit_kind::killed);
  await_wait(sys, third, "turn");
  kill_in(sys, holder, "sleep");
  third.wait();
  EXPECT_EQ(got, true);
}

TEST(TurnTaking, FinishEndsEveryWait) {
  one_worker sys;
  turn_taking table(3);
  std::optional<bool> a, b;
  const auto second = sys.spawn(take_turn, table.seat(1), &a);
  const auto third = sys.spawn(take_turn, table.seat(2), &b);
  await_wait(sys, second, "turn");
  await_wait(sys, third, "turn");
  table.finish();
  second.wait();
  third.wait();
  EXPECT_EQ(a, false);
  EXPECT_EQ(b, false);
  EXPECT_EQ(table.holder(), std::nullopt);
}

TEST(TurnTaking, SeatsThatWereNeverTakenLeaveWithTheTable) {
  one_worker sys;
  std::optional<turn_taking> table(std::in_place, std::size_t{3});
  std::optional<bool> got;
  const auto third = sys.spawn(take_turn, table->seat(2), &got);
  await_wait(sys, third, "turn");
  table.reset();
  third.wait();
  EXPECT_EQ(got, true);
}

task<> skip_some(std::vector<turn_seat> seats, std::vector<std::size_t>* order) {
  const std::vector<std::size_t> skips{0, 1, 2, 3, 4};
  std::size_t holder = 0;
  for (const auto k : skips) {
    EXPECT_TRUE(co_await seats[holder].wait());
    EXPECT_TRUE(seats[holder].skip(k));
    for (holder = 0; !seats[holder].mine();) ++holder;
    order->push_back(holder);
  }
}

TEST(TurnTaking, SkipPassesOverParties) {
  one_worker sys;
  turn_taking table(4);
  std::vector<turn_seat> seats;
  for (std::size_t i = 0; i < 4; ++i) seats.push_back(table.seat(i));
  std::vector<std::size_t> order;
  EXPECT_TRUE(sys.run(skip_some, std::move(seats), &order));
  EXPECT_EQ(order, (std::vector<std::size_t>{1, 3, 2, 2, 3}));
}

task<> pass_wrongly(turn_taking* table) {
  auto first = table->seat(0);
  auto second = table->seat(1);
  EXPECT_TRUE(second.pass().error().is(errc::invalid_argument));
  const auto early = first.pass(); // it has not waited
  EXPECT_EQ(early.error().message(), "turn_taking: pass by 'a': it has not taken up a turn (the turn is with 'a'); "
                                     "wait() first");
  EXPECT_TRUE(co_await first.wait());
  EXPECT_TRUE(co_await first.wait()) << "the turn is still in hand";
  EXPECT_TRUE(first.pass());
  EXPECT_TRUE(first.pass().error().is(errc::invalid_argument)) << "twice";
  EXPECT_EQ(first.info().turns, 1U);
  table->finish();
  EXPECT_TRUE(second.pass().error().is(errc::closed));
  EXPECT_FALSE(co_await second.wait());
}
TEST(TurnTaking, OnlyTheHolderPasses) {
  one_worker sys;
  turn_taking table({"a", "b"});
  EXPECT_TRUE(sys.run(pass_wrongly, &table));
}

TEST(TurnTaking, MisuseIsNamed) {
  turn_taking table({"a", "b"});
  EXPECT_THROW((void)table.seat(2), usage_error);
  EXPECT_THROW((void)table.seat("c"), usage_error);
  auto taken = table.seat("a");
  EXPECT_THROW((void)table.seat(0), usage_error);
  taken.leave();
  EXPECT_THROW(taken.pass(), usage_error);
  EXPECT_THROW(turn_taking(std::size_t{0}), usage_error);
  EXPECT_THROW(turn_taking(2, {.limit = 0s}), usage_error);
}

task<> sleep_on_its_turn(turn_seat seat, duration nap, std::optional<errc>* passed_as) {
  EXPECT_TRUE(co_await seat.wait());
  co_await sleep_for(nap);
  const auto p = seat.pass();
  passed_as->emplace(p ? errc{} : p.error().code());
  while (auto turn = co_await seat.wait()) seat.pass();
}

TEST(TurnTaking, ALimitTakesTheTurnFromAPartyThatHangs) {
  timed_system t;
  turn_taking table(2, {.limit = 1s});
  std::optional<errc> late;
  std::optional<bool> got;
  const auto first = t.sys.spawn(sleep_on_its_turn, table.seat(0), duration(5s), &late);
  await_wait(t.sys, first, "sleep");
  const auto second = t.sys.spawn(take_turn, table.seat(1), &got);
  await_wait(t.sys, second, "turn");
  t.advance(999ms);
  EXPECT_FALSE(got);
  t.advance(2ms);
  second.wait();
  EXPECT_EQ(got, true);
  EXPECT_EQ(table.parties()[0].timed_out, 1U);
  t.advance(5s);
  EXPECT_EQ(late, errc::timed_out) << "the late pass is told, and ignored";
  table.finish();
  first.wait();
}

TEST(TurnTaking, ALateHolderIsToldEvenIfNobodyWaited) {
  timed_system t;
  turn_taking table(2, {.limit = 1s});
  auto absent = table.seat(1);
  std::optional<errc> late;
  const auto first = t.sys.spawn(sleep_on_its_turn, table.seat(0), duration(2s), &late);
  await_wait(t.sys, first, "sleep");
  t.advance(2001ms);
  EXPECT_EQ(late, errc::timed_out);
  EXPECT_TRUE(absent.mine());
  t.advance(1001ms); // who does not come loses the turn too
  EXPECT_EQ(absent.info().timed_out, 1U);
  table.finish();
  first.wait();
}

// -- the order, against a model -----------------------------------------------------------------------

/// The rules, said as simply as possible.
struct model {
  explicit model(std::size_t n) : present(n, true) {}
  void move_on(std::size_t skips) {
    for (auto left = skips + 1; left > 0;) {
      holder = (holder + 1) % present.size();
      if (present[holder]) --left;
    }
    ++turn;
  }
  bool over() const { return std::find(present.begin(), present.end(), true) == present.end(); }
  std::vector<bool> present;
  std::size_t holder = 0;
  std::uint64_t turn = 1;
};

enum class move_kind { pass, skip, leave };
/// What the holder of a turn does, the same for the players and the model.
std::pair<move_kind, std::size_t> move_at(std::uint64_t seed, std::uint64_t turn) {
  std::minstd_rand d(static_cast<std::minstd_rand::result_type>(seed * 7919 + turn * 104'729));
  d.discard(3);
  const auto n = d() % 100;
  if (n < 70) return {move_kind::pass, 0};
  if (n < 96) return {move_kind::skip, d() % 9};
  return {move_kind::leave, 0};
}

struct game_log {
  std::atomic<int> holders{0};
  std::atomic<int> clashes{0};
  std::vector<std::pair<std::uint64_t, std::size_t>> turns; // written by the holder only
};

task<> play(turn_seat seat, std::size_t index, std::uint64_t seed, std::uint64_t last_turn, game_log* log) {
  while (auto turn = co_await seat.wait()) {
    if (log->holders.fetch_add(1) != 0) ++log->clashes;
    log->turns.emplace_back(turn.number(), index);
    if (turn.number() % 3 == 0) co_await yield();
    const auto [kind, skips] = move_at(seed, turn.number());
    log->holders.fetch_sub(1);
    if (turn.number() == last_turn) seat.finish();
    if (kind == move_kind::leave) co_return;
    if (turn.number() != last_turn) {
      EXPECT_TRUE(kind == move_kind::pass ? seat.pass() : seat.skip(skips));
    }
  }
}

class TurnOrder : public testing::TestWithParam<std::size_t> {};

TEST_P(TurnOrder, FollowsTheModelWithPassesSkipsAndLeaves) {
  const auto parties = GetParam();
  const auto seed = from_environment("GREENROOM_SEED", std::random_device()());
  std::cout << "seed " << seed << '\n';
  actor_system sys(quiet(1 + parties % 4));
  for (std::uint64_t game = 0; game < 40; ++game) {
    constexpr std::uint64_t last_turn = 60;
    turn_taking table(parties);
    game_log log;
    std::vector<actor> players;
    for (std::size_t i = 0; i < parties; ++i)
      players.push_back(sys.spawn(play, table.seat(i), i, seed + game, last_turn, &log));
    for (auto& p : players) p.wait();
    std::vector<std::pair<std::uint64_t, std::size_t>> expected;
    for (model m(parties); !m.over();) {
      expected.emplace_back(m.turn, m.holder);
      const auto [kind, skips] = move_at(seed + game, m.turn);
      if (m.turn == last_turn) break;
      if (kind == move_kind::leave) m.present[m.holder] = false;
      if (!m.over()) m.move_on(skips);
    }
    ASSERT_EQ(log.turns, expected) << "game " << game;
    EXPECT_EQ(log.clashes, 0);
    EXPECT_TRUE(table.over());
  }
}

/// Time-outs too, with the time in the test's hand: the core against the model, move by move.
TEST_P(TurnOrder, FollowsTheModelWithTimeOuts) {
  const auto parties = GetParam();
  const auto seed = from_environment("GREENROOM_SEED", std::random_device()());
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 d(seed + parties);
  constexpr duration limit = 10s;
  std::vector<std::string> names(parties);
  auto* const core = new detail::turn_core(names, limit);
  model m(parties);
  time_point now{};
  time_point ends = core->end_of_turn(now);
  std::vector<std::uint64_t> taken(parties, 0);
  std::vector<std::uint64_t> late_turns(parties, 0);
  std::vector<std::uint64_t> overdue(parties, 0); // the turn that a time-out took away
  const auto moved = [&] { ends = now + limit; };
  const auto expire = [&] {
    if (now < ends) return;
    ++late_turns[m.holder];
    if (taken[m.holder] == m.turn) overdue[m.holder] = m.turn;
    m.move_on(0);
    moved();
  };
  for (int step = 0; step < 3'000 && !m.over(); ++step) {
    const auto who = d() % parties;
    now += duration(d() % 4 == 0 ? 6s : 0s);
    switch (d() % 16) {
    case 0:
      if (std::count(m.present.begin(), m.present.end(), true) == 1 || d() % 20 != 0) break;
      core->leave(who, now);
      if (!m.present[who]) break;
      m.present[who] = false;
      if (m.holder != who) break;
      m.move_on(0);
      moved();
      break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: {
      const auto skips = d() % 4;
      const auto p = core->pass(who, skips, now);
      expire();
      if (std::exchange(overdue[who], 0) != 0) {
        ASSERT_TRUE(!p && p.error().is(errc::timed_out)) << step;
      } else if (m.holder == who && taken[who] == m.turn) {
        ASSERT_TRUE(p) << step;
        m.move_on(skips);
        moved();
      } else {
        ASSERT_TRUE(!p && p.error().is(errc::invalid_argument)) << step;
      }
      break;
    }
    case 8:
    case 9:
      (void)core->end_of_turn(now);
      expire();
      break;
    default: {
      std::uint64_t won = 0;
      std::unique_lock guard(core->lock());
      const bool settled = core->take_locked(who, won);
      guard.unlock();
      ASSERT_EQ(won, m.present[who] && m.holder == who ? m.turn : 0) << step;
      ASSERT_EQ(settled, won != 0 || !m.present[who]) << step;
      if (won == 0 || taken[who] == m.turn) break;
      taken[who] = m.turn;
      overdue[who] = 0;
    }
    }
    std::size_t holders = 0;
    for (std::size_t i = 0; i < parties; ++i) {
      holders += core->holds(i) ? 1U : 0U;
      ASSERT_EQ(core->info(i).timed_out, late_turns[i]) << step;
    }
    ASSERT_EQ(holders, 1U) << step;
    ASSERT_EQ(core->holder(), m.holder) << step;
  }
  core->release();
}

/// Many threads, real time: parties that hang, leave and are killed. No turn is taken twice.
task<> play_badly(turn_seat seat, std::uint64_t seed, std::atomic<std::uint64_t>* seen, std::uint64_t size) {
  std::minstd_rand d(static_cast<std::minstd_rand::result_type>(seed));
  while (auto turn = co_await seat.wait()) {
    if (turn.number() < size) seen[turn.number()].fetch_add(1);
    if (turn.number() >= size) seat.finish();
    switch (d() % 12) {
    case 0: co_await sleep_for(2ms); break; // longer than a turn may last
    case 1: seat.skip_next(); continue;
    case 2: co_await yield(); break;
    default: break;
    }
    seat.pass();
  }
}

std::uint64_t turns_taken(const turn_taking& table) {
  std::uint64_t sum = 0;
  for (const auto& p : table.parties()) sum += p.turns;
  return sum;
}

TEST_P(TurnOrder, NoTurnIsTakenTwiceWhenPartiesHangAndDie) {
  const auto parties = GetParam();
  const auto seed = from_environment("GREENROOM_SEED", std::random_device()());
  std::cout << "seed " << seed << '\n';
  actor_system sys(quiet(1 + parties % 4));
  constexpr std::uint64_t turns = 600;
  std::vector<std::atomic<std::uint64_t>> seen(turns);
  turn_taking table(parties, {.limit = 1ms});
  std::vector<actor> players;
  for (std::size_t i = 0; i < parties; ++i)
    players.push_back(sys.spawn(play_badly, table.seat(i), seed + i, seen.data(), turns));
  if (parties > 3) {
    while (turns_taken(table) < turns / 6 && !table.over()) std::this_thread::yield();
    players[1].kill();
    players[2].cancel();
  }
  for (auto& p : players) p.wait();
  for (const auto& n : seen) EXPECT_LE(n, 1U);
  EXPECT_TRUE(table.over());
  while (sys.live_actors() != 0) std::this_thread::yield();
  EXPECT_EQ(sys.live_timers(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Parties, TurnOrder, testing::Range<std::size_t>(2, 8));

} // namespace
} // namespace greenroom::turn_taking_test
