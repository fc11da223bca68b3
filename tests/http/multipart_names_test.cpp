// The names in multipart bodies: boundaries in a Content-Type, and what a Content-Disposition says.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/disposition.hpp>
#include <greenroom/http/internal/parameters.hpp>
#include <greenroom/http/multipart.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::multipart_names_test {
namespace {

using namespace std::string_literals;

// -- boundaries: RFC 2046 section 5.1.1 -----------------------------------------------------------------------

std::string boundary(std::string_view content_type) {
  const auto got = boundary_of(content_type);
  return got ? *got : to_string(got.error().code()) + (": " + std::string(got.error().message()));
}

TEST(Boundary, IsATokenOrAQuotedText) {
  const std::string longest(70, 'x');
  for (const auto& [type, expected] : std::vector<std::pair<std::string, std::string>>{
           {"multipart/form-data; boundary=b", "b"},
           {"multipart/form-data;boundary=b", "b"},
           {"Multipart/Form-Data ;\tBOUNDARY=b", "b"},
           {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
           {"multipart/form-data; boundary=\"b\"", "b"},
           {"multipart/form-data; boundary=\"gc0pJq0M:08jU534c0p\"", "gc0pJq0M:08jU534c0p"}, // the RFC's example
           {"multipart/form-data; boundary=\"a b\"", "a b"},
           {"multipart/form-data; boundary=\"a\\b\"", "ab"}, // RFC 9110 section 5.6.4: a quoted pair
           {"multipart/form-data; boundary=\"'()+_,-./:=?\"", "'()+_,-./:=?"},
           {"multipart/form-data; charset=utf-8; boundary=b; x=\"y;boundary=z\"", "b"},
           {"multipart/form-data;; ; boundary=b;", "b"}, // RFC 9110 section 5.6.6
           {"multipart/form-data; boundary=" + longest, longest}})
    EXPECT_EQ(boundary(type), expected) << type;
}

TEST(Boundary, IsRefusedIfMalformed) {
  for (const std::string rest : {"",
                                 ";",
                                 "; charset=utf-8",
                                 "; boundary",
                                 "; boundary=",
                                 "; boundary=\"\"",
                                 "; boundary=\"b",
                                 "; boundary=\"b\\\"",
                                 "; boundary=a b",
                                 "; boundary = b",
                                 "; boundary= b",
                                 "; boundary=a/b",
                                 "; boundary=a:b",
                                 "; boundary=\"b\"c",
                                 "; boundary=b; boundary=b",
                                 "; boundary=b; BOUNDARY=\"b\"",
                                 "; boundary=\"a \"",
                                 "; boundary=\" \"",
                                 "; boundary=\"a\tb\"",
                                 "; boundary=a*b",
                                 "; boundary=a&b",
                                 "; boundary=\"a\\\\b\"",
                                 "; boundary=\"\xc3\xa9\"",
                                 "; boundary=b; =c",
                                 "; boundary=b; c",
                                 "; boundary*=utf-8''b"})
    EXPECT_TRUE(boundary("multipart/form-data" + rest).starts_with("parse: cannot read the form: its Content-Type "))
        << rest;
  EXPECT_TRUE(boundary("multipart/form-data; boundary=\"a\rb\"").starts_with("parse"));
  EXPECT_TRUE(boundary("multipart/form-data; boundary=\"a\0\""s).starts_with("parse"));
  EXPECT_TRUE(boundary("multipart/form-data; boundary=" + std::string(71, 'x')).starts_with("parse"));
}

TEST(Boundary, IsOfFormDataOnly) {
  for (const auto* type : {"", "multipart", "multipart/mixed; boundary=b", "multipart/form-data2; boundary=b",
                           "multipart/ form-data; boundary=b", "application/x-www-form-urlencoded", "; boundary=b",
                           "boundary=b", "multipart/form-data, boundary=b"})
    EXPECT_EQ(boundary(type), "unsupported: cannot read the form: its Content-Type is not multipart/form-data") << type;
}

TEST(Boundary, MustBeOneForAParser) {
  EXPECT_THROW(multipart_parser(""), usage_error);
  EXPECT_THROW(multipart_parser("a\r\n"), usage_error);
  EXPECT_THROW(multipart_parser("a "), usage_error);
  EXPECT_THROW(multipart_parser(std::string(71, 'x')), usage_error);
}

// -- Content-Disposition: RFC 7578 section 4.2 ----------------------------------------------------------------

/// "name" or "name|file", or what is wrong.
std::string disposed(std::string_view value) {
  internal::disposition got;
  const auto fault = internal::parse_disposition(value, got);
  if (!fault.empty()) return "refused: " + std::string(fault);
  return got.name + (got.file_name ? "|" + *got.file_name : "");
}

TEST(Disposition, HasANameAndPerhapsThatOfAFile) {
  for (const auto& [value, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"form-data; name=\"a\"", "a"},
           {"form-data;name=a", "a"},
           {"Form-Data; NAME=a; FileName=b", "a|b"},
           {"form-data; filename=\"b\"; name=\"a\"", "a|b"},
           {"form-data; name=\"a\"; filename=\"\"", "a|"},
           {"form-data; name=\"\"", ""},
           {"form-data; name=\"a\"; size=\"5\"", "a"},
           {"form-data; name=\"a; filename=b\"", "a; filename=b"},
           {"form-data; name=\"\xc3\xa9\"", "\xc3\xa9"},
           {"form-data; name=\"a%22b%0D%0A\"", "a%22b%0D%0A"}}) // browsers: as sent
    EXPECT_EQ(disposed(value), expected) << value;
}

TEST(Disposition, ABackslashEscapesQuotesAlone) {
  for (const auto& [value, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {R"(form-data; name=a; filename="b\"c")", R"(a|b"c)"},
           {R"(form-data; name=a; filename="b\\c")", R"(a|b\c)"},
           {R"(form-data; name=a; filename="C:\dir\file.txt")",
            R"(a|C:\dir\file.txt)"}, // old browsers sent paths like this
           {R"(form-data; name=a; filename="b\\")", R"(a|b\)"},
           {R"(form-data; name=a; filename="\"")", R"(a|")"}})
    EXPECT_EQ(disposed(value), expected) << value;
  EXPECT_EQ(disposed(R"(form-data; name=a; filename="b\")"), "refused: its Content-Disposition is malformed");
}

TEST(Disposition, PrefersAnExtendedFileName) { // RFC 8187 section 3.2, and what .NET sends
  for (const auto& [value, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"form-data; name=a; filename*=utf-8''b", "a|b"},
           {"form-data; name=a; filename=\"=?utf-8?B?w6k=?=\"; filename*=utf-8''%C3%A9", "a|\xc3\xa9"},
           {"form-data; name=a; filename*=UTF-8'en'%e2%82%ac%20rates; filename=\"EURO rates\"", "a|\xe2\x82\xac rates"},
           {"form-data; name=a; filename*=utf-8''..%2fb", "a|../b"}, // as sent: see safe_file_name()
           {"form-data; name=a; filename*=utf-8''", "a|"}})
    EXPECT_EQ(disposed(value), expected) << value;
}

