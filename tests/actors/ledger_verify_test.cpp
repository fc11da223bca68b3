#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/ledger_verify.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/actors/ledger_state.hpp>
#include <greenroom/tests/actors/journal_kit.hpp>

namespace greenroom::money::ledger_verify_test {
namespace {

/// A ledger without an actor: each order is a transaction of its own.
struct books {
  explicit books(const std::string& file = ":memory:") : log(open_sqlite_journal(file).value()) {}

  template <class M>
  std::uint64_t does(const M& order) {
    EXPECT_TRUE(log->begin());
    changes<ledger_state> to(state, *log);
    const auto done = state.decide(order, to);
    EXPECT_TRUE(log->commit());
    if (!done) return ADD_FAILURE() << done.error().message(), 0;
    if (!*done) ++refused;
    return *done ? (**done).number : 0;
  }
  void save() { EXPECT_TRUE(log->save_snapshot({log->last(), state.save()})); }

  std::unique_ptr<journal> log;
  ledger_state state;
  int refused = 0;
};

/// 1-4: the accounts; 5: 100 from world to a; 6: 30 from a to b; 7: 20 of a held for b; 8: 15 of it captured; 9: 10 held; 10: released;
/// 11: the transfer 6 reversed; 12: d, which is closed by 13. A snapshot of record 9.
void fill(books& b) {
  b.does(open_account{"o1", "world", "EUR", true});
  b.does(open_account{"o2", "a", "EUR"});
  b.does(open_account{"o3", "b", "EUR"});
  b.does(open_account{"o4", "dollars", "USD", true});
  b.does(transfer{"t5", "world", "a", 100});
  b.does(transfer{"t6", "a", "b", 30, "tea"});
  b.does(hold{"h7", "a", "b", 20});
  b.does(capture_hold{"c8", 7, 15});
  b.does(hold{"h9", "a", "b", 10});
  b.save();
  b.does(release_hold{"r10", 9});
  b.does(reverse_transfer{"v11", 6});
  b.does(open_account{"o12", "d", "EUR"});
  b.does(close_account{"x13", "d"});
  EXPECT_TRUE(b.log->set_cursor("mail", 11));
  EXPECT_EQ(b.refused, 0);
  EXPECT_EQ(b.log->last(), 13U);
}

std::string all_of(const ledger_verdict& v) {
  std::string text;
  for (const auto& one : v.first) text += std::to_string(one.record) + ": " + one.text + "\n";
  return text;
}

TEST(VerifyLedger, FindsASoundOneSoundAndCountsIt) {
  books b;
  fill(b);
  const auto v = verify_ledger(*b.log);
  ASSERT_TRUE(v) << v.error().message();
  EXPECT_TRUE(v->sound()) << all_of(*v);
  EXPECT_EQ(v->records, 13U);
  EXPECT_EQ(v->opened, 5U);
  EXPECT_EQ(v->closed, 1U);
  EXPECT_EQ(v->transfers, 2U);
  EXPECT_EQ(v->reversals, 1U);
  EXPECT_EQ(v->holds, 2U);
  EXPECT_EQ(v->captures, 1U);
  EXPECT_EQ(v->releases, 1U);
  EXPECT_EQ(v->open_holds, 0U);
  EXPECT_EQ(v->snapshot, 9U);
  ASSERT_EQ(v->readers.size(), 1U);
  EXPECT_EQ(v->readers[0].name, "mail");
  EXPECT_EQ(v->readers[0].number, 11U);
  ASSERT_EQ(v->totals.size(), 2U);
  EXPECT_EQ(v->totals[0].currency, "EUR");
  EXPECT_EQ(v->totals[0].accounts, 4U);
  EXPECT_EQ(v->totals[0].sum, 0);
}

TEST(VerifyLedger, FindsAnEmptyOneSound) {
  books b;
  const auto v = verify_ledger(*b.log);
  ASSERT_TRUE(v);
  EXPECT_TRUE(v->sound());
  EXPECT_EQ(v->records, 0U);
}

TEST(VerifyLedger, FindsWhateverALedgerWritesSound) {
  ledger_verdict all;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 draw(seed);
    const auto below = [&draw](unsigned n) { return static_cast<int>(draw() % n); };
    books b;
    const char* names[] = {"world", "a", "b", "c", "usd world", "d"};
    for (int i = 0; i < 6; ++i)
      b.does(open_account{"o" + std::to_string(i), names[i], i < 4 ? "EUR" : "USD", i % 4 == 0});
    for (int i = 0; i < 300; ++i) {
      const auto key = "k" + std::to_string(below(10) == 0 ? below(300) : i); // some twice
      const auto other = static_cast<std::uint64_t>(1 + below(static_cast<unsigned>(b.log->last())));
      switch (below(6)) {
      case 0: b.does(hold{key, names[below(6)], names[below(6)], 1 + below(50)}); break;
      case 1: b.does(capture_hold{key, other, below(30)}); break;
      case 2: b.does(release_hold{key, other}); break;
      case 3: b.does(reverse_transfer{key, other}); break;
      default: b.does(transfer{key, names[below(6)], names[below(6)], 1 + below(100)}); break;
      }
      if (i == 100 + below(150)) b.save();
    }
    EXPECT_GT(b.refused, 20) << "some orders are to be refused";
    const auto v = verify_ledger(*b.log);
    ASSERT_TRUE(v);
    EXPECT_TRUE(v->sound()) << all_of(*v);
    for (const auto n : {&ledger_verdict::transfers, &ledger_verdict::reversals, &ledger_verdict::holds,
                         &ledger_verdict::captures, &ledger_verdict::releases, &ledger_verdict::open_holds})
      all.*n += (*v).*n;
  }
  for (const auto n : {&ledger_verdict::transfers, &ledger_verdict::reversals, &ledger_verdict::holds,
                       &ledger_verdict::captures, &ledger_verdict::releases, &ledger_verdict::open_holds})
    EXPECT_GT(all.*n, 20U) << "of each kind there were some";
}

// -- damage by hand -------------------------------------------------------------------------------------------------------

struct Damaged : testing::Test {
  void SetUp() override {
    auto name = (std::filesystem::temp_directory_path() / "greenroom_verify_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    books b((folder / "good.db").string());
    fill(b);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// What is found in a copy after these statements, a line for each violation.
  std::string found_after(const std::string& sql, std::uint64_t* count = nullptr) {
    const auto file = folder / "bad.db";
    std::filesystem::copy_file(folder / "good.db", file, std::filesystem::copy_options::overwrite_existing);
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
    char* why = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    EXPECT_GT(sqlite3_total_changes(db), 0) << sql;
    sqlite3_free(why);
    sqlite3_close(db);
    auto log = open_sqlite_journal(file);
    if (!log) return std::string(log.error().message());
    const auto v = verify_ledger(**log, 100);
    if (!v) return "cannot be read: " + std::string(v.error().message());
    EXPECT_EQ(v->sound(), v->first.empty());
    EXPECT_EQ(v->violations, v->first.size());
    if (count != nullptr) *count = v->violations;
    return all_of(*v);
  }
  /// Changes fields of a record, between tabs: what from to amount asked of from_balance to_balance currency may_be_negative note.
  static std::string replace(int record, const std::string& from, const std::string& to) {
    return "UPDATE records SET content = replace(content, '" + from + "', '" + to +
           "') WHERE number = " + std::to_string(record);
  }

  std::filesystem::path folder;
};

constexpr const char* tab = "\t";

TEST_F(Damaged, NamesEachKindOfViolationAtItsRecord) {
  const auto t = std::string(tab);
  struct row {
    std::string sql;
    const char* first; // the first line begins so
  };
  const row rows[] = {
      {"DELETE FROM records WHERE number = 9; DELETE FROM tags WHERE number = 9",
       "10: the record 9 before it is missing\n"},
      {"UPDATE records SET number = number + 10 WHERE number > 12; UPDATE tags SET number = number + 10 WHERE number > "
       "12",
       "23: the records 13 to 22 before it are missing\n"},
      {"UPDATE records SET content = 'scribble' WHERE number = 6", "6: it is none that a ledger writes: 'scribble'\n"},
      {"UPDATE records SET key = NULL WHERE number = 6", "6: it has no key"},
      {"UPDATE records SET tags = 'a' WHERE number = 6; DELETE FROM tags WHERE number = 6 AND tag = 'b'",
       "6: it is found by 'a', and concerns 'a', 'b'\n"},
      {"DELETE FROM tags WHERE number = 6 AND tag = 'b'", "0: '"}, // ... is damaged: the list of tags
      {replace(6, t + "30" + t + "30", t + "31" + t + "31"),
       "6: it says that 'a' has 70 EUR behind it, and 69 is right\n"},
      {replace(6, t + "70" + t + "30" + t, t + "70" + t + "31" + t),
       "6: it says that 'b' has 31 EUR behind it, and 30 is right\n"},
      {replace(6, "a" + t + "b", "a" + t + "ghost"), "6: it is found by"},
      {replace(6, "EUR", "USD"), "6: it is in USD, and the account 'a' has EUR\n"},
      {replace(5, "world" + t + "a", "world" + t + "dollars"), "5: it is found by"},
      {replace(5, t + "100" + t + "100", t + "10" + t + "10"),
       "5: it says that 'world' has -100 EUR behind it, and -10 is right\n"},
      {replace(1, "EUR" + t + "1", "EUR" + t + "0"),
       "5: 'world' is overdrawn by it: it has a balance of -100 EUR, 0 of it held"},
      {replace(8, t + "15" + t + "15", t + "25" + t + "25"), "8: its amount is 25, and that of hold 7 is 20\n"},
      {replace(8, t + "7" + t, t + "5" + t), "8: it ends hold 5, which is not there, or has ended\n"},
      {replace(11, t + "6" + t, t + "7" + t), "11: it is found by"},
      {replace(3, "b", "a"), "3: it is found by"},
      {replace(12, "d" + t, "a" + t), "12: it is found by"},
      {replace(13, "close" + t + "d", "close" + t + "a"), "13: it is found by"},
      {replace(6, "transfer", "gift"), "6: a ledger knows no 'gift'\n"},
      {"UPDATE snapshots SET content = replace(content, '55', '56')",
       "9: the snapshot of it is not what the records give: it says 'account"},
      {"UPDATE snapshots SET content = 'scribble'",
       "9: the snapshot of it is not what the records give: it says 'scribble' where"},
      {"UPDATE snapshots SET number = 20", "0: the snapshot is of record 20, and the last one is 13\n"},
      {"UPDATE cursors SET number = 14", "0: the reader 'mail' is done with record 14, and the last one is 13\n"},
  };
  for (const auto& r : rows) {
    const auto found = found_after(r.sql);
    EXPECT_TRUE(found.starts_with(r.first)) << r.sql << "\nfound:\n" << found;
  }
}

TEST_F(Damaged, SaysWhatFollowsFromOneFaultOnceOnly) {
  std::uint64_t count = 0;
  // The amount of one transfer: both balances do not follow, and the sum of amounts is not what is said in the end; later records are right by the balances before them.
  auto found = found_after(replace(6, "\t30\t30", "\t31\t31"), &count);
  EXPECT_LE(count, 5U) << found; // two balances, the reversal, two ends
  EXPECT_EQ(found.find("10: "), std::string::npos) << found;
  // One balance: it alone, as what comes behind follows from all amounts.
  found = found_after(replace(6, "\t70\t30\t", "\t71\t30\t"), &count);
  EXPECT_EQ(count, 1U) << found;
}

TEST_F(Damaged, FindsDoubleEndsOfHoldsAndDoubleReversals) {
  const auto again = [](int record, const char* key) {
    return "INSERT INTO records SELECT 14, written_at, '" + std::string(key) +
           "', tags, content FROM records WHERE number = " + std::to_string(record) +
           "; INSERT INTO tags SELECT tag, 14 FROM tags WHERE number = " + std::to_string(record);
  };
  auto found = found_after(again(10, "new"));
  EXPECT_TRUE(found.starts_with("14: it ends hold 9, which is not there, or has ended\n")) << found;
  found = found_after(again(11, "new"));
  EXPECT_TRUE(found.starts_with("14: it reverses transfer 6 once more\n")) << found;
  found = found_after(again(2, "new"));
  EXPECT_TRUE(found.starts_with("14: it opens the account 'a', which is there already\n")) << found;
  found = found_after(again(13, "new"));
  EXPECT_TRUE(found.starts_with("14: it closes the account 'd' once more\n")) << found;
}

TEST_F(Damaged, FindsAnAccountThatWasClosedWithMoney) {
  const auto found = found_after("INSERT INTO records VALUES(14, 1, 'new', 'b', "
                                 "'close\tb\t\t0\t0\t0\t0\t0\tEUR\t0\t'); INSERT INTO tags VALUES('b', 14)");
  EXPECT_TRUE(found.starts_with("14: it closes the account 'b', which has a balance of 15 EUR\n")) << found;
}

TEST_F(Damaged, KeepsTheFirstOfManyViolationsAndCountsAll) {
  const auto file = folder / "good.db";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "UPDATE records SET content = 'x'", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  auto log = open_sqlite_journal(file);
  ASSERT_TRUE(log);
  const auto v = verify_ledger(**log, 3);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->first.size(), 3U);
  EXPECT_EQ(v->violations, 13U);
  EXPECT_FALSE(v->sound());
}

} // namespace
} // namespace greenroom::money::ledger_verify_test
#endif
