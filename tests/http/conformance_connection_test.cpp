// Conformance: how long a connection lasts, requests one behind the other, Expect and Upgrade. Source: RFC 9112 section 9; RFC 9110
// sections 5.6.1, 7.6.1, 7.8 and 10.1.1.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/conformance_kit.hpp>

namespace greenroom::http::conformance::conformance_connection_test {
namespace {

/// A GET of HTTP/1.0 with these field lines.
std::string old_get(std::string_view fields) { return "GET /a HTTP/1.0\r\n" + std::string(fields) + "\r\n"; }
const std::string expects = "Expect: 100-continue\r\n";

TEST(Conformance, Persistence) {
  table t;
  t.served("RFC 9112 9.3-1", must, "A connection of HTTP/1.1 persists.", {get("/a"), hear, get("/"), hear, get("/a")},
           {"GET /a", "GET /", "GET /a"})
      .lacks("Connection:");
  t.served("RFC 9112 9.3-2", must, "One of HTTP/1.0 does not.", {old_get("") + smuggled}, {"GET /a"}).closes();
  t.served("RFC 9112 9.3-3", should, "Unless the client asks for it, which the answer confirms.",
           {old_get("Connection: keep-alive\r\n"), hear, old_get("Connection: Keep-Alive\r\n")}, {"GET /a", "GET /a"})
      .has("\r\nConnection: keep-alive\r\n");
  t.served("RFC 9112 9.3-4", must, "Other fields do not ask for it.",
           {old_get("Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n") + smuggled}, {"GET /a"})
      .closes();
  t.served("RFC 9112 9.3-5", must, "Persistence is each request's: the second one ends it.",
           {old_get("Connection: keep-alive\r\n") + old_get("") + smuggled}, {"GET /a", "GET /a"})
      .closes();
  for (const auto* list : {"close", "CLOSE", "Close", "close, x", "x,close", "x, \tclose\t,y", ",close,", ", ,close",
                           "keep-alive, close", "close, keep-alive"}) {
    t.served("RFC 9112 9.6-2." + std::string(list), must, "Behind a request with the option close nothing is served.",
             {get("/a", "Connection: " + std::string(list) + "\r\n") + smuggled}, {"GET /a"})
        .closes();
  }
  t.served("RFC 9110 7.6.1-1", must, "The options may stand in several lines.",
           {get("/a", "Connection: x\r\nA: b\r\nconnection: close\r\n") + smuggled}, {"GET /a"})
      .closes();
  t.served("RFC 9112 9.6-3", must, "It goes before keep-alive in HTTP/1.0 too.",
           {old_get("Connection: keep-alive\r\nConnection: close\r\n") + smuggled}, {"GET /a"})
      .closes();
  for (const auto* list :
       {"", "keep-alive", "closed", "x-close", "\"close\"", "close;a", "upgrade", "TE", "host", ","}) {
    t.served("RFC 9110 7.6.1-2." + std::string(list), must, "Other options are ignored.",
             {get("/a", "Connection: " + std::string(list) + "\r\n") + get("/")}, {"GET /a", "GET /"});
  }
  t.served("RFC 9112 9.6-4", must, "The body of a request with close is read first.",
           {post("Connection: close\r\nContent-Length: 35\r\n", smuggled) + smuggled}, {"POST /echo " + smuggled})
      .closes();
  t.asked("RFC 9112 9.6-5", must, "An answer that no handler makes heeds it too.",
          {get("/none", "Connection: close\r\n") + smuggled})
      .answers({404})
      .closes();
  t.asked("RFC 9112 9.6-6", must, "And so does OPTIONS.", {"OPTIONS * HTTP/1.0\r\n\r\n" + smuggled})
      .answers({204})
      .closes();
  t.served("RFC 9112 9.3-6", should, "A failed request does not end the connection.",
           {get("/status/500") + get("/status/101") + get("/none") + get("/a")},
           {"GET /status/500", "GET /status/101", "GET /a"})
      .answers({500, 500, 404, 200});
  t.check();
}

TEST(Conformance, Pipelining) {
  table t;
  t.served(
      "RFC 9112 9.3.2-1", must, "Requests that come together are answered in their order.",
      {get("/p/1") + post("Content-Length: 1\r\n", "2") + get("/p/3") + chunked("1\r\n4\r\n0\r\n\r\n") + get("/p/5")},
      {"GET /p/1", "POST /echo 2", "GET /p/3", "POST /echo 4", "GET /p/5"});
  std::string hundred;
  std::vector<std::string> reached;
  for (int i = 0; i < 100; ++i) {
    hundred += get("/p/" + std::to_string(i));
    reached.push_back("GET /p/" + std::to_string(i));
  }
  t.served("RFC 9112 9.3.2-2", must, "So are a hundred.", {hundred}, reached);
  t.served(
       "RFC 9112 9.3.2-3", must, "Whatever they are answered with.",
       {line("HEAD /p/1 HTTP/1.1") + get("/none") + line("OPTIONS * HTTP/1.1") + line("PUT /a HTTP/1.1") + get("/a")},
       {"HEAD /p/1", "GET /a"})
      .answers({to_head(200), 404, 204, 405, 200});
  t.served("RFC 9112 9.3.2-4", must, "Those before a refusal are answered.",
           {get("/p/1") + get("/p/2") + "GET /p/3\r\n" + smuggled}, {"GET /p/1", "GET /p/2"})
      .answers({200, 200, 400})
      .closes();
  t.served("RFC 9112 9.3.2-5", must, "Those behind a close are not.",
           {get("/p/1") + get("/p/2", "Connection: close\r\n") + smuggled + smuggled}, {"GET /p/1", "GET /p/2"})
      .closes();
  t.served("RFC 9112 9.3.2-6", must, "The beginning of the next one may come with the end of the last one.",
           {"GET /p/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /p/2 HT", hear, "TP/1.1\r\nHost: h\r\n\r\n"},
           {"GET /p/1", "GET /p/2"});
  t.served("RFC 9112 9.6-7", should, "A client that ends its sending gets its answers.", {get("/p/1") + get("/p/2")},
           {"GET /p/1", "GET /p/2"})
      .waits();
  t.check();
}

TEST(Conformance, Expectations) {
  table t;
  t.served("RFC 9110 10.1.1-1", must, "A body that is held back is asked for, once.",
           {post("Content-Length: 3\r\n" + expects, ""), hear, "abc"}, {"POST /echo abc"})
      .answers({100, 200})
      .has("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
  t.served("RFC 9110 10.1.1-2", must, "One in chunks too.",
           {post("Transfer-Encoding: chunked\r\n" + expects, ""), hear, "1\r\nx\r\n0\r\n\r\n"}, {"POST /echo x"})
      .answers({100, 200});
  for (const auto* value : {"100-CONTINUE", "100-Continue", " \t100-continue\t", "100-continue,", ",100-continue",
                            "100-continue, 100-continue"}) {
    t.served("RFC 9110 10.1.1-3." + std::string(value), must,
             "The expectation has no case, and is an element of a list.",
             {post("Content-Length: 1\r\nExpect: " + std::string(value) + "\r\n", ""), hear, "x"}, {"POST /echo x"})
        .answers({100, 200});
  }
  t.served("RFC 9110 10.1.1-4", must, "An empty list expects nothing.", {post("Expect:\r\nContent-Length: 1\r\n", "x")},
           {"POST /echo x"});
  t.served("RFC 9110 10.1.1-5", hardening, "One that has come already is not asked for.",
           {post("Content-Length: 3\r\n" + expects, "abc")}, {"POST /echo abc"})
      .as_written();
  t.served("RFC 9110 10.1.1-6", hardening, "Nor is one of which a part has come.",
           {post("Content-Length: 3\r\n" + expects, "a"), "bc"}, {"POST /echo abc"})
      .as_written();
  t.served("RFC 9110 10.1.1-7", must, "Nor is one that there is none of.",
           {get("/a", expects) + post(expects, "") + post("Content-Length: 0\r\n" + expects, "")},
           {"GET /a", "POST /echo", "POST /echo"});
  t.served("RFC 9110 10.1.1-8", must, "HTTP/1.0 gets no 100: its expectation is ignored.",
           {"POST /echo HTTP/1.0\r\nContent-Length: 1\r\n" + expects + "\r\n", "x"}, {"POST /echo x"})
      .closes();
  t.served("RFC 9110 10.1.1-9", must, "Any other one of HTTP/1.0 too.",
           {"POST /echo HTTP/1.0\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n", "x"}, {"POST /echo x"})
      .closes();
  t.served("RFC 9110 10.1.1-10", must, "100 comes behind the answers before it.",
           {get("/p/1") + post("Content-Length: 1\r\n" + expects, ""), hear, hear, "x"}, {"GET /p/1", "POST /echo x"})
      .answers({200, 100, 200});
  t.served("RFC 9110 10.1.1-11", must, "Each request is asked by itself.",
           {post("Content-Length: 1\r\n" + expects, ""), hear, "x", hear, post("Content-Length: 1\r\n" + expects, ""),
            hear, "y", hear, post("Content-Length: 1\r\n", "z")},
           {"POST /echo x", "POST /echo y", "POST /echo z"})
      .answers({100, 200, 100, 200, 200});
  // Whether the body comes is not known then: only the close leaves no doubt.
  t.asked("RFC 9110 10.1.1-12", must, "A body that is not wanted gets its answer at once, and the connection ends.",
          {"POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n" + expects + "\r\n", hear, smuggled})
      .answers({404})
      .closes();
  t.asked("RFC 9110 10.1.1-13", should, "So it does where the method is not allowed, be the body there or not.",
          {"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n" + expects + "\r\n" + smuggled})
      .answers({405})
      .closes();
  t.refused("RFC 9110 10.1.1-14", should, "A body that is too long is not asked for.",
            post("Content-Length: 2000000\r\n" + expects, ""), 413);
  t.refused("RFC 9110 10.1.1-15", must, "Nor is one that nobody can find the end of.",
            post("Content-Length: 1, 2\r\n" + expects, ""));
  t.refused("RFC 9110 10.1.1-16", must, "Nor is one of a request without Host.",
            "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n" + expects + "\r\n");
  std::vector<std::string> other;
  for (const auto* value : {"tea", "100", "100-continue, tea", "tea=100-continue", "100-continue;a=b", "x100-continue",
                            "\"100-continue\"", "200-ok", "100-continue x"})
    other.push_back(post("Content-Length: 1\r\nExpect: " + std::string(value) + "\r\n", "x"));
  t.each_refused("RFC 9110 10.1.1-17", hardening, "An expectation that is not known gets 417.", other, 417);
  t.refused("RFC 9110 10.1.1-18", hardening, "So it does in a second line.",
            post(expects + "Expect: tea\r\nContent-Length: 1\r\n", "x"), 417);
  t.check();
}

TEST(Conformance, Upgrades) {
  table t;
  for (const auto* fields :
       {"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: TLS/1.0\r\n", "Connection: upgrade\r\n", "Connection: upgrade\r\nUpgrade: HTTP/2.0, x/1\r\n"}) {
    t.served("RFC 9110 7.8-1." + std::string(fields), hardening,
             "An upgrade is ignored; the request is answered as it is.", {get("/a", fields) + get("/")},
             {"GET /a", "GET /"})
        .lacks("HTTP/1.1 101")
        .lacks("Upgrade:");
  }
  t.served("RFC 9110 7.8-2", must, "So it is in HTTP/1.0.", {old_get("Connection: upgrade\r\nUpgrade: x\r\n")},
           {"GET /a"})
      .closes();
  t.served("RFC 9110 7.8-3", must, "What follows is HTTP/1.1, and refused if it is not.",
           {get("/a", "Connection: upgrade\r\nUpgrade: h2c\r\n") + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + smuggled},
           {"GET /a"})
      .answers({200, 505})
      .closes();
  t.check();
}

} // namespace
} // namespace greenroom::http::conformance::conformance_connection_test
