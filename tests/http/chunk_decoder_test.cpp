#include <greenroom/http/internal/chunk_decoder.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::chunk_decoder_test {
namespace {

using outcome = chunk_decoder::outcome;

limits tight() { return {.head = 256, .fields = 3, .body = 40, .chunk_line = 24}; }

/// What comes of pieces: the body with its trailers and what is left behind it, or why it was refused.
std::string decode(const std::vector<std::string_view>& pieces, const limits& most) {
  chunk_decoder decoder;
  std::string body;
  std::string left;
  refusal why;
  auto now = outcome::more;
  for (auto piece : pieces) {
    if (now == outcome::more) now = decoder.decode(piece, body, most, why);
    if (now == outcome::failed) return std::to_string(why.status) + ": " + why.reason;
    EXPECT_TRUE(now == outcome::done || piece.empty()) << "it must take all that it can";
    left += piece;
  }
  if (now == outcome::more) return "more '" + body + "' left '" + left + "'";
  const auto trailers = decoder.take_trailers();
  for (const auto& f : detail::fields_of(trailers.get()))
    body += "' " + std::string(f.name) + "='" + std::string(f.value);
  return "done '" + body + "' left '" + left + "'";
}

std::string decode_however_split(std::string_view bytes, const limits& most = tight()) {
  const auto whole = decode({bytes}, most);
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    single.push_back(bytes.substr(i, 1));
    EXPECT_EQ(decode({bytes.substr(0, i), bytes.substr(i)}, most), whole) << "split at " << i << " of " << bytes;
  }
  EXPECT_EQ(decode(single, most), whole) << "byte by byte of " << bytes;
  return whole;
}

struct row {
  std::string bytes;
  std::string_view expected; // or its beginning, for a refusal
};

void check(const std::vector<row>& table, const limits& most = tight()) {
  for (const auto& each : table) {
    const auto got = decode_however_split(each.bytes, most);
    if (each.expected.starts_with("4")) {
      EXPECT_TRUE(got.starts_with(each.expected)) << got << "\n" << each.bytes;
    } else {
      EXPECT_EQ(got, each.expected) << each.bytes;
    }
  }
}

TEST(ChunkDecoder, JoinsChunksAndLeavesWhatFollows) {
  check({{"0\r\n\r\n", "done '' left ''"},
         {"1\r\na\r\n0\r\n\r\nGET /", "done 'a' left 'GET /'"},
         {"3\r\na\r\n\r\n2\r\nbc\r\n00\r\n\r\n", "done 'a\r\nbc' left ''"},
         {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "done '01234567890123456789' left ''"},
         {"0000000000000001\r\nx\r\n0\r\n\r\n", "done 'x' left ''"},
         {"3\r\nab", "more 'ab' left ''"},
         {"0\r\n\r", "more '' left ''"},
         {"", "more '' left ''"}});
}

TEST(ChunkDecoder, SkipsExtensions) {
  check({{"1;a=b\r\nx\r\n0;last\r\n\r\n", "done 'x' left ''"},
         {"1 ; a\t= \"b\" ;c\r\nx\r\n0\t;a\r\n\r\n", "done 'x' left ''"},
         {"1;a=\"b;\t\\\"\xc3\xa9\"\r\nx\r\n0\r\n\r\n", "done 'x' left ''"}});
}

TEST(ChunkDecoder, RefusesSizesThatLeaveADoubt) {
  const std::string_view begin = "400: a chunk does not begin with its size in hexadecimal digits";
  const std::string_view end = "400: the size of a chunk is followed by neither an extension nor an end of line";
  check({{"\r\n", begin},
         {";a\r\n", begin},
         {" 1\r\n", begin},
         {"+1\r\n", begin},
         {"-1\r\n", begin},
         {"g\r\n", begin},
         {"\n", begin},
         {"0x1\r\n", end},
         {"1g\r\n", end},
         {"1,1\r\n", end},
         {"1\n", end},
         {"1\x80\r\n", end},
         {"1\rx", "400: the line with a chunk's size holds a CR that ends no line"},
         {"1\r\r\n", "400: the line with a chunk's size holds a CR that ends no line"},
         {"00000000000000001\r\n", "400: the size of a chunk has more than 16 digits"},
         {"10000000000000000\r\n", "400: the size of a chunk has more than 16 digits"},
         {"fffffffffffffffff\r\n", "400: the size of a chunk has more than 16 digits"}});
}

TEST(ChunkDecoder, RefusesExtensionsOfAnotherForm) {
  const std::string_view form = "400: a chunk extension is not of the form ;name or ;name=value";
  for (const auto* bad :
       {"1 \r",     "1\t\r",      "1 1",        "1 =",        "1;\r",         "1;;",         "1;=",
        "1;\"",     "1;a;\r",     "1;a \r",     "1;a b",      "1;a,",         "1;a\"",       "1;a=\r",
        "1;a=;",    "1;a= \r",    "1;a==",      "1;a=b=",     "1;a=b \r",     "1;a=b c",     "1;a=b\"",
        "1;a=\"\r", "1;a=\"\\\r", "1;a=\"b\"c", "1;a=\"b\"=", "1;a=\"b\" \r", "1;a=\"b\"\"", "1;\x80"})
    check({{bad, form}});
}

