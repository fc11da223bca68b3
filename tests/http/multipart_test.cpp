#include <greenroom/http/multipart.hpp>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/multipart_kit.hpp>

namespace greenroom::http::multipart_test {
namespace {

using namespace std::string_literals;
using test::parse_however_split;
using test::parse_pieces;
using test::part;

struct row {
  std::string body;
  std::string expected; // all of it, or its beginning if that is a refusal
};

void check(const std::vector<row>& table, const multipart_limits& most = {}) {
  for (const auto& each : table) {
    const auto got = parse_however_split(each.body, "b", most);
    const bool refused = each.expected.find("cannot read") != std::string::npos;
    EXPECT_EQ(refused ? got.substr(0, each.expected.size()) : got, each.expected) << each.body;
  }
}

/// The beginning of a refusal.
std::string refused(std::string_view why, std::string_view code = "parse") {
  return std::string(code) + ": cannot read the multipart body: " + std::string(why);
}

// -- what is taken --------------------------------------------------------------------------------------------

TEST(Multipart, GivesPartsWithTheirNamesTypesAndData) { // RFC 7578 section 4
  check({{part("a") + "1\r\n--b--\r\n", "name=a '1'; end"},
         {part("a") + "1\r\n" + part("b", "; filename=\"c.png\"\r\nContent-Type: image/png") +
              "\x89PNG\r\n\n\r\n--b--\r\n",
          "name=a '1'; name=b file=c.png type=image/png '\x89PNG\r\n\n'; end"},
         {part("a") + "1\r\n" + part("a") + "2\r\n--b--", "name=a '1'; name=a '2'; end"}, // 4.3
         {part("") + "1\r\n--b--", "name= '1'; end"},
         {part("a", "; filename=\"\"\r\nContent-Type: application/octet-stream") + "\r\n--b--",
          "name=a file= type=application/octet-stream ''; end"}}); // no file was chosen
}

TEST(Multipart, ABodyWithoutPartsIsAFormWithoutFields) {
  // RFC 2046 section 5.1.1 wants one part, but browsers send this for a form without fields.
  check({{"--b--\r\n", "end"}, {"--b--", "end"}, {"preamble\r\n--b--", "end"}});
}

TEST(Multipart, DataMayLookAlmostLikeABoundary) {
  for (const std::string data :
       {"\r", "\n", "\r\n", "\r\n\r\n", "\r\r\n", "-", "\r\n-", "\r\n--", "\r\n--c", "\r\r\n--c", "\r\n\r\n--",
        "\r\n-\r\n--\r", "\n--b--\n", "x--b--", "\r--b--", "\r\n--B--", "\r\n --b--", "a\r\n--a\r\n--c"}) {
    check({{part("a") + data + "\r\n--b--", "name=a '" + data + "'; end"}});
  }
  check({{part("a") + "\0\xff\0"s + "\r\n--b--", "name=a '\0\xff\0'; end"s}});
}

TEST(Multipart, APartMayEndWithItsHeaderSection) { // RFC 2046 section 5.1.1: body-part without data
  check({{part("a") + "--b--", "name=a ''; end"},
         {part("a") + part("c") + "--b--\r\n", "name=a ''; name=c ''; end"},
         {part("a") + "\r\n--b--", "name=a ''; end"},
         {part("a") + "--\r\n--b--", "name=a '--'; end"},
         {part("a") + "-\r\n--b--", "name=a '-'; end"}});
}

TEST(Multipart, SkipsPreambleAndEpilogue) { // RFC 2046 section 5.1.1
  check({{"This is MIME.\r\n" + part("a") + "1\r\n--b--\r\nanything \0 \r\n--b\r\n--b--"s, "name=a '1'; end"},
         {"\r\n" + part("a") + "1\r\n--b--\r\n", "name=a '1'; end"},
         {"\r\n\r\n-\r\n--\r\n" + part("a") + "1\r\n--b--\r\n", "name=a '1'; end"},
         {"x--b\r\n" + part("a") + "1\r\n--b--\r\n", "name=a '1'; end"}});
}

TEST(Multipart, SkipsSpaceBehindABoundary) {           // RFC 2046 section 5.1.1: transport-padding
  const auto padded = part("a").replace(3, 0, " \t "); // behind the "--b"
  check({{padded + "1\r\n--b-- \t\r\n", "name=a '1'; end"}, {padded + "1\r\n--b--  ", "name=a '1'; end"}});
}

TEST(Multipart, TakesEncodingsThatChangeNothing) { // RFC 7578 section 4.7
  for (const auto* encoding : {"binary", "8bit", "7BIT"})
    check({{part("a", "\r\ncontent-transfer-encoding: "s + encoding) + "1\r\n--b--", "name=a '1'; end"}});
}

TEST(Multipart, GivesAllHeaderFieldsOfAPart) {
  multipart_parser parser("b");
  const auto body = part("a", "\r\nX-One:1\r\nCONTENT-TYPE:  text/plain;charset=utf-8\t\r\nX-Two:") + "1\r\n--b--";
  std::string_view bytes = body;
  ASSERT_EQ(parser.next(bytes).value(), multipart_parser::event::part_begin);
  std::string told;
  for (const auto& f : parser.headers()) told.append(f.name).append("=").append(f.value).append("\n");
  EXPECT_EQ(told,
            "Content-Disposition=form-data; name=\"a\"\nX-One=1\nCONTENT-TYPE=text/plain;charset=utf-8\nX-Two=\n");
  EXPECT_EQ(parser.content_type(), "text/plain;charset=utf-8");
}

TEST(Multipart, DataIsAViewOfTheBytesThatWereFed) {
  multipart_parser parser("b");
  const auto body = part("a") + "some data";
  std::string_view bytes = body;
  ASSERT_EQ(parser.next(bytes).value(), multipart_parser::event::part_begin);
  ASSERT_EQ(parser.next(bytes).value(), multipart_parser::event::data);
  EXPECT_EQ(parser.data().data(), body.data() + body.size() - 9);
  EXPECT_EQ(parser.next(bytes).value(), multipart_parser::event::need_more);
  EXPECT_TRUE(parser.data().empty());
}

// -- what is refused ------------------------------------------------------------------------------------------

TEST(Multipart, RefusesABodyThatStopsBeforeItsLastBoundary) {
  const auto whole = part("a") + "1\r\n" + part("c") + "2\r\n--b--";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto got = parse_pieces({std::string_view(whole).substr(0, n)}, "b");
    EXPECT_TRUE(got.starts_with("parse: ") && got.ends_with(": the body stops before its last boundary")) << n << got;
  }
  check({{"", refused("in front of the first part: the body stops")},
         {"preamble only", refused("in front of the first part: the body stops")},
         {part("a") + "1", refused("part 1: the body stops")},
         {part("a") + "1\r\n--b", refused("behind part 1: the body stops")},
         {part("a") + "1\r\n--c--", refused("part 1: the body stops")},
         {part("a") + "1\r\n--b--\r", refused("behind part 1: the line of the last boundary ends with CR alone")}});
}

TEST(Multipart, RefusesLinesThatEndWithLfAlone) {
  check({{"--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n",
          refused("in front of the first part: the line of a boundary ends with LF alone")},
         {"--b \n", refused("in front of the first part: the line of a boundary ends with LF alone")},
         {"--b\r\nContent-Disposition: form-data; name=a\n\r\n",
          refused("part 1: a line of its header section ends with LF")},
         {"--b\r\nContent-Disposition: form-data; name=a\r\n\n",
          refused("part 1: a line of its header section ends with LF")},
         {"--b\r\n\n", refused("part 1: a line of its header section ends with LF")},
         {part("a") + "1\n--b--\n", refused("part 1: the body stops before its last boundary")},
         {part("a") + "1\r\n--b--\n", refused("behind part 1: something else follows the last boundary on its line")}});
}

TEST(Multipart, RefusesAnythingElseOnTheLineOfABoundary) { // RFC 2046: whatever follows, such a line is a boundary
  const std::string more = "something else follows a boundary on its line";
  check({{part("a") + "1\r\n--bc\r\n--b--", refused("behind part 1: " + more)},
         {part("a") + "1\r\n--b-\r\n", refused("behind part 1: " + more)},
         {part("a") + "1\r\n--b -- \r\n", refused("behind part 1: " + more)},
         {"--bb\r\n", refused("in front of the first part: " + more)},
         {"--b\rx", refused("in front of the first part: the line of a boundary holds a CR that ends no line")},
         {part("a") + "1\r\n--b--x", refused("behind part 1: something else follows the last boundary on its line")},
         {part("a") + "1\r\n--b--\rx", refused("behind part 1: the line of the last boundary holds a CR")}});
}

TEST(Multipart, RefusesHeadersOfAnotherForm) {
  const std::string form = refused("part 1: a line of its header section is not of the form name: value");
  const std::string control = refused("part 1: the value of a header field holds a control character");
  for (const auto* bad : {"\r\nX", "\r\nX : 1", "\r\n: 1", "\r\n X: 1", "\r\n\tfolded", "\r\nX\"Y: 1", "\r\nX\r: 1"})
    check({{part("a", bad) + "1\r\n--b--", form}});
  for (const auto& bad : {"\r\nX: \1"s, "\r\nX: a\0b"s, "\r\nX: \x7f"s, "\r\nX: a\rb"s, "; filename=\"\x1b\""s})
    check({{part("a", bad) + "1\r\n--b--", control}});
}

TEST(Multipart, RefusesABoundaryWithinAHeaderSection) { // to who looks for boundaries first, another part begins there
  const std::string boundary = refused("part 1: a line of its header section begins with the boundary");
  for (const auto* bad : {"\r\n--b: c", "\r\n--bc: d", "\r\n--b", "\r\n--b--", "\r\n--b:"})
    check({{part("a", bad) + "1\r\n--b--", boundary}});
  check({{"--b\r\n--b: c\r\n" + part("a") + "1\r\n--b--", boundary}});
  for (const auto* good : {"\r\n--: c", "\r\n--a: b", "\r\n-b: c", "\r\nb: --b"})
    EXPECT_TRUE(parse_however_split(part("a", good) + "1\r\n--b--", "b").starts_with("name=a ")) << good;
}

TEST(Multipart, RefusesPartsWithoutANameOrWithTwo) { // RFC 7578 section 4.2
  const auto with = [](std::string_view head) { return "--b\r\n" + std::string(head) + "\r\n1\r\n--b--"; };
  check(
      {{with(""), refused("part 1: it has no Content-Disposition")},
       {with("Content-Type: text/plain\r\n"), refused("part 1: it has no Content-Disposition")},
       {with("Content-Disposition: form-data\r\n"), refused("part 1: its Content-Disposition has no name")},
       {with("Content-Disposition: form-data; filename=a\r\n"), refused("part 1: its Content-Disposition has no name")},
       {with("Content-Disposition: attachment; name=a\r\n"),
        refused("part 1: its Content-Disposition is not form-data")},
       {part("a", "; name=\"c\"") + "1", refused("part 1: its Content-Disposition has two names")},
       {part("a", "\r\ncontent-disposition: form-data; name=c") + "1",
        refused("part 1: it has two Content-Dispositions")},
       {part("a", "\r\nContent-Type: a/b\r\nContent-type: a/b") + "1", refused("part 1: it has two Content-Types")}});
}

TEST(Multipart, RefusesEncodingsThatChangeBytes) {
  for (const auto* encoding : {"base64", "Quoted-Printable", "", "binary, base64"})
    check({{part("a", "\r\nContent-Transfer-Encoding: "s + encoding) + "1\r\n--b--",
            refused("part 1: it has a Content-Transfer-Encoding: send the bytes as they are", "unsupported")}});
}

TEST(Multipart, AnErrorStays) {
  multipart_parser parser("b");
  std::string_view bad = "--b\n";
  const auto first = parser.next(bad);
  ASSERT_FALSE(first);
  const auto good = part("a") + "1\r\n--b--";
  std::string_view bytes = good;
  const auto second = parser.next(bytes);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), first.error().message());
  EXPECT_EQ(bytes.size(), good.size());
  EXPECT_EQ(parser.finish().error().message(), first.error().message());
}

