#include <greenroom/http/internal/ranges.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::ranges_test {
namespace {

using namespace std::chrono_literals;

/// "whole", "416", or the parts: "0-4 7-9".
std::string told(const range_choice& choice) {
  if (choice.is == range_choice::kind::whole) return "whole";
  if (choice.is == range_choice::kind::unsatisfiable) return "416";
  std::string parts;
  for (const auto& part : choice.parts)
    parts += (parts.empty() ? "" : " ") + std::to_string(part.first) + "-" + std::to_string(part.last);
  return parts;
}

using table = std::vector<std::pair<std::string_view, std::string_view>>;

void check(std::uint64_t size, const table& rows) {
  for (const auto& [value, expected] : rows) EXPECT_EQ(told(parse_ranges(value, size)), expected) << value;
}

TEST(Ranges, OfBytesAreFirstToLastOpenOrTheEnd) { // RFC 9110 section 14.1.2, with its examples
  check(10'000, {{"bytes=0-499", "0-499"},
                 {"bytes=500-999", "500-999"},
                 {"bytes=-500", "9500-9999"},
                 {"bytes=9500-", "9500-9999"},
                 {"bytes=0-0,-1", "0-0 9999-9999"},
                 {"bytes= 0-999, 4500-5499, -1000", "0-999 4500-5499 9000-9999"},
                 {"bytes=0-", "0-9999"},
                 {"bytes=9999-9999", "9999-9999"},
                 {"bytes=00001-0000000000000000000000000000002", "1-2"}});
}

TEST(Ranges, EndWhereTheRepresentationEnds) {
  check(10, {{"bytes=5-9", "5-9"},
             {"bytes=5-10", "5-9"},
             {"bytes=5-99999999999999999999999999", "5-9"},
             {"bytes=-10", "0-9"},
             {"bytes=-11", "0-9"},
             {"bytes=-99999999999999999999999999", "0-9"}});
  check(UINT64_MAX, {{"bytes=18446744073709551614-", "18446744073709551614-18446744073709551614"},
                     {"bytes=0-18446744073709551615", "0-18446744073709551614"},
                     {"bytes=-18446744073709551615", "0-18446744073709551614"}});
}

TEST(Ranges, BehindTheEndAreUnsatisfiable) { // RFC 9110 section 15.5.17
  check(10, {{"bytes=10-", "416"},
             {"bytes=10-20", "416"},
             {"bytes=99999999999999999999999999-", "416"},
             {"bytes=18446744073709551615-18446744073709551616", "416"},
             {"bytes=-0", "416"},
             {"bytes=10-,11-,-0", "416"},
             {"bytes=10-,3-4,-0", "3-4"}}); // those that can be had are sent
  check(UINT64_MAX, {{"bytes=18446744073709551615-", "416"}});
}

TEST(Ranges, OfNothingAreUnsatisfiableButItsEndIsAllOfIt) {
  check(0, {{"bytes=0-", "416"},
            {"bytes=0-0", "416"},
            {"bytes=-0", "416"},
            {"bytes=-1", "whole"}, // satisfiable, says section 14.1.2, but no Content-Range can express it
            {"bytes=0-0,-1", "whole"}});
}

TEST(Ranges, AreAbsentIfMalformedOrOfAnotherUnit) { // RFC 9110 section 14.2
  for (const std::string value : {"",
                                  "bytes",
                                  "bytes=",
                                  "bytes=,",
                                  "bytes=, ,",
                                  "bytes=-",
                                  "bytes=--1",
                                  "bytes=5",
                                  "bytes=a-b",
                                  "bytes=0-a",
                                  "bytes=0x0-1",
                                  "bytes=5-4",
                                  "bytes=0-4,5-4",
                                  "bytes=0-4;5-6",
                                  "bytes=0-4 5-6",
                                  "bytes=0 - 4",
                                  "bytes=0- 4",
                                  "bytes=+0-4",
                                  "bytes=0-+4",
                                  "bytes=0-4-5",
                                  "bytes=-1-",
                                  "bytes =0-4",
                                  " bytes=0-4",
                                  "bytes:0-4",
                                  "bytes 0-4",
                                  "bytes 0-4/10",
                                  "items=0-4",
                                  "byte=0-4",
                                  "bytess=0-4",
                                  "none",
                                  "0-4",
                                  "bytes=0-4,x",
                                  "bytes=*",
                                  "bytes=0-\xb2"})
    EXPECT_EQ(told(parse_ranges(value, 10)), "whole") << value;
}

TEST(Ranges, HaveTheirUnitInAnyCaseAndEmptyElements) { // sections 14.1 and 5.6.1.2
  check(10, {{"Bytes=0-1", "0-1"}, {"BYTES=0-1", "0-1"}, {"bytes=,,0-1 ,\t, 4-5,", "0-1 4-5"}});
}