TEST(Disposition, RefusesAnExtendedFileNameOfAnotherForm) {
  for (const auto* extended :
       {"b",          "utf-8'b",       "utf-8",      "''b",        "iso-8859-1''b", "us-ascii''b",   "\"utf-8''b\"",
        "utf-8''a b", "utf-8''%",      "utf-8''%4",  "utf-8''%zz", "utf-8''%ff",    "utf-8''%c0%af", "utf-8''%00",
        "utf-8''%0a", "utf-8''%c2%80", "utf-8''a'b", "utf-8''a*b", "utf-8''a/b",    "utf-8'%41'b",   "utf-16''b"})
    EXPECT_TRUE(disposed("form-data; name=a; filename=b; filename*="s + extended).starts_with("refused: ")) << extended;
}

TEST(Disposition, RefusesDoubtfulOnes) {
  for (const auto& [value, why] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"", "its Content-Disposition is not form-data"},
           {"attachment; name=a", "its Content-Disposition is not form-data"},
           {"form-data2; name=a", "its Content-Disposition is not form-data"},
           {"\"form-data\"; name=a", "its Content-Disposition is not form-data"},
           {"form-data", "its Content-Disposition has no name"},
           {"form-data; filename=a", "its Content-Disposition has no name"},
           {"form-data; name=a; name=a", "its Content-Disposition has two names"},
           {"form-data; name=a; Name=b", "its Content-Disposition has two names"},
           {"form-data; name=a; filename=b; filename=b", "its Content-Disposition has two file names"},
           {"form-data; name=a; filename*=utf-8''b; filename*=utf-8''b",
            "its Content-Disposition has two file names of the form filename*"},
           {"form-data; name*=utf-8''a", "its Content-Disposition has a name*, which forms must not have"},
           {"form-data; name=a; name*=utf-8''a", "its Content-Disposition has a name*, which forms must not have"},
           {"form-data; name", "its Content-Disposition is malformed"},
           {"form-data; name=", "its Content-Disposition is malformed"},
           {"form-data; name=\"a", "its Content-Disposition is malformed"},
           {"form-data; name=\"a\"b", "its Content-Disposition is malformed"},
           {"form-data; name = a", "its Content-Disposition is malformed"},
           {"form-data name=a", "its Content-Disposition is malformed"},
           {"form-data, name=a", "its Content-Disposition is malformed"},
           {"form-data; name=a b", "its Content-Disposition is malformed"},
           {"form-data; name=a; filename=b/c", "its Content-Disposition is malformed"},
           {"form-data; name=\"a\nb\"", "its Content-Disposition is malformed"}})
    EXPECT_EQ(disposed(value), "refused: " + std::string(why)) << value;
}

} // namespace
} // namespace greenroom::http::multipart_names_test
