// What a call that has failed tells: to the caller by its code, to strangers by the answer that problem() makes of it.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/problem.hpp>
#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_error_test {
namespace {

using namespace test;

/// The answer to who has asked a handler that returns the error of this call.
response passed_on(const call& c) { return problem(c.got->error()); }

TEST(ClientError, IsTheOtherServersFaultWhateverThatAnswers) {
  wire w({.head = 512, .fields = 5, .body = 10, .redirects = 1, .retries = 0});
  std::string interim;
  for (int i = 0; i < 9; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  for (const auto& bytes : std::vector<std::string>{
           "SSH-2.0-OpenSSH\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n",
           "HTTP/1.1 200 OK\r\nA: " + std::string(600, 'a') + "\r\n",
           "HTTP/1.1 200 OK\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n",
           interim,
           "HTTP/1.1 302 Found\r\nLocation: ftp://server/\r\nContent-Length: 0\r\n\r\n",
       }) {
    auto c = w.get("/internal?token=secret");
    auto p = w.accept();
    p.heard();
    w.say(p, bytes);
    ASSERT_TRUE(c->got && !*c->got) << c->told() << " for " << bytes;
    EXPECT_EQ(c->code(), errc::upstream) << bytes;
    EXPECT_TRUE(c->told().starts_with("cannot GET http://server/internal: ")) << c->told();
    EXPECT_EQ(passed_on(*c).status(), 502) << bytes;
    EXPECT_EQ(passed_on(*c).body(),
              R"({"title":"Bad Gateway","status":502,"detail":"another server failed that is needed for this answer"})"
              "\n");
    p.leave();
    w.settle();
  }
}

TEST(ClientError, IsTheOtherServersFaultWhateverHindersTheConnection) {
  for (const auto cause : {errc::not_found, errc::io, errc::closed, errc::parse, errc::limit, errc::invalid_argument}) {
    client_options how;
    how.retries = 0;
    how.secure = [cause](std::unique_ptr<stream>, std::string) {
      return [](errc why) -> task<result<std::unique_ptr<stream>>> { co_return error(why, "the cause"); }(cause);
    };
    wire w(std::move(how));
    w.listen("safe", 443);
    auto c = w.send(client_request(method::get, "https://safe/a?token=secret"));
    EXPECT_EQ(c->told(), "cannot GET https://safe/a: the cause");
    EXPECT_EQ(c->code(), errc::upstream) << to_string(cause);
  }
}

TEST(ClientError, IsOurOwnWhereWeAreTooSlowOrStopped) {
  wire w({.connections_per_host = 1, .request_time = 2s});
  auto slow = w.get();
  auto waits = w.get();
  w.advance(2s);
  EXPECT_EQ(slow->code(), errc::timed_out);
  EXPECT_EQ(passed_on(*slow).status(), 504);
  EXPECT_EQ(waits->code(), errc::full);
  EXPECT_EQ(passed_on(*waits).status(), 503);
}

TEST(ClientError, OfAnAddressDoesNotRepeatIt) {
  wire w;
  for (const auto* url : {"http://internal-db:0/?token=secret", "internal-db/a", "http://ann:secret@internal-db/",
                          "http://internal-db/a b?token=secret"}) {
    auto c = w.send(client_request(method::post, url));
    EXPECT_EQ(c->code(), errc::invalid_argument) << url;
    EXPECT_TRUE(c->told().starts_with("cannot send a POST request: ")) << c->told();
    const auto answer = passed_on(*c);
    EXPECT_EQ(answer.status(), 422);
    EXPECT_EQ(answer.body().find("internal-db"), std::string::npos) << answer.body();
    EXPECT_EQ(answer.body().find("secret"), std::string::npos) << answer.body();
  }
}

TEST(ClientError, ShowsNoSecretsOfTheAddressesOnTheWay) {
  wire w({.redirects = 1});
  for (const auto* to : {"/b?token=secret", "http://ann:secret@server/b", "ftp://server/b?secret"}) {
    auto c = w.get("/a?token=secret");
    auto p = w.accept();
    for (int i = 0; i < 2; ++i) {
      p.heard();
      w.say(p, answer("", "Connection: close\r\nLocation: " + std::string(to) + "\r\n", "307 Elsewhere"));
      if (c->got) break;
      p = w.accept();
    }
    EXPECT_TRUE(c->told().starts_with("cannot GET http://server/a: ")) << c->told();
    EXPECT_EQ(c->told().find("secret"), std::string::npos) << c->told();
    EXPECT_NE(c->told().find("/b'"), std::string::npos) << c->told();
  }
}

TEST(ClientError, OfAStreamedBodyIsTheOtherServersFault) {
  wire w;
  auto c = w.open(client_request(method::get, "http://server/a?token=secret"));
  auto p = w.accept();
  w.say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_EQ(c->told(), "200 open");
  w.say(p, "none\r\n");
  const auto told = w.read(*c);
  EXPECT_TRUE(told.starts_with("cannot read the answer to GET http://server/a: ")) << told;
  EXPECT_EQ(c->piece->error().code(), errc::upstream);
}

} // namespace
} // namespace greenroom::http::client_error_test
