#include <greenroom/http/message.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/body.hpp>
#include <greenroom/http/detail/request_data.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/tests/http/parser_kit.hpp>

namespace greenroom::http::message_test {
namespace {

using internal::test::read_one;

/// What a call throws as a usage_error, or "nothing".
template <class F>
std::string fault(F call) {
  try {
    call();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "nothing";
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

TEST(Method, ReadsBackFromItsName) {
  const std::vector<std::pair<method, std::string_view>> all{
      {method::get, "GET"},         {method::head, "HEAD"},      {method::post, "POST"},
      {method::put, "PUT"},         {method::delete_, "DELETE"}, {method::patch, "PATCH"},
      {method::options, "OPTIONS"}, {method::trace, "TRACE"},    {method::connect, "CONNECT"}};
  for (const auto& [m, name] : all) {
    EXPECT_EQ(to_string(m), name);
    EXPECT_EQ(method_of(name), m) << name;
  }
}

TEST(Method, IsUnknownInAnotherSpelling) {
  for (const auto name : {"", "get", "Get", "GET ", "GETS", "GE", "LINK", "delete_"})
    EXPECT_FALSE(method_of(name)) << name;
}

TEST(Method, MayHaveAnyToken) {
  const method purge("PURGE");
  EXPECT_EQ(to_string(purge), "PURGE");
  EXPECT_FALSE(purge.is_common());
  EXPECT_EQ(purge, method("PURGE"));
  EXPECT_NE(purge, method("purge"));
  EXPECT_NE(purge, method("PURGES"));
  EXPECT_EQ(method("GET"), method::get);
  EXPECT_TRUE(method("GET").is_common());
  EXPECT_LT(method::connect, purge);
  EXPECT_LT(method("COPY"), method("MOVE"));
  const std::string longest(23, 'M');
  EXPECT_EQ(method(longest).name(), longest);
}

TEST(Method, RefusesWhatIsNoTokenOrTooLong) {
  for (const auto* const name : {"", "A B", "A\r", "A:", "\xc3\xa9", "MMMMMMMMMMMMMMMMMMMMMMMM"}) {
    try {
      const method m{std::string_view(name)};
      ADD_FAILURE() << to_string(m);
    } catch (const usage_error& e) {
      EXPECT_TRUE(holds(e.what(), "is no method")) << e.what();
    }
  }
}

TEST(ReasonPhrase, IsKnownForRegisteredCodesOnly) {
  const std::map<int, std::string_view> registered{{100, "Continue"},
                                                   {101, "Switching Protocols"},
                                                   {103, "Early Hints"},
                                                   {200, "OK"},
                                                   {201, "Created"},
                                                   {202, "Accepted"},
                                                   {203, "Non-Authoritative Information"},
                                                   {204, "No Content"},
                                                   {205, "Reset Content"},
                                                   {206, "Partial Content"},
                                                   {207, "Multi-Status"},
                                                   {208, "Already Reported"},
                                                   {226, "IM Used"},
                                                   {300, "Multiple Choices"},
                                                   {301, "Moved Permanently"},
                                                   {302, "Found"},
                                                   {303, "See Other"},
                                                   {304, "Not Modified"},
                                                   {305, "Use Proxy"},
                                                   {307, "Temporary Redirect"},
                                                   {308, "Permanent Redirect"},
                                                   {400, "Bad Request"},
                                                   {401, "Unauthorized"},
                                                   {402, "Payment Required"},
                                                   {403, "Forbidden"},
                                                   {404, "Not Found"},
                                                   {405, "Method Not Allowed"},
                                                   {406, "Not Acceptable"},
                                                   {407, "Proxy Authentication Required"},
                                                   {408, "Request Timeout"},
                                                   {409, "Conflict"},
                                                   {410, "Gone"},
                                                   {411, "Length Required"},
                                                   {412, "Precondition Failed"},
                                                   {413, "Content Too Large"},
                                                   {414, "URI Too Long"},
                                                   {415, "Unsupported Media Type"},
                                                   {416, "Range Not Satisfiable"},
                                                   {417, "Expectation Failed"},
                                                   {421, "Misdirected Request"},
                                                   {422, "Unprocessable Content"},
                                                   {423, "Locked"},
                                                   {424, "Failed Dependency"},
                                                   {425, "Too Early"},
                                                   {426, "Upgrade Required"},
                                                   {428, "Precondition Required"},
                                                   {429, "Too Many Requests"},
                                                   {431, "Request Header Fields Too Large"},
                                                   {451, "Unavailable For Legal Reasons"},
                                                   {500, "Internal Server Error"},
                                                   {501, "Not Implemented"},
                                                   {502, "Bad Gateway"},
                                                   {503, "Service Unavailable"},
                                                   {504, "Gateway Timeout"},
                                                   {505, "HTTP Version Not Supported"},
                                                   {506, "Variant Also Negotiates"},
                                                   {507, "Insufficient Storage"},
                                                   {508, "Loop Detected"},
                                                   {510, "Not Extended"},
                                                   {511, "Network Authentication Required"}};
  for (int status = -1; status <= 1000; ++status) {
    const auto it = registered.find(status);
    EXPECT_EQ(reason_phrase(status), it == registered.end() ? "" : it->second) << status;
  }
}

// -- request ----------------------------------------------------------------------------------------------

TEST(Request, ShowsWhatTheClientSent) {
  const auto r = read_one("PUT /search%20it?q=a%20b&q=c HTTP/1.1\r\nHost: here:81\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(r.method(), method::put);
  EXPECT_EQ(r.target(), "/search%20it?q=a%20b&q=c");
  EXPECT_EQ(r.path(), "/search%20it");
  EXPECT_EQ(r.query(), "q=a%20b&q=c");
  EXPECT_EQ(r.host(), "here:81");
  EXPECT_EQ(r.minor_version(), 1);
  EXPECT_EQ(r.body(), "body");
  EXPECT_EQ(r.peer(), "");
}

TEST(Request, FindsTheFirstFieldOfANameWithoutRegardToCase) {
  const auto r = read_one(internal::test::with_fields("Host: h\r\nX-One: 1\r\nx-one: 2\r\nEmpty:\r\n"));
  EXPECT_EQ(r.header("X-One"), "1");
  EXPECT_EQ(r.header("x-ONE"), "1");
  EXPECT_EQ(r.header("empty"), "");
  EXPECT_FALSE(r.header("X-On"));
  EXPECT_FALSE(r.header("X-One "));
  EXPECT_FALSE(r.header(""));
  ASSERT_EQ(r.headers().size(), 4u);
  EXPECT_EQ(r.headers()[2].name, "x-one");
  EXPECT_EQ(r.headers()[2].value, "2");
}

TEST(Request, DecodesTheFirstQueryParameterOfAName) {
  const auto r = read_one(internal::test::with_target("/?a=1+2&a=3&b&c=%41"));
  EXPECT_EQ(r.query_value("a"), "1 2");
  EXPECT_EQ(r.query_value("b"), "");
  EXPECT_EQ(r.query_value("c"), "A");
  EXPECT_FALSE(r.query_value("d"));
}

TEST(Request, ReadsNumbersOfTheQuery) {
  const auto r = read_one(internal::test::with_target(
      "/jobs?n=12&low=-3&text=1x&none=&big=18446744073709551615&over=18446744073709551616&n=5"));
  EXPECT_EQ(r.query_number("n", 1, 0, 100).value(), 12);
  EXPECT_EQ(r.query_number("absent", 7, 0, 100).value(), 7);
  EXPECT_EQ(r.query_number("low", 0, -3, 3).value(), -3);
  const auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(r.query_number("big", std::uint64_t{0}, std::uint64_t{0}, most).value(), most);
}

TEST(Request, SaysWhatIsWrongWithANumberOfTheQuery) {
  const auto r =
      read_one(internal::test::with_target("/jobs?n=12&low=-3&text=1x&none=&plus=%2B1&over=18446744073709551616"));
  const auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(r.query_number("n", 1, 0, 11).error().message(), "n must be a whole number from 0 to 11, not '12'");
  EXPECT_EQ(r.query_number("text", 1, 0, 11).error().message(), "text must be a whole number from 0 to 11, not '1x'");
  for (const auto* name : {"n", "none", "plus", "text"})
    EXPECT_TRUE(r.query_number(name, 1, 13, 20).error().is(errc::parse)) << name;
  for (const auto* name : {"low", "over"})
    EXPECT_FALSE(r.query_number(name, std::uint64_t{1}, std::uint64_t{0}, most)) << name;
}

TEST(Request, NamesPathAndParameterThatItsRouteDoesNotHave) {
  auto r = read_one(internal::test::with_target("/users/7"));
  r.data().parameters.push_back({"id", "7"});
  EXPECT_EQ(r.parameter("id"), "7");
  const auto text = fault([&r] { (void)r.parameter("name"); });
  EXPECT_TRUE(holds(text, "'/users/7'") && holds(text, "'name'")) << text;
}

TEST(Request, GivesTheNumbersOfTypedParametersAlone) {
  using detail::parameter_type;
  auto r = read_one(internal::test::with_target("/x"));
  r.data().parameters = {{"least", "-9223372036854775808", parameter_type::int_},
                         {"most", "18446744073709551615", parameter_type::uint},
                         {"plain", "7"}};
  EXPECT_EQ(r.parameter_as<std::int64_t>("least"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(r.parameter_as<std::uint64_t>("most"), std::numeric_limits<std::uint64_t>::max());
  for (const auto name : {"plain", "most", "none"}) {
    const auto text = fault([&] { (void)r.parameter_as<std::int64_t>(name); });
    EXPECT_TRUE(holds(text, "has no parameter '{" + std::string(name) + ":int}'")) << text;
  }
  EXPECT_TRUE(holds(fault([&] { (void)r.parameter_as<std::uint64_t>("least"); }), "'{least:uint}'"));
}

TEST(Request, KeepsItsViewsWhenMoved) {
  auto first = read_one("POST / HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 2\r\n\r\nhi");
  const auto name = first.headers()[1].name;
  const auto body = first.body();
  auto second = std::move(first);
  auto third = read_one(internal::test::with_target("/other"));
  third = std::move(second);
  EXPECT_EQ(third.headers()[1].name.data(), name.data());
  EXPECT_EQ(third.body().data(), body.data());
  EXPECT_EQ(third.path(), "/");
}

TEST(Request, GivesItsBodyOnce) {
  const std::string text(1000, 'x');
  auto r = read_one("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + text);
  const auto* const bytes = r.body().data();
  const auto taken = r.take_body();
  EXPECT_EQ(taken, text);
  EXPECT_EQ(taken.data(), bytes) << "it was copied";
  EXPECT_EQ(r.body(), "");
  EXPECT_EQ(r.take_body(), "");
}

// -- response ---------------------------------------------------------------------------------------------

TEST(Response, IsAnEmpty200ByDefault) {
  const response r;
  EXPECT_EQ(r.status(), 200);
  EXPECT_EQ(r.body(), "");
  EXPECT_EQ(r.header_lines(), "");
}

TEST(Response, TakesStatusesFrom200To599Only) {
  for (const int good : {200, 299, 418, 599}) EXPECT_EQ(response(good).status(), good);
  for (const int bad : {-1, 0, 100, 199, 600, 1000}) {
    const auto text = fault([bad] { (void)response(bad); });
    EXPECT_TRUE(holds(text, "200 to 599") && holds(text, std::to_string(bad))) << text;
    EXPECT_NE(fault([bad] { (void)response(bad, "text/plain", "x"); }), "nothing") << bad;
    EXPECT_NE(fault([bad] { (void)http::text("x", bad); }), "nothing") << bad;
  }
}

TEST(Response, KeepsFieldsInTheirOrderAndTwice) {
  response r;
  r.header("Set-Cookie", "a=1").header("X", "").header("Set-Cookie", "b=\xc3\xa9\t2");
  EXPECT_EQ(r.header_lines(), "Set-Cookie: a=1\r\nX: \r\nSet-Cookie: b=\xc3\xa9\t2\r\n");
  EXPECT_EQ(response(204).header("A", "b").header_lines(), "A: b\r\n");
}

TEST(Response, TakesAValueThatIsAViewOfItself) {
  response r;
  r.header("A", std::string(50, 'a'));
  for (const char* const name : {"B", "C", "D"})
    r.header(name, r.header("A").value()); // which moves when there is no room
  EXPECT_EQ(r.header("D"), std::string(50, 'a'));
  r.header("E", "a-name-of-some-length").header(r.header("E").value(), "x").header(r.header("E").value(), "y");
  r.set_header(r.header("E").value(), r.header("E").value());
  EXPECT_EQ(r.header("A-Name-Of-Some-Length"), "a-name-of-some-length");
}

TEST(Response, KeepsItsTypeWhateverIsAddedOrRemoved) {
  auto r = text("x");
  EXPECT_EQ(r.header("content-type"), "text/plain; charset=utf-8");
  r.header("A", "1").header("Type", r.header("Content-Type").value());
  EXPECT_EQ(r.header_lines(), "Content-Type: text/plain; charset=utf-8\r\nA: 1\r\nType: text/plain; charset=utf-8\r\n");
  EXPECT_EQ(r.remove_header("content-type").header_lines(), "A: 1\r\nType: text/plain; charset=utf-8\r\n");
  EXPECT_EQ(json("{}").remove_header("A").remove_header("CONTENT-TYPE").header_lines(), "");
  EXPECT_EQ(html("").set_header("Content-Type", "text/css").header_lines(), "Content-Type: text/css\r\n");
  EXPECT_EQ(html("").remove_header("Content-Typ").header_lines(), "Content-Type: text/html; charset=utf-8\r\n");
}

TEST(Response, SetsAFieldInPlaceOfAllOfItsName) {
  response r;
  r.header("A", "1").header("B", "2").header("a", "3").header("AB", "4");
  EXPECT_EQ(r.set_header("a", "5").header_lines(), "B: 2\r\nAB: 4\r\na: 5\r\n");
  EXPECT_EQ(r.set_header("C", "6").header_lines(), "B: 2\r\nAB: 4\r\na: 5\r\nC: 6\r\n");
  r.set_header("A", r.header("AB").value());
  EXPECT_EQ(r.header("A"), "4") << "the value may be a view into the answer";
  EXPECT_NE(fault([&r] { r.set_header("AB", "x\r\ny"); }), "nothing");
  EXPECT_EQ(r.header("AB"), "4") << "nothing is removed where the new value is refused";
  EXPECT_NE(fault([&r] { r.set_header("Date", "x"); }), "nothing");
}

TEST(Response, RemovesAllFieldsOfAName) {
  response r;
  r.header("A", "1").header("B", "A: 2").header("a", "");
  EXPECT_EQ(r.remove_header("A").header_lines(), "B: A: 2\r\n");
  EXPECT_EQ(r.remove_header("C").header_lines(), "B: A: 2\r\n");
  EXPECT_EQ(r.remove_header("b").header_lines(), "");
}

TEST(Response, MayHaveItsBodyTakenOutAndAnotherOneSet) {
  auto r = text("one");
  EXPECT_EQ(r.take_body(), "one");
  EXPECT_EQ(r.body(), "");
  EXPECT_EQ(r.body("two").body(), "two");
  EXPECT_EQ(r.header("Content-Type"), "text/plain; charset=utf-8");
}

TEST(Response, RefusesABodyBesideOneThatIsStreamed) {
  auto r = streamed("text/plain", [](body_writer) -> task<> { co_return; });
  EXPECT_TRUE(holds(fault([&r] { r.body("x"); }), "streamed already"));
}

TEST(Response, RefusesNamesThatAreNoToken) {
  for (const auto name : {"", " ", "A B", "A:", "A\r\nB", "A\n", "\xc3\xa9", "(a)"}) {
    response r;
    EXPECT_TRUE(holds(fault([&] { r.header(name, "x"); }), "is no name for a header field")) << name;
    EXPECT_EQ(r.header_lines(), "");
  }
}

TEST(Response, RefusesValuesThatWouldBreakTheLine) {
  using namespace std::string_view_literals;
  for (const auto value : {"a\r\nSet-Cookie: b"sv, "a\n"sv, "\r"sv, "a\0b"sv, "\x1b[1m"sv, "\x7f"sv}) {
    response r;
    EXPECT_TRUE(holds(fault([&] { r.header("Location", value); }), "Location holds a control character")) << value;
    EXPECT_EQ(r.header_lines(), "");
  }
  EXPECT_NE(fault([] { (void)response(200, "text/plain\r\nX: y", ""); }), "nothing");
}

TEST(Response, RefusesTheFieldsThatTheServerWrites) {
  for (const auto name : {"Content-Length", "content-length", "TRANSFER-ENCODING", "Connection", "dAtE"})
    EXPECT_TRUE(holds(fault([name] { (void)response().header(name, "1"); }), "the server writes")) << name;
  EXPECT_EQ(fault([] { (void)response().header("Content-Type", "x").header("Dates", "x"); }), "nothing");
}

TEST(Response, ComesWithItsContentType) {
  const auto check = [](const response& r, int status, std::string_view type, std::string_view body) {
    EXPECT_EQ(r.status(), status);
    EXPECT_EQ(r.header_lines(), "Content-Type: " + std::string(type) + "\r\n");
    EXPECT_EQ(r.body(), body);
  };
  check(text("a"), 200, "text/plain; charset=utf-8", "a");
  check(text("a", 404), 404, "text/plain; charset=utf-8", "a");
  check(json("{}"), 200, "application/json", "{}");
  check(json("[]", 400), 400, "application/json", "[]");
  check(html("<p>"), 200, "text/html; charset=utf-8", "<p>");
  check(html("", 500), 500, "text/html; charset=utf-8", "");
  check(response(201, "image/png", "x"), 201, "image/png", "x");
}

} // namespace
} // namespace greenroom::http::message_test
