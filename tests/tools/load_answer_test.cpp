#include <greenroom/tools/greenroom/load_answer.hpp>

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <greenroom/tools/greenroom/load_target.hpp>

namespace load {
namespace {

using state = answer_reader::state;

/// "200", "200 close", "reading" or "malformed": what it makes of bytes that come in parts of this size, and then the end where `ends`.
std::string read(std::string_view bytes, std::size_t part, bool to_head, bool ends) {
  answer_reader reader;
  reader.begin(to_head);
  auto at = state::reading;
  for (std::size_t i = 0; i < bytes.size() && at != state::malformed; i += part)
    at = reader.take(bytes.substr(i, part));
  if (ends && at == state::reading) at = reader.end_of_input();
  if (at == state::malformed) return "malformed";
  if (at == state::reading) return "reading";
  return std::to_string(reader.status()) + (reader.keeps_open() ? "" : " close");
}

struct row {
  const char* bytes;
  const char* wanted;
  bool to_head = false;
  bool ends = false;
};

TEST(AnswerReader, FindsStatusAndEndHoweverTheBytesCome) {
  const row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200"},
      {"HTTP/1.1 200 OK\r\ncontent-LENGTH:2\r\nX: y\r\n\r\no", "reading"},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokk", "malformed"},
      {"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "503 close"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 close"},
      {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", "200"},
      {"HTTP/1.1 204 Nothing\r\n\r\n", "204"},
      {"HTTP/1.1 304 Same\r\nContent-Length: 100\r\n\r\n", "304"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "200", true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: "
       "1\r\n\r\nx",
       "201"},
      {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "101 close"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", "200"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", "200"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n", "reading"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nmore", "malformed"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "malformed"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "malformed"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "reading"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "200 close", false, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "malformed", false, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "malformed"},
      {"HTTP/1.1 200 OK\r\nno field\r\n\r\n", "malformed"},
      {"HTTP/2 200 OK, not so\r\n\r\n", "malformed"},
      {"HTTP/1.1 two hundred\r\n\r\n", "malformed"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed"},
  };
  for (const auto& r : rows) {
    const std::string_view bytes(r.bytes);
    for (std::size_t part = 1; part <= bytes.size(); ++part)
      ASSERT_EQ(read(bytes, part, r.to_head, r.ends), r.wanted) << bytes << "\nin parts of " << part;
  }
}

TEST(AnswerReader, RefusesAHeadWithoutAnEnd) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 1'000, false, false), "malformed");
}

TEST(AnswerReader, BeginsTheNextAnswerAnew) {
  answer_reader reader;
  for (const bool to_head : {true, false, true}) {
    reader.begin(to_head);
    EXPECT_FALSE(reader.begun());
    EXPECT_EQ(reader.take("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"), to_head ? state::complete : state::reading);
    EXPECT_TRUE(reader.begun());
    if (!to_head) {
      EXPECT_EQ(reader.take("x"), state::complete);
    }
    EXPECT_FALSE(reader.keeps_open());
  }
}

// -- the other direction --------------------------------------------------------------------------------------------

TEST(LoadTarget, ReadsAddresses) {
  struct wanted {
    const char* url;
    const char* host;
    int port;
    const char* path;
  };
  for (const auto& w : {wanted{"http://127.0.0.1:8080/a?b=1#c", "127.0.0.1", 8080, "/a?b=1"},
                        {"localhost", "localhost", 80, "/"},
                        {"https://[::1]:8443", "::1", 8443, "/"},
                        {"http://[::1]/x", "::1", 80, "/x"},
                        {"https://there", "there", 443, "/"},
                        {"http://there?x=1", "there", 80, "/?x=1"}}) {
    const auto t = read_target(w.url);
    ASSERT_TRUE(t) << w.url << t.error().message();
    EXPECT_EQ(t->to.host, w.host);
    EXPECT_EQ(t->to.port, w.port);
    EXPECT_EQ(t->path, w.path);
  }
  for (const char* url : {"", "ftp://x", "http://", "http://:80", "http://x:0", "http://x:99999", "http://x:y",
                          "http://me@x/", "http://x/a b", "http://[::1"})
    EXPECT_FALSE(read_target(url)) << url;
}

TEST(LoadTarget, WritesTheRequestAndRefusesWhatWouldBreakIt) {
  const auto t = read_target("http://127.0.0.1:8080/echo");
  ASSERT_TRUE(t);
  EXPECT_EQ(request_bytes(*t, "GET", {}, "").value(),
            "GET /echo HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: greenroom-load\r\n\r\n");
  EXPECT_EQ(request_bytes(*t, "POST", {"HOST: other", "user-agent: me"}, "body").value(),
            "POST /echo HTTP/1.1\r\nHOST: other\r\nuser-agent: me\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_NE(request_bytes(*t, "PUT", {}, "").value().find("Content-Length: 0\r\n"), std::string::npos);
  for (const char* field : {"no colon", ": x", "A b: x", "X: y\r\nZ: w", "Content-Length: 3", "connection: close"})
    EXPECT_FALSE(request_bytes(*t, "GET", {field}, "")) << field;
  for (const char* method : {"", "GE T", "CONNECT", "GET\r\n"})
    EXPECT_FALSE(request_bytes(*t, method, {}, "")) << method;
}

} // namespace
} // namespace load
