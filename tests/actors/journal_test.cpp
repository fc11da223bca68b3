#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/journal.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/actors/lossy_disk.hpp>

namespace greenroom {
namespace {

using namespace test;

struct Journal : testing::Test {
  std::unique_ptr<journal> open() {
    auto made = open_sqlite_journal("j", disk.name());
    if (!made) ADD_FAILURE() << made.error().message();
    return made ? *std::move(made) : nullptr;
  }
  static void put(journal& to, const std::vector<std::string>& contents) {
    ASSERT_TRUE(to.begin());
    for (const auto& content : contents) ASSERT_TRUE(to.append({.content = content}));
    const auto done = to.commit();
    ASSERT_TRUE(done) << done.error().message();
  }
  static std::string all(journal& of, std::uint64_t after = 0) {
    std::string text;
    const auto read = of.replay(after, [&text](const journal_record& r) -> result<void> {
      text += std::to_string(r.number) + r.content + " ";
      return {};
    });
    return read ? text : std::string(read.error().message());
  }
  lossy_disk disk;
};

TEST_F(Journal, KeepsWhatWasCommittedInOrderOverAnEnd) {
  auto j = open();
  put(*j, {"a", "b"});
  put(*j, {"c"});
  j = nullptr;
  j = open();
  EXPECT_EQ(all(*j), "1a 2b 3c ");
  EXPECT_EQ(all(*j, 2), "3c ");
  EXPECT_EQ(j->last(), 3U);
  EXPECT_TRUE(j->verify());
}

TEST_F(Journal, HasNothingOfATransactionThatWasRolledBack) {
  auto j = open();
  put(*j, {"a"});
  ASSERT_TRUE(j->begin());
  EXPECT_EQ(*j->append({.key = "k", .content = "b"}), 2U);
  EXPECT_EQ(j->last(), 2U);
  EXPECT_TRUE(*j->find("k")) << "its own records count already";
  j->rollback();
  EXPECT_EQ(j->last(), 1U);
  EXPECT_FALSE(*j->find("k"));
  put(*j, {"c"});
  EXPECT_EQ(all(*j), "1a 2c ");
}

TEST_F(Journal, FindsByKeyNumberAndTag) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.written_at = 77, .key = "first", .tags = {"x", "y"}, .content = "a"}));
  ASSERT_TRUE(j->append({.tags = {"y"}, .content = "b"}));
  ASSERT_TRUE(j->append({.key = std::string("\0'\xc3\xa9", 4), .tags = {"x"}, .content = std::string("c\0d", 3)}));
  ASSERT_TRUE(j->commit());
  const auto first = j->find("first");
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((**first).written_at, 77);
  EXPECT_EQ((**first).tags, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ((**j->find(std::string_view("\0'\xc3\xa9", 4))).content, std::string("c\0d", 3));
  EXPECT_GT((**j->read(2)).written_at, 1'700'000'000'000);
  EXPECT_FALSE(*j->read(4));
  const auto tagged = [&j](const char* tag, std::uint64_t after, std::size_t limit) {
    std::string text;
    const auto found = j->tagged(tag, after, limit);
    if (!found) return std::string(found.error().message());
    for (const auto& r : *found) text += std::to_string(r.number);
    return text;
  };
  EXPECT_EQ(tagged("x", 0, 9), "13");
  EXPECT_EQ(tagged("y", 0, 1), "1");
  EXPECT_EQ(tagged("y", 1, 9), "2");
  EXPECT_EQ(tagged("z", 0, 9), "");
}

TEST_F(Journal, RefusesAKeyThatIsThereAndGoesOn) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.key = "k", .content = "a"}));
  EXPECT_TRUE(j->append({.key = "k", .content = "b"}).error().is(errc::already_exists));
  ASSERT_TRUE(j->append({.content = "c"}));
  ASSERT_TRUE(j->commit());
  EXPECT_EQ(all(*j), "1a 2c ");
}

TEST_F(Journal, RefusesTagsThatItCouldNotTellApart) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  EXPECT_TRUE(j->append({.tags = {"a\nb"}}).error().is(errc::invalid_argument));
  EXPECT_TRUE(j->append({.tags = {"a", ""}}).error().is(errc::invalid_argument));
  EXPECT_EQ(*j->append({.tags = {"a b", "a"}}), 1U);
  ASSERT_TRUE(j->commit());
  EXPECT_EQ((**j->read(1)).tags, (std::vector<std::string>{"a b", "a"}));
}

TEST_F(Journal, KeepsTheNewestSnapshotAndWhereReadersAre) {
  auto j = open();
  EXPECT_FALSE(*j->snapshot());
  EXPECT_EQ(*j->cursor("mail"), 0U);
  ASSERT_TRUE(j->save_snapshot({3, "old"}));
  ASSERT_TRUE(j->save_snapshot({5, "new"}));
  ASSERT_TRUE(j->set_cursor("mail", 4));
  ASSERT_TRUE(j->set_cursor("audit", 2));
  j = nullptr;
  j = open();
  EXPECT_EQ((**j->snapshot()).number, 5U);
  EXPECT_EQ((**j->snapshot()).content, "new");
  EXPECT_EQ(*j->cursor("mail"), 4U);
}

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
} // namespace greenroom
#endif
