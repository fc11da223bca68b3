#include <greenroom/actors/chunks.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::chunks_test {
namespace {

/// A file of its own for each test, removed at its end.
class scratch_file {
public:
  explicit scratch_file(const std::string& content) {
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    at_ = std::filesystem::temp_directory_path() /
          (std::string("greenroom_") + test->test_suite_name() + "_" + test->name() + "_" + std::to_string(::getpid()));
    write(content);
  }
  ~scratch_file() { std::filesystem::remove(at_); }
  void write(const std::string& content) const { std::ofstream(at_, std::ios::binary) << content; }
  const std::filesystem::path& at() const { return at_; }

private:
  std::filesystem::path at_;
};

std::vector<std::string> pieces_of(const chunk_input& input) {
  chunk_buffer buffer;
  std::vector<std::string> pieces;
  for (std::uint64_t i = 0; i < input.count(); ++i) pieces.emplace_back(input.read(i, buffer).value().bytes);
  return pieces;
}
std::vector<std::string> lines_of(const std::string& text, std::uint64_t size) {
  return pieces_of(chunks_of_text(text, by_lines(size)).value());
}
using texts = std::vector<std::string>;

TEST(Chunks, OfLinesEndWhereALineEnds) {
  EXPECT_EQ(lines_of("one\ntwo\nthree\n", 6), (texts{"one\ntwo\n", "three\n", ""}));
}

TEST(Chunks, TheLastLineNeedsNoLineFeed) { EXPECT_EQ(lines_of("one\ntwo", 5), (texts{"one\ntwo", ""})); }

TEST(Chunks, CarriageReturnsStayWhereTheyAre) { EXPECT_EQ(lines_of("a\r\nb\r\n", 3), (texts{"a\r\n", "b\r\n"})); }

TEST(Chunks, AnEmptyInputHasNone) {
  EXPECT_EQ(lines_of("", 4), texts{});
  const scratch_file empty("");
  EXPECT_EQ(chunks_of_file(empty.at(), by_lines()).value().count(), 0u);
  EXPECT_EQ(chunks_of_numbers(7, 7, 2).value().count(), 0u);
}

TEST(Chunks, EmptyLinesAreLines) { EXPECT_EQ(lines_of("\n\n\n\n", 3), (texts{"\n\n\n", "\n"})); }

TEST(Chunks, ALineMayBeAsLongAsAChunkAndNoLonger) {
  EXPECT_EQ(lines_of("ab\n123\nc\n", 4), (texts{"ab\n123\n", "c\n", ""}));
  const auto input = chunks_of_text("ab\n1234\nc\n", by_lines(4)).value();
  chunk_buffer buffer;
  const auto piece = input.read(0, buffer);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code(), errc::limit);
  EXPECT_EQ(piece.error().message(), "cannot cut into chunks: the text: the line at byte 3 is longer than a chunk "
                                     "(limit 4 bytes): take larger chunks");
}

TEST(Chunks, OfLinesSayWhereTheirBytesAre) {
  const auto input = chunks_of_text("one\ntwo\nthree\n", by_lines(6)).value();
  chunk_buffer buffer;
  const auto piece = input.read(1, buffer).value();
  EXPECT_EQ(piece.begin, 8u);
  EXPECT_EQ(piece.end, 14u);
}