// -- limits ---------------------------------------------------------------------------------------------------

TEST(Multipart, LimitsTheParts) {
  const auto two = part("a") + "1\r\n" + part("c") + "2\r\n--b--";
  check({{two, "name=a '1'; name=c '2'; end"}}, {.parts = 2});
  check({{two, refused("behind part 1: there are more parts than the limit of 1", "limit")}}, {.parts = 1});
  check({{"--b--", "end"},
         {two, refused("in front of the first part: there are more parts than the limit of 0", "limit")}},
        {.parts = 0});
}

TEST(Multipart, LimitsTheHeaderSectionOfEachPart) {
  const auto size = part("a").size() - 5; // without the boundary's line
  const auto two = part("a") + "1\r\n" + part("c") + "2\r\n--b--";
  check({{two, "name=a '1'; name=c '2'; end"}}, {.part_head = size});
  const auto why = "part 1: its header section is longer than the limit of " + std::to_string(size - 1) + " bytes";
  check({{two, refused(why, "limit")}}, {.part_head = size - 1});
  check({{"--b\r\n" + std::string(10, 'x'), refused("part 1: the body stops")},
         {"--b\r\n" + std::string(11, 'x'),
          refused("part 1: its header section is longer than the limit of 10", "limit")}},
        {.part_head = 10});
}

