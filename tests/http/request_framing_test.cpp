// Where a request ends: Content-Length, Transfer-Encoding, Expect; and what an attacker makes of them.
#include <greenroom/http/internal/request_parser.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/parser_kit.hpp>

namespace greenroom::http::internal::request_framing_test {
namespace {

using namespace test;

limits small_body() { return {.body = 20}; }

std::string chunked(std::string_view body) { return with_body("Transfer-Encoding: chunked\r\n", body); }

/// The decoded body of the one request, or what was told instead.
std::string body_of(const std::string& bytes, const limits& most = {}) {
  const auto told = tell_however_split(bytes, most);
  const auto begin = told.find("} '");
  if (begin == told.npos || !told.ends_with("'\nidle")) return told;
  return told.substr(begin + 3, told.size() - begin - 3 - 6);
}

// -- Content-Length ---------------------------------------------------------------------------------------

TEST(RequestParser, ReadsABodyOfKnownLength) {
  const std::string any("a\r\n\0b", 5);
  EXPECT_EQ(body_of(with_body("Content-Length: 5\r\n", any)), any);
  EXPECT_EQ(body_of(with_body("Content-Length: 0\r\n", "")), "");
  EXPECT_EQ(body_of(with_body("content-LENGTH:\t0005 \r\n", "12345")), "12345");
  EXPECT_EQ(body_of(with_body("", "")), "") << "neither length nor coding: no body";
  EXPECT_TRUE(tell_however_split(with_body("Content-Length: 5\r\n", "1234")).ends_with("unfinished"));
  const std::string large(1'000'000, 'x');
  EXPECT_TRUE(tell({with_body("Content-Length: 1000000\r\n", large)}).find("'" + large + "'\nidle") !=
              std::string::npos);
}

TEST(RequestParser, ReadsABodyUpToItsLimit) {
  EXPECT_EQ(body_of(with_body("Content-Length: 20\r\n", std::string(20, 'x')), small_body()), std::string(20, 'x'));
  check_refused(
      {{with_body("Content-Length: 21\r\n", ""), 413, "the body of 21 bytes is longer than the limit of 20 bytes"},
       {with_body("Content-Length: 18446744073709551615\r\n", ""), 413, "18446744073709551615"}},
      small_body());
}

TEST(RequestParser, MakesRoomForWhatIsThereNotForWhatIsAnnounced) {
  const limits most{.body = std::size_t{1} << 40};
  request_parser p(most);
  p.parse(with_body("Content-Length: 1000000000000\r\n", ""));
  p.parse("x");
  ASSERT_EQ(p.at(), request_parser::state::body);
  EXPECT_LE(p.data().body.capacity(), 100'000u);
}

TEST(RequestParser, RefusesLengthsThatLeaveADoubt) {
  const std::string_view number = "not one number of at most 64 bits";
  for (const auto bad : {"", "+5", "-5", "5,5", "5, 5", "5 5", "0x5", "5.0", "5;", "a", "5a", "\"5\"",
                         "18446744073709551616", "99999999999999999999999", "\xd9\xa5"})
    check_refused({{with_body("Content-Length: " + std::string(bad) + "\r\n", "12345"), 400, number}});
  check_refused({
      {with_body("Content-Length: 5\r\nContent-Length: 5\r\n", "12345"), 400, "more than one Content-Length"},
      {with_body("Content-Length: 5\r\ncontent-length: 6\r\n", "12345"), 400, "more than one Content-Length"},
      {with_body("Content-Length: 5\x0b\r\n", "12345"), 400, "control character"},
  });
}

// -- Transfer-Encoding ------------------------------------------------------------------------------------

TEST(RequestParser, DecodesAChunkedBody) {
  EXPECT_EQ(body_of(chunked("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")), "abc0123456789");
  EXPECT_EQ(body_of(chunked("0\r\n\r\n")), "");
  for (const auto spelled : {"Chunked", "CHUNKED", "\tchunked", "chunked \t"})
    EXPECT_EQ(body_of(with_body("Transfer-Encoding: " + std::string(spelled) + "\r\n", "1\r\nx\r\n0\r\n\r\n")), "x")
        << spelled;
  EXPECT_EQ(body_of(with_body("transfer-encoding:chunked\r\n", "1\r\nx\r\n0\r\n\r\n")), "x");
}

TEST(RequestParser, RefusesCodingsOtherThanChunked) {
  const auto with = [](std::string_view value) {
    return with_body("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n");
  };
  for (const auto value : {"gzip, chunked", "gzip;q=1,chunked", "identity , chunked"})
    check_refused({{with(value), 501, "no Transfer-Encoding but chunked"}});
  for (const auto value : {"gzip", "identity", "xchunked", "chunkedx", "chunked;a=b", "chunked chunked", "\"chunked\"",
                           "chunke", "chunked\x80", "gzip, deflate"})
    check_refused({{with(value), 400, "does not end with chunked"}});
  for (const auto value : {"chunked, chunked", "chunked, gzip", "chunked,identity", "gzip, chunked, gzip"})
    check_refused({{with(value), 400, "chunked twice, or not as the last"}});
  for (const auto value : {"", " ", ",", ",chunked", "chunked,", "gzip,,chunked", " , chunked"})
    check_refused({{with(value), 400, "an empty element"}});
  check_refused({
      {with_body("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""), 400, "chunked twice"},
      {with_body("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", ""), 400, "not as the last"},
      {with_body("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", ""), 501, "but chunked"},
      {with_body("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", ""), 400, "an empty element"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "HTTP/1.0"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", 400, "HTTP/1.0"},
  });
}

// -- Expect -----------------------------------------------------------------------------------------------

TEST(RequestParser, ExpectsContinueOnlyIn11AndWithABody) {
  const auto says = [](const std::string& bytes) {
    const auto told = tell_however_split(bytes);
    EXPECT_TRUE(told.ends_with("idle")) << told;
    return told.find(" expects ") != told.npos;
  };
  EXPECT_TRUE(says(with_body("Content-Length: 1\r\nExpect: 100-continue\r\n", "x")));
  EXPECT_TRUE(says(with_body("expect: 100-CONTINUE\r\nContent-Length: 1\r\n", "x")));
  EXPECT_TRUE(says(with_body("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")));
  for (const auto list : {"100-continue,", " ,100-continue", "100-continue, 100-continue"})
    EXPECT_TRUE(says(with_body("Content-Length: 1\r\nExpect: " + std::string(list) + "\r\n", "x"))) << list;
  EXPECT_FALSE(says(with_body("Content-Length: 1\r\nExpect:\r\n", "x")));
  EXPECT_FALSE(says(with_body("Content-Length: 1\r\n", "x")));
  EXPECT_FALSE(says(with_body("Expect: 100-continue\r\n", "")));
  EXPECT_FALSE(says(with_body("Content-Length: 0\r\nExpect: 100-continue\r\n", "")));
  EXPECT_FALSE(says("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx"));
  EXPECT_FALSE(says("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: tea\r\n\r\nx"));
}

TEST(RequestParser, MeetsNoOtherExpectation) {
  for (const auto value : {"tea", "100", "100-continue, tea", "tea,100-continue", "100-continue;a", "x100-continue"})
    check_refused(
        {{with_body("Content-Length: 1\r\nExpect: " + std::string(value) + "\r\n", "x"), 417, "100-continue"}});
}

// -- smuggling --------------------------------------------------------------------------------------------

TEST(RequestParser, LeavesNoRoomForASmuggledRequest) {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string as_chunk = "0\r\n\r\n" + smuggled;
  const auto length = "Content-Length: " + std::to_string(as_chunk.size()) + "\r\n";
  const std::vector<refused> table{
      {with_body(length + "Transfer-Encoding: chunked\r\n", as_chunk), 400, "both"},             // CL.TE
      {with_body("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", as_chunk), 400, "both"}, // TE.CL
      {with_body(length + "Transfer-Encoding: xchunked\r\n", as_chunk), 400, "both"},            // TE hidden from one
      {with_body("Content-Length: 0\r\n" + length, as_chunk), 400, "more than one Content-Length"}, // CL.CL
      {with_body("Content-Length: 0\r\nContent-Length: 0\r\n", smuggled), 400, "more than one"},
      {with_body("Content-Length: 0, 0\r\n", smuggled), 400, "not one number"},
      {with_body("Content-Length : 5\r\n", as_chunk), 400, "a colon right behind it"},
      {with_body("Content-Length: 0\r\n Content-Length: 9\r\n", smuggled), 400, "folded"},
      {with_body("X: y\nContent-Length: 5\r\n", as_chunk), 400, "LF alone"},
      {with_body("X: y\rContent-Length: 5\r\n", as_chunk), 400, "control character"},
      {with_body(length + "Transfer-Encoding : chunked\r\n", as_chunk), 400, "a colon right behind it"},
      {with_body(length + "Transfer-Encoding\x0b: chunked\r\n", as_chunk), 400, "a colon right behind it"},
      {with_body(length + "Transfer-Encoding: chunked\x0b\r\n", as_chunk), 400, "control character"},
      {with_body(length + "Transfer-Encoding: \x0b"
                          "chunked\r\n",
                 as_chunk),
       400, "control character"},
      {with_body(length + "Transfer-Encoding: \xffz chunked\r\n", as_chunk), 400, "both"},
      {with_body(length + "Transfer-Encoding:\r\n chunked\r\n", as_chunk), 400, "an empty element"},
      {with_body(length + " Transfer-Encoding: chunked\r\n", as_chunk), 400, "folded"},
      {with_body(length + "X: y\r\n\tTransfer-Encoding: chunked\r\n", as_chunk), 400, "folded"},
      {with_body(length + "X: y\nTransfer-Encoding: chunked\r\n", as_chunk), 400, "LF alone"},
      {with_body(length + "X: y\rTransfer-Encoding: chunked\r\n", as_chunk), 400, "control character"},
      {with_body(std::string("Transfer-Encoding: chunked\0\r\n", 29), as_chunk), 400, "control character"},
      {with_body("Transfer-Encoding: xchunked\r\n", as_chunk), 400, "does not end with chunked"},
      {with_body("Transfer-Encoding: 'chunked'\r\n", as_chunk), 400, "does not end with chunked"},
      {with_body("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", as_chunk), 501, "but chunked"},
      {with_body("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", as_chunk), 400, "not as the last"},
      {"POST / HTTP/1.0\r\n" + length + "Transfer-Encoding: chunked\r\n\r\n" + as_chunk, 400, "both"},
      {chunked("0\n\r\n" + smuggled), 400, "followed by neither"},
      {chunked("0\r\n\n" + smuggled), 400, "trailer"},
      {chunked("1;\n" + smuggled), 400, "control character"},
      {chunked("1;a\nx\r\n" + as_chunk), 400, "control character"},
      {chunked("1;a\rx\r\n" + as_chunk), 400, "a CR that ends no line"},
      {chunked("1\r\nxx\r\n" + as_chunk), 400, "not followed by an end of line"},
      {chunked("-1\r\nx\r\n" + as_chunk), 400, "does not begin with its size"},
      {chunked("0x1\r\nx\r\n" + as_chunk), 400, "followed by neither"},
      {chunked("10000000000000001\r\nx\r\n" + as_chunk), 400, "more than 16 digits"},
  };
  check_refused(table);
  for (const auto& each : table) EXPECT_EQ(tell({each.bytes}).find("/smuggled"), std::string::npos) << each.bytes;
}

TEST(RequestParser, KeepsASmuggledRequestWithinTheBody) {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto size = std::to_string(smuggled.size());
  EXPECT_EQ(body_of(with_body("Content-Length: " + size + "\r\n", smuggled)), smuggled);
  EXPECT_EQ(body_of(with_body("Transfer-Encoding:\tchunked\r\n", "23\r\n" + smuggled + "\r\n0\r\n\r\n")), smuggled);
  // A method that has no body by custom has one all the same if its header section says so.
  EXPECT_EQ(body_of("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: " + size + "\r\n\r\n" + smuggled), smuggled);
  // Fields that only look like the two are none.
  const auto told =
      tell_however_split(with_body("Content_Length: 5\r\nTransfer_Encoding: chunked\r\nXTransfer-Encoding: chunked\r\n",
                                   "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_NE(told.find("GET /next"), told.npos) << told;
  // What a trailer says about the framing comes too late.
  EXPECT_EQ(body_of(chunked("0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n")), "");
}

// -- anything ---------------------------------------------------------------------------------------------

class mutator {
public:
  explicit mutator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  std::string mutated(std::string text) {
    for (auto n = 1 + below(4); n != 0; --n) mutate(text);
    return text;
  }
  std::vector<std::string_view> pieces(std::string_view text) {
    std::vector<std::string_view> all;
    while (!text.empty()) {
      const auto n = std::min(text.size(), 1 + below(40));
      all.push_back(text.substr(0, n));
      text.remove_prefix(n);
    }
    return all;
  }

private:
  void mutate(std::string& text) {
    static const std::vector<std::string> tokens{"\r\n",
                                                 "\n",
                                                 "\r",
                                                 " ",
                                                 "\t",
                                                 ":",
                                                 ",",
                                                 ";",
                                                 "0",
                                                 "f",
                                                 "%",
                                                 "?",
                                                 "//",
                                                 "*",
                                                 "\x80",
                                                 "\x7f",
                                                 "1.0",
                                                 "2.0",
                                                 "chunked",
                                                 "[",
                                                 "]",
                                                 "http://h",
                                                 "\r\n\r\n",
                                                 "Host: h\r\n",
                                                 "Content-Length: 3\r\n",
                                                 "Transfer-Encoding: chunked\r\n",
                                                 "0\r\n\r\n"};
    const auto at = below(text.size() + 1);
    switch (below(6)) {
    case 0: text.insert(at, tokens[below(tokens.size())]); break;
    case 1: text.erase(at, 1 + below(3)); break;
    case 2: text.insert(at, 1, static_cast<char>(below(256))); break;
    case 3: text.replace(at, 1, tokens[below(tokens.size())]); break;
    case 4: text.insert(at, text.substr(below(text.size() + 1), below(30))); break;
    default:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
    }
  }

  std::mt19937 random_;
};

TEST(RequestParser, TellsTheSameOfAnyBytesHoweverTheyAreSplit) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  mutator any(seed);
  const limits most{.request_line = 64, .head = 256, .fields = 6, .body = 30, .chunk_line = 20};
  const std::vector<std::string> good{
      with_target("/a?b=%41") + with_target("*", "OPTIONS"),
      "\r\n" + with_target("http://[::1]:80/") + "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      with_body("Content-Length: 3\r\n", "abc") + with_target("/next"),
      chunked("3;a=b\r\nabc\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n") + with_target("/next"),
      with_body("Expect: 100-continue\r\nContent-Length: 1\r\n", "x") + with_fields("Host: h\r\nConnection: close\r\n"),
  };
  for (int round = 0; round < 6000; ++round) {
    const auto bytes = any.mutated(good[any.below(good.size())]);
    const auto whole = tell({bytes}, most);
    ASSERT_EQ(tell(single_bytes(bytes), most), whole) << bytes;
    ASSERT_EQ(tell(any.pieces(bytes), most), whole) << bytes;
  }
}

} // namespace
} // namespace greenroom::http::internal::request_framing_test
