// Conformance: the forms of the target, paths, and which host is asked for. Source: RFC 9112 section 3.2; RFC 9110 sections 4, 7 and 9.3;
// RFC 3986 sections 2 and 3.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/conformance_kit.hpp>

namespace greenroom::http::conformance::conformance_target_test {
namespace {

using namespace std::string_literals;

std::string with_host(std::string_view value) {
  return "GET /host HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n";
}

TEST(Conformance, TargetForms) {
  table t;
  t.served("RFC 9112 3.2.1-1", must, "The usual target is a path, with a query or without.",
           {get("/query?a=b&c") + get("/query?") + get("/query")}, {"GET /query?a=b&c", "GET /query?", "GET /query"})
      .has("<a=b&c>")
      .has("<>");
  t.served("RFC 9112 3.2.2-1", must, "The absolute form is read, although clients send it to proxies only.",
           {get("http://h/query?a")}, {"GET http://h/query?a"})
      .has("<a>");
  t.served("RFC 9112 3.2.2-2", must, "Its scheme has no case, and a path that is missing is /.",
           {get("HTTP://h") + get("http://h?a")}, {"GET HTTP://h", "GET http://h?a"});
  t.served("RFC 9112 3.2.2-3", must, "Its host counts, not that of the Host field.",
           {"GET http://target:81/host HTTP/1.1\r\nHost: field\r\n\r\n"}, {"GET http://target:81/host"})
      .has("<target:81>");
  t.served("RFC 9112 3.2.2-4", must, "So does it against an empty field.",
           {"GET http://target/host HTTP/1.1\r\nHost:\r\n\r\n"}, {"GET http://target/host"})
      .has("<target>");
  t.served("RFC 9112 3.2.2-5", must, "The absolute form goes with HTTP/1.0, without Host field.",
           {"GET http://target/host HTTP/1.0\r\n\r\n"}, {"GET http://target/host"})
      .closes()
      .has("<target>");
  t.refused("RFC 9112 3.2-1", must, "The absolute form does not stand for the Host field.",
            "GET http://h/a HTTP/1.1\r\n\r\n");
  t.refused("RFC 9110 7.4-1", should, "An address that only TLS may serve gets 421.", get("https://h/a"), 421);
  t.each_refused(
      "RFC 9110 4.2.1-1", must, "An http address with an empty host is invalid.",
      {get("http:///a"), get("http://"), get("http://:80/a"), get("http://?a"), get("http:/a"), get("http:a")});
  t.each_refused(
      "RFC 9110 4.2.4-1", should, "An address with user information is taken for an error.",
      {get("http://user@h/a"), get("http://user:secret@h/a"), get("http://h:80@other/a"), get("http://@h/a")});
  t.each_refused("RFC 9112 3.2.2-6", should, "An address of another scheme, or of none, is refused.",
                 {get("ftp://h/a"), get("file:///etc/passwd"), get("javascript:x"), get("://h/a"), get("h/a"), get("a"),
                  get("?a"), get("http//h/a")});
  t.each_refused("RFC 9112 3.2.3-1", should, "The authority form goes with CONNECT only.",
                 {get("h:80"), get("h"), get("127.0.0.1:80"), get("[::1]:80")});
  t.each_refused("RFC 9110 9.3.6-1", should, "CONNECT is not implemented.",
                 {line("CONNECT h:80 HTTP/1.1"), line("CONNECT h HTTP/1.1"), line("CONNECT h: HTTP/1.1"),
                  line("CONNECT / HTTP/1.1"), line("CONNECT http://h/ HTTP/1.1")},
                 501);
  t.asked("RFC 9112 3.2.4-1", must, "OPTIONS * asks for the server as a whole.", {line("OPTIONS * HTTP/1.1")})
      .answers({204});
  t.asked("RFC 9112 3.2.4-2", must, "So does OPTIONS of an address without path and query.",
          {line("OPTIONS http://h HTTP/1.1") + line("OPTIONS http://h:80 HTTP/1.1")})
      .answers({204, 204})
      .lacks("Allow");
  t.asked("RFC 9112 3.2.4-3", must, "With a path or a query it asks for that path.",
          {line("OPTIONS http://h/ HTTP/1.1") + line("OPTIONS http://h?a HTTP/1.1")})
      .answers({204, 204})
      .has("Allow: GET, HEAD, OPTIONS\r\n");
  t.each_refused("RFC 9112 3.2.4-4", should, "The target * goes with OPTIONS only.",
                 {line("GET * HTTP/1.1"), line("POST * HTTP/1.1"), line("DELETE * HTTP/1.1"), line("GET ** HTTP/1.1")});
  t.refused("RFC 9112 3.2.4-5", should, "And is a target as a whole.", line("OPTIONS *a HTTP/1.1"));
  t.asked("RFC 9112 3.2.1-2", hardening, "Two slashes at the front are a path, not a host.", {get("//h/a")})
      .answers({404});
  t.each_refused("RFC 9112 3.2-2", should, "A fragment is never sent.",
                 {get("/a#b"), get("#b"), get("http://h/a#b"), get("/a?b#c")});
  t.each_refused("RFC 9112 3.2-3", should, "A byte beyond ASCII is not allowed in a target.",
                 {get("/caf\xc3\xa9"), get("/\xff"), get("/?q=\xc3\xa9"), get("http://h\xc3\xa9/a")});
  // Browsers send these within a query as they are: refusing them would be right, break pages, and protect nobody.
  t.served("RFC 9112 3.2-4", should, "Characters that the grammar leaves out are taken as they are (by choice).",
           {get("/query?a=[1]{2}|^`\\\"<>")}, {"GET /query?a=[1]{2}|^`\\\"<>"});
  t.check();
}

TEST(Conformance, Paths) {
  table t;
  t.served("RFC 3986 2.1-1", must, "A path is compared decoded, whatever the case of the digits.",
           {get("/%61") + get("/%68ost") + get("/p/%6a%6A")}, {"GET /%61", "GET /%68ost", "GET /p/%6a%6A"})
      .has("<jj>");
  t.served("RFC 3986 2.2-1", must, "An encoded slash does not split a path.", {get("/p/a%2Fb") + get("/p/a%2fb")},
           {"GET /p/a%2Fb", "GET /p/a%2fb"})
      .has("<a/b>");
  t.asked("RFC 3986 2.2-2", must, "Nor does it stand for one that splits.", {get("/p%2Fa")}).answers({404});
  t.served("RFC 3986 2.4-1", must, "What is decoded is not decoded again.", {get("/p/%2561%252e%252e%252f")},
           {"GET /p/%2561%252e%252e%252f"})
      .has("<%61%2e%2e%2f>");
  t.served("RFC 3986 3.3-1", must, "A path has case, and a slash at its end counts.", {get("/files/A/")},
           {"GET /files/A/"})
      .has("<A/>");
  t.asked("RFC 3986 3.3-2", must, "So that these are other paths.", {get("/A") + get("/a/") + get("/HOST")})
      .answers({404, 404, 404});
  t.served("RFC 3986 3.3-3", must, "Semicolons, commas, colons and at signs belong to a segment.",
           {get("/p/a;b=c,d:e@f$g&h'(i)*+~_")}, {"GET /p/a;b=c,d:e@f$g&h'(i)*+~_"})
      .has("<a;b=c,d:e@f$g&h'(i)*+~_>");
  t.each_refused("RFC 3986 2.1-2", should, "A '%' without two hexadecimal digits is invalid.",
                 {get("/%"), get("/%4"), get("/%zz"), get("/%4g"), get("/a%"), get("/?q=%"), get("/?q=%u0041"),
                  get("/%%41"), get("/% 41")});
  t.each_refused("RFC 3986 7.3-1", hardening, "An encoded NUL cuts no name short.",
                 {get("/p/a%00b"), get("/%00"), get("/query?a=%00"), get("/files/a.txt%00.png")});
  t.served("RFC 3986 7.3-2", must, "An encoded line end stays within its value.", {get("/p/a%0d%0aX:%20b")},
           {"GET /p/a%0d%0aX:%20b"})
      .lacks("\r\nX: b\r\n\r\n");
  t.served("RFC 3986 2.5-1", must, "Encoded bytes need not be UTF-8.", {get("/p/%ff%c0%ae")}, {"GET /p/%ff%c0%ae"})
      .has("<\xff\xc0\xae>");
  t.each_refused("RFC 3986 5.2.4-1", hardening, "A path with dot segments, which no client sends by custom, gets 400.",
                 {get("/files/../a"), get("/files/a/../../etc/passwd"), get("/.."), get("/../a"), get("/./a"),
                  get("/files/."), get("/files/.."), get("/p/.."), get("/files/..?a"), get("http://h/../a")});
  t.each_refused("RFC 3986 5.2.4-2", hardening, "Encoding does not hide them.",
                 {get("/files/%2e%2e/a"), get("/files/.%2E/a"), get("/files/%2e./a"), get("/files/..%2fa"),
                  get("/files/a%2F..%2Fb"), get("/p/%2e%2e%2fetc"), get("/p/%2e"), get("/%2e%2e/%2e%2e/a")});
  t.served("RFC 3986 5.2.4-3", must, "Dots within names are none.",
           {get("/p/..a") + get("/p/a..") + get("/p/...") + get("/p/.a") + get("/files/a.b/.c") + get("/p/%2e%2e%2e")},
           {"GET /p/..a", "GET /p/a..", "GET /p/...", "GET /p/.a", "GET /files/a.b/.c", "GET /p/%2e%2e%2e"});
  t.served("RFC 3986 3.4-1", must, "Nor are those of a query.", {get("/query?/../a")}, {"GET /query?/../a"});
  t.check();
}

TEST(Conformance, Host) {
  table t;
  t.refused("RFC 9112 3.2-5", must, "A request of HTTP/1.1 without Host gets 400.", "GET /a HTTP/1.1\r\n\r\n");
  t.refused("RFC 9112 3.2-6", must, "Whatever its method.", "OPTIONS * HTTP/1.1\r\nA: b\r\n\r\n");
  t.each_refused("RFC 9112 3.2-7", must, "More than one Host gets 400, be they equal or not.",
                 {get("/a", "Host: h\r\n"), get("/a", "Host: other\r\n"), get("/a", "hOST: h\r\n"),
                  get("/a", "A: b\r\nHost:\r\n"), "GET http://h/a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
                  "GET /a HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n"});
  t.served("RFC 9112 3.2-8", must, "An HTTP/1.0 request needs none.", {"GET /host HTTP/1.0\r\n\r\n"}, {"GET /host"})
      .closes()
      .has("<>");
  t.each_refused(
      "RFC 9110 4.2.1-2", must, "A target whose host is empty is invalid.",
      {with_host(""), with_host(" "), "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "GET /a HTTP/1.0\r\nHost:\r\n\r\n"});
  std::string hosts;
  std::vector<std::string> reached;
  for (const auto* good :
       {"h", "a.b-c_d~e", "127.0.0.1", "h:80", "h:65535", "h:", "xn--bcher-kva.example", "%C3%BC", "[::1]", "[::]:80",
        "[1:2:3:4:5:6:7:8]", "[::ffff:1.2.3.4]", "a!$&'()*+,;=", "h.", "1.2.3", "H"}) {
    t.served("RFC 9110 7.2-1." + std::string(good), must, "A host is a name or an address, perhaps with a port.",
             {with_host(good)}, {"GET /host"})
        .has("<" + std::string(good) + ">");
  }
  t.each_refused("RFC 9112 3.2-9", must, "A Host with an invalid value gets 400.",
                 {with_host("a b"),     with_host("a/b"),       with_host("a?b"),           with_host("a#b"),
                  with_host("a\\b"),    with_host("a@b"),       with_host("user:secret@h"), with_host("http://h"),
                  with_host("h:80:90"), with_host("h:8a"),      with_host("h:-1"),          with_host("h: 80"),
                  with_host("h, i"),    with_host("\"h\""),     with_host("<h>"),           with_host("h\xc3\xa9"),
                  with_host("%"),       with_host("%4"),        with_host("a\tb"),          with_host("::1"),
                  with_host("[::1"),    with_host("[::1]x"),    with_host("[::1]:x"),       with_host("[]"),
                  with_host("[::g]"),   with_host("[1::2::3]"), with_host("[::1.2.3.256]"), with_host("h]")});
  t.each_refused(
      "RFC 9112 3.2-10", hardening, "So does one that the grammar allows and nobody can mean.",
      {with_host(":80"), with_host(":"), with_host("h%00"), with_host("[v1.x]"), with_host("[fe80::1%25eth0]")});
  t.each_refused("RFC 9112 3.2-14", hardening, "Nor is there a port above 65535.",
                 {with_host("h:65536"), with_host("h:99999"), with_host("[::1]:65536"), with_host("h:4294967376"),
                  with_host("h:18446744073709551696"), get("http://h:65536/a"), get("http://[::1]:99999/a")});
  t.each_refused("RFC 9112 3.2-11", should, "The host within a target must be valid too.",
                 {get("http://a b/a"), get("http://h:8a/a"), get("http://[::1/a"), get("http://a\\b/a"),
                  get("http://h%zz/a"), get("http://h:80:90/a")});
  t.each_refused("RFC 9112 3.2-12", must, "A Host that is invalid gets 400 although the target names a host.",
                 {"GET http://h/a HTTP/1.1\r\nHost: a b\r\n\r\n", "GET http://h/a HTTP/1.1\r\nHost: h@i\r\n\r\n"});
  t.refused("RFC 9112 3.2-13", must, "An invalid Host gets 400 in HTTP/1.0 too.",
            "GET /a HTTP/1.0\r\nHost: a b\r\n\r\n");
  t.served(
       "RFC 9110 7.2-2", hardening, "Fields that proxies add do not change the host.",
       {"GET /host HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: other\r\nForwarded: host=other\r\nX-Host: other\r\n\r\n"},
       {"GET /host"})
      .has("<h>");
  t.check();
}

} // namespace
} // namespace greenroom::http::conformance::conformance_target_test
