#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/journal.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/actors/journal_kit.hpp>
#include <greenroom/tests/actors/lossy_disk.hpp>

namespace greenroom::journal_test {
namespace {

using namespace test;

struct Journal : testing::Test {
  std::unique_ptr<journal> open() {
    auto made = open_sqlite_journal("j", disk.name());
    if (!made) ADD_FAILURE() << made.error().message();
    return made ? *std::move(made) : nullptr;
  }
  lossy_disk disk;
};

TEST_F(Journal, CommitsWithOneFlushAndWithNoneIfNothingWasAppended) {
  auto j = open();
  put(*j, {"a"}); // makes the log itself
  const auto before = disk.flushes();
  put(*j, {"b", "c", "d"});
  EXPECT_EQ(disk.flushes(), before + 1);
  put(*j, {});
  EXPECT_EQ(disk.flushes(), before + 1);
  EXPECT_EQ(j->flushes(), 2U);
}

TEST_F(Journal, SaysThatTheDiskIsFullAndGoesOnOnceThereIsRoom) {
  auto j = open();
  put(*j, {"a"});
  disk.limit_to(disk.size());
  ASSERT_TRUE(j->begin());
  auto done = j->append({.content = std::string(100'000, 'x')});
  if (done) {
    const auto committed = j->commit();
    ASSERT_FALSE(committed);
    done = committed.error();
  }
  EXPECT_TRUE(done.error().is(errc::io));
  EXPECT_NE(done.error().message().find("full"), std::string_view::npos) << done.error().message();
  j->rollback();
  EXPECT_TRUE(j->usable());
  EXPECT_EQ(all(*j), "1a ");
  disk.limit_to(static_cast<std::size_t>(-1));
  put(*j, {"b"});
  EXPECT_EQ(all(*j), "1a 2b ");
}

TEST_F(Journal, IsNotUsedAnyMoreOnceAFlushHasFailed) {
  auto j = open();
  put(*j, {"a"});
  disk.fail_flushes(true);
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.content = "b"}));
  EXPECT_TRUE(j->commit().error().is(errc::io));
  disk.fail_flushes(false); // it works again, but what is on it is not known
  EXPECT_FALSE(j->usable());
  EXPECT_NE(j->begin().error().message().find("opened anew"), std::string_view::npos);
  EXPECT_FALSE(j->find("k"));
  j = nullptr;
  j = open();
  EXPECT_EQ(all(*j).substr(0, 3), "1a ");
  put(*j, {"c"});
}

TEST_F(Journal, RefusesAnotherDatabase) {
  {
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open_v2("j", &other, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.name().c_str()), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE t(x)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
  }
  const auto refused = open_sqlite_journal("j", disk.name());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::parse)) << refused.error().message();
}

TEST_F(Journal, HasItsFileForItself) {
  const auto folder = std::filesystem::temp_directory_path() / ("greenroom_journal_" + disk.name());
  std::filesystem::create_directory(folder);
  {
    const auto first = open_sqlite_journal(folder / "j.db");
    ASSERT_TRUE(first) << first.error().message();
    const auto second = open_sqlite_journal(folder / "j.db");
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message().find("another process uses it"), std::string_view::npos)
        << second.error().message();
  }
  EXPECT_TRUE(open_sqlite_journal(folder / "j.db"));
  EXPECT_TRUE(open_sqlite_journal(folder / "missing" / "j.db").error().is(errc::io));
  std::filesystem::remove_all(folder);
}

// Whatever is lost in a crash: what was committed is there, and of the rest whole transactions only.
TEST_F(Journal, LosesNothingThatWasCommittedWhenThePowerFails) {
  int crashes = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    lossy_disk power(seed);
    std::mt19937 random(seed);
    std::uint64_t acknowledged = 0, begun = 0;
    power.crash_after(static_cast<int>(1 + random() % 150));
    if (auto j = open_sqlite_journal("j", power.name()); j) {
      while (begun < 300) {
        if (!(*j)->begin()) break;
        const auto more = 1 + random() % 3;
        bool fine = true;
        for (unsigned i = 0; i < more && fine; ++i) fine = (*j)->append({.content = std::to_string(more)}).has_value();
        begun = acknowledged + more;
        if (!fine || !(*j)->commit()) break;
        acknowledged = begun;
      }
    }
    crashes += power.crashed();
    power.restore();
    auto again = open_sqlite_journal("j", power.name());
    ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().message();
    EXPECT_TRUE((*again)->verify()) << "seed " << seed;
    const auto last = (*again)->last();
    EXPECT_TRUE(last == acknowledged || last == begun)
        << "seed " << seed << ": " << last << " of " << acknowledged << " to " << begun;
  }
  EXPECT_GT(crashes, 200);
}

} // namespace
} // namespace greenroom::journal_test
#endif