TEST(ChunkDecoder, RefusesControlCharactersInExtensions) {
  check({{"1;a\nx", "400: a chunk extension holds a control character"},
         {std::string("1;a\0b\r\n", 7), "400: a chunk extension holds a control character"},
         {"1;\x7f\r\n", "400: a chunk extension holds a control character"},
         {"1;a\rb\r\n", "400: the line with a chunk's size holds a CR that ends no line"}});
}

TEST(ChunkDecoder, RefusesDataThatIsNotFollowedByCrLf) {
  const std::string_view part = "400: the data of a chunk is not followed by an end of line";
  check({{"1\r\nxy", part},
         {"1\r\nx\n", part},
         {"1\r\nx\rx", part},
         {"1\r\nx0\r\n", part},
         {"2\r\nx\r\n0\r\n\r\n", part}});
}

TEST(ChunkDecoder, RefusesASizeLineBeyondItsLimit) {
  check(
      {{"1;" + std::string(20, 'x') + "\r\nx\r\n0\r\n\r\n", "done 'x' left ''"},
       {"1;" + std::string(21, 'x') + "\r\n", "400: the line with a chunk's size is longer than the limit of 24 bytes"},
       {"1;" + std::string(100, 'x'), "400: the line with a chunk's size is longer than the limit of 24 bytes"},
       // Each line counts for itself.
       {"1;" + std::string(20, 'x') + "\r\nx\r\n1;" + std::string(20, 'y') + "\r\ny\r\n0\r\n\r\n",
        "done 'xy' left ''"}});
}

TEST(ChunkDecoder, RefusesABodyBeyondItsLimit) {
  const std::string twenty(20, 'x');
  const std::string_view part = "413: the body is longer than the limit of 40 bytes";
  check({{"14\r\n" + twenty + "\r\n14\r\n" + twenty + "\r\n0\r\n\r\n",
          "done 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' left ''"},
         {"28\r\n" + twenty + twenty + "\r\n1\r\n", part},
         {"29\r\n", part},
         {"29;a", part},
         {"14\r\n" + twenty + "\r\n15\r\n", part},
         {"1\r\nx\r\nffffffffffffffff\r\n", part},
         {"ffffffffffffffff\r\n", part}});
  check({{"1\r\n", "413: "}, {"0\r\n\r\n", "done '' left ''"}}, {.body = 0});
}

TEST(ChunkDecoder, ChecksTrailersAndKeepsThem) {
  const std::string_view name = "400: the name of a trailer field holds a character that is not allowed";
  const std::string_view begin = "400: a trailer field does not begin with a name";
  const std::string_view value = "400: the value of a trailer field holds a control character";
  const std::string_view cr = "400: the trailer section holds a CR that ends no line";
  check({{"0\r\nA: b\r\nC:\r\n\r\nrest", "done '' A='b' C='' left 'rest'"},
         {"0\r\nA: \xc3\xa9\t\r\n\r\n", "done '' A='\xc3\xa9' left ''"},
         {"0\r\nA : b\r\n\r\n", name},
         {"0\r\nA\r\n\r\n", name},
         {"0\r\nA\n\r\n", name},
         {"0\r\n: b\r\n\r\n", begin},
         {"0\r\n A: b\r\n\r\n", begin},
         {"0\r\nA: b\r\n c\r\n\r\n", begin},
         {"0\r\n\n", begin},
         {"0\r\nA: b\n\r\n", value},
         {std::string("0\r\nA: \0\r\n\r\n", 11), value},
         {"0\r\nA: b\rc\r\n\r\n", cr},
         {"0\r\n\r\r\n", cr},
         {"0\r\n\rx", cr}});
}

TEST(ChunkDecoder, RefusesTrailersBeyondTheirLimits) {
  const auto full = "done '' A='" + std::string(249, 'x') + "' left ''";
  check({{"0\r\nA: " + std::string(250, 'x') + "\r\n\r\n",
          "431: the trailer section is longer than the limit of 256 bytes"},
         {"0\r\nA: " + std::string(251, 'x') + "\r\n", "more '' left ''"},
         {"0\r\nA: " + std::string(1000, 'x'), "431: the trailer section is longer than the limit of 256 bytes"},
         {"0\r\nA:" + std::string(251, ' ') + "\r\n\r\n", "431: the trailer section is longer"},
         {"0\r\nA: " + std::string(249, 'x') + "\r\n\r\n", full},
         {"0\r\nA:\r\nB:\r\nC:\r\n\r\n", "done '' A='' B='' C='' left ''"},
         {"0\r\nA:\r\nB:\r\nC:\r\nD", "431: there are more trailer fields than the limit of 3"}});
}

} // namespace
} // namespace greenroom::http::internal::chunk_decoder_test
