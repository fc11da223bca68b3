#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/ledger.hpp>

#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/scope.hpp>
#include <greenroom/tests/actors/lossy_disk.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::money::ledger_test {
namespace {

using namespace greenroom::test;

template <class M>
task<typename M::reply> tell(ledger books, M order) {
  co_return co_await books.tell(std::move(order), 60s);
}

/// A ledger on a disk of its own.
struct Ledger : testing::Test {
  void start(event_sourced_options how = {}) {
    sys = std::make_unique<actor_system>(quiet(2));
    books.emplace(event_sourced<ledger_state>(
        *sys, [name = disk.name()] { return open_sqlite_journal("books", name); }, how));
  }
  void stop() {
    books.reset();
    sys = nullptr;
  }
  template <class M>
  typename M::reply does(M order) {
    return *sys->run(tell<M>, *books, std::move(order));
  }
  template <class M>
  std::string says(M order) {
    const auto done = does(std::move(order));
    return done ? "done" : to_string(done.error().why);
  }
  std::int64_t balance(const char* of) {
    const auto read = does(read_account{of});
    return read ? read->balance : std::numeric_limits<std::int64_t>::min();
  }
  /// Accounts: "world" may be negative; "a" has 100, "b" and "c" nothing; "d" has other money.
  void fill() {
    EXPECT_EQ(says(open_account{"o0", "world", "EUR", true}), "done");
    for (const char* name : {"a", "b", "c"})
      EXPECT_EQ(says(open_account{std::string("o") + name, name, "EUR"}), "done");
    EXPECT_EQ(says(open_account{"od", "d", "USD"}), "done");
    EXPECT_EQ(says(transfer{"t0", "world", "a", 100}), "done");
  }
  bool sums_are_zero() {
    const auto totals = does(read_totals{});
    if (!totals) return false;
    for (const auto& t : *totals) {
      if (t.sum != 0 || t.negative != 0) return false;
    }
    return true;
  }

  lossy_disk disk;
  std::unique_ptr<actor_system> sys;
  std::optional<ledger> books;
};

TEST_F(Ledger, MovesMoneyAndKeepsItOverAnEnd) {
  start();
  fill();
  const transfer order{"t1", "a", "b", 30, "for tea"};
  const auto done = does(order);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->moved, 30);
  EXPECT_FALSE(done->repeated);
  stop();
  start();
  EXPECT_EQ(balance("a"), 70);
  EXPECT_EQ(balance("b"), 30);
  EXPECT_EQ(balance("world"), -100);
  EXPECT_TRUE(sums_are_zero());
}

TEST_F(Ledger, GivesTheFirstAnswerToARepeatedKey) {
  start();
  fill();
  const transfer order{"t1", "a", "b", 30, "for tea"};
  const auto first = does(order);
  stop();
  start();
  const auto again = does(order);
  ASSERT_TRUE(first && again);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->number, first->number);
  EXPECT_EQ(again->moved, 30);
  EXPECT_EQ(balance("b"), 30);
  EXPECT_EQ(says(open_account{"oa", "a", "EUR"}), "done") << "it is there, but this is the order that made it";
  for (const auto& other : {transfer{"t1", "a", "b", 31, "for tea"}, transfer{"t1", "a", "c", 30, "for tea"},
                            transfer{"t1", "a", "b", 30, "for two"}, transfer{"oa", "a", "b", 30, "for tea"}})
    EXPECT_EQ(says(other), "key_reused");
  EXPECT_EQ(says(hold{"t1", "a", "b", 30, "for tea"}), "key_reused");
}

