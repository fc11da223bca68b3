#include <greenroom/http/internal/web_url.hpp>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::web_url_test {
namespace {

/// The address as it was understood, or what is wrong with it.
std::string read(std::string_view text) {
  const auto url = parse_web_url(text);
  return url ? url->text() : std::string(url.error().message());
}

/// Where a reference leads from the base of RFC 3986 section 5.4.
std::string from_base(std::string_view reference) {
  const auto to = resolve(parse_web_url("http://a/b/c/d;p?q").value(), reference);
  return to ? to->text() : std::string(to.error().message());
}

TEST(WebUrl, IsTakenApart) {
  const auto url = parse_web_url("HTTPS://Example.ORG:8443/a/b?c=d/../e#f").value();
  EXPECT_TRUE(url.secure);
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/a/b?c=d/../e");
  EXPECT_EQ(url.authority(), "example.org:8443");
  EXPECT_EQ(url.origin(), "https://example.org:8443");
}

TEST(WebUrl, HasThePartsThatGoWithoutSaying) {
  EXPECT_EQ(read("http://h"), "http://h/");
  EXPECT_EQ(read("http://h?q"), "http://h/?q");
  EXPECT_EQ(read("http://h#f"), "http://h/");
  EXPECT_EQ(read("http://h:80/"), "http://h/");
  EXPECT_EQ(read("http://h:/"), "http://h/");
  EXPECT_EQ(read("https://h:443/"), "https://h/");
  EXPECT_EQ(read("https://h:80/"), "https://h:80/");
  EXPECT_EQ(read("http://[::1]:8080/x"), "http://[::1]:8080/x");
  EXPECT_EQ(parse_web_url("http://[::1]").value().host, "::1");
}

TEST(WebUrl, LosesItsDotSegments) {
  EXPECT_EQ(read("http://h/a/./b/../c"), "http://h/a/c");
  EXPECT_EQ(read("http://h/../../a/.."), "http://h/");
  EXPECT_EQ(read("http://h//a/"), "http://h//a/");
  EXPECT_EQ(read("http://h/a/."), "http://h/a/");
  EXPECT_EQ(read("http://h/..."), "http://h/...");
}

TEST(WebUrl, IsRefusedWithASentence) {
  const auto scheme = "the address must begin with http:// or https://";
  for (const std::string_view text : {"", "server/path", "//server/path", "/path", "http:", "http:/h", "httpx://h",
                                      "file:///etc/passwd", "javascript:alert(1)", " http://h", "://h"}) {
    EXPECT_EQ(read(text), scheme) << text;
  }
  EXPECT_EQ(read("http://"), "the host is missing");
  EXPECT_EQ(read("http://:80/"), "the host is missing");
  EXPECT_EQ(read("http:///path"), "the host is missing");
  const auto user = "an address must not hold a user or a password; send an Authorization field";
  EXPECT_EQ(read("http://me@h/"), user);
  EXPECT_EQ(read("http://me:secret@h/"), user);
  EXPECT_EQ(read("http://trusted.org:80@evil.org/"), user);
  const auto port = "the port must be a number from 1 to 65535";
  for (const std::string_view text : {"http://h:0", "http://h:65536", "http://h:4294967376", "http://h:8o",
                                      "http://h:-1", "http://h:80:80", "http://[::1]x80", "http://[::1]80"}) {
    EXPECT_EQ(read(text), port) << text;
  }
  const auto host = "the host must be an address or a name of letters, digits and \"-._\" with at most 255 characters";
  for (const std::string_view text : {"http://a b/", "http://a%41/", "http://h\xc3\xa4/", "http://[::1/", "http://[x]/",
                                      "http://a\\b/", "http://[]/", "http://a,b/"}) {
    EXPECT_EQ(read(text), host) << text;
  }
  EXPECT_EQ(read("http://" + std::string(256, 'a')), host);
  const auto target = "path and query must be ASCII without spaces and control characters; percent-encode the others";
  EXPECT_EQ(read("http://h/a b"), target);
  EXPECT_EQ(read("http://h/\xc3\xa4"), target);
  EXPECT_EQ(read("http://h/a\r\nX: y"), target);
  const auto escape = "a '%' is not followed by two hexadecimal digits, or stands for a zero byte";
  EXPECT_EQ(read("http://h/%4"), escape);
  EXPECT_EQ(read("http://h/?%00"), escape);
}

// Source: RFC 3986 section 5.4, less what leads to other schemes.
TEST(WebUrl, ResolvesAsTheExamplesOfTheStandard) {
  EXPECT_EQ(from_base("g"), "http://a/b/c/g");
  EXPECT_EQ(from_base("./g"), "http://a/b/c/g");
  EXPECT_EQ(from_base("g/"), "http://a/b/c/g/");
  EXPECT_EQ(from_base("/g"), "http://a/g");
  EXPECT_EQ(from_base("//g"), "http://g/");
  EXPECT_EQ(from_base("?y"), "http://a/b/c/d;p?y");
  EXPECT_EQ(from_base("g?y"), "http://a/b/c/g?y");
  EXPECT_EQ(from_base("#s"), "http://a/b/c/d;p?q");
  EXPECT_EQ(from_base("g#s"), "http://a/b/c/g");
  EXPECT_EQ(from_base(";x"), "http://a/b/c/;x");
  EXPECT_EQ(from_base(""), "http://a/b/c/d;p?q");
  EXPECT_EQ(from_base("."), "http://a/b/c/");
  EXPECT_EQ(from_base(".."), "http://a/b/");
  EXPECT_EQ(from_base("../g"), "http://a/b/g");
  EXPECT_EQ(from_base("../.."), "http://a/");
  EXPECT_EQ(from_base("../../../g"), "http://a/g");
  EXPECT_EQ(from_base("/./g"), "http://a/g");
  EXPECT_EQ(from_base("g."), "http://a/b/c/g.");
  EXPECT_EQ(from_base("./g/."), "http://a/b/c/g/");
  EXPECT_EQ(from_base("g;x=1/../y"), "http://a/b/c/y");
  EXPECT_EQ(from_base("g?y/../x"), "http://a/b/c/g?y/../x");
  EXPECT_EQ(from_base("https://other:1/z"), "https://other:1/z");
}

TEST(WebUrl, ResolvesNothingThatIsNoWebAddress) {
  EXPECT_EQ(from_base("mailto:a@b"), "the address must begin with http:// or https://");
  EXPECT_EQ(from_base("http:g"), "the address must begin with http:// or https://");
  EXPECT_EQ(from_base("//me@g"), "an address must not hold a user or a password; send an Authorization field");
  EXPECT_EQ(from_base("/a b"),
            "path and query must be ASCII without spaces and control characters; percent-encode the others");
}

TEST(WebUrl, ShowsNoQuery) {
  EXPECT_EQ(parse_web_url("http://server:81/a?token=secret")->shown(), "http://server:81/a");
  EXPECT_EQ(parse_web_url("http://server?secret")->shown(), "http://server/");
  EXPECT_EQ(parse_web_url("https://server/a")->shown(), "https://server/a");
}

TEST(WebUrl, ShowsNoSecretsOfAReferenceEither) {
  for (const auto& [reference, shown] :
       std::vector<std::pair<std::string, std::string>>{{"/a?b=secret", "/a"},
                                                        {"?secret", ""},
                                                        {"#secret", ""},
                                                        {"http://ann:secret@server/a", "http://...@server/a"},
                                                        {"//ann:secret@server", "//...@server"},
                                                        {"http://server/~ann@example?q", "http://server/~ann@example"},
                                                        {"mailto:ann@example", "mailto:ann@example"},
                                                        {"", ""},
                                                        {"//", "//"},
                                                        {std::string(201, 'a'), std::string(200, 'a')}})
    EXPECT_EQ(shown_reference(reference), shown) << reference;
}

} // namespace
} // namespace greenroom::http::internal::web_url_test
