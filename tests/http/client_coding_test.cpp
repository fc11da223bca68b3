// Content codings of answers: the client decodes none, so that it gives out none that was not asked for.
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/tests/http/client_kit.hpp>

namespace greenroom::http::client_coding_test {
namespace {

using namespace test;

TEST(ClientCoding, OfABodyIsRefusedUnlessTheRequestAllowsIt) {
  wire w;
  const auto told_of = [&w](std::string_view accept, std::string_view coding, std::string_view status = "200 OK") {
    client_request q(method::get, "http://server/");
    if (!accept.empty()) q.header("Accept-Encoding", accept);
    auto c = w.send(std::move(q));
    auto p = w.accept();
    p.heard();
    w.say(p, answer("coded", "Connection: close\r\n" + std::string(coding) + "\r\n", status));
    if (c->got && !*c->got) {
      EXPECT_EQ(c->code(), errc::upstream);
    }
    return c->told();
  };
  EXPECT_EQ(told_of("", "Content-Encoding: gzip"),
            "cannot GET http://server/: the answer is refused: its body has the coding 'gzip', which the request does "
            "not allow; with a field Accept-Encoding that does, the body comes as it is");
  EXPECT_NE(told_of("identity", "Content-Encoding: gzip").find("'gzip'"), std::string::npos);
  EXPECT_NE(told_of("br, gzip;q=0", "Content-Encoding: gzip").find("'gzip'"), std::string::npos);
  EXPECT_NE(told_of("gzip", "Content-Encoding: gzip, br").find("'br'"), std::string::npos);
  EXPECT_NE(told_of("gzip", "Content-Encoding: gzip\r\nContent-Encoding: br").find("'br'"), std::string::npos);
  EXPECT_NE(told_of("", "Content-Encoding: gzip", "404 Not Found").find("'gzip'"), std::string::npos);
  EXPECT_EQ(told_of("gzip", "Content-Encoding: GZip"), "200 coded");
  EXPECT_EQ(told_of("br;q=0.5, *", "Content-Encoding: zstd"), "200 coded");
  EXPECT_EQ(told_of("", "Content-Encoding: identity"), "200 coded");
}

TEST(ClientCoding, IsNothingToRefuseWhereThereIsNoBody) {
  wire w;
  auto head = w.send(client_request(method::head, "http://server/"));
  auto p = w.accept();
  p.heard();
  w.say(p, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\n");
  EXPECT_EQ(head->told(), "200 ");
  auto unchanged = w.get();
  p.heard();
  w.say(p, "HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(unchanged->told(), "304 ");
  auto led = w.get();
  p.heard();
  w.say(p, answer("coded", "Location: /there\r\nContent-Encoding: gzip\r\n", "302 Found"));
  EXPECT_EQ(p.heard().substr(0, 11), "GET /there ") << "of a redirection nobody reads the body";
  w.say(p, answer("plain"));
  EXPECT_EQ(led->told(), "200 plain");
}

TEST(ClientCoding, HoldsForABodyThatIsReadPieceByPiece) {
  wire w;
  for (const bool allowed : {false, true}) {
    client_request q(method::get, "http://server/");
    if (allowed) q.header("Accept-Encoding", "gzip");
    auto c = w.open(std::move(q));
    auto p = w.accept();
    w.say(p, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n");
    ASSERT_EQ(c->told() == "200 open", allowed) << c->told();
    if (allowed) {
      EXPECT_EQ((**c->opened).header("Content-Encoding"), "gzip");
    }
    EXPECT_EQ(p.is_left(), !allowed);
  }
}

} // namespace
} // namespace greenroom::http::client_coding_test
