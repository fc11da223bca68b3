#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/journal_copy.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <greenroom/tests/actors/journal_kit.hpp>

namespace greenroom::journal_copy_test {
namespace {

using namespace test;
namespace fs = std::filesystem;

struct JournalCopy : testing::Test {
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "greenroom_copy_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    file = folder / "j.db";
    copies = folder / "copies";
    ASSERT_TRUE(fs::create_directory(copies));
    ::setenv("TMPDIR", copies.c_str(), 1); // where no other process makes any
  }
  void TearDown() override {
    ::unsetenv("TMPDIR");
    fs::remove_all(folder);
  }

  /// All bytes of the journal's files.
  std::string bytes() const {
    std::string all;
    for (const char* end : {"", "-wal", "-shm", "-journal"}) {
      std::ifstream in(file.native() + end, std::ios::binary);
      all += end + (in ? std::string(std::istreambuf_iterator<char>(in), {}) : "none");
    }
    return all;
  }

  fs::path folder, file, copies;
};

TEST_F(JournalCopy, HasWhatWasCommittedWhileTheJournalIsOpenAndChangesNothing) {
  auto j = open_sqlite_journal(file).value();
  put(*j, {"a", "b"});
  ASSERT_TRUE(j->set_cursor("mail", 1));
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.content = "not yet"}));
  const auto before = bytes();
  {
    auto copy = open_sqlite_journal_copy(file);
    ASSERT_TRUE(copy) << copy.error().message();
    EXPECT_EQ(all(**copy), "1a 2b ");
    EXPECT_EQ((*copy)->readers()->at(0).name, "mail");
    EXPECT_TRUE((*copy)->verify());
    put(**copy, {"lost with it"});
  }
  EXPECT_EQ(bytes(), before);
  ASSERT_TRUE(j->commit());
  EXPECT_EQ(all(*j), "1a 2b 3not yet ");
}

TEST_F(JournalCopy, IsNotLeftBehind) {
  put(*open_sqlite_journal(file).value(), {"a"});
  const auto copy = open_sqlite_journal_copy(file);
  ASSERT_TRUE(copy);
  EXPECT_TRUE(fs::is_empty(copies));
  EXPECT_EQ(all(**copy), "1a ");
}

TEST_F(JournalCopy, IsWholeHoweverMuchIsWrittenMeanwhile) {
  auto j = open_sqlite_journal(file).value();
  const std::string content(20'000, 'x');
  std::atomic<std::uint64_t> written{0};
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    for (int i = 0; i < 400 && !enough;
         ++i) { // 1,000 pages of the log are moved into the database at once: every 20th time
      if (!j->begin()) return;
      for (int k = 0; k < 10; ++k) (void)j->append({.tags = {"t"}, .content = content});
      if (j->commit()) written = j->last();
    }
  });
  int taken = 0;
  for (; taken < 25; ++taken) {
    const auto least = written.load();
    const auto copy = open_sqlite_journal_copy(file);
    if (!copy) {
      EXPECT_TRUE(copy.error().is(errc::io)) << copy.error().message(); // it did not come to rest: that is told
      continue;
    }
    EXPECT_GE((*copy)->last(), least);
    EXPECT_EQ((*copy)->last() % 10, 0U) << "no half of a transaction";
    const auto whole = (*copy)->verify();
    EXPECT_TRUE(whole) << whole.error().message();
  }
  enough = true;
  writer.join();
}

TEST_F(JournalCopy, OfNoJournalIsAnErrorThatNamesTheFile) {
  auto none = open_sqlite_journal_copy(file);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().is(errc::not_found));
  EXPECT_FALSE(fs::exists(file)) << "looking makes none";
  std::ofstream(file) << "";
  none = open_sqlite_journal_copy(file);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().is(errc::parse)) << none.error().message();
  std::ofstream(file) << std::string(5'000, 'x');
  none = open_sqlite_journal_copy(file);
  ASSERT_FALSE(none);
  EXPECT_NE(std::string(none.error().message()).find(file.native()), std::string::npos) << none.error().message();
  EXPECT_FALSE(open_sqlite_journal_copy(folder));
}

TEST_F(JournalCopy, OfAFileWithoutItsLogIsAnErrorAndNoEmptyJournal) {
  auto log = open_sqlite_journal(file).value();
  ASSERT_TRUE(log->begin());
  ASSERT_TRUE(log->append({.key = "one"}));
  ASSERT_TRUE(log->commit());
  fs::copy_file(file, folder / "alone.db"); // all of it is still in the log
  const auto alone = open_sqlite_journal_copy(folder / "alone.db");
  ASSERT_FALSE(alone);
  EXPECT_TRUE(alone.error().is(errc::parse)) << alone.error().message();
  EXPECT_NE(alone.error().message().find("was copied without"), std::string_view::npos) << alone.error().message();
}

} // namespace
} // namespace greenroom::journal_copy_test
#endif
