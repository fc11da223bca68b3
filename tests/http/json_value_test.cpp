#include <greenroom/http/detail/json_value.hpp>

#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::detail::json_value_test {
namespace {

/// What a text reads as, written anew, or why not.
std::string again(std::string_view text, std::size_t depth = 64) {
  const auto document = parse_json(text, depth);
  if (!document) return "refused: " + std::string(document.error().message());
  return json_writer().value(*document).str();
}

void check_same(std::string_view text) { EXPECT_EQ(again(text), text); }

class ParseJson : public testing::Test {
protected:
  void SetUp() override {
    if (!can_parse_json()) GTEST_SKIP() << "built without nlohmann-json";
  }
};

TEST_F(ParseJson, ReadsWhatRfc8259Allows) {
  for (const auto* const text :
       {"null", "true", "false", "0", "-1", "1.5", "\"\"", "[]", "{}", "[[],{}]", R"({"a":1,"b":[1,"x",null]})",
        R"({"":1,"a/b":{"~":2}})", R"(["\u0001\"\\"])", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615"})
    check_same(text);
  EXPECT_EQ(again(" [ 1 ,\t2\r\n] \n"), "[1,2]");
  EXPECT_EQ(again(R"("\u00e9\ud83d\ude00\/\b\f")"), "\"\xc3\xa9\xf0\x9f\x98\x80/\\u0008\\u000c\"");
}

