#include <greenroom/http/internal/response_parser.hpp>

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::response_parser_test {
namespace {

using state = response_parser::state;

/// What a parser makes of the pieces, in words: the answer, what is left, or why it is refused.
std::string tell_pieces(const std::vector<std::string_view>& pieces, const answer_limits& most, bool then_end) {
  response_parser p(most);
  std::string body;
  std::string surplus;
  for (auto each : pieces) {
    each.remove_prefix(p.parse(each));
    body += p.take_content();
    surplus += each;
  }
  if (then_end) p.end_of_input();
  if (p.at() == state::failed) return "refused: " + std::string(p.why().message());
  if (p.at() == state::head) return "unfinished head";
  const auto head = p.take_head();
  std::string told = std::to_string(head->status) + " 1." + std::to_string(head->minor_version) + " '" +
                     std::string(head->reason) + "' {";
  for (const auto& f : head->fields) told.append(f.name).append("=").append(f.value).append(";");
  told += "} '" + body + "'";
  if (p.at() == state::body) return told + " unfinished";
  told += p.keep_alive() ? " keep" : " close";
  return surplus.empty() ? told : told + " surplus '" + surplus + "'";
}

/// The same, however the bytes are split; it must not matter.
std::string tell(std::string_view bytes, const answer_limits& most = {}, bool then_end = true) {
  const auto whole = tell_pieces({bytes}, most, then_end);
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  EXPECT_EQ(tell_pieces(single, most, then_end), whole) << "byte by byte: " << bytes;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    const auto split = tell_pieces({bytes.substr(0, i), bytes.substr(i)}, most, then_end);
    if (split == whole) continue;
    ADD_FAILURE() << "split at " << i << ": " << split << "\nwhole: " << whole << "\nof " << bytes;
    break;
  }
  return whole;
}

std::string with(std::string_view fields, std::string_view body = "", std::string_view line = "HTTP/1.1 200 OK") {
  return std::string(line) + "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

constexpr std::string_view refused = "refused: the answer is refused: ";

std::string why(std::string_view bytes, const answer_limits& most = {}) {
  const auto told = tell(bytes, most, false);
  EXPECT_TRUE(told.starts_with(refused)) << told << "\nof " << bytes;
  return told.substr(std::min(refused.size(), told.size()));
}

// -- the status line --------------------------------------------------------------------------------------

TEST(ResponseParser, ReadsTheStatusLine) {
  EXPECT_EQ(tell(with("Content-Length: 0\r\n")), "200 1.1 'OK' {Content-Length=0;} '' keep");
  EXPECT_EQ(tell(with("Content-Length: 0\r\n", "", "HTTP/1.0 404 Not \t Found")),
            "404 1.0 'Not \t Found' {Content-Length=0;} '' close");
  EXPECT_EQ(tell(with("Content-Length: 0\r\n", "", "HTTP/1.7 599 ")), "599 1.1 '' {Content-Length=0;} '' keep");
  EXPECT_EQ(tell(with("Content-Length: 0\r\n", "", "HTTP/1.1 200")), "200 1.1 '' {Content-Length=0;} '' keep");
}

TEST(ResponseParser, RefusesAStatusLineThatIsNone) {
  for (const std::string_view line :
       {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 20x OK",
        "HTTP/1.11 200", "HTTP/1.1", "HTTP/1.x 200 OK", "HTTP/1.1 200 a\x01"}) {
    EXPECT_EQ(why(with("", "", line)), "the status line is not a version, a number of three digits and a reason")
        << line;
  }
  EXPECT_EQ(why(with("", "", "HTTP/1.1 600 Odd")), "there is no status 600");
  EXPECT_EQ(why(with("", "", "HTTP/1.1 099 Odd")), "there is no status 099");
}

TEST(ResponseParser, RefusesAnotherProtocolAsSoonAsItShows) {
  for (const std::string_view bytes : {"SSH-2.0-OpenSSH", "HTTP/2.0 200 OK\r\n", "http/1.1 200", "\r\nHTTP/1.1 200",
                                       "ICY 200", " HTTP/1.1 200", "\x15\x03\x01"}) {
    EXPECT_EQ(why(bytes), "it does not begin with HTTP/1.1 or HTTP/1.0") << bytes;
  }
}

// -- fields -----------------------------------------------------------------------------------------------

TEST(ResponseParser, TakesFieldsWithoutTheWhiteSpaceAroundThem) {
  EXPECT_EQ(tell(with("A:  b \t\r\nC:\r\nContent-Length:0\r\n")), "200 1.1 'OK' {A=b;C=;Content-Length=0;} '' keep");
}

TEST(ResponseParser, RefusesFieldsThatTwoProgramsCouldReadDifferently) {
  EXPECT_EQ(why(with("A: b\r\n c\r\n")),
            "a header field is folded over more than one line, or a line begins with white space");
  EXPECT_EQ(why(with(" A: b\r\n")),
            "a header field is folded over more than one line, or a line begins with white space");
  const auto no_name = "a header field has no name of allowed characters with a colon right behind it";
  EXPECT_EQ(why(with("A : b\r\n")), no_name);
  EXPECT_EQ(why(with(": b\r\n")), no_name);
  EXPECT_EQ(why(with("AB\r\n")), no_name);
  EXPECT_EQ(why(with("A(: b\r\n")), no_name);
  EXPECT_EQ(why(with("A: b\rc\r\n")), "the value of a header field holds a control character");
  EXPECT_EQ(why(with(std::string("A: b\0c\r\n", 8))), "the value of a header field holds a control character");
}

TEST(ResponseParser, RefusesALineThatEndsWithLfAlone) {
  const auto reason = "a line ends with LF alone, not with CR LF";
  EXPECT_EQ(why("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"), reason);
  EXPECT_EQ(why("HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n"), reason);
  EXPECT_EQ(why("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"), reason);
}

TEST(ResponseParser, HoldsTheHeaderSectionToItsLimits) {
  const auto bytes = with("Content-Length: 0\r\nA: 1\r\n");
  answer_limits most{.head = bytes.size(), .fields = 2};
  EXPECT_EQ(tell(bytes, most), "200 1.1 'OK' {Content-Length=0;A=1;} '' keep");
  most.head = bytes.size() - 1;
  EXPECT_EQ(why(bytes, most), "the header section is longer than the limit of 43 bytes");
  EXPECT_EQ(why("HTTP/1.1 200 " + std::string(100, 'x'), most),
            "the header section is longer than the limit of 43 bytes"); // not only when the line ends
  most = {.fields = 1};
  EXPECT_EQ(why(bytes, most), "the header section has more than the limit of 1 fields");
}

// -- framing: RFC 9112 section 6.3, in its order ----------------------------------------------------------

TEST(ResponseParser, SomeAnswersHaveNoBodyWhateverTheyAnnounce) {
  EXPECT_EQ(tell(with("Content-Length: 5\r\n"), {.to_head = true}), "200 1.1 'OK' {Content-Length=5;} '' keep");
  EXPECT_EQ(tell(with("Transfer-Encoding: chunked\r\n"), {.to_head = true}),
            "200 1.1 'OK' {Transfer-Encoding=chunked;} '' keep");
  EXPECT_EQ(tell(with("Content-Length: 5\r\n", "", "HTTP/1.1 304 Same")), "304 1.1 'Same' {Content-Length=5;} '' keep");
  EXPECT_EQ(tell(with("", "", "HTTP/1.1 204 None")), "204 1.1 'None' {} '' keep");
  EXPECT_EQ(tell(with("Content-Length: 2\r\n", "ab", "HTTP/1.1 204 None")),
            "204 1.1 'None' {Content-Length=2;} '' keep surplus 'ab'");
}

TEST(ResponseParser, PassesOverInterimAnswersUpToALimit) {
  const auto interim = [](int n) {
    std::string all;
    for (int i = 0; i < n; ++i) all += "HTTP/1.1 103 Early\r\nContent-Length: 7\r\nConnection: close\r\n\r\n";
    return all;
  };
  EXPECT_EQ(tell(interim(8) + with("Content-Length: 1\r\n", "x")), "200 1.1 'OK' {Content-Length=1;} 'x' keep");
  EXPECT_EQ(why(interim(9)), "there are more than the limit of 8 interim answers");
  EXPECT_EQ(why("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
            "it switches to another protocol, which nobody asked for");
  EXPECT_EQ(tell(interim(1)), "refused: the connection ended within the header section of the answer");
}

TEST(ResponseParser, RefusesLengthsThatContradictEachOther) {
  EXPECT_EQ(why(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
            "there are both a Content-Length and a Transfer-Encoding field");
  EXPECT_EQ(why(with("Content-Length: 5\r\ncontent-length: 5\r\n")), "there is more than one Content-Length field");
  for (const std::string_view value : {"", "5, 5", "+5", "-1", "0x5", "5 5", "18446744073709551616", "five"}) {
    EXPECT_EQ(why(with("Content-Length: " + std::string(value) + "\r\n")),
              "the Content-Length is not one number of at most 64 bits")
        << value;
  }
}

TEST(ResponseParser, DecodesNoCodingButChunked) {
  const auto other = "no Transfer-Encoding but chunked is decoded, and none was asked for";
  EXPECT_EQ(why(with("Transfer-Encoding: gzip, chunked\r\n")), other);
  EXPECT_EQ(why(with("Transfer-Encoding: gzip\r\n")), other);
  EXPECT_EQ(why(with("Transfer-Encoding: chunked, chunked\r\n")),
            "the Transfer-Encoding names chunked twice, or not as the last");
  EXPECT_EQ(why(with("Transfer-Encoding: ,chunked\r\n")), "the Transfer-Encoding has an empty element");
  EXPECT_EQ(why(with("Transfer-Encoding: chunked\r\n", "", "HTTP/1.0 200 OK")),
            "an HTTP/1.0 answer cannot have a Transfer-Encoding");
}

TEST(ResponseParser, ReadsChunksToTheLastOne) {
  EXPECT_EQ(tell(with("Transfer-Encoding: Chunked\r\n", "2\r\nab\r\n1;x=\"y\"\r\nc\r\n0\r\nT: 1\r\n\r\nrest")),
            "200 1.1 'OK' {Transfer-Encoding=Chunked;} 'abc' keep surplus 'rest'");
  EXPECT_EQ(tell(with("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n")),
            "refused: the connection ended before the last chunk of the answer's body");
  EXPECT_EQ(why(with("Transfer-Encoding: chunked\r\n", "x\r\n")),
            "a chunk does not begin with its size in hexadecimal digits");
  EXPECT_EQ(why(with("Transfer-Encoding: chunked\r\n", "2\nab")),
            "the size of a chunk is followed by neither an extension nor an end of line");
}

TEST(ResponseParser, ReadsAsMuchAsAnnounced) {
  EXPECT_EQ(tell(with("Content-Length: 3\r\n", "abcde")), "200 1.1 'OK' {Content-Length=3;} 'abc' keep surplus 'de'");
  EXPECT_EQ(tell(with("Content-Length: 3\r\n", "ab"), {}, false), "200 1.1 'OK' {Content-Length=3;} 'ab' unfinished");
  EXPECT_EQ(tell(with("Content-Length: 3\r\n", "ab")),
            "refused: the connection ended 1 bytes before the end of the answer's body");
}

TEST(ResponseParser, ReadsToTheEndOfTheConnectionOtherwise) {
  EXPECT_EQ(tell(with("", "all of it")), "200 1.1 'OK' {} 'all of it' close");
  EXPECT_EQ(tell(with("Connection: keep-alive\r\n", "x")), "200 1.1 'OK' {Connection=keep-alive;} 'x' close");
  EXPECT_EQ(tell(""), "refused: the server closed the connection without an answer");
}

TEST(ResponseParser, ABreakIsNoEnd) {
  response_parser p{answer_limits()};
  (void)p.parse(with("", "some"));
  p.break_off(error(errc::io, "reset"));
  EXPECT_EQ(p.at(), state::failed);
  EXPECT_EQ(p.why().message(), "reset");
}

TEST(ResponseParser, HoldsTheBodyToItsLimitInEachFraming) {
  EXPECT_EQ(why(with("Content-Length: 5\r\n"), {.body = 4}), "its body of 5 bytes is longer than the limit of 4 bytes");
  EXPECT_EQ(tell(with("Content-Length: 4\r\n", "abcd"), {.body = 4}), "200 1.1 'OK' {Content-Length=4;} 'abcd' keep");
  // Of a body that is taken out as it comes, as tell() does, only what is not taken out counts: one piece at a time.
  response_parser chunked({.body = 4});
  (void)chunked.parse(with("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  EXPECT_EQ(chunked.why().message(), "the answer is refused: the body is longer than the limit of 4 bytes");
  response_parser open({.body = 4});
  (void)open.parse(with("", "abcd"));
  EXPECT_EQ(open.at(), state::body);
  (void)open.parse("e");
  EXPECT_EQ(open.why().message(), "the answer is refused: the body is longer than the limit of 4 bytes");
}

// -- keep-alive -------------------------------------------------------------------------------------------

TEST(ResponseParser, SaysWhetherTheConnectionStays) {
  const auto last_word = [](std::string_view fields, std::string_view line) {
    const auto told = tell(with("Content-Length: 0\r\n" + std::string(fields), "", line));
    return told.substr(told.rfind(' ') + 1);
  };
  EXPECT_EQ(last_word("", "HTTP/1.1 200 OK"), "keep");
  EXPECT_EQ(last_word("Connection: Close\r\n", "HTTP/1.1 200 OK"), "close");
  EXPECT_EQ(last_word("Connection: a, close, b\r\n", "HTTP/1.1 200 OK"), "close");
  EXPECT_EQ(last_word("Connection: keep-alive\r\nConnection: close\r\n", "HTTP/1.1 200 OK"), "close");
  EXPECT_EQ(last_word("", "HTTP/1.0 200 OK"), "close");
  EXPECT_EQ(last_word("Connection: Keep-Alive\r\n", "HTTP/1.0 200 OK"), "keep");
}

// -- any bytes --------------------------------------------------------------------------------------------

TEST(ResponseParser, SurvivesAnyBytesAndDoesNotDependOnTheirSplit) {
  const std::vector<std::string> seeds{with("Content-Length: 3\r\nA: b\r\n", "abc"),
                                       with("Transfer-Encoding: chunked\r\n", "2;a\r\nab\r\n0\r\nT: 1\r\n\r\n"),
                                       "HTTP/1.1 100 Continue\r\n\r\n" + with("Connection: close\r\n", "to the end")};
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string odd("\r\n\0 \t:,;0Fx\x80\x7f", 14);
  for (int round = 0; round < 3'000; ++round) {
    auto bytes = seeds[random() % seeds.size()];
    for (auto changes = random() % 4; changes > 0; --changes) {
      const auto at = random() % bytes.size();
      const auto c = odd[random() % odd.size()];
      switch (random() % 3) {
      case 0: bytes[at] = c; break;
      case 1: bytes.insert(at, 1, c); break;
      default: bytes.erase(at, 1);
      }
    }
    const auto at = random() % (bytes.size() + 1);
    const auto view = std::string_view(bytes);
    ASSERT_EQ(tell_pieces({view.substr(0, at), view.substr(at)}, {}, true), tell_pieces({view}, {}, true))
        << at << " of " << bytes;
  }
}

} // namespace
} // namespace greenroom::http::internal::response_parser_test
