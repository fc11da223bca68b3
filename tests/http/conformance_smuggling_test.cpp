// Conformance: requests of which two programs on the way may see different ends. Each has a second one behind it or within it, which must
// never reach a handler by itself. Source: RFC 9112 sections 6.3, 11.1 and 11.2; what has been reported of proxies and servers since 2005.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <greenroom/tests/http/conformance_kit.hpp>

namespace greenroom::http::conformance::conformance_smuggling_test {
namespace {

using namespace std::string_literals;

/// A body that is empty for who reads chunks, and a request behind it.
const std::string as_chunks = "0\r\n\r\n" + smuggled;
/// The length of it, for who reads that.
const std::string length = "Content-Length: " + std::to_string(as_chunks.size()) + "\r\n";

std::string both(std::string_view coding_line) { return post(length + std::string(coding_line), as_chunks); }

TEST(Conformance, SmugglingByLengthAndCoding) {
  table t;
  t.each_refused("RFC 9112 11.2-1", hardening, "Length before coding, and coding before length.",
                 {both("Transfer-Encoding: chunked\r\n"), post("Transfer-Encoding: chunked\r\n" + length, as_chunks),
                  post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", as_chunks),
                  post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "23\r\n" + smuggled + "\r\n0\r\n\r\n")});
  t.each_refused("RFC 9112 11.2-2", hardening, "A coding that only one of two programs takes for chunked.",
                 {both("Transfer-Encoding: xchunked\r\n"), both("Transfer-Encoding: chunked, identity\r\n"),
                  both("Transfer-Encoding: identity, chunked\r\n"), both("Transfer-Encoding: \"chunked\"\r\n"),
                  both("Transfer-Encoding: chunked;q=1\r\n"),
                  both("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n"),
                  both("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"), both("Transfer-Encoding: cow\r\n"),
                  both("Transfer-Encoding: \xff"s + "chunked\r\n"), both("Transfer-Encoding: chunked\xff\r\n"),
                  both("Transfer-Encoding:\r\n"), both("Transfer-Encoding: ,chunked\r\n"),
                  both("TRANSFER-ENCODING: CHUNKED\r\n"), both("Transfer-Encoding:chunked\r\n"),
                  both("Transfer-Encoding:\tchunked\r\n"), both("Transfer-Encoding: chunked \t\r\n")});
  t.each_refused("RFC 9112 5.1-2", must, "White space that only one of them takes for a part of the name.",
                 {both("Transfer-Encoding : chunked\r\n"), both("Transfer-Encoding\t: chunked\r\n"),
                  both(" Transfer-Encoding: chunked\r\n"), both("\tTransfer-Encoding: chunked\r\n")});
  t.each_refused("RFC 9112 5.1-3", should, "A name that only one of them takes for Transfer-Encoding.",
                 {both("Transfer-Encoding\x0b: chunked\r\n"), both("Transfer-Encoding\0: chunked\r\n"s),
                  both("Transfer Encoding: chunked\r\n"), both("\rTransfer-Encoding: chunked\r\n"),
                  both("Transfer-Encoding\r\n: chunked\r\n"), both("\xef\xbb\xbfTransfer-Encoding: chunked\r\n"),
                  both("Transfer-Encod\xc4\xb1ng: chunked\r\n"), both("X: y\r\n\x0bTransfer-Encoding: chunked\r\n")});
  t.each_refused("RFC 9112 5.2-2", must, "A line that only one of them takes for a line, or for a part of one.",
                 {both("X: y\rTransfer-Encoding: chunked\r\n"), both("X: y\r\n Transfer-Encoding: chunked\r\n"),
                  both("Transfer-Encoding:\r\n chunked\r\n"), both("Transfer-Encoding: chunked\r\r\n"),
                  both("Transfer-Encoding: chunked\0\r\n"s), both("X: y\0Transfer-Encoding: chunked\r\n"s)});
  t.each_refused("RFC 9112 2.2-13", hardening, "A LF or a control character that only one of them takes for an end.",
                 {both("X: y\nTransfer-Encoding: chunked\r\n"), both("Transfer-Encoding: chunked\n"),
                  both("X: y\0\nTransfer-Encoding: chunked\r\n"s), both("Transfer-Encoding: \x0b"s + "chunked\r\n"),
                  both("Transfer-Encoding: chunked\x0b\r\n"), both("Transfer-Encoding: chunked\x0c\r\n"),
                  post("Content-Length: 40\n", as_chunks), post("X: y\nContent-Length: 40\r\n", as_chunks)});
  // Programs that take '_' for '-' must not stand behind this one; for it these are names like any other.
  t.served(
      "RFC 9110 5.1-3", must, "Names that only look like the two are other names.",
      {post(
           "Content_Length: 35\r\nTransfer_Encoding: chunked\r\nX-Transfer-Encoding: chunked\r\nContent-Lengths: 3\r\n",
           "") +
       get("/a")},
      {"POST /echo", "GET /a"});
  t.check();
}

TEST(Conformance, SmugglingByLength) {
  table t;
  t.each_refused("RFC 9112 11.2-3", must, "Two lengths.",
                 {post("Content-Length: 0\r\n" + length, as_chunks), post(length + "Content-Length: 0\r\n", as_chunks),
                  post("Content-Length: 0, 40\r\n", as_chunks),
                  post("Content-Length: 0\r\nA: b\r\ncontent-length: 40\r\n", as_chunks)});
  t.each_refused("RFC 9112 11.2-4", must, "A length that only one of two programs can read.",
                 {post("Content-Length: +40\r\n", as_chunks), post("Content-Length: 4 0\r\n", as_chunks),
                  post("Content-Length: 40abc\r\n", as_chunks), post("Content-Length: 0x28\r\n", as_chunks),
                  post("Content-Length: -0\r\n", as_chunks), post("Content-Length: 40\x0b\r\n", as_chunks),
                  post("Content-Length: \r\n 40\r\n", as_chunks), post("Content-Length: 40\0\r\n"s, as_chunks),
                  post("Content-Length\x0b: 40\r\n", as_chunks), post("Content Length: 40\r\n", as_chunks),
                  post("X: y\rContent-Length: 40\r\n", as_chunks), post("X: y\r\n Content-Length: 40\r\n", as_chunks),
                  post("Content-Length: 18446744073709551656\r\n", as_chunks),
                  post("Content-Length: 4294967296000000000000\r\n", as_chunks)});
  t.served("RFC 9112 11.2-5", must, "A GET with a length has a body, so that nothing in it is a request.",
           {"GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n" + smuggled + get("/a")},
           {"GET /echo " + smuggled, "GET /a"});
  t.served("RFC 9112 11.2-6", must, "So has a GET in chunks.",
           {"GET /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n" + smuggled + "\r\n0\r\n\r\n"},
           {"GET /echo " + smuggled});
  t.served("RFC 9112 11.2-7", must, "So has one that asks for an upgrade.",
           {"GET /echo HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 35\r\n\r\n" +
            smuggled},
           {"GET /echo " + smuggled});
  t.served("RFC 9112 11.2-8", must, "So has one whose Connection field names the length.",
           {post("Connection: keep-alive, Content-Length\r\nContent-Length: 35\r\n", smuggled)},
           {"POST /echo " + smuggled});
  t.check();
}

TEST(Conformance, SmugglingByChunks) {
  table t;
  t.each_refused("RFC 9112 7.1-12", should, "A size line that only one of two programs takes for one.",
                 {chunked("0\n\r\n" + smuggled), chunked("0\r\r\n\r\n" + smuggled), chunked("0 \r\n\r\n" + smuggled),
                  chunked("0x0\r\n\r\n" + smuggled), chunked("-0\r\n\r\n" + smuggled), chunked("+0\r\n\r\n" + smuggled),
                  chunked("00000000000000000\r\n\r\n" + smuggled), chunked(";\r\n\r\n" + smuggled),
                  chunked("0\x0b\r\n\r\n" + smuggled), chunked("0\0\r\n\r\n"s + smuggled),
                  chunked("10000000000000000\r\n" + smuggled), chunked("100000000\n" + smuggled)});
  t.each_refused("RFC 9112 7.1.1-7", should, "An extension that hides a line end.",
                 {chunked("1;\nx\r\n" + as_chunks), chunked("23;\n" + smuggled + "\r\n0\r\n\r\n"),
                  chunked("0;\n\r\n" + smuggled), chunked("0;a=\"\r\n\r\n" + smuggled + "\"\r\n\r\n"),
                  chunked("2;\rxx\r\n" + as_chunks), chunked("1;a=\"\n\"\r\nx\r\n" + as_chunks),
                  chunked("0;\"\r\n\r\n" + smuggled)});
  t.each_refused("RFC 9112 7.1-13", should, "Data that is longer or shorter than its size.",
                 {chunked("1\r\nxx" + as_chunks), chunked("2\r\nx\r\n" + as_chunks), chunked("1\r\nx" + as_chunks),
                  chunked("1\r\nx\n" + as_chunks), chunked("1\r\nx\rX" + as_chunks), chunked("0\r\n" + smuggled),
                  chunked("1\r\nxXX" + as_chunks)});
  t.each_refused("RFC 9112 7.1.2-6", should, "A trailer section that only one of them takes for its end.",
                 {chunked("0\r\n\n" + smuggled), chunked("0\r\n\r" + smuggled), chunked("0\r\nA: b\n\r\n" + smuggled),
                  chunked("0\r\n \r\n" + smuggled), chunked("0\r\n\r\r\n" + smuggled),
                  chunked("0\r\nA: b\r\n\n" + smuggled)});
  t.served("RFC 9112 7.1.2-7", must, "A length among the trailers takes no part of the next request.",
           {chunked("0\r\nContent-Length: 100\r\n\r\n") + get("/a")}, {"POST /echo", "GET /a"});
  t.check();
}

TEST(Conformance, SmugglingByLines) {
  table t;
  const auto hidden = "\r\nHost: h\r\n\r\n" + smuggled;
  t.each_refused("RFC 9112 2.2-11", hardening, "A request line that only one of two programs takes for one.",
                 {"GET /a HTTP/1.1\r\rGET /smuggled HTTP/1.1" + hidden,
                  "GET /a HTTP/1.1 GET /smuggled HTTP/1.1" + hidden, "GET /a\rGET /smuggled HTTP/1.1" + hidden,
                  "GET /a\x0bHTTP/1.1" + hidden, "GET /a?\0 HTTP/1.1"s + hidden,
                  "GET /a HTTP/1.1\n\nGET /smuggled HTTP/1.1" + hidden});
  t.each_refused("RFC 9112 11.1-1", hardening, "A header section whose end only one of them sees.",
                 {"GET /a HTTP/1.1\r\nHost: h\r\n\n", "GET /a HTTP/1.1\r\nHost: h\n\r\n",
                  "GET /a HTTP/1.1\r\nHost: h\r\n\r", "GET /a HTTP/1.1\r\nHost: h\r\n \r\n",
                  "GET /a HTTP/1.1\r\nHost: h\r\n\x0b\r\n", "GET /a HTTP/1.1\r\nHost: h\r\n\0\r\n"s});
  t.served("RFC 9112 11.1-2", must, "An encoded line end in a target is none.",
           {get("/p/%0d%0a%0d%0aGET%20%2fsmuggled%20HTTP%2f1.1")},
           {"GET /p/%0d%0a%0d%0aGET%20%2fsmuggled%20HTTP%2f1.1"});
  t.served("RFC 9112 11.1-3", must, "Nor in a value.", {get("/fields", "A: %0d%0aB: c\r\n")}, {"GET /fields"})
      .has("A=%0d%0aB: c;");
  t.asked("RFC 9112 9.6-1", must, "Nothing is served behind a request that is refused, though it is well-formed.",
          {get("/a") + line("GET /b /c HTTP/1.1") + smuggled + smuggled})
      .answers({200, 400})
      .closes()
      .reached = {"GET /a"};
  t.check();
}

} // namespace
} // namespace greenroom::http::conformance::conformance_smuggling_test