TEST_F(Ledger, SaysWhyItRefuses) {
  start();
  fill();
  EXPECT_EQ(says(transfer{"x", "a", "b", 101}), "insufficient_funds");
  EXPECT_EQ(says(transfer{"x", "a", "b", 0}), "invalid_order");
  EXPECT_EQ(says(transfer{"x", "a", "b", -5}), "invalid_order");
  EXPECT_EQ(says(transfer{"x", "a", "a", 5}), "invalid_order");
  EXPECT_EQ(says(transfer{"", "a", "b", 5}), "invalid_order");
  EXPECT_EQ(says(transfer{std::string(129, 'k'), "a", "b", 5}), "invalid_order");
  EXPECT_EQ(says(transfer{"x\n", "a", "b", 5}), "invalid_order");
  EXPECT_EQ(says(transfer{"x", "a", "b", 5, "tab\tin it"}), "invalid_order");
  EXPECT_EQ(says(transfer{"x", "a", "b", 5, "no utf-8: \xff"}), "invalid_order");
  EXPECT_EQ(says(transfer{"x", "a", "nobody", 5}), "unknown_account");
  EXPECT_EQ(says(transfer{"x", "nobody", "b", 5}), "unknown_account");
  EXPECT_EQ(says(transfer{"x", "a", "d", 5}), "currency_mismatch");
  EXPECT_EQ(says(open_account{"x", "a", "EUR"}), "account_exists");
  EXPECT_EQ(says(open_account{"x", "e", "eur"}), "invalid_order");
  EXPECT_EQ(says(open_account{"x", "", "EUR"}), "invalid_order");
  EXPECT_EQ(says(close_account{"x", "a"}), "account_not_empty");
  EXPECT_EQ(says(reverse_transfer{"x", 2}), "unknown_transfer");
  EXPECT_EQ(says(reverse_transfer{"x", 99}), "unknown_transfer");
  EXPECT_EQ(says(release_hold{"x", 99}), "unknown_hold");
  EXPECT_EQ(says(read_account{"nobody"}), "unknown_account");
  EXPECT_EQ(says(read_statement{"nobody"}), "unknown_account");
  EXPECT_EQ(says(read_statement{"a", 0, 0}), "invalid_order");
  EXPECT_EQ(says(transfer{"x", "a", "b", 5}), "done") << "a refused order has not used up its key";
  const auto refused = does(transfer{"y", "a", "b", 500});
  EXPECT_EQ(refused.error().text, "'a' has 95 EUR available, less than 500");
}

TEST_F(Ledger, RefusesWhatLeavesTheRangeOfAnAmount) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  start();
  fill();
  EXPECT_EQ(says(transfer{"1", "world", "b", most}), "overflow") << "world has -100";
  EXPECT_EQ(says(transfer{"2", "world", "b", most - 100}), "done");
  EXPECT_EQ(says(transfer{"3", "a", "b", 100}), "done");
  EXPECT_EQ(balance("b"), most);
  EXPECT_EQ(says(transfer{"4", "world", "b", 1}), "overflow");
  EXPECT_EQ(says(transfer{"5", "world", "a", 2}), "overflow");
  EXPECT_TRUE(sums_are_zero());
}

TEST_F(Ledger, SetsHeldMoneyApartUntilItIsCapturedOrReleased) {
  start();
  fill();
  const auto first = does(hold{"h1", "a", "b", 60});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->moved, 0);
  EXPECT_EQ(balance("a"), 100);
  EXPECT_EQ(does(read_account{"a"})->held, 60);
  EXPECT_EQ(says(transfer{"x", "a", "c", 41}), "insufficient_funds");
  EXPECT_EQ(says(hold{"x", "a", "c", 41}), "insufficient_funds");
  const auto second = does(hold{"h2", "a", "c", 40});
  ASSERT_TRUE(second);
  stop();
  start();
  EXPECT_EQ(says(capture_hold{"x", first->number, 61}), "hold_exceeded");
  EXPECT_EQ(does(capture_hold{"c1", first->number, 50})->moved, 50);
  EXPECT_TRUE(does(capture_hold{"c1", first->number, 50})->repeated);
  EXPECT_EQ(says(capture_hold{"c2", first->number, 10}), "unknown_hold") << "it has ended";
  EXPECT_EQ(says(close_account{"x", "c"}), "account_not_empty") << "something is held for it";
  EXPECT_EQ(says(release_hold{"r1", second->number}), "done");
  EXPECT_EQ(does(read_account{"a"})->held, 0);
  EXPECT_EQ(balance("a"), 50);
  EXPECT_EQ(balance("b"), 50);
  EXPECT_EQ(says(close_account{"e", "c"}), "done");
  EXPECT_EQ(says(transfer{"x", "a", "c", 1}), "account_closed");
  EXPECT_TRUE(sums_are_zero());
}

