#include <greenroom/runtime/files.hpp>

#include <filesystem>
#include <string>

#include <stdlib.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace greenroom::files_test {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
protected:
  Files() {
    std::string pattern = (fs::temp_directory_path() / "greenroom_files_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder: " << pattern;
    folder_ = pattern;
  }
  ~Files() override { fs::remove_all(folder_); }

  fs::path at(const char* name) const { return folder_ / name; }
  std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator{folder_}, fs::directory_iterator{}); }

  files& files_ = real_files();
  fs::path folder_;
};

TEST_F(Files, WrittenContentIsReadBack) {
  const std::string content{"a\0b\nc", 5};
  ASSERT_TRUE(files_.write_atomically(at("x"), content));
  EXPECT_EQ(files_.read_all(at("x")).value(), content);
}

TEST_F(Files, LongAndEmptyContentIsReadWhole) {
  const std::string content(300'000, 'x');
  ASSERT_TRUE(files_.write_atomically(at("long"), content));
  EXPECT_EQ(files_.read_all(at("long")).value(), content);
  ASSERT_TRUE(files_.write_atomically(at("empty"), ""));
  EXPECT_EQ(files_.read_all(at("empty")).value(), "");
}

TEST_F(Files, FilesThatDoNotKnowTheirSizeAreReadWhole) {
  EXPECT_GT(files_.read_all("/proc/self/maps").value().size(), 100u);
}

TEST_F(Files, ReadingNamesPathAndReason) {
  const auto missing = files_.read_all(at("none"));
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().is(errc::not_found));
  EXPECT_EQ(missing.error().message(), "cannot open: " + at("none").string() + ": No such file or directory");
  const auto folder = files_.read_all(folder_);
  ASSERT_FALSE(folder);
  EXPECT_TRUE(folder.error().is(errc::io));
  EXPECT_EQ(folder.error().message(), "cannot read: " + folder_.string() + ": Is a directory");
}

TEST_F(Files, AtomicWriteReplacesContentKeepsPermissionsAndLeavesNothingElse) {
  ASSERT_TRUE(files_.write_atomically(at("x"), "a longer old content"));
  fs::permissions(at("x"), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(files_.write_atomically(at("x"), "new"));
  EXPECT_EQ(files_.read_all(at("x")).value(), "new");
  EXPECT_EQ(fs::status(at("x")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(entries(), 1);
}

TEST_F(Files, AtomicWriteThatCannotReplaceLeavesNoTemporaryFile) {
  fs::create_directory(at("folder"));
  const auto written = files_.write_atomically(at("folder"), "x");
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().is(errc::io));
  EXPECT_EQ(written.error().message(), "cannot replace: " + at("folder").string() + ": Is a directory");
  EXPECT_EQ(entries(), 1);
}

TEST_F(Files, AtomicWriteIntoAMissingFolderIsNotFound) {
  const auto written = files_.write_atomically(at("none") / "x", "x");
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().is(errc::not_found));
}

TEST_F(Files, AppendCreatesTheFileAndContinuesAtItsEnd) {
  {
    const auto log = files_.open_append(at("log")).value();
    ASSERT_TRUE(log->write("one "));
    ASSERT_TRUE(log->write(""));
    ASSERT_TRUE(log->sync());
  }
  const auto again = files_.open_append(at("log")).value();
  ASSERT_TRUE(again->write("two"));
  EXPECT_EQ(files_.read_all(at("log")).value(), "one two");
}

TEST_F(Files, OpeningAFolderForAppendingFails) {
  const auto opened = files_.open_append(folder_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "cannot open for appending: " + folder_.string() + ": Is a directory");
}

TEST_F(Files, AFailedAppendFailsAllThatFollow) {
  const auto full = files_.open_append("/dev/full");
  if (!full) GTEST_SKIP() << full.error().message();
  const auto first = (*full)->write("x");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().message(), "cannot append: /dev/full: No space left on device");
  const auto second = (*full)->sync();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), "cannot sync: /dev/full: an earlier write or sync failed: open the file again");
}

TEST_F(Files, ExistsSeesFilesAndFoldersOnly) {
  ASSERT_TRUE(files_.write_atomically(at("x"), ""));
  EXPECT_TRUE(files_.exists(at("x")).value());
  EXPECT_TRUE(files_.exists(folder_).value());
  EXPECT_FALSE(files_.exists(at("none")).value());
  EXPECT_FALSE(files_.exists(at("x") / "below a file").value());
}

TEST_F(Files, WhatCannotBeFoundOutIsAnError) {
  const auto looked = files_.exists(std::string(5000, 'x'));
  ASSERT_FALSE(looked);
  EXPECT_TRUE(looked.error().is(errc::io));
}

TEST_F(Files, RemoveTakesTheFileAwayOnce) {
  ASSERT_TRUE(files_.write_atomically(at("x"), ""));
  EXPECT_TRUE(files_.remove(at("x")));
  EXPECT_FALSE(files_.exists(at("x")).value());
  EXPECT_TRUE(files_.remove(at("x")).error().is(errc::not_found));
  EXPECT_TRUE(files_.remove(folder_).error().is(errc::io));
}

} // namespace
} // namespace greenroom::files_test
