// Conformance: where a request ends. Source: RFC 9112 sections 6 and 7; RFC 9110 sections 5.6.1 and 8.6.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <greenroom/tests/http/conformance_kit.hpp>

namespace greenroom::http::conformance::conformance_framing_test {
namespace {

using namespace std::string_literals;

std::string with_length(std::string_view value) {
  return post("Content-Length: " + std::string(value) + "\r\n", "12345");
}
std::string with_coding(std::string_view value) {
  return post("Transfer-Encoding: " + std::string(value) + "\r\n", "1\r\nx\r\n0\r\n\r\n");
}
/// A chunked body of one chunk with the data "x", whose size line is given.
std::string with_size(std::string_view size_line) { return chunked(std::string(size_line) + "\r\nx\r\n0\r\n\r\n"); }
/// A chunked body of this trailer section.
std::string with_trailers(std::string_view lines) { return chunked("1\r\nx\r\n0\r\n" + std::string(lines) + "\r\n"); }

TEST(Conformance, ContentLength) {
  table t;
  t.served("RFC 9112 6.3-2", must, "A body has the length that is given.",
           {post("Content-Length: 3\r\n", "abc") + post("Content-Length: 4\r\n", "\r\n\r\n") + get("/a")},
           {"POST /echo abc", "POST /echo \r\n\r\n", "GET /a"});
  t.served("RFC 9112 6.3-3", must, "Without length and coding there is no body.", {post("", "") + get("/a")},
           {"POST /echo", "GET /a"});
  t.served("RFC 9112 6.3-4", must, "A length of 0 is none either.", {post("Content-Length: 0\r\n", "") + get("/a")},
           {"POST /echo", "GET /a"});
  t.served("RFC 9112 6.3-5", must, "A body may come in pieces.",
           {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Le", "ngth: 3\r\n\r", "\na", "b", "cGET /a HTTP/1.1\r\nHo",
            "st: h\r\n\r\n"},
           {"POST /echo abc", "GET /a"});
  t.served("RFC 9110 8.6-1", must, "The number is made of decimal digits, as many as one likes.",
           {post("Content-Length: \t 0000000000000000000000003 \t\r\n", "abc")}, {"POST /echo abc"});
  t.served("RFC 9112 6.3-6", must, "A body may hold anything.",
           {post("Content-Length: 6\r\n", "\0\r\n\xff\n\r"s) + get("/a")}, {"POST /echo \0\r\n\xff\n\r"s, "GET /a"});
  t.served("RFC 9112 6.3-7", must, "What looks like a request within a body is none.",
           {post("Content-Length: 35\r\n", smuggled)}, {"POST /echo " + smuggled});
  t.asked("RFC 9112 6.3-8", must, "A body that does not come as a whole is not served.",
          {post("Content-Length: 4\r\n", "abc")})
      .waits();
  t.asked("RFC 9112 8-4", must, "Nor is one of which nothing comes.", {post("Content-Length: 4\r\n", "")}).waits();
  t.each_refused("RFC 9112 6.3-9", must, "A Content-Length that is invalid gets 400, and the connection ends.",
                 {with_length(""),         with_length("+5"),    with_length("-5"),
                  with_length("-0"),       with_length("5.0"),   with_length("5e0"),
                  with_length("0x5"),      with_length("0b101"), with_length("1_0"),
                  with_length("5 5"),      with_length("5;"),    with_length("5,"),
                  with_length(",5"),       with_length("5;a=b"), with_length("\"5\""),
                  with_length("a"),        with_length("5a"),    with_length("a5"),
                  with_length("0 5"),      with_length("NaN"),   with_length("\xef\xbc\x95"),
                  with_length("\xd9\xa5"), with_length("5\x80"), with_length("(5)")});
  t.each_refused("RFC 9110 8.6-2", must, "A number that is too large does not overflow.",
                 {with_length("18446744073709551616"), with_length("18446744073709551621"),
                  with_length("99999999999999999999999999999999"),
                  with_length("340282366920938463463374607431768211461")});
  t.each_refused("RFC 9110 8.6-3", must, "A list of different lengths is refused.",
                 {with_length("5, 6"), with_length("0, 5"), post("Content-Length: 5\r\nContent-Length: 6\r\n", "12345"),
                  post("Content-Length: 6\r\nA: b\r\ncontent-length: 5\r\n", "12345"),
                  post("Content-Length: 0\r\nContent-Length: 5\r\n", "12345")});
  t.each_refused("RFC 9110 8.6-4", hardening, "So is one of equal lengths, which may be taken for one.",
                 {with_length("5, 5"), with_length("5,5"), with_length("5,5,5"),
                  post("Content-Length: 5\r\nContent-Length: 5\r\n", "12345"),
                  post("Content-Length: 0\r\nContent-Length: 0\r\n", "")});
  t.each_refused("RFC 9112 6.3-10", must, "It counts whatever the method.",
                 {get("/a", "Content-Length: x\r\n"), "OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 1 1\r\n\r\n",
                  "DELETE /a HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"});
  t.check();
}

TEST(Conformance, TransferEncoding) {
  table t;
  t.served("RFC 9112 6.1-2", must, "A chunked body is decoded.",
           {chunked("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n") + chunked("0\r\n\r\n") + get("/a")},
           {"POST /echo abcd", "POST /echo", "GET /a"});
  t.served("RFC 9112 7-1", must, "Names of codings have no case.",
           {with_coding("Chunked") + with_coding("CHUNKED") + with_coding("\tcHuNkEd \t")},
           {"POST /echo x", "POST /echo x", "POST /echo x"});
  t.each_refused("RFC 9112 6.1-3", should, "A coding that is not known gets 501, where chunked ends it.",
                 {with_coding("gzip, chunked"), with_coding("deflate , chunked"), with_coding("x;a=b, chunked"),
                  with_coding("identity, chunked"), with_coding("compress,gzip,chunked"),
                  post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
                 501);
  t.each_refused("RFC 9112 6.3-11", must, "Where chunked is not the last coding the length is not known: 400.",
                 {with_coding("gzip"), with_coding("identity"), with_coding("chunked, gzip"),
                  with_coding("chunked, identity"), with_coding("gzip, chunked, gzip"),
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", "0\r\n\r\n"),
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")});
  t.each_refused("RFC 9112 6.1-4", should, "Chunked is applied once.",
                 {with_coding("chunked, chunked"), with_coding("chunked,chunked"),
                  with_coding("chunked, gzip, chunked"),
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")});
  t.each_refused("RFC 9112 7.1-1", should, "Chunked has no parameters.",
                 {with_coding("chunked;a=b"), with_coding("chunked;"), with_coding("chunked ; q=1")});
  t.each_refused("RFC 9112 7-2", must, "What only looks like chunked is another coding.",
                 {with_coding("xchunked"), with_coding("chunkedx"), with_coding("chunke"), with_coding("x chunked"),
                  with_coding("chunked x"), with_coding("\"chunked\""), with_coding("'chunked'"),
                  with_coding("chunked\x80"), with_coding("\xc2\xa0"s + "chunked"), with_coding("[chunked]"),
                  with_coding("chunked."), with_coding("-chunked"), with_coding("chun\xc4\xb8"s + "ed")});
  t.each_refused("RFC 9112 6.1-5", must, "So is what holds a control character.",
                 {with_coding("chunked\x0b"), with_coding("\x0b"s + "chunked"), with_coding("chunked\0"s),
                  with_coding("chunked\x0c"), with_coding("chun\0ked"s), with_coding("chunked\r"),
                  with_coding("\bchunked")});
  // Other lists may have empty elements; of this one depends where the request ends.
  t.each_refused("RFC 9110 5.6.1-1", hardening, "A list of codings with an empty element is refused (by choice).",
                 {with_coding(""), with_coding(","), with_coding(",chunked"), with_coding("chunked,"),
                  with_coding("chunked, "), with_coding("gzip,,chunked"),
                  post("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")});
  t.each_refused("RFC 9112 6.1-6", must, "HTTP/1.0 has no codings: the framing is faulty.",
                 {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  "POST /echo HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n",
                  "POST /echo HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"});
  t.each_refused("RFC 9112 6.3-12", hardening, "Both coding and length: somebody on the way may go by the other one.",
                 {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                  post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
                  post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n"),
                  post("content-length: 5\r\nA: b\r\ntransfer-encoding: CHUNKED\r\n", "0\r\n\r\n")});
  t.served("RFC 9110 10.1.4-1", must, "TE says what the client takes, nothing about its body.",
           {post("TE: trailers, chunked\r\nConnection: TE\r\nContent-Length: 1\r\n", "x")}, {"POST /echo x"});
  t.served("RFC 9110 8.4-1", must, "Content-Encoding changes nothing about the framing.",
           {post("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x")}, {"POST /echo x"});
  t.check();
}

TEST(Conformance, Chunks) {
  table t;
  t.served("RFC 9112 7.1-2", must, "A size is hexadecimal, in either case, perhaps with zeros before it.",
           {chunked("A\r\n0123456789\r\nb\r\n0123456789a\r\n0002\r\nxy\r\n000\r\n\r\n")},
           {"POST /echo 01234567890123456789axy"});
  t.served("RFC 9112 7.1-3", must, "Chunks may come in any pieces.",
           {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1", "0\r", "\n0123456789abc", "def\r",
            "\n0", "\r\n\r", "\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"},
           {"POST /echo 0123456789abcdef", "GET /a"});
  t.served("RFC 9112 7.1-4", must, "The data of a chunk may hold anything.",
           {chunked("7\r\n0\r\n\r\n\0\xff\r\n0\r\n\r\n"s)}, {"POST /echo 0\r\n\r\n\0\xff"s});
  t.each_refused("RFC 9112 7.1-5", should, "A size that is not one number is refused.",
                 {with_size(""), with_size("g"), with_size("-1"), with_size("+1"), with_size("0x1"), with_size("0X1"),
                  with_size("x1"), with_size("1g"), with_size("1,1"), with_size("1.0"), with_size("1_0"),
                  with_size("1h"), with_size("\"1\""), with_size("\xef\xbc\x91"), with_size("1\x80"), with_size("#1"),
                  with_size("1\0"s), with_size("\0"s + "1")});
  t.each_refused(
      "RFC 9112 7.1-6", must, "A size that is too large does not overflow.",
      {with_size("10000000000000001"), with_size("100000000000000000000000000000001"), with_size("fffffffffffffffff")});
  t.each_refused("RFC 9112 7.1-7", must, "Nor does one that just fits.",
                 {with_size("ffffffffffffffff"), with_size("8000000000000001"), with_size("fffffffffffffffe")}, 413);
  t.refused("RFC 9112 7.1-8", hardening, "Zeros have an end.", with_size("00000000000000001"));
  t.each_refused("RFC 9112 7.1-9", should, "White space around a size is not allowed.",
                 {with_size(" 1"), with_size("\t1"), with_size("1 "), with_size("1\t"), with_size("1 1"),
                  with_size("\x0b"s + "1"), with_size("1\x0b"), with_size("1\x0c")});
  t.each_refused("RFC 9112 7.1-10", should, "The data is followed by CR LF, where its size says.",
                 {chunked("1\r\nxy\r\n0\r\n\r\n"), chunked("1\r\nx0\r\n\r\n"), chunked("1\r\nx\n0\r\n\r\n"),
                  chunked("1\r\nx\r0\r\n\r\n"), chunked("2\r\nx\r\n0\r\n\r\n"), chunked("1\r\nx\r\r\n0\r\n\r\n"),
                  chunked("1\r\nx\n\n0\r\n\r\n"), chunked("1\r\nx  0\r\n\r\n"), chunked("1\r\nx\0\0\r\n0\r\n\r\n"s)});
  t.each_refused("RFC 9112 7.1-11", should, "A line with a size ends with CR LF.",
                 {chunked("1\nx\r\n0\r\n\r\n"), chunked("1\rx\r\n0\r\n\r\n"), chunked("1\r\r\nx\r\n0\r\n\r\n"),
                  chunked("1\r\nx\r\n0\n\r\n"), chunked("1\r\nx\r\n0\r\r\n"), chunked("1\r\nx\r\n0\n\n"),
                  chunked("\r\n1\r\nx\r\n0\r\n\r\n"), chunked("1\r\nx\r\n\r\n0\r\n\r\n")});
  t.asked("RFC 9112 8-5", must, "A body without its last chunk is not complete.", {chunked("1\r\nx\r\n")}).waits();
  t.asked("RFC 9112 8-6", must, "Nor is one without the line behind it.", {chunked("1\r\nx\r\n0\r\n")}).waits();
  t.check();
}

TEST(Conformance, ChunkExtensions) {
  table t;
  const auto accepts = [&t](const std::string& id, const std::string& rule, std::vector<std::string> lines) {
    for (std::size_t i = 0; i < lines.size(); ++i)
      t.served(id + "." + std::to_string(i + 1), must, rule, {with_size(lines[i]) + get("/a")},
               {"POST /echo x", "GET /a"});
  };
  accepts("RFC 9112 7.1.1-2", "An extension that is not known is ignored.",
          {"1;a", "1;a=b", "1;a=b;c;d=e", "1;!#$%&'*+-.^_`|~=0", "0001;a=\"\"", "1;a=\"b c\"", "1;a=\"0;1\""});
  accepts("RFC 9112 7.1.1-3", "A quoted value may hold quoted pairs, semicolons and bytes beyond ASCII.",
          {"1;a=\"\\\"\"", "1;a=\"b;c=\\\\\"", "1;a=\"\t\xc3\xa9\""});
  accepts("RFC 9110 5.6.3-1", "White space that the grammar calls bad is taken for none.",
          {"1 ;a", "1\t;a=b", "1; a", "1;a =b", "1;a= b", "1 ; a = \"b\" ; c", "1;a \t;b"});
  t.served("RFC 9112 7.1.1-4", must, "The last chunk may have extensions too.",
           {chunked("1\r\nx\r\n0;a=\"b\";c\r\n\r\n") + get("/a")}, {"POST /echo x", "GET /a"});
  t.each_refused("RFC 9112 7.1.1-5", hardening, "An extension of another form is refused.",
                 {with_size("1;"), with_size("1;;a"), with_size("1;a;"), with_size("1;=b"), with_size("1;a="),
                  with_size("1;a=b=c"), with_size("1;a b"), with_size("1;a=b c"), with_size("1;a,b"),
                  with_size("1;a=(b)"), with_size("1;\"a\""), with_size("1;a=\"b\"c"),
                  with_size("1;a="s + "\"b\" \"c\""), with_size("1;a "), with_size("1;a=b\t"), with_size("1;a=\"b\" "),
                  with_size("1 ;"), with_size("1;a\xc3\xa9")});
  t.each_refused("RFC 9112 7.1.1-6", should, "A quoted value ends in its line.",
                 {with_size("1;a=\"b"), with_size("1;a=\""), with_size("1;a=\"b\\\""), with_size("1;a=\"b\\"),
                  chunked("1;a=\"\r\nx\r\n0\r\n\r\n\"\r\nx\r\n0\r\n\r\n"), chunked("1;a=\"\\\r\nx\"\r\n0\r\n\r\n")});
  t.each_refused("RFC 9112 2.2-10", should, "A control character in an extension is refused, a LF before all.",
                 {with_size("1;a\n"), with_size("1;\n"), with_size("1;a=b\nc"), with_size("1;a=\"\n\""),
                  with_size("1;a\rb"), with_size("1;a=\"\r\""), with_size("1;a\r"), with_size("1;a\0"s),
                  with_size("1;a=\"\0\""s), with_size("1;a=\x0b"), with_size("1;a=\"\x7f\""),
                  with_size("1;a=\"\\\n\"")});
  t.check();
}

TEST(Conformance, Trailers) {
  table t;
  t.served("RFC 9112 7.1.2-2", must, "Trailers are read, apart from the head.",
           {with_trailers("A: b\r\nC:\r\nD: \t e \xc3\xa9\r\n") + get("/a")}, {"POST /echo x", "GET /a"});
  t.served("RFC 9110 6.5.1-1", must, "Those that say something about framing, routing or rights change nothing.",
           {with_trailers("Content-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: other\r\nConnection: close\r\n"
                          "Authorization: x\r\nExpect: tea\r\nTE: x\r\nTrailer: y\r\nContent-Length: x\r\n") +
            get("/a")},
           {"POST /echo x", "GET /a"});
  t.served("RFC 9110 6.5.1-2", must, "They do not become header fields.",
           {"GET /fields HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Late: y\r\n\r\n"},
           {"GET /fields"})
      .lacks("X-Late");
  t.each_refused("RFC 9112 7.1.2-3", should, "They have the form of header fields.",
                 {with_trailers("A : b\r\n"), with_trailers("A\r\n"), with_trailers(": b\r\n"),
                  with_trailers(" A: b\r\n"), with_trailers("A: b\r\n c\r\n"), with_trailers("A b: c\r\n"),
                  with_trailers("A: b\0\r\n"s), with_trailers("A: b\rc\r\n"), with_trailers("A: b\n"),
                  with_trailers("A\xc3\xa9: b\r\n"), with_trailers("A: \x0b\r\n"), with_trailers("\n"),
                  with_trailers("\r")});
  t.refused("RFC 9112 7.1.2-4", should, "A request is no trailer.", chunked("1\r\nx\r\n0\r\nGET /a HTTP/1.1\r\n"));
  std::string many;
  for (int i = 0; i < 120; ++i) many += "A: b\r\n";
  t.refused("RFC 9112 7.1.2-5", hardening, "There is a limit to their number.", with_trailers(many), 431);
  t.check();
}

} // namespace
} // namespace greenroom::http::conformance::conformance_framing_test
