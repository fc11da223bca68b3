// Conformance: methods, and the form of answers. Source: RFC 9110 sections 6.6.1, 8.6, 9, 10.2.1 and 15; RFC 9112 section 6.3.
#include <string>

#include <gtest/gtest.h>

#include <greenroom/tests/http/conformance_kit.hpp>

namespace greenroom::http::conformance::conformance_answer_test {
namespace {

TEST(Conformance, Methods) {
  table t;
  t.served("RFC 9110 9.1-1", must, "GET and HEAD are served.", {get("/a") + line("HEAD /a HTTP/1.1")},
           {"GET /a", "HEAD /a"})
      .answers({200, to_head(200)});
  t.each_refused("RFC 9110 9.1-2", should, "A method that is not known gets 501.",
                 {line("BREW /a HTTP/1.1"), line("PROPFIND /a HTTP/1.1"), line("M-SEARCH * HTTP/1.1"),
                  line("GETX /a HTTP/1.1"), line("GE /a HTTP/1.1"), line("!#$%&'*+-.^_`|~0 /a HTTP/1.1")},
                 501);
  t.each_refused(
      "RFC 9110 9.1-3", must, "Methods have case.",
      {line("get /a HTTP/1.1"), line("Get /a HTTP/1.1"), line("head /a HTTP/1.1"), line("oPTIONS /a HTTP/1.1")}, 501);
  t.asked("RFC 9110 15.5.6-1", must, "405 comes with Allow.", {post("", "").replace(5, 5, "/a")})
      .answers({405})
      .has("\r\nAllow: GET, HEAD, DELETE, OPTIONS\r\n");
  t.asked("RFC 9110 15.5.6-2", must, "So does it for another path.", {line("DELETE /echo HTTP/1.1")})
      .answers({405})
      .has("\r\nAllow: GET, HEAD, POST, PUT, OPTIONS\r\n");
  t.asked("RFC 9110 15.5.6-3", must, "A HEAD that is not allowed gets it without a body.",
          {line("HEAD /nothing HTTP/1.1") + line("PATCH /a HTTP/1.1")})
      .answers({to_head(404), 405});
  t.asked("RFC 9110 15.5.6-4", must, "The body of a request that is not allowed is read, not taken for the next one.",
          {"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n" + smuggled})
      .answers({405});
  t.asked("RFC 9110 15.5.5-1", must, "So is that of one for a path that is not there.",
          {"POST /none HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n" + smuggled + "\r\n0\r\n\r\n"})
      .answers({404});
  t.asked("RFC 9110 9.3.8-1", hardening, "TRACE is not allowed: it would tell what proxies have added.",
          {line("TRACE /a HTTP/1.1")})
      .answers({405})
      .lacks("TRACE /a")
      .lacks("TRACE,");
  t.asked("RFC 9110 9.3.8-2", hardening, "Nor with fields or a body that it could send back.",
          {"TRACE /a HTTP/1.1\r\nHost: h\r\nCookie: secret\r\nContent-Length: 35\r\n\r\n" + smuggled})
      .answers({405})
      .lacks("secret");
  t.asked("RFC 9110 9.3.7-1", should, "OPTIONS tells what a path allows.", {line("OPTIONS /a HTTP/1.1")})
      .answers({204})
      .has("\r\nAllow: GET, HEAD, DELETE, OPTIONS\r\n");
  t.asked("RFC 9110 9.3.7-2", must, "A body of OPTIONS is read.",
          {"OPTIONS /a HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n" + smuggled})
      .answers({204});
  t.asked("RFC 9110 9.3.7-3", should, "OPTIONS of a path that is not there gets 404.", {line("OPTIONS /none HTTP/1.1")})
      .answers({404});
  t.asked("RFC 9110 7.6.2-1", must, "Max-Forwards is for proxies.",
          {"OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n"})
      .answers({204});
  t.served("RFC 9110 9.3.1-1", must, "A GET may have a body; it ends where its length says.",
           {"GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n" + smuggled}, {"GET /echo " + smuggled});
  t.served("RFC 9110 9.3.5-1", must, "So may a DELETE.",
           {"DELETE /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + get("/")}, {"DELETE /a abc", "GET /"});
  t.served("RFC 9110 9.3.2-1", must, "So may a HEAD.",
           {"HEAD /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n" + smuggled}, {"HEAD /echo " + smuggled})
      .answers({to_head(200)});
  t.served("RFC 9110 9.3.4-1", must, "PUT is a method of its own.",
           {"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"}, {"PUT /echo abc"});
  t.served("RFC 9110 9.1-4", hardening, "A field that names another method does not change it.",
           {post("X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\nContent-Length: 1\r\n", "a")},
           {"POST /echo a"});
  t.check();
}

TEST(Conformance, Answers) {
  table t;
  t.served("RFC 9110 6.6.1-1", must, "An answer has a Date in its fixed form.", {get("/")}, {"GET /"})
      .has(" GMT\r\n")
      .has("\r\nDate: ");
  t.served("RFC 9112 6.3-1", must, "An answer has the length of its body.", {get("/")}, {"GET /"})
      .has("\r\nContent-Length: 4\r\n")
      .has("\r\n\r\nroot");
  t.served("RFC 9110 9.3.2-2", must, "HEAD gets the fields of a GET, its length too, and no body.",
           {line("HEAD / HTTP/1.1")}, {"HEAD /"})
      .answers({to_head(200)})
      .has("\r\nContent-Length: 4\r\n")
      .has("\r\nContent-Type: text/plain; charset=utf-8\r\n")
      .lacks("root");
  t.served("RFC 9110 9.3.2-3", must, "What follows a HEAD follows its header section.",
           {line("HEAD / HTTP/1.1") + get("/a") + line("HEAD /status/404 HTTP/1.1")},
           {"HEAD /", "GET /a", "HEAD /status/404"})
      .answers({to_head(200), 200, to_head(404)});
  t.served("RFC 9110 9.3.2-4", must, "So it is in HTTP/1.0.", {"HEAD / HTTP/1.0\r\n\r\n"}, {"HEAD /"})
      .answers({to_head(200)})
      .closes()
      .lacks("root");
  t.served("RFC 9110 15.3.5-1", must, "204 has neither body nor length.", {get("/status/204") + get("/")},
           {"GET /status/204", "GET /"})
      .answers({204, 200})
      .lacks("content\n")
      .lacks("\r\n\r\ncontent");
  t.served("RFC 9110 15.4.5-1", must, "304 has no body.", {get("/status/304") + get("/")}, {"GET /status/304", "GET /"})
      .answers({304, 200})
      .lacks("\r\n\r\ncontent");
  t.served("RFC 9110 15.3.6-1", must, "205 has an empty body.", {get("/status/205") + get("/")},
           {"GET /status/205", "GET /"})
      .answers({205, 200})
      .has("\r\nContent-Length: 0\r\n")
      .lacks("\r\n\r\ncontent");
  t.served("RFC 9112 4-1", must, "The status line of a status without a phrase keeps its space.",
           {get("/status/299") + get("/status/599")}, {"GET /status/299", "GET /status/599"})
      .answers({299, 599})
      .has("HTTP/1.1 299 \r\n")
      .has("HTTP/1.1 599 \r\n");
  t.served("RFC 9110 15.6.1-1", must, "A handler that makes an answer of 1xx has failed; nobody gets it.",
           {get("/status/101")}, {"GET /status/101"})
      .answers({500})
      .lacks("HTTP/1.1 101");
  t.served("RFC 9112 6.1-1", must, "An answer to HTTP/1.0 has no Transfer-Encoding.", {"GET / HTTP/1.0\r\n\r\n"},
           {"GET /"})
      .closes()
      .lacks("Transfer-Encoding");
  t.asked("RFC 9110 15.5.5-2", should, "404 says why.", {get("/none")})
      .answers({404})
      .has("there is nothing at this path");
  t.refused("RFC 9110 15.5.1-1", should, "400 says why.", line("GET"))
      .has("\r\nContent-Type: text/plain; charset=utf-8\r\n")
      .has("the request line does not begin with a method and one space");
  t.refused("RFC 9110 17.13-1", hardening, "A refusal sends no markup back to a browser.", line("<script> / HTTP/1.1"))
      .lacks("<script>");
  t.asked("RFC 9110 17.13-2", hardening, "Nor does 404.", {get("/<script>")}).answers({404}).lacks("<script>");
  t.served("RFC 9110 13.1-1", hardening,
           "Conditions and ranges are the handler's business (by choice): only it has validators.",
           {get("/", "Range: bytes=0-1\r\nIf-None-Match: *\r\nIf-Modified-Since: x\r\n")}, {"GET /"})
      .has("\r\n\r\nroot");
  t.check();
}

} // namespace
} // namespace greenroom::http::conformance::conformance_answer_test
