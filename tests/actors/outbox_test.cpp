#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/outbox.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ledger.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/actors/lossy_disk.hpp>

namespace greenroom::outbox_test {
namespace {

using namespace std::chrono_literals;
using test::lossy_disk;

struct note {
  std::string text;
  using reply = std::uint64_t;
};

/// A state that only writes down what it is told.
struct notes {
  result<void> apply(const journal_record&) { return {}; }
  std::string save() const { return "none"; }
  static result<notes> load(std::string_view) { return notes(); }
  result<std::uint64_t> decide(const note& n, changes<notes>& to) const { return to.append({.content = n.text}); }
};

/// Who is told, and when it was.
struct listener {
  std::vector<std::uint64_t> heard;
  std::vector<std::int64_t> tries; // Units: milliseconds since the first
  time_point first{};
  std::size_t failures = 0; // of the deliveries to come, so many fail
  bool by_exception = false;
};

task<result<void>> hear(listener* who, journal_record r) {
  const auto now = this_actor::system().now();
  if (who->tries.empty()) who->first = now;
  who->tries.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - who->first).count());
  if (who->failures != 0) {
    --who->failures;
    if (who->by_exception) throw std::runtime_error("the line is cut");
    co_return error(errc::upstream, "nobody is there");
  }
  who->heard.push_back(r.number);
  co_return result<void>();
}

auto to(listener* who) {
  return [who](journal_record r) { return hear(who, std::move(r)); };
}

/// A disk with the notes on it, and a life of the program that writes some and tells a listener.
struct Outbox : testing::Test {
  struct life {
    lossy_disk* disk;
    listener* who;
    outbox_options how = {};
    int notes = 0;         // written
    std::size_t until = 0; // so many were heard
    std::vector<std::uint64_t>* acknowledged = nullptr;
  };

  static task<> live(life l) {
    const auto name = l.disk->name();
    event_sourced<notes> log(this_actor::system(), [name] { return open_sqlite_journal("notes", name); });
    const auto deliver = to(l.who);
    const auto mail = start_outbox(this_actor::system(), log, l.how, deliver);
    for (int i = 0; i < l.notes; ++i) {
      const note n{"n"};
      const auto number = co_await log.tell(n, 60s);
      if (number && l.acknowledged != nullptr) l.acknowledged->push_back(*number);
    }
    while (l.who->heard.size() < l.until) co_await sleep_for(1ms);
    mail.cancel();
    co_await mail.join();
  }

  void lives(life l) {
    testkit::simulation world;
    testkit::random_schedule by(7);
    l.disk = &disk;
    const auto r = world.run(by, live, l);
    EXPECT_TRUE(r.passed()) << r.why;
  }

  lossy_disk disk;
  listener who;
};