TEST(Multipart, LimitsTheDataOfEachPart) {
  const auto two = part("a") + "1234\r\n" + part("c") + "\r\n-\n\r\n--b--";
  check({{two, "name=a '1234'; name=c '\r\n-\n'; end"}}, {.part_data = 4});
  check({{two, refused("part 1: its data is longer than the limit of 3 bytes", "limit")}}, {.part_data = 3});
  check(
      {{part("a") + "\r\n--b--", "name=a ''; end"}, {part("a") + "1", refused("part 1: its data is longer", "limit")}},
      {.part_data = 0});
}

TEST(Multipart, LimitsWhatBelongsToNoPart) {
  const auto body = "12\r\n" + part("a").replace(3, 0, " ") + "x\r\n--b-- \r\n3456"; // eight bytes
  check({{body, "name=a 'x'; end"}}, {.outside = 8});
  check({{body, refused("behind part 1: more than the limit of 7 bytes belong to no part", "limit")}}, {.outside = 7});
  check({{body, refused("in front of the first part: more than the limit of 1 bytes", "limit")}}, {.outside = 1});
  check({{"--b  \r\n", refused("in front of the first part: more than the limit of 1 bytes", "limit")}},
        {.outside = 1});
}

TEST(Multipart, MemoryDoesNotGrowWithTheData) {
  // A gigabyte in pieces of which most end within what may be a boundary.
  multipart_parser parser("b", {.part_data = UINT64_MAX});
  const auto head = part("a");
  std::string_view bytes = head;
  ASSERT_EQ(parser.next(bytes).value(), multipart_parser::event::part_begin);
  const std::string piece = std::string(1'048'572, 'x') + "\r\n--";
  std::uint64_t got = 0;
  for (int i = 0; i < 1'024; ++i) {
    bytes = piece;
    for (auto e = parser.next(bytes).value(); e != multipart_parser::event::need_more; e = parser.next(bytes).value()) {
      ASSERT_EQ(e, multipart_parser::event::data);
      got += parser.data().size();
    }
  }
  EXPECT_EQ(got, (std::uint64_t{1} << 30) - 4) << "only what may be a boundary is kept back";
}

