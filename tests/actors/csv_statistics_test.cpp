#include <greenroom/actors/csv_statistics.hpp>

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace greenroom::csv_statistics_test {
namespace {

constexpr csv_shape plain{.header = false};

std::string told(const result<key_statistics>& got) {
  if (!got) return std::string(to_string(got.error().code())) + ": " + std::string(got.error().message());
  std::string text;
  for (const auto& [key, of] : got->sorted())
    text += key + " " + std::to_string(of.count) + " " + std::to_string(of.sum) + " " + std::to_string(of.least) + " " +
            std::to_string(of.greatest) + "; ";
  return text;
}
std::string statistics(std::string_view text, const csv_shape& shape = plain, std::uint64_t at = 0) {
  return told(csv_statistics({0, at, at + text.size(), text}, shape));
}

TEST(CsvStatistics, CountSumLeastAndGreatestOfEachKey) {
  EXPECT_EQ(statistics("b,1.50\na,-2\nb,0.25\n"), "a 1 -200 -200 -200; b 2 175 25 150; ");
}

TEST(CsvStatistics, LinesMayEndWithCrLfAndTheLastWithNothing) {
  EXPECT_EQ(statistics("a,1\r\na,2"), "a 2 300 100 200; ");
}

TEST(CsvStatistics, OnlyTheFirstLineOfTheInputIsAHeader) {
  const csv_shape shape{.header = true};
  EXPECT_EQ(statistics("key,amount\na,1\n", shape), "a 1 100 100 100; ");
  EXPECT_EQ(statistics("a,1\n", shape, 50), "a 1 100 100 100; ");
}

TEST(CsvStatistics, ColumnsStandWhereTheShapeSays) {
  EXPECT_EQ(statistics("x,7,y,k\n", {.key = 3, .amount = 1, .header = false}), "k 1 700 700 700; ");
  EXPECT_EQ(statistics("2026,k,7,z\n", {.key = 1, .amount = 2, .decimals = 0, .header = false}), "k 1 7 7 7; ");
}

TEST(CsvStatistics, AMalformedLineIsToldWithItsPlace) {
  EXPECT_EQ(statistics("a,1\nb\n", plain, 1000),
            "parse: the line at byte 1004, 'b': column 2: '' is no amount with up to 2 decimals and 15 digits");
  EXPECT_EQ(statistics("a,1\n,2\n"), "parse: the line at byte 4, ',2': it has no key in column 1");
  EXPECT_EQ(statistics("\n"), "parse: the line at byte 0, '': it has no key in column 1");
  EXPECT_EQ(statistics("\"a\",2\n"),
            "parse: the line at byte 0, '\"a\",2': its key is quoted, which is not understood");
}

TEST(CsvStatistics, AmountsAreFixedPoint) {
  EXPECT_EQ(read_amount("12.5", 2).value(), 1250);
  EXPECT_EQ(read_amount("-0.01", 2).value(), -1);
  EXPECT_EQ(read_amount("+7", 0).value(), 7);
  EXPECT_EQ(read_amount("999999999999999", 2).value(), 99'999'999'999'999'900);
  for (const char* const bad :
       {"", "-", ".", "1.", ".5", "1.234", "1,5", "1e3", " 1", "1 ", "0x1", "1.2.3", "--1", "9999999999999999"})
    EXPECT_FALSE(read_amount(bad, 2)) << bad;
  EXPECT_FALSE(read_amount("1.0", 0));
  EXPECT_FALSE(read_amount("999999999999999", 9)) << "does not fit";
}

TEST(CsvStatistics, AmountsBecomeTheSameText) {
  EXPECT_EQ(amount_text(-1250, 2), "-12.50");
  EXPECT_EQ(amount_text(-1, 2), "-0.01");
  EXPECT_EQ(amount_text(7, 0), "7");
  EXPECT_EQ(amount_text(std::numeric_limits<std::int64_t>::min(), 2), "-92233720368547758.08");
}

TEST(CsvStatistics, MeansAreRoundedToTheNearest) {
  EXPECT_EQ((amounts{3, 10}).mean(), 3);
  EXPECT_EQ((amounts{3, 11}).mean(), 4);
  EXPECT_EQ((amounts{2, -5}).mean(), -3);
  EXPECT_EQ((amounts{2, 5}).mean(), 3);
  EXPECT_EQ(amounts{}.mean(), 0);
}

TEST(CsvStatistics, MergingIsTheSameAsAddingAll) {
  key_statistics a, b, all;
  for (int i = 0; i < 1'000; ++i) {
    const auto key = "key " + std::to_string(i * 7 % 300);
    ASSERT_TRUE((i % 3 == 0 ? a : b).add(key, i - 500));
    ASSERT_TRUE(all.add(key, i - 500));
  }
  ASSERT_TRUE(merge_statistics(a, b));
  EXPECT_EQ(told(a), told(all));
  EXPECT_EQ(all.keys(), 300u);
}

TEST(CsvStatistics, WhatIsSavedIsLoaded) {
  key_statistics some(9);
  ASSERT_TRUE(some.add("a", -5));
  ASSERT_TRUE(some.add("b c", std::numeric_limits<std::int64_t>::max()));
  const auto again = key_statistics::load(some.save());
  EXPECT_EQ(told(again), told(some));
  EXPECT_EQ(again->save(), some.save());
  for (const char* const bad : {"", "x\n", "9\na\n", "9\na,1,2,3\n", "9\na,1,2,3,4,5\n", "9\na,1,2,3,x\n"})
    EXPECT_TRUE(key_statistics::load(bad).error().is(errc::parse)) << bad;
}

TEST(CsvStatistics, TooManyKeysAreAnError) {
  EXPECT_EQ(statistics("a,1\nb,1\na,1\nc,1\n", {.header = false, .most_keys = 2}),
            "limit: key 'c' is one too many (limit 2 keys)");
}

TEST(CsvStatistics, ASumThatDoesNotFitIsAnError) {
  key_statistics some;
  ASSERT_TRUE(some.add("a", std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(some.add("a", 1).error().message(), "the sum of key 'a' does not fit into 64 bits");
}

} // namespace
} // namespace greenroom::csv_statistics_test