/// Cuts random texts at every size, and compares with the text: each line is whole, in one chunk, and none is missing.
TEST(Chunks, OfLinesTogetherAreTheText) {
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text;
    std::size_t longest = 0;
    for (auto lines = random() % 12; lines > 0; --lines) {
      const auto size = random() % 9;
      text += std::string(size, 'x') + (lines == 1 && random() % 2 == 0 ? "" : "\n");
      longest = std::max<std::size_t>(longest, size + 1);
    }
    if (!text.empty() && text.back() != '\n' && longest > 1) longest = std::max<std::size_t>(longest, 1);
    for (std::uint64_t size = 1; size < 14; ++size) {
      const auto input = chunks_of_text(text, by_lines(size)).value();
      chunk_buffer buffer;
      std::string all;
      bool too_long = false;
      for (std::uint64_t i = 0; i < input.count() && !too_long; ++i) {
        const auto piece = input.read(i, buffer);
        too_long = !piece;
        if (too_long) break;
        EXPECT_EQ(piece->begin, all.size());
        all += piece->bytes;
        EXPECT_TRUE(all.empty() || all.back() == '\n' || all.size() == text.size()) << all;
      }
      refused += too_long ? 1 : 0;
      if (size >= longest) {
        EXPECT_FALSE(too_long) << "size " << size << " of '" << text << "'";
      }
      if (!too_long) {
        EXPECT_EQ(all, text) << "size " << size;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(Chunks, OfBytesHaveTheSizeAskedForAndTheRest) {
  EXPECT_EQ(pieces_of(chunks_of_text("abcdefgh", by_bytes(3)).value()), (texts{"abc", "def", "gh"}));
}

TEST(Chunks, OfRecordsHoldWholeRecords) {
  EXPECT_EQ(pieces_of(chunks_of_text("aabbcc", by_records(2, 2)).value()), (texts{"aabb", "cc"}));
  const auto broken = chunks_of_text("aabbc", by_records(2, 2));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message(), "cannot cut into chunks: the text: its 5 bytes are no whole number of records of "
                                      "2 bytes: the last one has 1");
}

TEST(Chunks, OfNumbersCoverTheRange) {
  const auto input = chunks_of_numbers(10, 17, 3).value();
  chunk_buffer buffer;
  ASSERT_EQ(input.count(), 3u);
  EXPECT_EQ(input.read(0, buffer)->begin, 10u);
  EXPECT_EQ(input.read(2, buffer)->begin, 16u);
  EXPECT_EQ(input.read(2, buffer)->end, 17u);
  EXPECT_EQ(input.place(1), "numbers 13 to 15");
  EXPECT_EQ(buffer.capacity(), 0u);
}

TEST(Chunks, OfNoSizeAreRefused) {
  EXPECT_TRUE(chunks_of_text("a", by_lines(0)).error().is(errc::invalid_argument));
  EXPECT_TRUE(chunks_of_text("a", by_records(0, 4)).error().is(errc::invalid_argument));
  EXPECT_TRUE(chunks_of_numbers(2, 1, 1).error().is(errc::invalid_argument));
  EXPECT_TRUE(chunks_of_numbers(1, 2, 0).error().is(errc::invalid_argument));
}

TEST(Chunks, SharesAddUpToTheWhole) {
  const auto input = chunks_of_text(std::string(1000, 'x') + "\n", by_lines(128)).value();
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < input.count(); ++i) sum += input.share(i);
  EXPECT_EQ(sum, input.total());
}

TEST(Chunks, OfAFileAreReadInAnyOrderIntoOneBuffer) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i) + "\n";
  const scratch_file file(text);
  const auto input = chunks_of_file(file.at(), by_lines(10'000)).value();
  chunk_buffer buffer;
  std::string all;
  for (auto i = input.count(); i-- > 0;) all.insert(0, input.read(i, buffer).value().bytes);
  EXPECT_EQ(all, text);
  EXPECT_LE(buffer.capacity(), 20'001u);
}

TEST(Chunks, WhatIsNoRegularFileIsRefusedWithASentence) {
  EXPECT_TRUE(chunks_of_file("/no/such/file", by_lines()).error().is(errc::not_found));
  const auto folder = chunks_of_file("/tmp", by_lines());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message(),
            "cannot cut into chunks: /tmp: it is no regular file, which can be read at any place");
}

TEST(Chunks, AFileThatIsCutWhileItIsReadIsAnError) {
  const scratch_file file(std::string(100, 'x'));
  const auto input = chunks_of_file(file.at(), by_bytes(60)).value();
  file.write("short");
  chunk_buffer buffer;
  const auto piece = input.read(1, buffer);
  ASSERT_FALSE(piece);
  EXPECT_NE(piece.error().message().find("it ends at byte 60 and had 100 when it was opened"), std::string::npos)
      << piece.error().message();
}

TEST(Chunks, IdentityFollowsTheContentAndTheCuts) {
  const auto of = [](const std::string& text, chunking how) { return chunks_of_text(text, how)->identity().value(); };
  EXPECT_EQ(of("abcd", by_lines(2)), of("abcd", by_lines(2)));
  EXPECT_NE(of("abcd", by_lines(2)), of("abce", by_lines(2)));
  EXPECT_NE(of("abcd", by_lines(2)), of("abcd", by_lines(3)));
  EXPECT_NE(of("abcd", by_lines(2)), of("abcd", by_bytes(2)));
  EXPECT_NE(of("abcd", by_records(1, 2)), of("abcd", by_records(2, 1)));
}

} // namespace
} // namespace greenroom::chunks_test