TEST_F(Outbox, DeliversInOrderWhatWasThereAndWhatComes) {
  lives({.disk = {}, .who = &who, .notes = 3, .until = 3});
  lives({.disk = {}, .who = &who, .notes = 2, .until = 5});
  EXPECT_EQ(who.heard, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(Outbox, GivesEachReaderAllRecordsFromTheFirst) {
  listener other;
  lives({.disk = {}, .who = &who, .how = {.reader = "one"}, .notes = 3, .until = 3});
  lives({.disk = {}, .who = &other, .how = {.reader = "two"}, .until = 3});
  EXPECT_EQ(other.heard, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(Outbox, TriesAgainAfterLongerAndLongerPausesUntilItIsTaken) {
  who.failures = 6;
  lives({.disk = {}, .who = &who, .how = {.pause = 100ms, .most_pause = 1s}, .notes = 2, .until = 2});
  EXPECT_EQ(who.tries, (std::vector<std::int64_t>{0, 100, 300, 700, 1500, 2500, 3500, 3500}));
  EXPECT_EQ(who.heard, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(Outbox, TakesAnExceptionForAFailure) {
  who.failures = 2;
  who.by_exception = true;
  lives({.disk = {}, .who = &who, .notes = 1, .until = 1});
  EXPECT_EQ(who.tries.size(), 3U);
}

TEST_F(Outbox, GivesUpAfterItsTriesAndGoesOnWithTheNext) {
  std::string given_up;
  who.failures = 3;
  const auto note_it = [&given_up](const journal_record& r, const error& why) {
    given_up += std::to_string(r.number) + " " + std::string(why.message());
  };
  lives({.disk = {}, .who = &who, .how = {.tries = 3, .given_up = note_it}, .notes = 2, .until = 1});
  EXPECT_EQ(who.heard, (std::vector<std::uint64_t>{2}));
  EXPECT_TRUE(given_up.starts_with("1 ")) << given_up;
  EXPECT_NE(given_up.find("nobody is there"), std::string::npos) << given_up;
}

TEST_F(Outbox, WaitsThroughDaysInWhichNothingHappens) {
  const auto quiet_days = [](lossy_disk* d, listener* l) -> task<> {
    const auto name = d->name();
    event_sourced<notes> log(this_actor::system(), [name] { return open_sqlite_journal("notes", name); });
    const auto deliver = to(l);
    const auto mail = start_outbox(this_actor::system(), log, outbox_options{}, deliver);
    co_await sleep_for(48h);
    const note n{"n"};
    const auto written = co_await log.tell(n, 60s);
    EXPECT_TRUE(written);
    while (l->heard.empty()) co_await sleep_for(1ms);
    mail.cancel();
    co_await mail.join();
  };
  testkit::simulation world;
  testkit::random_schedule by(7);
  const auto r = world.run(by, +quiet_days, &disk, &who);
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_EQ(who.heard.size(), 1U);
}

TEST(ReadRecords, RefusesAPlaceThatNoRecordHas) {
  const auto log = open_sqlite_journal(":memory:").value();
  const auto got = read_records{"me", 1}.of(*log);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message(), "the reader 'me' says that it is done with record 1, but the last one is 0");
}

// The power fails at a random moment: all that was acknowledged is told in the end, in order, and at most one batch of it twice.
TEST_F(Outbox, TellsAllThatWasAcknowledgedThoughThePowerFails) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    lossy_disk power(seed);
    listener ear;
    std::vector<std::uint64_t> acknowledged;
    const auto cut_short = [](lossy_disk* d, listener* l, std::vector<std::uint64_t>* acked) -> task<> {
      const auto name = d->name();
      event_sourced<notes> log(this_actor::system(), [name] { return open_sqlite_journal("notes", name); });
      const auto deliver = to(l);
      const outbox_options how{.batch = 3};
      const auto mail = start_outbox(this_actor::system(), log, how, deliver);
      while (!d->crashed()) {
        const note n{"n"};
        const auto number = co_await log.tell(n, 1s);
        if (number) acked->push_back(*number);
      }
      mail.cancel();
      co_await mail.join();
    };
    testkit::simulation world;
    testkit::random_schedule by(seed);
    power.crash_after(static_cast<int>(40 + seed * 11 % 200));
    const auto r = world.run(by, +cut_short, &power, &ear, &acknowledged);
    ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
    power.restore();
    const auto before = ear.heard;
    const auto rest = [](lossy_disk* d, listener* l, std::uint64_t last) -> task<> {
      const auto name = d->name();
      event_sourced<notes> log(this_actor::system(), [name] { return open_sqlite_journal("notes", name); });
      const auto deliver = to(l);
      const auto mail = start_outbox(this_actor::system(), log, outbox_options{}, deliver);
      while (last != 0 && (l->heard.empty() || l->heard.back() < last)) co_await sleep_for(1ms);
      mail.cancel();
      co_await mail.join();
    };
    const auto last = acknowledged.empty() ? 0 : acknowledged.back();
    const auto again = world.run(by, +rest, &power, &ear, last);
    ASSERT_TRUE(again.passed()) << "seed " << seed << ": " << again.why;
    std::map<std::uint64_t, int> times;
    for (const auto number : ear.heard) ++times[number];
    std::uint64_t twice = 0;
    for (std::uint64_t number = 1; number <= last; ++number) {
      EXPECT_GE(times[number], 1) << "seed " << seed << ": record " << number << " was never told";
      twice += times[number] > 1;
    }
    EXPECT_LE(twice, 3U) << "seed " << seed;
    EXPECT_TRUE(std::is_sorted(before.begin(), before.end())) << "seed " << seed;
  }
}

TEST_F(Outbox, TellsWhatALedgerHasDone) {
  static std::vector<std::string> told;
  told.clear();
  const auto publish = [](journal_record r) -> task<result<void>> {
    const auto p = money::posting_of(r);
    if (!p) co_return p.error();
    told.push_back(p->what + " " + p->from + " " + p->to + " " + std::to_string(p->moved) + " " + p->currency + " " +
                   p->key);
    co_return result<void>();
  };
  const auto trade = [](lossy_disk* d, task<result<void>> (*tell)(journal_record)) -> task<> {
    const auto name = d->name();
    money::ledger books(event_sourced<money::ledger_state>(this_actor::system(),
                                                           [name] { return open_sqlite_journal("books", name); }));
    const auto mail = start_outbox(this_actor::system(), books.journaled(), {}, tell);
    const money::open_account world{"1", "world", "EUR", true}, ann{"2", "ann", "EUR"};
    const money::transfer pay{"3", "world", "ann", 100}, too_much{"4", "ann", "world", 101};
    const money::hold set_apart{"5", "ann", "world", 60};
    (void)co_await books.tell(world);
    (void)co_await books.tell(ann);
    (void)co_await books.tell(pay);
    (void)co_await books.tell(too_much);
    (void)co_await books.tell(set_apart);
    (void)co_await books.tell(set_apart);
    while (told.size() < 4) co_await sleep_for(1ms);
    mail.cancel();
    co_await mail.join();
  };
  testkit::simulation world;
  testkit::random_schedule by(7);
  const auto r = world.run(by, +trade, &disk, +publish);
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_EQ(told, (std::vector<std::string>{"open world  0 EUR 1", "open ann  0 EUR 2", "transfer world ann 100 EUR 3",
                                            "hold ann world 0 EUR 5"}));
}

} // namespace
} // namespace greenroom::outbox_test
#endif