TEST_F(Ledger, ReversesATransferOnce) {
  start();
  fill();
  const auto done = does(transfer{"t1", "a", "b", 30});
  ASSERT_TRUE(done);
  EXPECT_EQ(says(transfer{"t2", "b", "c", 10}), "done");
  EXPECT_EQ(says(reverse_transfer{"r0", done->number}), "insufficient_funds") << "b has spent some of it";
  EXPECT_EQ(says(transfer{"t3", "c", "b", 10}), "done");
  EXPECT_EQ(does(reverse_transfer{"r1", done->number})->moved, 30);
  EXPECT_TRUE(does(reverse_transfer{"r1", done->number})->repeated);
  EXPECT_EQ(says(reverse_transfer{"r2", done->number}), "already_reversed");
  EXPECT_EQ(balance("a"), 100);
  const std::string looks_like_one = "reversal of " + std::to_string(done->number + 1);
  EXPECT_EQ(says(open_account{"o", looks_like_one, "EUR"}), "done");
  EXPECT_EQ(says(reverse_transfer{"r3", done->number + 1}), "insufficient_funds") << "not: already reversed";
}

TEST_F(Ledger, StatesEachChangeWithTheBalanceBehindIt) {
  start();
  fill();
  EXPECT_EQ(says(transfer{"t1", "a", "b", 30, "tea"}), "done");
  const auto held = does(hold{"h1", "a", "c", 50});
  EXPECT_EQ(says(capture_hold{"c1", held->number, 20}), "done");
  const auto lines = does(read_statement{"a"});
  ASSERT_TRUE(lines);
  std::string text;
  for (const auto& l : *lines)
    text += l.what + " " + l.other + " " + std::to_string(l.change) + " " + std::to_string(l.balance) + "; ";
  EXPECT_EQ(text, "open  0 0; transfer world 100 100; transfer b -30 70; hold c 0 70; capture c -20 50; ");
  const auto rest = does(read_statement{"a", (*lines)[2].number, 1});
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front().what, "hold");
  EXPECT_EQ((*lines)[2].note, "tea");
}

task<> order_often(ledger books, int client, int times, std::vector<int>* done) {
  for (int i = 0; i < times; ++i) {
    const transfer t{std::to_string(client) + "-" + std::to_string(i), client % 2 == 0 ? "a" : "b",
                     client % 2 == 0 ? "b" : "a", 1 + i % 7};
    const auto answered = co_await books.tell(t, 60s);
    if (answered) ++(*done)[static_cast<std::size_t>(client)];
  }
}

