#include <greenroom/http/url.hpp>

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::url_test {
namespace {

using namespace std::string_view_literals;

using pairs = std::vector<std::pair<std::string, std::string>>;

std::string all_bytes() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return all;
}

pairs all_of(std::string_view query) {
  pairs all;
  while (auto p = next_query_parameter(query)) all.emplace_back(std::move(p->name), std::move(p->value));
  EXPECT_TRUE(query.empty());
  return all;
}

// -- percent-encoding -------------------------------------------------------------------------------------

TEST(PercentDecode, ReplacesEscapesAndNothingElse) {
  const std::vector<std::pair<std::string_view, std::string_view>> table = {
      {"", ""},
      {"plain", "plain"},
      {"a%20b", "a b"},
      {"%41%7a", "Az"},
      {"%2F%2f", "//"}, // both cases of a digit
      {"%25", "%"},
      {"%2541", "%41"}, // once only
      {"a+b", "a+b"},   // a space in queries only
      {"%C3%A9", "\xc3\xa9"},
      {"\xff%ff", "\xff\xff"}, // bytes, not UTF-8
      {"%00"sv, "\0"sv},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(percent_decode(text), expected) << text;
}

TEST(PercentDecode, GivesNothingForAMalformedEscape) {
  for (const auto text : {"%", "a%", "%4", "a%4", "%g0", "%0g", "%%41", "%-1", "% 1", "%4\xc3", "ok%20but%2"})
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  EXPECT_EQ(percent_decode("%4\0"sv), std::nullopt);
  EXPECT_EQ(percent_decode("%41"sv.substr(0, 2)), std::nullopt) << "looks behind the end";
}

TEST(PercentEncode, KeepsUnreservedCharactersOnly) {
  constexpr auto unreserved = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"sv;
  EXPECT_EQ(percent_encode(unreserved), unreserved);
  for (const char c : all_bytes())
    EXPECT_EQ(percent_encode({&c, 1}).size(), unreserved.find(c) == unreserved.npos ? 3u : 1u) << int{c};
  EXPECT_EQ(percent_encode("a b/c?d&e=f+g%\n\xff"), "a%20b%2Fc%3Fd%26e%3Df%2Bg%25%0A%FF");
}

TEST(PercentEncode, ComesBackByDecodingInPathsAndQueries) {
  const auto all = all_bytes();
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(query_value(percent_encode(all) + "=" + percent_encode(all), all), all);
}

// -- queries ----------------------------------------------------------------------------------------------

TEST(Query, IsTakenApartAsAForm) {
  const std::vector<std::pair<std::string_view, pairs>> table = {
      {"", {}},
      {"a=1", {{"a", "1"}}},
      {"a=1&b=2&a=3", {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
      {"a", {{"a", ""}}},
      {"a=", {{"a", ""}}},
      {"=1", {{"", "1"}}},
      {"=", {{"", ""}}},
      {"a=1=2", {{"a", "1=2"}}}, // the first '=' divides
      {"&&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
      {"&", {}},
      {"a;b=1;2", {{"a;b", "1;2"}}},
      {"q=a+b%2Bc", {{"q", "a b+c"}}},
      {"a+b=1", {{"a b", "1"}}},
      {"a%3D1=%26", {{"a=1", "&"}}},
      {"%61=%31", {{"a", "1"}}},
      {"q=100%", {{"q", "100%"}}}, // malformed escapes stand for themselves
      {"q=%zz%4", {{"q", "%zz%4"}}},
      {"q=%%41", {{"q", "%A"}}},
      {"q=a%&b=%4&c=1", {{"q", "a%"}, {"b", "%4"}, {"c", "1"}}}, // an escape does not reach over a '&'
      {"q=%00"sv, {{"q", std::string(1, '\0')}}},
      {"q?a/b", {{"q?a/b", ""}}},
  };
  for (const auto& [query, expected] : table) EXPECT_EQ(all_of(query), expected) << query;
}

TEST(Query, GivesTheFirstValueOfTheName) {
  constexpr auto query = "a=1&b=2&b=3&c&d=&%65+e=x"sv;
  EXPECT_EQ(query_value(query, "a"), "1");
  EXPECT_EQ(query_value(query, "b"), "2");
  EXPECT_EQ(query_value(query, "c"), "");
  EXPECT_EQ(query_value(query, "d"), "");
  EXPECT_EQ(query_value(query, "e e"), "x");
  EXPECT_EQ(query_value(query, "A"), std::nullopt); // with case
  EXPECT_EQ(query_value(query, "z"), std::nullopt);
}

TEST(Query, HasAnEmptyNameOnlyBeforeAnEqualsSign) {
  EXPECT_EQ(query_value("", ""), std::nullopt);
  EXPECT_EQ(query_value("a=1&&b=2", ""), std::nullopt);
  EXPECT_EQ(query_value("&=1", ""), "1");
}

TEST(Query, RandomPairsComeBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto any_text = [&random] {
    std::string text;
    for (auto n = random() % 6; n != 0; --n) text += "ab&=+% %\0\xff"[random() % 10];
    return text;
  };
  for (int round = 0; round < 2'000; ++round) {
    pairs expected;
    std::string query;
    for (auto n = random() % 5; n != 0; --n) {
      expected.emplace_back(any_text(), any_text());
      query += percent_encode(expected.back().first) + "=" + percent_encode(expected.back().second) + "&";
    }
    ASSERT_EQ(all_of(query), expected) << query;
  }
}

} // namespace
} // namespace greenroom::http::url_test