// -- random ---------------------------------------------------------------------------------------------------

TEST(Multipart, RandomBodiesAreTheSameHoweverTheyAreSplit) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const std::vector<std::string> words = {"\r",
                                          "\n",
                                          "\r\n",
                                          "-",
                                          "--",
                                          "--b",
                                          "\r\n--b",
                                          "\r\n--b--",
                                          "\r\n--b\r\n",
                                          "b",
                                          "x",
                                          " ",
                                          "\r\n\r\n",
                                          part("a"),
                                          "\r\n" + part("c", "; filename=d"),
                                          "Content-Type: a/b\r\n"};
  int whole_bodies = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string body = random() % 8 == 0 ? "" : part("a");
    for (auto n = random() % 12; n != 0; --n) body += words[random() % words.size()];
    if (random() % 2 == 0) body += "\r\n--b--\r\n";
    std::vector<std::string_view> pieces;
    for (std::string_view left = body; !left.empty();) {
      pieces.push_back(left.substr(0, 1 + random() % 9));
      left.remove_prefix(pieces.back().size());
    }
    const multipart_limits most{.parts = 3, .part_head = 60, .part_data = 40, .outside = 20};
    const auto whole = parse_pieces({body}, "b", most);
    ASSERT_EQ(parse_pieces(pieces, "b", most), whole) << body;
    whole_bodies += whole.ends_with("end");
  }
  EXPECT_GT(whole_bodies, 100) << "the random bodies are all refused, so that they show little";
}

