#include <greenroom/http/internal/router.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/router_kit.hpp>
#include <greenroom/tests/runtime/allocation_count.hpp>

namespace greenroom::http::internal::router_test {
namespace {

using namespace test;

// -- what a path leads to ---------------------------------------------------------------------------------

struct expectation {
  std::string_view path;
  std::string_view pattern;
  values parameters = {};
};

void check(table& t, const std::vector<expectation>& expected) {
  for (const auto& each : expected) {
    EXPECT_EQ(t.leads(each.path), each.pattern) << each.path;
    EXPECT_EQ(t.got, each.parameters) << each.path;
  }
}

TEST(Router, FindsLiteralsParametersAndRests) {
  table t{"/", "/users", "/users/{id}", "/users/{id}/orders/{order}", "/files/{rest...}"};
  check(t, {{"/", "/"},
            {"/users", "/users"},
            {"/users/7", "/users/{id}", {{"id", "7"}}},
            {"/users/7/orders/x", "/users/{id}/orders/{order}", {{"id", "7"}, {"order", "x"}}},
            {"/files/a", "/files/{rest...}", {{"rest", "a"}}},
            {"/files/a/b/c", "/files/{rest...}", {{"rest", "a/b/c"}}},
            {"/users/7/orders", "nowhere"},
            {"/user", "nowhere"},
            {"/USERS", "nowhere"},
            {"/users7", "nowhere"},
            {"/filesa", "nowhere"},
            {"", "nowhere"},
            {"users", "nowhere"},
            {"*", "nowhere"}});
}

TEST(Router, AnEmptyTableLeadsNowhere) {
  table t;
  check(t, {{"/", "nowhere"}, {"", "nowhere"}, {"/a", "nowhere"}});
}

TEST(Router, ATrailingSlashMakesAnotherPath) {
  table t{"/a", "/b/", "/c", "/c/", "/{x}/d/"};
  check(t, {{"/a", "/a"},
            {"/a/", "nowhere"},
            {"/b", "nowhere"},
            {"/b/", "/b/"},
            {"/c", "/c"},
            {"/c/", "/c/"},
            {"/q/d", "nowhere"},
            {"/q/d/", "/{x}/d/", {{"x", "q"}}}});
}

TEST(Router, ARestMayBeEmptyButNeedsItsSlash) {
  table t{"/files/{rest...}"};
  check(t, {{"/files/", "/files/{rest...}", {{"rest", ""}}},
            {"/files", "nowhere"},
            {"/files//", "/files/{rest...}", {{"rest", "/"}}},
            {"/files/a/", "/files/{rest...}", {{"rest", "a/"}}},
            {"/files//a", "/files/{rest...}", {{"rest", "/a"}}}});
  table all{"/{all...}"};
  check(all, {{"/", "/{all...}", {{"all", ""}}}, {"/a/b", "/{all...}", {{"all", "a/b"}}}, {"*", "nowhere"}});
}

TEST(Router, AnEmptySegmentIsNoParameter) {
  table t{"/{a}", "/x/{b}", "/x/{b}/y"};
  check(t, {{"/", "nowhere"}, {"/x/", "nowhere"}, {"/x//y", "nowhere"}, {"//y", "nowhere"}});
}

TEST(Router, PrefersLiteralsToParametersToRestsSegmentBySegment) {
  table t{"/{rest...}", "/{p}/{q}", "/{p}/b", "/a/{q}", "/a/b", "/a/{rest...}"};
  check(t, {{"/a/b", "/a/b"},
            {"/a/c", "/a/{q}", {{"q", "c"}}},
            {"/c/b", "/{p}/b", {{"p", "c"}}},
            {"/c/c", "/{p}/{q}", {{"p", "c"}, {"q", "c"}}},
            {"/a/b/c", "/a/{rest...}", {{"rest", "b/c"}}},
            {"/a/", "/a/{rest...}", {{"rest", ""}}},
            {"/c/b/c", "/{rest...}", {{"rest", "c/b/c"}}},
            {"/a", "/{rest...}", {{"rest", "a"}}}});
}

TEST(Router, LeavesABranchThatLeadsNowhere) {
  table t{"/a/b", "/{x}/c", "/a/{y}/d", "/{x}/{z}/e", "/{x}/{z}/{w}/f", "/{rest...}"};
  check(t, {{"/a/c", "/{x}/c", {{"x", "a"}}},
            {"/a/b/d", "/a/{y}/d", {{"y", "b"}}},
            {"/a/b/e", "/{x}/{z}/e", {{"x", "a"}, {"z", "b"}}},
            {"/a/b/c/f", "/{x}/{z}/{w}/f", {{"x", "a"}, {"z", "b"}, {"w", "c"}}},
            {"/a/b/c/g", "/{rest...}", {{"rest", "a/b/c/g"}}}});
}

TEST(Router, ThePathAloneChoosesThePattern) {
  table t;
  t.add("/a/b", method::post);
  t.add("/{x}/b", method::get);
  EXPECT_EQ(t.leads("/a/b", method::post), "/a/b");
  EXPECT_EQ(t.leads("/a/b", method::get), "not GET"); // and not the other pattern with another meaning
}

// -- types ------------------------------------------------------------------------------------------------

TEST(Router, ASegmentThatIsNotOfTheTypeLeadsNowhere) {
  const std::vector<std::pair<std::string_view, std::pair<std::vector<std::string>, std::vector<std::string>>>> types{
      {"/{x:int}",
       {{"0", "7", "-7", "9223372036854775807", "-9223372036854775808", "%37"},
        {"", "-", "+7", "-0", "07", "7.0", "7x", "x", "9223372036854775808", "-9223372036854775809", "7%00", "7%20",
         "%207", "0x7", "1e3", "7%0a"}}},
      {"/{x:uint}",
       {{"0", "7", "18446744073709551615"}, {"", "-7", "-0", "+7", "07", "18446744073709551616", "7u", "\xd9\xa7"}}},
      {"/{x:slug}", {{"a", "A-b_9", "-", "7"}, {"", "a.b", "a%20b", "\xc3\xa9", "a%2Fb", "a+b", "a%0a"}}},
      {"/{x:uuid}",
       {{"0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B-D9CB-469F-A165-70867728950E"},
        {"", "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950e0",
         "0f8fad5bd9cb469fa16570867728950e", "g0000000-0000-0000-0000-000000000000",
         "{0f8fad5b-d9cb-469f-a165-70867728950e}", "0f8fad5b-d9cb-469f-a16-570867728950e"}}}};
  for (const auto& [pattern, texts] : types) {
    table t{pattern};
    for (const auto& each : texts.first) EXPECT_EQ(t.leads("/" + each), pattern) << each;
    for (const auto& each : texts.second) {
      const auto found = t.leads("/" + each);
      EXPECT_TRUE(found == "nowhere" || (found == "bad" && each == "7%00")) << pattern << ": " << each;
    }
  }
}

TEST(Router, TypesAtOnePlaceAreTriedInAFixedOrder) {
  const std::vector<std::string_view> patterns{"/{r...}",   "/{any}",    "/{s:slug}", "/{i:int}",
                                               "/{u:uint}", "/{g:uuid}", "/-8"};
  const std::string uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
  table rising(std::initializer_list<std::string_view>{});
  table falling(std::initializer_list<std::string_view>{});
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    rising.add(patterns[i]);
    falling.add(patterns[patterns.size() - 1 - i]);
  }
  for (auto* t : {&rising, &falling}) {
    check(*t, {{"/0f8fad5b-d9cb-469f-a165-70867728950e", "/{g:uuid}", {{"g", uuid}}},
               {"/7", "/{u:uint}", {{"u", "7"}}},
               {"/-7", "/{i:int}", {{"i", "-7"}}},
               {"/-8", "/-8"},
               {"/07", "/{s:slug}", {{"s", "07"}}},
               {"/a.b", "/{any}", {{"any", "a.b"}}},
               {"/", "/{r...}", {{"r", ""}}},
               {"/7/8", "/{r...}", {{"r", "7/8"}}}});
  }
}

TEST(Router, GoesOnWithTheNextTypeWhereOneLeadsNowhere) {
  table t{"/{u:uint}/a", "/{i:int}/b", "/{s:slug}/c", "/{any}/d"};
  check(t, {{"/7/a", "/{u:uint}/a", {{"u", "7"}}},
            {"/7/b", "/{i:int}/b", {{"i", "7"}}},
            {"/7/c", "/{s:slug}/c", {{"s", "7"}}},
            {"/7/d", "/{any}/d", {{"any", "7"}}},
            {"/x/a", "nowhere"},
            {"/7/e", "nowhere"}});
}

TEST(Router, ATypeIsAPlaceOfItsOwn) {
  table t{"/{id:int}", "/{name}"};
  EXPECT_EQ(
      t.fault("/{number:int}/x"),
      "http route '/{number:int}/x': it calls a parameter 'number' that '/{id:int}' calls 'id' at the same place; "
      "use one name");
  EXPECT_EQ(t.fault("/{id:int}"), "http route '/{id:int}': GET has a route for the same paths already: '/{id:int}'");
  EXPECT_EQ(t.fault("/{other:uint}"), "none");
  t.add("/{id:int}", method::post);
  EXPECT_EQ(t.find("/-1", method::put).allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(t.leads("/x", method::post), "not POST");
}

// -- escapes ----------------------------------------------------------------------------------------------

TEST(Router, ComparesAndGivesDecodedSegments) {
  table t{"/caf\xc3\xa9", "/a%20b", "/%7Bid%7D", "/x/{id}", "/files/{rest...}"};
  check(t, {{"/caf%C3%A9", "/caf\xc3\xa9"},
            {"/caf%c3%a9", "/caf\xc3\xa9"},
            {"/%63af\xc3\xa9", "/caf\xc3\xa9"},
            {"/a%20b", "/a%20b"},
            {"/a+b", "nowhere"},
            {"/a%2520b", "nowhere"},
            {"/{id}", "/%7Bid%7D"},
            {"/x/a%20b%25+c", "/x/{id}", {{"id", "a b%+c"}}},
            {"/%78/%2e%2e", "/x/{id}", {{"id", ".."}}},
            {"/files/a%20b/c%3F", "/files/{rest...}", {{"rest", "a b/c?"}}}});
}

TEST(Router, AnEncodedSlashDoesNotSplit) {
  table t{"/x/{id}", "/p%2Fq", "/files/{rest...}"};
  check(t, {{"/x/a%2Fb", "/x/{id}", {{"id", "a/b"}}},
            {"/x/a/b", "nowhere"},
            {"/p%2fq", "/p%2Fq"},
            {"/p/q", "nowhere"},
            {"/files/a%2Fb/c", "/files/{rest...}", {{"rest", "a/b/c"}}},
            {"/files/%2F", "/files/{rest...}", {{"rest", "/"}}},
            {"/x%2Fa", "nowhere"},
            {"%2Fx/a", "nowhere"}});
}

TEST(Router, AMalformedOrZeroEscapeIsBadWhereverItStands) {
  table t{"/", "/a", "/a/{id}", "/files/{rest...}"};
  for (const auto path : {"/%", "/%4", "/%zz", "/a%0", "/a/%00", "/a/x%00y", "/files/x/%g1", "/files/%00",
                          "/nowhere/%zz", "/%zz/nowhere", "/a/b/c/%", "/nowhere/at/all%00"}) {
    const auto found = t.find(path);
    EXPECT_TRUE(found.bad_path) << path;
    EXPECT_FALSE(found.path_exists) << path;
    EXPECT_EQ(found.found, nullptr) << path;
    EXPECT_EQ(found.allow, "") << path;
    EXPECT_EQ(t.got, values()) << path;
  }
  for (const std::size_t cut : {1u, 2u})
    EXPECT_TRUE(t.find(std::string_view("/a/%41").substr(0, 6 - cut)).bad_path) << cut;
  check(t, {{"/a/%25%30%30", "/a/{id}", {{"id", "%00"}}}, {"/a/%01", "/a/{id}", {{"id", "\x01"}}}});
}

// -- methods ----------------------------------------------------------------------------------------------

TEST(Router, GetServesHeadUnlessHeadHasItsOwnRoute) {
  table t{"/a", "/b"};
  t.add("/b", method::head);
  t.add("/c", method::post);
  EXPECT_EQ(t.serves("/a", method::head), "GET");
  EXPECT_EQ(t.serves("/b", method::head), "HEAD");
  EXPECT_EQ(t.serves("/b", method::get), "GET");
  EXPECT_EQ(t.leads("/c", method::head), "not HEAD");
}

TEST(Router, AHeadRouteDoesNotServeGet) {
  table t;
  t.add("/a", method::head);
  EXPECT_EQ(t.leads("/a", method::get), "not GET");
  EXPECT_EQ(t.find("/a").allow, "HEAD, OPTIONS");
}

TEST(Router, SaysWhatIsAllowed) {
  table t{"/get", "/{id}"};
  t.add("/post", method::post);
  t.add("/{id}", method::delete_);
  t.add("/{id}", method::put);
  t.add("/options", method::options);
  const std::vector<std::pair<std::string_view, std::string_view>> expected = {
      {"/get", "GET, HEAD, OPTIONS"}, {"/post", "POST, OPTIONS"}, {"/7", "GET, HEAD, PUT, DELETE, OPTIONS"},
      {"/options", "OPTIONS"},        {"/no/where", ""},
  };
  for (const auto& [path, allow] : expected) EXPECT_EQ(t.find(path, method::trace).allow, allow) << path;
  EXPECT_EQ(t.find("/get").allow.data(), t.find("/get", method::post).allow.data()) << "is made for each request";
}

TEST(Router, KnowsMethodsOfOnesOwn) {
  table t{"/cache/{key}"};
  t.add("/cache/{key}", method("PURGE"));
  t.add("/other", method("PURGE"));
  t.add("/other", method("COPY"));
  EXPECT_EQ(t.serves("/cache/7", method("PURGE")), "PURGE");
  EXPECT_EQ(t.got, (values{{"key", "7"}}));
  EXPECT_EQ(t.leads("/cache/7", method("COPY")), "not COPY");
  EXPECT_EQ(t.find("/cache/7").allow, "GET, HEAD, OPTIONS, PURGE");
  EXPECT_EQ(t.find("/other").allow, "OPTIONS, COPY, PURGE");
  EXPECT_NE(t.fault("/other", method("COPY")).find("COPY has a route for the same paths"), std::string::npos);
  ASSERT_EQ(t.routes.own_methods().size(), 2u) << "each once";
}

TEST(Router, ARefusedMethodLeavesNoParameters) {
  table t{"/users/{id}"};
  const auto found = t.find("/users/7", method::post);
  EXPECT_TRUE(found.path_exists);
  EXPECT_EQ(found.found, nullptr);
  EXPECT_EQ(t.got, values());
}

TEST(Router, ForgetsTheParametersOfTheCallBefore) {
  table t{"/{a}/x", "/b"};
  t.find("/7/x");
  EXPECT_EQ(t.got, (values{{"a", "7"}}));
  t.find("/b");
  EXPECT_EQ(t.got, values());
}

// -- faults of patterns -----------------------------------------------------------------------------------

TEST(Router, RefusesMalformedPatternsWithASentence) {
  const std::vector<std::pair<std::string_view, std::string_view>> expected = {
      {"", "must begin with '/'"},
      {"users", "must begin with '/'"},
      {"*", "must begin with '/'"},
      {"/a?b", "without query"},
      {"/a#b", "without query"},
      {"/a b", "write a space as %20"},
      {"/a%", "'%' that is not followed by two hexadecimal digits"},
      {"/%zz", "'%' that is not followed by two hexadecimal digits"},
      {"/a%00", "zero byte"},
      {"/{}", "'' is no name"},
      {"/{...}", "'' is no name"},
      {"/{1a}", "'1a' is no name"},
      {"/{a-b}", "'a-b' is no name"},
      {"/{a..}", "'a..' is no name"},
      {"/{a....}", "'a.' is no name"},
      {"/{...a}", "'...a' is no name"},
      {"/{a%20}", "'a%20' is no name"},
      {"/{\xc3\xa9}", "is no name"},
      {"/{:int}", "'' is no name"},
      {"/{a:}", "'' is no type"},
      {"/{a:float}", "there are int, uint, slug and uuid"},
      {"/{a:INT}", "'INT' is no type"},
      {"/{a:int:int}", "'int:int' is no type"},
      {"/{a:int...}", "has no type"},
      {"/{a:int}/{a:uint}", "two parameters called 'a'"},
      {"/{", "whole segment"},
      {"/}", "whole segment"},
      {"/{a", "whole segment"},
      {"/a}", "whole segment"},
      {"/}{", "whole segment"},
      {"/{a}b", "whole segment"},
      {"/a{b}", "whole segment"},
      {"/{a}{b}", "whole segment"},
      {"/{{a}}", "whole segment"},
      {"/{a/b}", "whole segment"},
      {"/{a}/{a}", "two parameters called 'a'"},
      {"/{a}/x/{a...}", "two parameters called 'a'"},
      {"/{a...}/b", "must be its last segment"},
      {"/{a...}/", "must be its last segment"},
      {"/{a...}/{b...}", "must be its last segment"},
  };
  for (const auto& [pattern, why] : expected) {
    table t;
    const auto fault = t.fault(pattern);
    EXPECT_NE(fault.find(why), std::string::npos) << pattern << ": " << fault;
    EXPECT_EQ(fault.find("http route '" + std::string(pattern) + "': "), 0u) << fault;
  }
}

TEST(Router, TakesEveryIdentifierAsAName) {
  table t{"/a/{a}", "/2/{_}", "/3/{_0}", "/4/{aZ_9}", "/5/{Rest...}"};
  check(t, {{"/4/x", "/4/{aZ_9}", {{"aZ_9", "x"}}}, {"/a/x", "/a/{a}", {{"a", "x"}}}});
}

TEST(Router, RefusesAPathThatIsTakenAndNamesBothPatterns) {
  table t{"/a/{id}/x", "/ab"};
  EXPECT_EQ(t.fault("/a/{id}/x"), "http route '/a/{id}/x': GET has a route for the same paths already: '/a/{id}/x'");
  t.add("/a%62", method::post);
  EXPECT_EQ(t.fault("/%61b"), "http route '/%61b': GET has a route for the same paths already: '/ab'");
  EXPECT_EQ(t.fault("/ab", method::post), "http route '/ab': POST has a route for the same paths already: '/a%62'");
  EXPECT_EQ(t.fault("/a/{id}/x", method::put), "none");
}

TEST(Router, RefusesASecondNameForOneParameterAndNamesBothPatterns) {
  table t{"/users/{id}/orders", "/files/{rest...}"};
  EXPECT_EQ(
      t.fault("/users/{name}", method::put),
      "http route '/users/{name}': it calls a parameter 'name' that '/users/{id}/orders' calls 'id' at the same place; "
      "use one name");
  EXPECT_EQ(t.fault("/files/{path...}", method::put), "http route '/files/{path...}': it calls a parameter 'path' that "
                                                      "'/files/{rest...}' calls 'rest' at the same place; "
                                                      "use one name");
  EXPECT_EQ(t.fault("/files/{name}"), "none") << "a parameter and a rest are two places";
  EXPECT_EQ(t.fault("/others/{name}"), "none");
}

TEST(Router, ARefusedPatternLeavesNothingBehind) {
  table t{"/a"};
  for (const auto pattern : {"/{id}/{id...}", "/{id}/{id}", "/new/{x}/{y", "/{id}/b c", "/{id}/%"})
    EXPECT_NE(t.fault(pattern), "none") << pattern;
  check(t, {{"/7/8", "nowhere"}, {"/7", "nowhere"}, {"/new/1", "nowhere"}});
  EXPECT_EQ(t.fault("/{name}/{rest...}"), "none") << "a name of a refused pattern is free";
  check(t, {{"/7/8", "/{name}/{rest...}", {{"name", "7"}, {"rest", "8"}}}});
}

// -- cost -------------------------------------------------------------------------------------------------

TEST(Router, AllocatesNothingWithoutParametersAndEscapes) {
#ifndef GREENROOM_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "a sanitizer has the allocator";
#else
  const std::string long_segment(200, 'x');
  table t{"/", "/a/b", "/{p}/c", "/{p}/{q}/{r}/d", "/" + long_segment};
  const auto long_path = "/" + long_segment;
  const auto nowhere = long_path + long_path + long_path + long_path; // tries the parameters, and leaves them
  router::parameter_list parameters;
  for (const std::string_view path :
       {std::string_view("/"), std::string_view("/a/b"), std::string_view(long_path), std::string_view(nowhere)}) {
    for (const auto m : {method::get, method::head, method::post}) {
      const auto before = allocations;
      (void)t.routes.find(m, path, parameters);
      EXPECT_EQ(allocations, before) << path;
    }
  }
#endif
}

TEST(Router, TakesLongPathsAndDeepPatterns) {
  std::string deep, path;
  for (int i = 0; i < 500; ++i) deep += "/{p" + std::to_string(i) + "}", path += "/v";
  table t{deep, "/x/{rest...}"};
  EXPECT_EQ(t.leads(path), deep);
  EXPECT_EQ(t.got.size(), 500u);
  EXPECT_EQ(t.got.back(), (std::pair<std::string, std::string>("p499", "v")));
  EXPECT_EQ(t.leads("/x" + std::string(1 << 20, '/')), "/x/{rest...}");
  EXPECT_EQ(t.leads(std::string(1 << 20, '/')), "nowhere");
}

} // namespace
} // namespace greenroom::http::internal::router_test
