#include <greenroom/http/client.hpp>

#include <string>

#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_redirect_test {
namespace {

using namespace test;

std::string redirect(int status, std::string_view to) {
  return "HTTP/1.1 " + std::to_string(status) + " Moved\r\nContent-Length: 0\r\nLocation: " + std::string(to) +
         "\r\n\r\n";
}

/// The request that follows when one of that method is answered so, up to its first empty line and its body.
std::string after(method m, int status) {
  wire w;
  client_request q(m, "http://server/old");
  if (m != method::get && m != method::head) q.header("Content-Type", "text/plain").body("text");
  auto c = w.send(std::move(q));
  auto p = w.accept();
  p.heard();
  w.say(p, redirect(status, "/new"));
  auto next = p.heard();
  w.say(p, m == method::head ? "HTTP/1.1 200 OK\r\n\r\n" : answer("there"));
  EXPECT_EQ(c->got ? (*c->got)->status() : 0, 200) << c->told();
  auto line = next.substr(0, next.find(" HTTP"));
  if (next.find("\r\nContent-Type: ") != std::string::npos) line += " typed";
  return line + next.substr(next.find("\r\n\r\n") + 2);
}

TEST(ClientRedirect, FollowsWithTheMethodThatTheStatusCallsFor) {
  for (const int status : {301, 302, 303}) {
    EXPECT_EQ(after(method::get, status), "GET /new\r\n");
    EXPECT_EQ(after(method::head, status), "HEAD /new\r\n");
    EXPECT_EQ(after(method::post, status), "GET /new\r\n"); // as all browsers do
  }
  EXPECT_EQ(after(method::put, 303), "GET /new\r\n");
  EXPECT_EQ(after(method::put, 302), "PUT /new typed\r\ntext");
  for (const int status : {307, 308}) {
    EXPECT_EQ(after(method::get, status), "GET /new\r\n");
    EXPECT_EQ(after(method::post, status), "POST /new typed\r\ntext");
  }
}

TEST(ClientRedirect, SaysWhichAddressAnswered) {
  wire w;
  w.listen("other", 8080);
  auto c = w.get("/a/b?q");
  auto p = w.accept();
  p.heard();
  w.say(p, redirect(302, "//other:8080/x/../y#part"));
  auto other = w.accept("other");
  EXPECT_EQ(other.heard().substr(0, 43), "GET /y HTTP/1.1\r\nHost: other:8080\r\nUser-Age");
  w.say(other, answer("there"));
  EXPECT_EQ(c->told(), "200 there");
  EXPECT_EQ((**c->got).url(), "http://other:8080/y");
  EXPECT_EQ(w.web->stats().redirects, 1u);
}

TEST(ClientRedirect, TakesSecretsToNoOtherOrigin) {
  wire w;
  w.listen("other", 80);
  client_request q(method::get, "http://server/");
  q.header("Authorization", "Bearer secret").header("cookie", "id=secret").header("Accept", "text/plain");
  auto c = w.send(std::move(q));
  auto p = w.accept();
  p.heard();
  w.say(p, redirect(307, "/same"));
  EXPECT_NE(p.heard().find("Bearer secret"), std::string::npos);
  w.say(p, redirect(307, "http://other/"));
  auto other = w.accept("other");
  const auto there = other.heard();
  EXPECT_EQ(there.find("secret"), std::string::npos) << there;
  EXPECT_NE(there.find("Accept: text/plain"), std::string::npos);
  w.say(other, redirect(307, "http://server/")); // and they do not come back
  EXPECT_EQ(p.heard().find("secret"), std::string::npos);
  w.say(p, answer("in the end"));
  EXPECT_EQ(c->told(), "200 in the end");
}

TEST(ClientRedirect, StopsAtItsLimit) {
  wire w({.redirects = 2});
  auto c = w.get("/0");
  auto p = w.accept();
  for (const auto* to : {"/1", "/2", "/3"}) {
    p.heard();
    w.say(p, redirect(302, to));
  }
  EXPECT_EQ(c->told(), "cannot GET http://server/0: it was redirected more often than the limit of 2 times, at last to "
                       "'/3'");
  EXPECT_EQ(c->code(), errc::upstream);
  EXPECT_EQ(p.heard(), "");
}

TEST(ClientRedirect, CanBeLeftToTheCaller) {
  wire w({.redirects = 0});
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, redirect(302, "http://evil/"));
  EXPECT_EQ(c->told(), "302 ");
  EXPECT_EQ((**c->got).header("Location"), "http://evil/");
}

TEST(ClientRedirect, OneThatLeadsNowhereIsAnAnswer) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, answer("no location", "", "302 Found"));
  EXPECT_EQ(c->told(), "302 no location");
  auto d = w.get();
  p.heard();
  w.say(p, answer("cached", "Location: /x\r\n", "300 Choose"));
  EXPECT_EQ(d->told(), "300 cached");
}

TEST(ClientRedirect, IsNotFollowedToWhatIsNoWebAddress) {
  wire w;
  auto c = w.get();
  auto p = w.accept();
  p.heard();
  w.say(p, redirect(302, "file:///etc/passwd"));
  EXPECT_EQ(c->told(),
            "cannot GET http://server/: its redirection to 'file:///etc/passwd' is not followed: the address "
            "must begin with http:// or https://");
}

task<result<std::unique_ptr<stream>>> as_it_is(std::unique_ptr<stream> raw, std::string) { co_return raw; }

TEST(ClientRedirect, NeverLeadsOutOfHttps) {
  wire w({.secure = as_it_is});
  w.listen("safe", 443);
  auto c = w.send(client_request(method::get, "https://safe/"));
  auto p = w.accept("safe");
  p.heard();
  w.say(p, redirect(302, "http://safe/"));
  EXPECT_EQ(c->told(),
            "cannot GET https://safe/: its redirection to 'http://safe/' is not followed: it leads from https "
            "to http, where others could read and change the request");
  EXPECT_EQ(c->code(), errc::upstream);
}

TEST(ClientRedirect, HasOneTimeLimitForAllOfIt) {
  wire w({.request_time = 3s});
  auto c = w.get();
  auto p = w.accept();
  for (int i = 0; i < 2; ++i) {
    p.heard();
    w.advance(1s);
    w.say(p, redirect(302, "/on"));
  }
  w.advance(1s);
  EXPECT_EQ(c->code(), errc::timed_out);
}

} // namespace
} // namespace greenroom::http::client_redirect_test