TEST(Multipart, RandomDataComesBackHoweverItIsSplit) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::string body;
    std::string expected;
    for (auto n = 1 + random() % 3; n != 0; --n) {
      std::string data;
      for (auto k = random() % 40; k != 0; --k) data += "\r\n-bx"[random() % 5];
      if (data.starts_with("--b") || data.find("\r\n--b") != data.npos) data = "x";
      body += part("a") + data + "\r\n";
      expected += "name=a '" + data + "'; ";
    }
    body += "--b--";
    std::vector<std::string_view> pieces;
    for (std::string_view left = body; !left.empty();) {
      pieces.push_back(left.substr(0, 1 + random() % 15));
      left.remove_prefix(pieces.back().size());
    }
    ASSERT_EQ(parse_pieces(pieces, "b"), expected + "end") << body;
  }
}

// -- as a whole -----------------------------------------------------------------------------------------------

TEST(ParseMultipart, GivesThePartsOfAForm) {
  const auto body = part("title") + "A day\r\n" + part("photo", "; filename=\"day.png\"\r\nContent-Type: image/png") +
                    "\x89PNG\r\n--b--\r\n";
  const auto form = parse_multipart("multipart/form-data; boundary=b", body);
  ASSERT_TRUE(form) << form.error().message();
  ASSERT_EQ(form->size(), 2u);
  EXPECT_EQ((*form)[0].name, "title");
  EXPECT_FALSE((*form)[0].file_name);
  EXPECT_EQ((*form)[0].content_type, "");
  EXPECT_EQ((*form)[0].data, "A day");
  EXPECT_EQ((*form)[1].name, "photo");
  EXPECT_EQ((*form)[1].file_name, "day.png");
  EXPECT_EQ((*form)[1].content_type, "image/png");
  EXPECT_EQ((*form)[1].data, "\x89PNG");
}

TEST(ParseMultipart, SaysWhyThereAreNone) {
  const auto why = [](std::string_view type, std::string_view body, const multipart_limits& most = {}) {
    const auto form = parse_multipart(type, body, most);
    return form ? "parts" : test::told(form.error());
  };
  constexpr auto type = "multipart/form-data; boundary=b";
  EXPECT_EQ(why("text/plain", "--b--"),
            "unsupported: cannot read the form: its Content-Type is not multipart/form-data");
  EXPECT_EQ(
      why(type, "--b"),
      "parse: cannot read the multipart body: in front of the first part: the body stops before its last boundary");
  EXPECT_EQ(why(type, part("a") + "12\r\n--b--", {.part_data = 1}),
            "limit: cannot read the multipart body: part 1: its data is longer than the limit of 1 bytes");
  EXPECT_EQ(why(type, "--b--"), "parts");
}

} // namespace
} // namespace greenroom::http::multipart_test