TEST_F(ParseJson, KeepsNumbersAsTheyWereWritten) {
  for (const auto* const text :
       {"123456789012345678901234567890", "18446744073709551616", "-9223372036854775809", "1e-400", "-1e-400", "1.0",
        "-0", "0.0", "[1e2,1E-2,-0.0,1E+2]", "0.1000000000000000055511151231257827021181583404541015625", "100e-2"})
    check_same(text);
  const std::string long_one = std::string(300, '7') + "." + std::string(10'000, '3');
  check_same(long_one);
}

TEST_F(ParseJson, KeepsTheDecimalPointWhateverTheLocale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  const bool there = std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr;
  const auto text = again("[1.5,2.25e1]");
  std::setlocale(LC_NUMERIC, before.c_str());
  EXPECT_EQ(text, "[1.5,2.25e1]");
  if (!there) GTEST_SKIP() << "the system has no locale with another decimal point";
}

TEST(JsonNumber, IsTheDoubleNextToIt) {
  EXPECT_EQ(json_number{"1.5"}.value(), 1.5);
  EXPECT_EQ(json_number{"18446744073709551616"}.value(), 18446744073709551616.0);
  EXPECT_EQ(json_number{"5e-324"}.value(), 5e-324);
  EXPECT_EQ(json_number{"1e-400"}.value(), 0);
  EXPECT_FALSE(std::signbit(json_number{"1e-400"}.value()));
  EXPECT_TRUE(std::signbit(json_number{"-1e-400"}.value()));
  EXPECT_TRUE(std::signbit(json_number{"-0"}.value()));
}

TEST_F(ParseJson, RefusesAllElse) {
  for (const std::string_view text : {"",
                                      " ",
                                      "nul",
                                      "True",
                                      "+1",
                                      "01",
                                      "1.",
                                      ".5",
                                      "0x1",
                                      "NaN",
                                      "Infinity",
                                      "1e999",
                                      "-",
                                      "'a'",
                                      "\"a",
                                      "\"\n\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\\ud800\"",
                                      "[1,]",
                                      "[,1]",
                                      "[1",
                                      "[1}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{a:1}",
                                      "{\"a\":1,}",
                                      "{\"a\" 1}",
                                      "1 2",
                                      "[] []",
                                      "{}x",
                                      "// c\n1",
                                      "/* c */1",
                                      "\"\x80\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xe2\x82\"",
                                      "\x01",
                                      "[1]]"})
    EXPECT_EQ(again(text).substr(0, 9), "refused: ") << text;
  using namespace std::string_view_literals;
  for (const auto text : {"1\0"sv, "[1]\0garbage"sv, "\0"sv, "\"\0\""sv})
    EXPECT_NE(again(text).find("a zero byte"), std::string::npos) << text;
}

TEST_F(ParseJson, SaysWhereAndWhatWasExpected) {
  const std::vector<std::pair<std::string_view, std::string_view>> all{
      {"{\n  \"a\": tru\n}",
       "line 2, column 11: while parsing value - invalid literal; last read: '\"a\": tru<U+000A>'"},
      {"[1 2]", "line 1, column 4: while parsing array - unexpected number literal; expected ']'"},
      {"", "line 1, column 1: while parsing value - unexpected end of input; expected '[', '{', or a literal"},
      {"{a:1}",
       "line 1, column 2: while parsing object key - invalid literal; last read: '{a'; expected string literal"},
      {"[1]\n\n x", "line 3, column 2: while parsing value - invalid literal; last read: '1]<U+000A><U+000A> x'; "
                    "expected end of input"},
      {"1e999", "line 1, column 5: the number is beyond what a double can hold"},
      {{"[\n\0]", 4}, "line 2, column 1: a zero byte, which no JSON text holds"},
      {"\xef\xbb\xbf[1]", "line 1, column 1: a byte order mark, which no JSON text begins with"},
  };
  for (const auto& [text, why] : all) EXPECT_EQ(again(text), "refused: " + std::string(why));
}

TEST_F(ParseJson, ItsSentencesAreShortHoweverLongTheText) {
  const std::string much(100'000, 'x');
  for (const auto& text :
       {"\"" + much, "\"" + much + "\n\"", much, "{\"" + much + "\x80\":1}", std::string(100'000, '1') + "x"})
    EXPECT_LT(again(text).size(), 300u) << again(text).substr(0, 200);
}

TEST_F(ParseJson, RefusesANameThatStandsTwiceAndSaysWhere) {
  EXPECT_EQ(again(R"({"a":1,"b":2,"a":3})"), "refused: the name 'a' stands twice in the object at ''");
  EXPECT_EQ(again(R"({"x":[0,{"b":{"k":1,"k":1}}]})"), "refused: the name 'k' stands twice in the object at '/x/1/b'");
  EXPECT_EQ(again(R"({"a":1,"\u0061":1})"), "refused: the name 'a' stands twice in the object at ''");
  check_same(R"([{"a":1},{"a":1}])");
  check_same(R"({"a":{"a":{"a":1}}})");
}

TEST_F(ParseJson, RefusesWhatIsNestedDeeperThanTheLimit) {
  EXPECT_EQ(again("[[1]]", 2), "[[1]]");
  EXPECT_EQ(again("[[[1]]]", 2), "refused: it is nested more than 2 deep, the limit, at '/0/0'");
  EXPECT_EQ(again(R"({"a":{"b":{}}})", 2), "refused: it is nested more than 2 deep, the limit, at '/a/b'");
  // A name with a line end, which could begin a line of its own in a log.
  EXPECT_EQ(again(R"({"a\r\n\u007f":{"b":{}}})", 2),
            "refused: it is nested more than 2 deep, the limit, at '/a??\?/b'");
  EXPECT_EQ(again("1", 0), "1");
  const std::string deep(1'000'000, '[');
  EXPECT_NE(again(deep).find("more than 64 deep"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_NE(again(objects).find("more than 64 deep"), std::string::npos);
}

TEST_F(ParseJson, TakesAnObjectWithManyNamesInGoodTime) { // a comparison of all with all would take minutes
  std::string many = "{\"0\":0";
  for (int i = 1; i < 200'000; ++i) many += ",\"" + std::to_string(i) + "\":0";
  EXPECT_TRUE(parse_json(many + "}", 64));
  EXPECT_FALSE(parse_json(many + ",\"77\":0}", 64));
}

std::string any_string(std::mt19937& random) {
  static const std::vector<std::string> parts{
      "a", "\"", "\\", "/", "\n", std::string(1, '\0'), "\x7f", "\xc3\xa9", "\xf0\x9f\x98\x80", "~"};
  std::string text;
  for (auto n = random() % 5; n != 0; --n) text += parts[random() % parts.size()];
  return text;
}

json_value any_value(std::mt19937& random, int depth) {
  switch (random() % (depth == 0 ? 6 : 8)) {
  case 0: return {nullptr};
  case 1: return {random() % 2 == 0};
  case 2: return {static_cast<std::int64_t>(random()) - 2'000'000'000};
  case 3: return {std::numeric_limits<std::uint64_t>::max() - random()};
  case 4: return {json_number{std::to_string(random()) + "." + std::to_string(random()) + "e-7"}};
  case 5: return {any_string(random)};
  case 6: {
    json_value::array all;
    for (auto n = random() % 4; n != 0; --n) all.push_back(any_value(random, depth - 1));
    return {std::move(all)};
  }
  default: {
    json_value::object all;
    for (auto n = random() % 4; n != 0; --n)
      all.push_back({std::to_string(n) + any_string(random), any_value(random, depth - 1)});
    return {std::move(all)};
  }
  }
}

TEST_F(ParseJson, ReadsBackWhatTheWriterWrites) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    const auto text = json_writer().value(any_value(random, 5)).str();
    ASSERT_EQ(again(text), text);
  }
}

TEST(JsonWriter, SetsCommasAndEscapes) {
  json_writer w;
  w.open_object().key("a").number(1).key("b\n").open_array().text("x\"\\\x01\x7f").null().boolean(true).close_array();
  w.key("c").open_object().close_object().key("d").open_array().open_array().close_array().raw("{}").close_array();
  EXPECT_EQ(w.close_object().str(), R"({"a":1,"b\n":["x\"\\\u0001\u007f",null,true],"c":{},"d":[[],{}]})");
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
  const auto written = [](std::string_view text) { return json_writer().text(text).str(); };
  EXPECT_EQ(written("\xc3\xa9"), "\"\xc3\xa9\"");
  EXPECT_EQ(written("a\xff\x62"), "\"a\xef\xbf\xbd\x62\"");
  EXPECT_EQ(written("\xc3"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(written("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(written("\xc0\xaf\xf5"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonWriter, WritesNumbersThatReadBackAsTheSame) {
  const auto written = [](auto n) { return json_writer().number(n).str(); };
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(0.1f), "0.1");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(1.0), "1");
  EXPECT_EQ(written(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(written(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(written(std::uint8_t{7}), "7");
  EXPECT_THROW(written(std::numeric_limits<double>::infinity()), usage_error);
  EXPECT_THROW(written(std::numeric_limits<double>::quiet_NaN()), usage_error);
}

TEST(JsonPointer, EscapesItsTwoCharacters) {
  std::string at;
  append_pointer(at, "a/b~c");
  append_pointer(at, std::size_t{3});
  append_pointer(at, "");
  EXPECT_EQ(at, "/a~1b~0c/3/");
}

} // namespace
} // namespace greenroom::http::detail::json_value_test
