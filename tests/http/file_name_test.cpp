#include <greenroom/http/file_name.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/utf8.hpp>

namespace greenroom::http::file_name_test {
namespace {

using namespace std::string_literals;

TEST(SafeFileName, IsTheNameAsItWasSent) {
  for (const auto& name :
       {"a"s, "a.txt"s, "a b.txt"s, " "s, "..."s, "..a"s, "a.."s, ".htaccess"s, "-rf"s, "%2e%2e%2f"s, "\xc3\xa9.png"s,
        "\xe2\x82\xac"s, "\xf0\x9f\x98\x80"s, "a:b"s, "a\"b"s, "~"s, "\xc2\xa0"s, std::string(255, 'x')})
    EXPECT_EQ(safe_file_name(name), name);
}

TEST(SafeFileName, IsNothingThatCouldLeaveADirectoryOrConfuseAReader) {
  for (const auto& name : {""s,
                           "."s,
                           ".."s,
                           "/"s,
                           "a/b"s,
                           "/etc/passwd"s,
                           "../a"s,
                           "a/.."s,
                           "a/"s,
                           "\\"s,
                           "a\\b"s,
                           "..\\a"s,
                           "C:\\a"s,
                           "a\0"s,
                           "\0"s,
                           "a\0.png"s,
                           "a\nb"s,
                           "a\r"s,
                           "a\tb"s,
                           "\x1b[2J"s,
                           "a\x7f"s,
                           "\xc2\x85"s,
                           "\xc2\x9b"s,
                           "\xff"s,
                           "\xc0\xaf"s,
                           "\xc0\xae\xc0\xae"s,
                           "\xe0\x80\xaf"s,
                           "\xc3"s,
                           std::string(256, 'x')})
    EXPECT_EQ(safe_file_name(name), std::nullopt) << name;
}

TEST(SafeFileName, RefusesEachControlCharacterAndSeparatorAnywhere) {
  for (int c = 0; c < 0x80; ++c) {
    const bool bad = c < 0x20 || c == 0x7f || c == '/' || c == '\\';
    for (const auto& name :
         {std::string(1, static_cast<char>(c)) + "xx", "x"s + static_cast<char>(c) + "x", "xx"s + static_cast<char>(c)})
      EXPECT_EQ(safe_file_name(name).has_value(), !bad) << c;
  }
}

// -- UTF-8: the Unicode standard, table 3-7 -------------------------------------------------------------------

TEST(Utf8, IsWellFormedAtTheEdgesOfEachRow) {
  for (const auto* text : {"",
                           "\x01",
                           "\x7f",
                           "\xc2\x80",
                           "\xdf\xbf",
                           "\xe0\xa0\x80",
                           "\xe0\xbf\xbf",
                           "\xe1\x80\x80",
                           "\xec\xbf\xbf",
                           "\xed\x80\x80",
                           "\xed\x9f\xbf",
                           "\xee\x80\x80",
                           "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80",
                           "\xf0\xbf\xbf\xbf",
                           "\xf1\x80\x80\x80",
                           "\xf3\xbf\xbf\xbf",
                           "\xf4\x80\x80\x80",
                           "\xf4\x8f\xbf\xbf",
                           "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"})
    EXPECT_TRUE(internal::is_utf8(text)) << testing::PrintToString(text);
}

TEST(Utf8, IsNotWellFormedBehindThem) {
  for (const auto* text : {"\x80",
                           "\xbf",
                           "\xc0\x80",
                           "\xc1\xbf",
                           "\xc2",
                           "\xc2\x7f",
                           "\xc2\xc0",
                           "\xe0\x9f\xbf",
                           "\xe0\xa0",
                           "\xe0\xa0\x7f",
                           "\xe1\x80\xc0",
                           "\xed\xa0\x80",
                           "\xed\xbf\xbf",
                           "\xf0\x8f\xbf\xbf",
                           "\xf0\x90\x80",
                           "\xf0\x90\x80\x7f",
                           "\xf0\x90\x7f\x80",
                           "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80",
                           "\xff",
                           "a\x80",
                           "\xc3\xa9\xa9"})
    EXPECT_FALSE(internal::is_utf8(text)) << testing::PrintToString(text);
  EXPECT_FALSE(internal::is_utf8(std::string_view("\xe2\x82\xac", 2))) << "looks behind the end";
}

} // namespace
} // namespace greenroom::http::file_name_test