TEST_F(Ledger, SharesOneFlushAmongManyClients) {
  constexpr int clients = 64, times = 50;
  start();
  fill();
  EXPECT_EQ(says(transfer{"t1", "world", "b", 100'000}), "done");
  EXPECT_EQ(says(transfer{"t2", "world", "a", 100'000}), "done");
  const auto before = disk.flushes();
  std::vector<int> done(clients);
  std::vector<actor> all;
  for (int c = 0; c < clients; ++c) all.push_back(sys->spawn(order_often, *books, c, times, &done));
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), clients * times);
  EXPECT_LE((disk.flushes() - before) * 20, static_cast<std::uint64_t>(clients * times));
  EXPECT_TRUE(sums_are_zero());
}

TEST_F(Ledger, RefusesWithTheReasonWhileTheDiskIsFullAndLosesNothing) {
  start();
  fill();
  disk.limit_to(disk.size());
  const auto refused = does(transfer{"t1", "a", "b", 30});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, fault::unavailable);
  EXPECT_NE(refused.error().text.find("full"), std::string::npos) << refused.error().text;
  EXPECT_EQ(balance("a"), 100) << "what was not written does not count";
  disk.limit_to(static_cast<std::size_t>(-1));
  EXPECT_EQ(says(transfer{"t1", "a", "b", 30}), "done");
  EXPECT_EQ(balance("a"), 70);
}

TEST_F(Ledger, RefusesEverythingOnceAFlushHasFailedUntilItIsStartedAnew) {
  start();
  fill();
  disk.fail_flushes(true);
  EXPECT_EQ(says(transfer{"t1", "a", "b", 30}), "unavailable");
  disk.fail_flushes(false);
  const auto refused = does(transfer{"t2", "a", "b", 30});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("opened anew"), std::string::npos) << refused.error().text;
  EXPECT_EQ(says(read_account{"a"}), "unavailable");
  stop();
  start();
  const auto again = does(transfer{"t1", "a", "b", 30}); // it may have been done
  ASSERT_TRUE(again);
  EXPECT_EQ(balance("a"), 70);
}

TEST_F(Ledger, IsTheSameFromASnapshotAsFromTheBeginning) {
  start({.snapshot_every = 3});
  fill();
  const auto held = does(hold{"h1", "a", "c", 50});
  EXPECT_EQ(says(transfer{"t1", "a", "b", 30, "tea"}), "done");
  EXPECT_EQ(says(transfer{"t2", "b", "c", 10}), "done");
  stop();
  auto log = open_sqlite_journal("books", disk.name());
  ASSERT_TRUE(log);
  const auto snapshot = (*log)->snapshot();
  ASSERT_TRUE(snapshot && *snapshot) << "one was due";
  ledger_state whole;
  EXPECT_TRUE((*log)->replay(0, [&whole](const journal_record& r) { return whole.apply(r); }));
  auto rest = ledger_state::load((**snapshot).content);
  ASSERT_TRUE(rest);
  EXPECT_TRUE((*log)->replay((**snapshot).number, [&rest](const journal_record& r) { return rest->apply(r); }));
  EXPECT_EQ(rest->save(), whole.save());
  EXPECT_NE(whole.save().find("hold\t"), std::string::npos);
  EXPECT_TRUE(ledger_state::load("account\ta\tEUR\n").error().is(errc::parse));
  EXPECT_TRUE(whole.apply({.number = 99, .content = "transfer\ta"}).error().is(errc::parse));
}

/// A client that orders until the ledger does not answer; notes what was acknowledged.
struct client_notes {
  std::map<std::string, std::int64_t> acknowledged; // moved, by key
  std::map<std::string, transfer> asked;
};
task<> order_until_it_fails(ledger books, int client, unsigned seed, client_notes* notes) {
  std::mt19937 random(seed * 1'000 + static_cast<unsigned>(client));
  static constexpr const char* names[] = {"a", "b", "c", "world"};
  for (int i = 0; i < 200; ++i) {
    const auto from = random() % 4;
    const transfer t{std::to_string(client) + "-" + std::to_string(i), names[from],
                     names[(from + 1 + random() % 3) % 4], static_cast<std::int64_t>(1 + random() % 40)};
    notes->asked.emplace(t.key, t);
    const auto done = co_await books.tell(t, 60s);
    if (done) notes->acknowledged[t.key] = done->moved;
    if (!done && done.error().why == fault::unavailable) co_return;
  }
}

// The power fails at a random moment under many clients: what was acknowledged is there once, the rest once or not at all, and no money is made or lost.
TEST_F(Ledger, LosesNothingThatWasAcknowledgedWhenThePowerFails) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    lossy_disk power(seed);
    const auto source = [&power] { return open_sqlite_journal("books", power.name()); };
    std::vector<client_notes> notes(8);
    {
      actor_system run(quiet(2));
      const ledger l{event_sourced<ledger_state>(run, source, {.snapshot_every = 20})};
      for (const char* name : {"a", "b", "c"})
        ASSERT_TRUE(*run.run(tell<open_account>, l, open_account{std::string("o") + name, name, "EUR"}));
      ASSERT_TRUE(*run.run(tell<open_account>, l, open_account{"ow", "world", "EUR", true}));
      power.crash_after(static_cast<int>(1 + seed * 7 % 400));
      std::vector<actor> all;
      for (int c = 0; c < 8; ++c)
        all.push_back(run.spawn(order_until_it_fails, l, c, seed, &notes[static_cast<std::size_t>(c)]));
      for (auto& a : all) EXPECT_TRUE(a.wait().normal());
    }
    power.restore();
    actor_system run(quiet(2));
    const ledger l{event_sourced<ledger_state>(run, source)};
    for (auto& n : notes) {
      for (const auto& [key, moved] : n.acknowledged) {
        const auto again = *run.run(tell<transfer>, l, n.asked.at(key));
        ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().text;
        EXPECT_TRUE(again->repeated) << "seed " << seed << ": an acknowledged transfer was lost: " << key;
      }
    }
    const auto totals = *run.run(tell<read_totals>, l, read_totals{});
    ASSERT_TRUE(totals);
    for (const auto& t : *totals) EXPECT_TRUE(t.sum == 0 && t.negative == 0) << "seed " << seed;
  }
}

} // namespace
} // namespace greenroom::money::ledger_test
#endif
