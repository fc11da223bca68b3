#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/content_coding.hpp>

namespace greenroom::http::internal::content_negotiation_test {
namespace {

/// The name of the choice, or "none".
std::string chosen(const std::vector<field>& fields) {
  const auto choice = choose_coding(fields);
  return choice ? std::string(to_string(*choice)) : "none";
}

std::string chosen_for(std::string_view value) { return chosen({{"Accept-Encoding", value}}); }

class ContentNegotiation : public testing::Test {
protected:
  void SetUp() override {
    if (!available(coding::gzip)) GTEST_SKIP() << "this build has no zlib";
  }
};

TEST_F(ContentNegotiation, TakesWhatTheClientLikesBest) { // RFC 9110 section 12.5.3
  for (const auto& [value, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"gzip", "gzip"},
           {"deflate", "deflate"},
           {"gzip, deflate, br, zstd", "gzip"}, // browsers
           {"deflate, gzip", "gzip"},
           {"deflate, gzip;q=0.9", "deflate"},
           {"gzip;q=0.5, deflate;q=0.501", "deflate"},
           {"gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"}, // the examples of the section
           {"compress, gzip", "gzip"},
           {"compress;q=0.5, gzip;q=1.0", "gzip"},
           {"*", "gzip"},
           {"", "identity"},
           {"br", "identity"},
           {"compress, br;q=1", "identity"},
           {"identity", "identity"},
           {"gzip;q=0.001", "gzip"}, // not mentioned, identity is less than what is
           {"gzip;q=0.5, identity", "identity"},
           {"gzip, identity", "gzip"},
           {"gzip;q=0", "identity"},
           {"gzip;q=0.000, deflate;q=0", "identity"},
           {"*;q=0, gzip", "gzip"},
           {"gzip;q=0, *", "deflate"},
           {"gzip;q=0, *;q=0.5", "deflate"},
           {"gzip;q=0.1, *;q=0.5", "deflate"},
           {"identity;q=0.3, *;q=0.2", "identity"},
           {"identity;q=0.3, deflate;q=0.3", "deflate"}})
    EXPECT_EQ(chosen_for(value), expected) << value;
}

TEST_F(ContentNegotiation, NoticesThatNothingIsAcceptable) {
  for (const auto* value : {"identity;q=0", "*;q=0", "br, identity;q=0", "*;q=0, br",
                            "gzip;q=0, deflate;q=0, identity;q=0", "gzip;q=0, deflate;q=0, *;q=0"})
    EXPECT_EQ(chosen_for(value), "none") << value;
  EXPECT_EQ(chosen_for("identity;q=0, gzip"), "gzip");
  EXPECT_EQ(chosen_for("*;q=0, identity"), "identity");
}

TEST_F(ContentNegotiation, HasNoCaseAndKnowsTheOldName) { // sections 8.4.1 and 8.4.1.3
  EXPECT_EQ(chosen_for("GZip"), "gzip");
  EXPECT_EQ(chosen_for("x-gzip"), "gzip");
  EXPECT_EQ(chosen_for("X-GZIP;Q=0.5"), "gzip");
  EXPECT_EQ(chosen_for("IDENTITY;q=0"), "none");
}

TEST_F(ContentNegotiation, JoinsLinesAndSkipsEmptyElementsAndSpace) { // sections 5.3 and 5.6.1.2
  EXPECT_EQ(chosen({{"accept-encoding", "br"}, {"Accept", "*/*"}, {"ACCEPT-ENCODING", "gzip"}}), "gzip");
  EXPECT_EQ(chosen({{"Accept-Encoding", "identity;q=0"}, {"Accept-Encoding", ""}}), "none");
  EXPECT_EQ(chosen_for(" ,, \tgzip \t;\t q=0.5 ,,deflate ;q=0.4,"), "gzip");
}

TEST_F(ContentNegotiation, LeavesMalformedElementsOut) { // section 12.4.2
  for (const auto* bad :
       {"gzip;",     "gzip;q",     "gzip;q=",       "gzip;q=1.1",    "gzip;q=1.001", "gzip;q=2",    "gzip;q=-1",
        "gzip;q=.5", "gzip;q=0,5", "gzip;q=0.1234", "gzip;q=1.0000", "gzip;q=00.5",  "gzip;q=0.5x", "gzip;q=0x1",
        "gzip;q= 1", "gzip;q =1",  "gzip;q=\"1\"",  "gzip;level=9",  "gzip;q=1;q=1", "gzip q=1",    "gzip/1",
        "gzip gzip", "\"gzip\"",   "gzip;q=nan",    "(gzip)",        ";q=1",         "gzi\xfe"}) {
    const std::string told = chosen_for(bad);
    // "0,5" is two elements, of which the first is well-formed.
    EXPECT_EQ(told, "identity") << bad;
    EXPECT_EQ(chosen_for(std::string(bad) + ", deflate;q=0.1"), "deflate") << bad;
  }
  EXPECT_EQ(chosen_for("gzip;q=1."), "gzip"); // the grammar has it
  EXPECT_EQ(chosen_for("gzip;q=0."), "identity");
}

TEST_F(ContentNegotiation, TakesTheLowerWeightOfOneThatIsNamedTwice) {
  EXPECT_EQ(chosen_for("gzip, gzip;q=0"), "identity");
  EXPECT_EQ(chosen_for("gzip;q=0, x-gzip"), "identity");
  EXPECT_EQ(chosen_for("gzip;q=0.2, deflate;q=0.3, gzip"), "deflate");
  EXPECT_EQ(chosen_for("*, *;q=0"), "none");
}

TEST(ContentNegotiationAlways, WithoutTheFieldIsIdentity) {
  EXPECT_EQ(chosen({}), "identity");
  EXPECT_EQ(chosen({{"Accept", "gzip"}}), "identity");
}

TEST(ContentNegotiationAlways, NamesOnlyWhatIsAvailable) {
  const auto choice = choose_coding(std::vector<field>{{"Accept-Encoding", "gzip, deflate;q=0.5"}});
  ASSERT_TRUE(choice);
  EXPECT_EQ(*choice == coding::gzip, available(coding::gzip));
  EXPECT_TRUE(available(*choice));
  if (available(coding::gzip)) return;
  EXPECT_THROW(content_encoder{coding::gzip}, usage_error);
  EXPECT_THROW(content_decoder{coding::deflate}, usage_error);
}

TEST(ContentNegotiationAlways, KnowsTheNamesOfCodings) {
  EXPECT_EQ(coding_of("gzip"), coding::gzip);
  EXPECT_EQ(coding_of("X-GZip"), coding::gzip);
  EXPECT_EQ(coding_of("Deflate"), coding::deflate);
  EXPECT_EQ(coding_of("identity"), coding::identity);
  for (const auto* name : {"", "br", "gzip ", "gzip, gzip", "*", "compress", "x-deflate"})
    EXPECT_FALSE(coding_of(name)) << name;
}

TEST(WorthCompressing, IsTextInItsManyForms) {
  for (const auto* type : {"text/html",
                           "text/html; charset=utf-8",
                           "TEXT/HTML;charset=utf-8",
                           "text/plain",
                           "text/css",
                           "text/javascript",
                           "text/csv",
                           " text/plain ; a=b",
                           "application/json",
                           "Application/JSON; charset=utf-8",
                           "application/javascript",
                           "application/xml",
                           "application/problem+json",
                           "application/atom+xml",
                           "application/xhtml+xml",
                           "application/manifest+json",
                           "image/svg+xml",
                           "application/wasm",
                           "font/ttf",
                           "font/otf"})
    EXPECT_TRUE(worth_compressing(type)) << type;
}

TEST(WorthCompressing, IsNothingThatIsCompressedAlreadyOrAStreamOfEvents) {
  for (const std::string type : {"",
                                 "text",
                                 "image/png",
                                 "image/jpeg",
                                 "image/webp",
                                 "image/gif",
                                 "image/vnd.microsoft.icon",
                                 "video/mp4",
                                 "audio/mpeg",
                                 "application/zip",
                                 "application/gzip",
                                 "application/pdf",
                                 "application/octet-stream",
                                 "font/woff",
                                 "font/woff2",
                                 "text/event-stream",
                                 "TEXT/Event-Stream; charset=utf-8",
                                 "multipart/byteranges; boundary=x",
                                 "image/x+json",
                                 "xtext/html",
                                 "application/jsonx",
                                 "; text/html"})
    EXPECT_FALSE(worth_compressing(type)) << type;
  EXPECT_FALSE(worth_compressing("application/" + std::string(1'000, 'x') + "+json"));
}

TEST(AllowsCoding, GoesByTheWeightOfTheNameOrOfTheStar) {
  for (const auto* value : {"gzip", "GZIP;q=0.001", "br, gzip", "*", "x-gzip", "*;q=0, gzip", "br,,gzip,"})
    EXPECT_TRUE(allows_coding(value, "gzip")) << value;
  for (const auto* value :
       {"", "identity", "br", "gzip;q=0", "*, gzip;q=0", "*;q=0", "gzip, gzip;q=0", "gzip;q=2", ","})
    EXPECT_FALSE(allows_coding(value, "gzip")) << value;
  EXPECT_TRUE(allows_coding("Zstd", "zSTD")) << "one that nobody decodes here is known by its name";
  EXPECT_FALSE(allows_coding("br", "zstd"));
}

} // namespace
} // namespace greenroom::http::internal::content_negotiation_test
