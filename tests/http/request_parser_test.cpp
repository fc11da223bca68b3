#include <greenroom/http/internal/request_parser.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/parser_kit.hpp>

namespace greenroom::http::internal::request_parser_test {
namespace {

using namespace test;
using state = request_parser::state;

static_assert(sizeof(request_parser) <= 96, "an idle connection pays for it");

/// Small enough that every split can be tried.
limits tight() { return {.request_line = 64, .head = 256, .fields = 4, .body = 20, .chunk_line = 18}; }

struct accepted {
  std::string bytes;
  std::string_view told;
};

void check_accepted(const std::vector<accepted>& table) {
  for (const auto& each : table) EXPECT_EQ(tell_however_split(each.bytes), std::string(each.told) + "\nidle");
}

// -- states -----------------------------------------------------------------------------------------------

TEST(RequestParser, StopsOnceBehindTheHeaderSection) {
  const limits most;
  request_parser p(most);
  EXPECT_EQ(p.at(), state::idle);
  EXPECT_EQ(p.parse(""), 0u);
  EXPECT_EQ(p.at(), state::idle);
  EXPECT_EQ(p.parse("P"), 1u);
  EXPECT_EQ(p.at(), state::head);
  const std::string_view head = "OST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
  EXPECT_EQ(p.parse(std::string(head) + "abcGET"), head.size());
  EXPECT_EQ(p.at(), state::head_done);
  EXPECT_EQ(p.data().path, "/x");
  EXPECT_TRUE(p.has_body());
  EXPECT_EQ(p.parse(""), 0u);
  EXPECT_EQ(p.at(), state::body);
  EXPECT_EQ(p.parse("abcGET"), 3u);
  EXPECT_EQ(p.at(), state::complete);
  EXPECT_EQ(p.parse("GET"), 0u) << "before take()";
  EXPECT_EQ(p.take().body(), "abc");
  EXPECT_EQ(p.at(), state::idle);
}

TEST(RequestParser, CompletesARequestWithoutBodyOnAnEmptyCall) {
  const limits most;
  request_parser p(most);
  p.parse(with_target("/"));
  EXPECT_EQ(p.at(), state::head_done);
  EXPECT_FALSE(p.has_body());
  EXPECT_EQ(p.parse(""), 0u);
  EXPECT_EQ(p.at(), state::complete);
}

TEST(RequestParser, TakesNothingOnceItHasFailed) {
  const limits most;
  request_parser p(most);
  p.parse("GET\r\n");
  ASSERT_EQ(p.at(), state::failed);
  EXPECT_EQ(p.why().status, 400);
  const auto reason = p.why().reason;
  EXPECT_EQ(p.parse(with_target("/")), 0u);
  EXPECT_EQ(p.at(), state::failed);
  EXPECT_EQ(p.why().reason, reason);
  p.release();
  EXPECT_EQ(p.at(), state::failed);
}

TEST(RequestParser, ReleasesItsMemoryOnlyBetweenRequests) {
  const limits most;
  request_parser p(most);
  p.release();
  p.parse("GET / HT");
  p.release();
  EXPECT_EQ(p.at(), state::head);
  p.parse("TP/1.1\r\nHost: h\r\n\r\n");
  p.parse("");
  ASSERT_EQ(p.at(), state::complete);
  EXPECT_EQ(p.take().host(), "h");
  p.parse("\r\n");
  EXPECT_EQ(p.at(), state::idle);
  p.release();
  p.parse("\r\n");
  EXPECT_EQ(p.at(), state::failed) << "that an empty line came is not forgotten";
}

TEST(RequestParser, ReadsPipelinedRequestsInTheirOrder) {
  EXPECT_EQ(tell_however_split(with_target("/1") + with_body("Content-Length: 2\r\n", "ab") +
                               with_body("Transfer-Encoding: chunked\r\n", "1\r\nc\r\n0\r\n\r\n") + "\r\n" +
                               with_target("/2") + "GET"),
            "keep GET /1 = h /1 ?  1.1 {Host=h;} ''\n"
            "keep body POST / = h / ?  1.1 {Host=h;Content-Length=2;} 'ab'\n"
            "keep body POST / = h / ?  1.1 {Host=h;Transfer-Encoding=chunked;} 'c'\n"
            "keep GET /2 = h /2 ?  1.1 {Host=h;} ''\n"
            "unfinished");
}

TEST(RequestParser, KeepsItsViewsWhileTheHeadGrows) {
  std::string lines = "Host: h\r\n";
  std::string told = "keep GET /path?query = h /path ? query 1.1 {Host=h;";
  for (int i = 0; i < 99; ++i) {
    const auto name = "Name-" + std::to_string(i);
    const std::string value(static_cast<std::size_t>(i), 'v');
    lines += name + ": " + value + "\r\n";
    told += name + "=" + value + ";";
  }
  const auto bytes = "GET /path?query HTTP/1.1\r\n" + lines + "\r\n";
  EXPECT_EQ(tell({bytes}), told + "} ''\nidle");
  EXPECT_EQ(tell(single_bytes(bytes)), told + "} ''\nidle");
}

// -- request line -----------------------------------------------------------------------------------------

TEST(RequestParser, ReadsTargetsOfEachForm) {
  check_accepted({
      {with_target("/"), "keep GET / = h / ?  1.1 {Host=h;} ''"},
      {with_target("/a/b;c=1"), "keep GET /a/b;c=1 = h /a/b;c=1 ?  1.1 {Host=h;} ''"},
      {with_target("//a"), "keep GET //a = h //a ?  1.1 {Host=h;} ''"},
      {with_target("/?"), "keep GET /? = h / ?  1.1 {Host=h;} ''"},
      {with_target("/a?b?c=/%41"), "keep GET /a?b?c=/%41 = h /a ? b?c=/%41 1.1 {Host=h;} ''"},
      {with_target("/{\"<>|\\^`}"), "keep GET /{\"<>|\\^`} = h /{\"<>|\\^`} ?  1.1 {Host=h;} ''"},
      {with_target("http://x"), "keep GET http://x = x / ?  1.1 {Host=h;} ''"},
      {with_target("HTTP://x:1/a?b"), "keep GET HTTP://x:1/a?b = x:1 /a ? b 1.1 {Host=h;} ''"},
      {with_target("http://x?b"), "keep GET http://x?b = x / ? b 1.1 {Host=h;} ''"},
      {with_target("http://[::1]:8/"), "keep GET http://[::1]:8/ = [::1]:8 / ?  1.1 {Host=h;} ''"},
      {with_target("*", "OPTIONS"), "keep OPTIONS * = h * ?  1.1 {Host=h;} ''"},
      {with_target("http://x", "OPTIONS"), "keep OPTIONS http://x = x * ?  1.1 {Host=h;} ''"},
      {with_target("http://x?b", "OPTIONS"), "keep OPTIONS http://x?b = x / ? b 1.1 {Host=h;} ''"},
      {with_target("http://x/", "OPTIONS"), "keep OPTIONS http://x/ = x / ?  1.1 {Host=h;} ''"},
      {with_target("/.a/b./...?/../"), "keep GET /.a/b./...?/../ = h /.a/b./... ? /../ 1.1 {Host=h;} ''"},
      {with_target("/", "DELETE"), "keep DELETE / = h / ?  1.1 {Host=h;} ''"},
  });
}

TEST(RequestParser, RefusesTargetsThatAreNone) {
  const std::string_view neither = "neither a path that begins with '/' nor an http address";
  check_refused({
      {with_target("a"), 400, neither},
      {with_target("h:80"), 400, neither},
      {with_target("ftp://h/"), 400, neither},
      {with_target("HTTPS://h/"), 421, "without TLS"},
      {with_target("://h/"), 400, neither},
      {with_target("http:/h/"), 400, neither},
      {with_target("?a"), 400, neither},
      {with_target("*"), 400, "OPTIONS only"},
      {with_target("**", "OPTIONS"), 400, neither},
      {with_target("http://"), 400, "no valid host"},
      {with_target("http:///a"), 400, "no valid host"},
      {with_target("http://:80/a"), 400, "no valid host"},
      {with_target("http://user@h/"), 400, "no valid host"},
      {with_target("http://h:x/"), 400, "no valid host"},
      {with_target("http://h:65536/"), 400, "no valid host"},
      {with_target("/a#b"), 400, "'#'"},
      {with_target("/\x80"), 400, "beyond ASCII"},
      {with_target("/\x7f"), 400, "a control character"},
      {with_target("/\x01"), 400, "a control character"},
      {with_target("/a\tb"), 400, "a control character"},
      {with_target("/a\rb"), 400, "a control character"},
      {with_target(std::string("/\0", 2)), 400, "a control character"},
      {with_target("/%"), 400, "a '%'"},
      {with_target("/%4"), 400, "a '%'"},
      {with_target("/%4g"), 400, "a '%'"},
      {with_target("/%%41"), 400, "a '%'"},
      {with_target("/?a=%zz"), 400, "a '%'"},
      {with_target("/%00"), 400, "a zero byte"},
      {with_target("/?%00"), 400, "a zero byte"},
      {with_target("/.."), 400, "a segment . or .."},
      {with_target("/a/./b"), 400, "a segment . or .."},
      {with_target("/a/.%2e/b?c"), 400, "a segment . or .."},
      {with_target("/a%2F%2E"), 400, "a segment . or .."},
      {with_target("http://h/../"), 400, "a segment . or .."},
  });
}

TEST(RequestParser, RefusesRequestLinesOfAnotherForm) {
  const std::string_view begin = "does not begin with a method and one space";
  const std::string_view parts = "with one space between them";
  const std::string_view version = "does not end with one space and HTTP/1.1 or HTTP/1.0";
  check_refused({
      {" GET / HTTP/1.1\r\n", 400, begin},
      {"GET\r\n", 400, begin},
      {"G@T / HTTP/1.1\r\n", 400, begin},
      {"G\xc3\x89T / HTTP/1.1\r\n", 400, begin},
      {"GET\t/ HTTP/1.1\r\n", 400, begin},
      {"\x16\x03\x01\x02\r\n", 400, begin}, // a TLS client
      {"GET \r\n", 400, parts},
      {"GET /\r\n", 400, parts}, // HTTP/0.9
      {"GET  / HTTP/1.1\r\n", 400, parts},
      {"GET /  HTTP/1.1\r\n", 400, version},
      {"GET / HTTP/1.1 \r\n", 400, version},
      {"GET / \r\n", 400, version},
      {"GET / a HTTP/1.1\r\n", 400, version},
      {"GET /\tHTTP/1.1\r\n", 400, parts},
      {"GET / http/1.1\r\n", 400, version},
      {"GET / HTTP/1\r\n", 400, version},
      {"GET / HTTP/1.\r\n", 400, version},
      {"GET / HTTP/11.1\r\n", 400, version},
      {"GET / HTTP/1.10\r\n", 400, version},
      {"GET / HTTP/+1.1\r\n", 400, version},
      {"GET / HTTP/1,1\r\n", 400, version},
      {"GET / HTTP/a.1\r\n", 400, version},
      {"GET / HTTPS/1.1\r\n", 400, version},
      {"GET / HTTP/1.1\r\r\n", 400, version},
      {"GET / HTTP/2.0\r\n", 505, "not HTTP/2.0"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "not HTTP/2.0"},
      {"GET / HTTP/0.9\r\n", 505, "not HTTP/0.9"},
      {"get / HTTP/1.1\r\n", 501, "the method get"},
      {"BREW / HTTP/1.1\r\n", 501, "the method BREW"},
      {"!#$%&'*+-.^_`|~0aZ / HTTP/1.1\r\n", 501, "does not know the method"},
      {"CONNECT h:80 HTTP/1.1\r\n", 501, "the method CONNECT"},
  });
}

TEST(RequestParser, ReadsALaterMinorVersionAs11) {
  check_accepted({{"GET / HTTP/1.9\r\nHost: h\r\n\r\n", "keep GET / = h / ?  1.1 {Host=h;} ''"},
                  {"GET / HTTP/1.0\r\n\r\n", "close GET / =  / ?  1.0 {} ''"}});
}

TEST(RequestParser, SkipsOneEmptyLineBeforeARequest) {
  check_accepted({{"\r\n" + with_target("/"), "keep GET / = h / ?  1.1 {Host=h;} ''"}});
  EXPECT_EQ(tell_however_split("\r\n"), "idle");
  check_refused({{"\r\n\r\n" + with_target("/"), 400, "more than one empty line"},
                 {"\n" + with_target("/"), 400, "LF alone"},
                 {"\r" + with_target("/"), 400, "does not begin with a method"},
                 {"\r\r\n", 400, "does not begin with a method"}});
}

TEST(RequestParser, RefusesLinesThatEndInLfAlone) {
  check_refused({{"GET / HTTP/1.1\nHost: h\r\n\r\n", 400, "LF alone"},
                 {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400, "LF alone"},
                 {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400, "LF alone"},
                 {"GET / HTTP/1.1\r\nA: b\nHost: h\r\n\r\n", 400, "LF alone"}});
}

// -- fields -----------------------------------------------------------------------------------------------

TEST(RequestParser, TrimsValuesAndKeepsTheRest) {
  check_accepted({
      {with_fields("Host:h\r\nA: \t b c\t\r\nB:\r\nC: \t \r\n"), "keep GET / = h / ?  1.1 {Host=h;A=b c;B=;C=;} ''"},
      {with_fields("Host: h\r\nX: \x80\xff\t\xc3\xa9:;,\"\r\n"),
       "keep GET / = h / ?  1.1 {Host=h;X=\x80\xff\t\xc3\xa9:;,\";} ''"},
      {with_fields("hOST: h\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n"),
       "keep GET / = h / ?  1.1 {hOST=h;!#$%&'*+-.^_`|~09azAZ=x;} ''"},
      {with_fields("Host: h\r\nA: 1\r\nA: 2\r\n"), "keep GET / = h / ?  1.1 {Host=h;A=1;A=2;} ''"},
  });
}

TEST(RequestParser, RefusesFieldLinesOfAnotherForm) {
  const std::string_view name = "no name of allowed characters with a colon right behind it";
  const std::string_view folded = "is folded over more than one line, or a line begins with white space";
  check_refused({
      {with_fields("Host: h\r\nA : b\r\n"), 400, name},
      {with_fields("Host: h\r\nA\t: b\r\n"), 400, name},
      {with_fields("Host: h\r\n: b\r\n"), 400, name},
      {with_fields("Host: h\r\nA\r\n"), 400, name},
      {with_fields("Host: h\r\nA b: c\r\n"), 400, name},
      {with_fields("Host: h\r\nA(b): c\r\n"), 400, name},
      {with_fields("Host: h\r\nLong-Name-\xc3\xa9: c\r\n"), 400, name},
      {with_fields("Host: h\r\n\rA: b\r\n"), 400, name},
      {with_fields("Host: h\r\n\r"), 400, name}, // the end would be CR CR LF
      {with_fields("Host: h\r\nA: b\r\n c\r\n"), 400, folded},
      {with_fields("Host: h\r\nA: b\r\n\tc\r\n"), 400, folded},
      {with_fields(" Host: h\r\n"), 400, folded},
      {with_fields("Host: h\r\n \r\n"), 400, folded},
  });
}

TEST(RequestParser, AllowsNoControlCharacterButTabInValues) {
  for (int c = 0; c < 256; ++c) {
    for (const std::size_t at : {0u, 3u, 8u, 19u}) { // values are looked at in parts of eight
      std::string value(20, 'v');
      value[at] = static_cast<char>(c);
      if (c == '\n') continue;
      const auto told = tell({with_fields("Host: h\r\nA:" + value + "\r\n")});
      const bool allowed = c == '\t' || (c >= ' ' && c != 0x7f);
      EXPECT_EQ(told.find("holds a control character") == told.npos, allowed) << c << " at " << at << ": " << told;
      EXPECT_EQ(told.ends_with("idle"), allowed) << c;
    }
  }
}

TEST(RequestParser, AllowsOnlyTokensAsNames) {
  const std::string_view punctuation = "!#$%&'*+-.^_`|~";
  for (int c = 0; c < 256; ++c) {
    for (const std::size_t at : {0u, 2u, 7u, 8u, 12u}) {
      std::string name(13, 'n');
      name[at] = static_cast<char>(c);
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      const bool allowed = letter || (c != 0 && c < 128 && punctuation.find(static_cast<char>(c)) != punctuation.npos);
      if (c == ':' && at != 0) continue; // a shorter name
      EXPECT_EQ(tell({with_fields("Host: h\r\n" + name + ": v\r\n")}).ends_with("idle"), allowed) << c << " at " << at;
    }
  }
}

TEST(RequestParser, DemandsOneHostIn11) {
  check_refused({
      {with_fields(""), 400, "no Host field"},
      {with_fields("A: b\r\n"), 400, "no Host field"},
      {"GET http://x/ HTTP/1.1\r\n\r\n", 400, "no Host field"},
      {with_fields("Host: a\r\nHost: a\r\n"), 400, "more than one Host"},
      {with_fields("Host:\r\nhost: b\r\n"), 400, "more than one Host"},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "more than one Host"},
      {with_fields("Host: a\r\nContent-Type: a/b\r\ncontent-type: a/b\r\n"), 400, "more than one Content-Type"},
      {with_fields("Host:\r\n"), 400, "Host field is empty"},
      {"GET / HTTP/1.0\r\nHost: \r\n\r\n", 400, "Host field is empty"},
  });
  check_accepted({{"GET http://x/ HTTP/1.1\r\nHost:\r\n\r\n", "keep GET http://x/ = x / ?  1.1 {Host=;} ''"},
                  {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "close GET / = a / ?  1.0 {Host=a;} ''"}});
}

TEST(RequestParser, AllowsOnlyValidHosts) {
  for (const auto good : {"h", "a.b-c_d~e", "127.0.0.1", "h:80", "h:", "%41", "a!$&'()*+,;=", "[::1]", "[::]:80",
                          "[1::]", "[1:2:3:4:5:6:7:8]", "[1::3:4:5:6:7:8]", "[::ffff:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]",
                          "[ABCD:ef01::]", "xn--bcher-kva.example"}) {
    const auto told = tell_however_split(with_fields("Host: " + std::string(good) + "\r\n"));
    EXPECT_TRUE(told.ends_with("idle")) << good << ": " << told;
    EXPECT_NE(told.find("= " + std::string(good) + " / "), told.npos) << told;
  }
  for (const auto bad : {":80",
                         "a b",
                         "a,b c",
                         "a/b",
                         "a?b",
                         "a@b",
                         "h:80:90",
                         "h:8a",
                         "h:-1",
                         "http://h",
                         "\"h\"",
                         "a\\b",
                         "h\xc3\xa9",
                         "%",
                         "%4",
                         "%zz",
                         "%00",
                         "[",
                         "[]",
                         "[::1",
                         "::1",
                         "[::1]x",
                         "[::1]:x",
                         "[:]",
                         "[:::]",
                         "[1]",
                         "[1:2:3:4:5:6:7]",
                         "[1:2:3:4:5:6:7:8:9]",
                         "[1:2:3:4:5:6:7::8]",
                         "[1::2::3]",
                         "[1:]",
                         "[:1]",
                         "[12345::]",
                         "[::g]",
                         "[::1.2.3]",
                         "[::1.2.3.256]",
                         "[::1.2.3.04]",
                         "[::1.2.3.4.5]",
                         "[::1.2.3.4:5]",
                         "[1:2:3:4:5:6:7:1.2.3.4]",
                         "[fe80::1%25eth0]",
                         "[v1.x]",
                         "[::1]]",
                         "[[::1]]",
                         "h]"}) {
    check_refused({{with_fields("Host: " + std::string(bad) + "\r\n"), 400, "no valid host"}});
  }
}

TEST(RequestParser, KeepsTheConnectionAsVersionAndFieldSay) {
  const auto says = [](std::string_view version, std::string_view lines) {
    const auto told =
        tell_however_split("GET / HTTP/" + std::string(version) + "\r\nHost: h\r\n" + std::string(lines) + "\r\n");
    return told.substr(0, told.find(' '));
  };
  EXPECT_EQ(says("1.1", ""), "keep");
  EXPECT_EQ(says("1.1", "Connection: close\r\n"), "close");
  EXPECT_EQ(says("1.1", "connection: CLOSE\r\n"), "close");
  EXPECT_EQ(says("1.1", "Connection: upgrade,\t,close ,x\r\n"), "close");
  EXPECT_EQ(says("1.1", "Connection: upgrade\r\nConnection: close\r\n"), "close");
  EXPECT_EQ(says("1.1", "Connection: closed, not-close, clos\r\n"), "keep");
  EXPECT_EQ(says("1.1", "Connection:\r\n"), "keep");
  EXPECT_EQ(says("1.1", "Connection: keep-alive, close\r\n"), "close");
  EXPECT_EQ(says("1.1", "Connexions: close\r\n"), "keep");
  EXPECT_EQ(says("1.0", ""), "close");
  EXPECT_EQ(says("1.0", "Connection: Keep-Alive\r\n"), "keep");
  EXPECT_EQ(says("1.0", "Connection: x, keep-alive\r\n"), "keep");
  EXPECT_EQ(says("1.0", "Connection: keep-alive\r\nConnection: close\r\n"), "close");
  EXPECT_EQ(says("1.0", "Keep-Alive: timeout=5\r\n"), "close");
}

// -- limits -----------------------------------------------------------------------------------------------

TEST(RequestParser, RefusesARequestLineBeyondItsLimit) {
  const auto line = [](std::size_t size) { return "GET /" + std::string(size - 14, 'x') + " HTTP/1.1"; };
  EXPECT_TRUE(tell_however_split(line(64) + "\r\nHost: h\r\n\r\n", tight()).ends_with("idle"));
  const std::string_view part = "the request line is longer than the limit of 64 bytes";
  check_refused({{line(65) + "\r\nHost: h\r\n\r\n", 414, part},
                 {"GET /" + std::string(67, 'x'), 414, part},
                 {std::string(67, 'x'), 501, "the method is longer than the limit of 64 bytes"},
                 {std::string(65, 'x') + " /", 414, part},
                 {std::string(1000, ' '), 414, part},
                 {"\r\n" + line(65) + "\r\n", 414, part}},
                tight());
  auto short_head = tight();
  short_head.request_line = 1000;
  check_refused({{line(300) + "\r\n", 431, "the header section is longer than the limit of 256 bytes"},
                 {line(2000) + "\r\n", 431, "the header section is longer"}},
                short_head);
}

TEST(RequestParser, RefusesAHeaderSectionBeyondItsLimit) {
  const auto head = [](std::size_t size) {
    const std::string rest = "GET / HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n";
    return "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(size - rest.size(), 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(tell_however_split(head(256), tight()).ends_with("idle"));
  const std::string_view part = "the header section is longer than the limit of 256 bytes";
  check_refused({{head(257), 431, part},
                 {head(1000), 431, part},
                 {head(300).substr(0, 257), 431, part}, // without a line end in sight
                 {"GET / HTTP/1.1\r\n" + std::string(241, ' '), 431, part}},
                tight());
}

TEST(RequestParser, RefusesMoreFieldsThanItsLimit) {
  EXPECT_TRUE(tell_however_split(with_fields("Host: h\r\nA:\r\nB:\r\nC:\r\n"), tight()).ends_with("idle"));
  check_refused({{"GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\nC:\r\nD:\r\n", 431, "has more than the limit of 4 fields"}},
                tight());
}

} // namespace
} // namespace greenroom::http::internal::request_parser_test