TEST(Ranges, ThatOverlapOrTouchAreJoinedAtThePlaceOfTheFirst) { // section 15.3.7.2
  check(100, {{"bytes=0-4,5-9", "0-9"},
              {"bytes=5-9,0-4", "0-9"},
              {"bytes=0-4,6-9", "0-4 6-9"},
              {"bytes=6-9,0-4", "6-9 0-4"}, // the order of the request
              {"bytes=0-50,25-75", "0-75"},
              {"bytes=0-99,10-20,30-40", "0-99"},
              {"bytes=10-20,0-99", "0-99"},
              {"bytes=80-90,0-9,20-29,5-25", "80-90 0-29"},
              {"bytes=0-9,20-29,40-49,10-39", "0-49"},
              {"bytes=7-7,7-7,7-7", "7-7"},
              {"bytes=-1,99-", "99-99"}});
  check(UINT64_MAX, {{"bytes=18446744073709551613-,0-18446744073709551612", "0-18446744073709551614"}});
}

TEST(Ranges, AreAbsentIfTheyAreTooMany) { // section 17.15
  std::string many = "bytes=0-0";
  for (int i = 1; i < 16; ++i) many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(parse_ranges(many, 100).parts.size(), 16u);
  EXPECT_EQ(told(parse_ranges(many + ",50-50", 100)), "whole");
  EXPECT_EQ(told(parse_ranges(many + ",0-0", 100)), "whole") << "also if they would be joined";
  EXPECT_EQ(told(parse_ranges(many + ",1000-", 100)), "whole") << "or are behind the end";
  EXPECT_EQ(told(parse_ranges("bytes=0-0,2-2", 100, 1)), "whole");
}

/// The bytes that are asked for, one by one.
std::vector<bool> asked(const std::vector<byte_range>& ranges, std::uint64_t size) {
  std::vector<bool> marks(size);
  for (const auto& r : ranges) {
    for (auto i = r.first; i <= r.last; ++i) marks[i] = true;
  }
  return marks;
}

TEST(Ranges, RandomOnesAreJoinedToTheSameBytesAndNeverTouch) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 5'000; ++round) {
    const std::uint64_t size = 1 + random() % 60;
    std::vector<byte_range> sent;
    std::string value = "bytes=";
    for (auto n = 1 + random() % 8; n != 0; --n) {
      const std::uint64_t first = random() % size;
      sent.push_back({first, std::min<std::uint64_t>(size - 1, first + random() % 10)});
      value += std::to_string(sent.back().first) + "-" + std::to_string(sent.back().last) + ",";
    }
    const auto got = parse_ranges(value, size);
    ASSERT_EQ(got.is, range_choice::kind::parts);
    ASSERT_EQ(asked(got.parts, size), asked(sent, size)) << value;
    auto parts = got.parts;
    std::ranges::sort(parts, {}, &byte_range::first);
    for (std::size_t i = 1; i < parts.size(); ++i) ASSERT_GT(parts[i].first, parts[i - 1].last + 1) << value;
  }
}

TEST(Ranges, AreChosenForAGetWhoseIfRangeHolds) {
  const validators current{.etag = "\"a\"", .modified = std::chrono::sys_seconds{}};
  const auto choose = [&current](method m, std::vector<field> fields) {
    return told(choose_ranges(m, fields, current, 10, std::chrono::sys_seconds{1s}));
  };
  EXPECT_EQ(choose(method::get, {}), "whole");
  EXPECT_EQ(choose(method::get, {{"range", "bytes=0-4"}}), "0-4");
  EXPECT_EQ(choose(method::get, {{"Range", "bytes=10-"}}), "416");
  EXPECT_EQ(choose(method::get, {{"Range", "bytes=0-4"}, {"Range", "bytes=5-9"}}), "whole");
  EXPECT_EQ(choose(method::head, {{"Range", "bytes=0-4"}}), "whole");
  EXPECT_EQ(choose(method::post, {{"Range", "bytes=0-4"}}), "whole");
  EXPECT_EQ(choose(method::get, {{"Range", "bytes=0-4"}, {"If-Range", "\"a\""}}), "0-4");
  EXPECT_EQ(choose(method::get, {{"Range", "bytes=0-4"}, {"If-Range", "\"b\""}}), "whole");
  EXPECT_EQ(choose(method::get, {{"Range", "bytes=10-"}, {"If-Range", "\"b\""}}), "whole");
  EXPECT_EQ(choose(method::get, {{"If-Range", "\"a\""}}), "whole");
}

TEST(Ranges, AreToldAsContentRange) { // section 14.4
  EXPECT_EQ(content_range({0, 499}, 1234), "bytes 0-499/1234");
  EXPECT_EQ(unsatisfied_range(1234), "bytes */1234");
  EXPECT_EQ((byte_range{0, 499}.length()), 500u);
}

} // namespace
} // namespace greenroom::http::internal::ranges_test
