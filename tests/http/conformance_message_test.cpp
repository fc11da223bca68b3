// Conformance: the request line, the field lines, versions and limits. Source: RFC 9112 sections 2, 3 and 5; RFC 9110 sections 2 and 5.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <greenroom/tests/http/conformance_kit.hpp>

namespace greenroom::http::conformance::conformance_message_test {
namespace {

using namespace std::string_literals;

TEST(Conformance, RequestLine) {
  table t;
  t.served("RFC 9112 3-1", must, "A request line is method, target and version, with one space between.", {get("/a")},
           {"GET /a"});
  t.each_refused("RFC 9112 3-2", should, "A request line of another form is invalid.",
                 {line("GET /a"), line("GET"), line("GET  HTTP/1.1"), line("/a HTTP/1.1"), line("GET /a HTTP/1.1 x"),
                  line("GET /a b HTTP/1.1"), "GET /a\r\n\r\n"});
  t.each_refused("RFC 9112 3-3", hardening, "More than one space, and white space at an end, are not taken for one.",
                 {line("GET  /a HTTP/1.1"), line("GET /a  HTTP/1.1"), line(" GET /a HTTP/1.1"),
                  line("GET /a HTTP/1.1 "), line("GET /a HTTP/1.1\t")});
  t.each_refused("RFC 9112 3-4", hardening, "Other white space than SP is not taken for one.",
                 {line("GET\t/a HTTP/1.1"), line("GET /a\tHTTP/1.1"), line("GET\x0b/a HTTP/1.1"),
                  line("GET /a\x0cHTTP/1.1"), line("GET\xc2\xa0/a HTTP/1.1")});
  t.each_refused("RFC 9112 3.1-1", should, "A method is a token.",
                 {line("G(T /a HTTP/1.1"), line("G\"T /a HTTP/1.1"), line("G,T /a HTTP/1.1"), line("GET: /a HTTP/1.1"),
                  line("G\xc3\x89T /a HTTP/1.1"), line("@GET /a HTTP/1.1"), line("{GET} /a HTTP/1.1")});
  t.each_refused("RFC 9112 2.2-1", must, "A bare CR in the line is invalid.",
                 {line("GET /a\rb HTTP/1.1"), line("GET /a HTTP/1.1\r"), line("\rGET /a HTTP/1.1"),
                  line("GET\r/a HTTP/1.1"), line("GET /a HTTP/1\r.1")});
  t.each_refused("RFC 9112 2.2-12", should, "So is a NUL or another control character.",
                 {line("GET /a\0b HTTP/1.1"s), line("G\0T /a HTTP/1.1"s), line("GET /a HTTP/1.1\0"s),
                  line("GET /a\x7f HTTP/1.1"), line("GET /\x01 HTTP/1.1")});
  t.each_refused("RFC 9112 2.2-2", hardening, "A LF alone may be taken for the end of a line; here it is not.",
                 {"GET /a HTTP/1.1\nHost: h\r\n\r\n", "GET /a HTTP/1.1\nHost: h\n\n", "\nGET /a HTTP/1.1\r\n"});
  t.served("RFC 9112 2.2-3", should, "One empty line before a request is ignored.",
           {"\r\n" + get("/a") + "\r\n" + get("/")}, {"GET /a", "GET /"});
  t.served("RFC 9112 2.2-4", should, "An old client's CRLF behind a body is ignored.",
           {post("Content-Length: 3\r\n", "abc\r\n") + get("/a")}, {"POST /echo abc", "GET /a"});
  t.refused("RFC 9112 2.2-5", hardening, "More than one empty line is not.", "\r\n\r\n");
  t.each_refused("RFC 9112 2.2-6", must, "White space before the first field line ends the request.",
                 {"GET /a HTTP/1.1\r\n Host: h\r\n\r\n", "GET /a HTTP/1.1\r\n\tHost: h\r\n\r\n",
                  "GET /a HTTP/1.1\r\n \r\nHost: h\r\n\r\n"});
  t.each_refused("RFC 9112 2-1", hardening, "What is no HTTP is refused at its first line.",
                 {"\x16\x03\x01\x02\r\n"s, "SSH-2.0-x\r\n", "{}\r\n", "HTTP/1.1 200 OK\r\n", ": x\r\n"});
  t.refused("RFC 9112 2-2", hardening, "A HEAD that is refused has no body either.", line("HEAD /a b HTTP/1.1"))
      .answers({to_head(400)});
  t.asked("RFC 9112 8-1", must, "A request line that is not complete is not served.", {"GET /a HTTP/1.1"}).waits();
  t.asked("RFC 9112 8-2", must, "A header section that is not complete is not served.",
          {"GET /a HTTP/1.1\r\nHost: h\r\n\r"})
      .waits();
  t.asked("RFC 9112 8-3", must, "A connection without a request gets no answer.", {"\r\n"}).waits();
  t.check();
}

TEST(Conformance, Versions) {
  table t;
  t.served("RFC 9110 2.5-1", must, "HTTP/1.1 is served.", {get("/a")}, {"GET /a"}).has("HTTP/1.1 200 OK\r\n");
  t.served("RFC 9110 2.5-2", must, "HTTP/1.0 is served, and told the server's own version.",
           {"GET /a HTTP/1.0\r\n\r\n"}, {"GET /a"})
      .closes()
      .has("HTTP/1.1 200 OK\r\n");
  t.served("RFC 9110 6.2-1", should, "A later minor version is served as the highest that is known.",
           {line("GET /a HTTP/1.2") + line("GET / HTTP/1.9")}, {"GET /a", "GET /"});
  t.refused("RFC 9110 15.6.6-1", should, "A major version that is not known gets 505.", line("GET /a HTTP/2.0"), 505)
      .has("this server speaks HTTP/1.1 and 1.0");
  t.each_refused("RFC 9110 15.6.6-2", should, "So does any other one.",
                 {line("GET /a HTTP/3.0"), line("GET /a HTTP/0.9"), line("GET /a HTTP/9.9")}, 505);
  t.refused("RFC 9113 3.4-1", should, "The preface of HTTP/2 is none of HTTP/1.1.", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            505);
  t.each_refused("RFC 9112 2.3-1", should, "The name of the protocol is in upper case, with one digit on each side.",
                 {line("GET /a http/1.1"), line("GET /a Http/1.1"), line("GET /a HTTP/1"), line("GET /a HTTP/11"),
                  line("GET /a HTTP/1.10"), line("GET /a HTTP/01.1"), line("GET /a HTTP/1,1"), line("GET /a HTTP/1."),
                  line("GET /a HTTP/ 1.1"), line("GET /a HTTP 1.1"), line("GET /a HTTPS/1.1"), line("GET /a HTTP/x.y"),
                  line("GET /a HTTP/-1.1"), line("GET /a ICE/1.0")});
  t.refused("RFC 9112 2.3-2", hardening, "HTTP/0.9, without a version, is not spoken.", "GET /a\r\n");
  t.check();
}

TEST(Conformance, FieldLines) {
  table t;
  t.served("RFC 9112 5-1", must, "White space around a value is no part of it.",
           {"GET /fields HTTP/1.1\r\nHost:h\r\nA: \t b c\t \r\n\r\n"}, {"GET /fields"})
      .has("Host=h;A=b c;");
  t.served("RFC 9110 5.5-1", must, "A value may be empty.", {get("/fields", "A:\r\nB: \t\r\n")}, {"GET /fields"})
      .has("A=;B=;");
  t.served("RFC 9110 5.1-1", must, "Names of fields have no case.",
           {"POST /echo HTTP/1.1\r\nhOsT: h\r\ncOnTeNt-LeNgTh: 3\r\n\r\nabc"}, {"POST /echo abc"});
  t.served("RFC 9110 5.1-2", must, "Fields that are not known are taken along.",
           {get("/fields", "X-Unknown: 1\r\n!#$%&'*+-.^_`|~09: 2\r\n")}, {"GET /fields"})
      .has("X-Unknown=1;!#$%&'*+-.^_`|~09=2;");
  t.served("RFC 9110 5.3-1", must, "The order of lines with the same name is kept.",
           {get("/fields", "A: 1\r\nB: 2\r\na: 3\r\n")}, {"GET /fields"})
      .has("A=1;B=2;a=3;");
  t.served("RFC 9110 5.5-2", should, "Bytes beyond ASCII in a value are opaque.",
           {get("/fields", "A: \xc3\xa9\xff\r\n")}, {"GET /fields"})
      .has("A=\xc3\xa9\xff;");
  t.served("RFC 9110 5.5-3", must, "A tab within a value, quotes and colons are a part of it.",
           {get("/fields", "A: \"b:\tc\", (d)\r\n")}, {"GET /fields"})
      .has("A=\"b:\tc\", (d);");
  t.each_refused("RFC 9112 5.1-1", must, "White space between name and colon gets 400.",
                 {get("/a", "A : b\r\n"), get("/a", "A\t: b\r\n"), get("/a", "Content-Length : 5\r\n"),
                  "GET /a HTTP/1.1\r\nHost : h\r\n\r\n"});
  t.each_refused("RFC 9112 5.2-1", must, "A folded line is refused.",
                 {get("/a", "A: b\r\n c\r\n"), get("/a", "A: b\r\n\tc\r\n"), get("/a", "A: b\r\n \r\n"),
                  get("/a", "A:\r\n b\r\n"), get("/a", " A: b\r\n")});
  t.each_refused("RFC 9110 5.6.2-1", should, "A name is a token and not empty, with a colon behind it.",
                 {get("/a", ": b\r\n"), get("/a", "A\r\n"), get("/a", "A b: c\r\n"), get("/a", "A(b): c\r\n"),
                  get("/a", "A/b: c\r\n"), get("/a", "A\xc3\xa9: c\r\n"), get("/a", "A\0b: c\r\n"s),
                  get("/a", "A;: c\r\n"), get("/a", "\"A\": c\r\n"), get("/a", "A=b\r\n"), get("/a", "A\x7f: c\r\n")});
  t.each_refused("RFC 9110 5.5-4", must, "A CR, LF or NUL within a value is refused.",
                 {get("/a", "A: b\rc\r\n"), get("/a", "A: b\r\r\n"), get("/a", "A: b\0c\r\n"s), get("/a", "A: \0\r\n"s),
                  get("/a", "A: \r\r\n")});
  t.each_refused("RFC 9110 5.5-5", hardening, "So is any other control character.",
                 {get("/a", "A: \x01\r\n"), get("/a", "A: b\x0b\r\n"), get("/a", "A: b\x0c\r\n"),
                  get("/a", "A: \x1b[31m\r\n"), get("/a", "A: \x7f\r\n"), get("/a", "A: \b\r\n")});
  t.refused("RFC 9110 8.3-3", hardening, "A second Content-Type is refused.",
            get("/a", "Content-Type: a/b\r\nContent-Type: c/d\r\n"));
  t.each_refused("RFC 9112 2.2-7", hardening, "A LF alone ends no field line and no header section.",
                 {get("/a", "A: b\n"), "GET /a HTTP/1.1\r\nHost: h\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\n\n",
                  "GET /a HTTP/1.1\r\nHost: h\n\n", get("/a", "A: b\nC: d\r\n"), get("/a", "A: b\n c\r\n")});
  t.refused("RFC 9112 2.2-8", must, "A CR alone ends no line.", "GET /a HTTP/1.1\rHost: h\r\r\r\n");
  t.refused("RFC 9112 2.2-9", must, "A CR before the last line end is refused.",
            "GET /a HTTP/1.1\r\nHost: h\r\n\r\r\n");
  t.check();
}

TEST(Conformance, Limits) {
  table t;
  const std::string most(8'000 - 14, 'x');
  t.served("RFC 9112 3-5", should, "A request line of 8,000 bytes is read.", {get("/p/" + most.substr(2))},
           {"GET /p/" + most.substr(2)});
  t.refused("RFC 9110 15.5.15-1", must, "A target beyond the limit gets 414.", get("/" + std::string(8'300, 'x')), 414);
  t.refused("RFC 9110 15.5.15-2", must, "So does a query.", get("/?" + std::string(8'300, 'x')), 414);
  t.refused("RFC 9112 3-6", should, "A method longer than the limit gets 501.",
            line(std::string(8'300, 'M') + " / HTTP/1.1"), 501);
  t.served("RFC 9110 5.4-1", must, "A long field is read.", {get("/a", "A: " + std::string(20'000, 'x') + "\r\n")},
           {"GET /a"});
  t.refused("RFC 9110 5.4-2", must, "A field beyond the limit gets a status of the 4xx.",
            get("/a", "A: " + std::string(40'000, 'x') + "\r\n"), 431);
  t.refused("RFC 9110 5.4-3", must, "So does a name.", get("/a", std::string(40'000, 'x') + ": a\r\n"), 431);
  std::string many;
  for (int i = 0; i < 120; ++i) many += "A: b\r\n";
  t.refused("RFC 6585 5-1", should, "So do too many fields.", get("/a", many), 431);
  t.refused("RFC 9110 15.5.14-1", should, "A body beyond the limit gets 413 before it comes.",
            post("Content-Length: 1048577\r\n", ""), 413);
  t.refused("RFC 9110 15.5.14-2", should, "So does a chunk, at its size.", chunked("100001\r\n"), 413);
  t.refused("RFC 9110 15.5.14-3", should, "And a body that is only announced to be huge.",
            post("Content-Length: 18446744073709551615\r\n", ""), 413);
  t.refused("RFC 9112 7.1.1-1", should, "The length of chunk extensions has a limit.",
            chunked("1;a=" + std::string(400, 'x') + "\r\nx\r\n0\r\n\r\n"));
  t.refused("RFC 9112 7.1.2-1", hardening, "That of trailers has one too.",
            chunked("0\r\nA: " + std::string(40'000, 'x') + "\r\n\r\n"), 431);
  t.check();
}

} // namespace
} // namespace greenroom::http::conformance::conformance_message_test
