#include <greenroom/http/internal/conditions.hpp>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/dates.hpp>

namespace greenroom::http::internal::conditions_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;
using enum verdict;

const sys_seconds now = sys_days{year{2024} / 6 / 15} + 12h;
const sys_seconds changed = sys_days{year{1994} / 11 / 6} + 8h + 49min + 37s;
constexpr auto before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr auto at = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr auto after = "Sun, 06 Nov 1994 08:49:38 GMT";

const validators strong{.etag = "\"a\"", .modified = changed};
const validators weak{.etag = "W/\"a\"", .modified = changed};
const validators bare{};
const validators absent{.exists = false};

struct row {
  method asked;
  std::vector<field> fields;
  verdict expected;
};

void check(const validators& current, const std::vector<row>& table) {
  for (const auto& each : table) {
    std::string told(to_string(each.asked));
    for (const auto& f : each.fields) told.append("\n").append(f.name).append(": ").append(f.value);
    EXPECT_EQ(evaluate_conditions(each.asked, each.fields, current, now), each.expected) << told;
  }
}

constexpr auto get = method::get;
constexpr auto put = method::put;

// -- entity tags: RFC 9110 section 8.8.3 ----------------------------------------------------------------------

TEST(EntityTag, IsAQuotedTextPerhapsWeak) {
  for (const auto& [text, opaque, is_weak] : std::vector<std::tuple<std::string_view, std::string_view, bool>>{
           {"\"xyzzy\"", "xyzzy", false},
           {"W/\"xyzzy\"", "xyzzy", true},
           {"\"\"", "", false},
           {"W/\"\"", "", true},
           {"\"a,b\"", "a,b", false},
           {"\"a\\\"", "a\\", false}, // a backslash is a character like others
           {"\"\xc3\xa9!#~\"", "\xc3\xa9!#~", false}}) {
    const auto tag = parse_entity_tag(text);
    ASSERT_TRUE(tag) << text;
    EXPECT_EQ(tag->opaque, opaque) << text;
    EXPECT_EQ(tag->weak, is_weak) << text;
  }
}

TEST(EntityTag, IsNothingElse) {
  for (const std::string text :
       {"",         "a",      "\"",     "\"a",     "a\"",      "w/\"a\"",   "W/a",      "W/",         "W", "W \"a\"",
        "W/ \"a\"", "\"a\" ", " \"a\"", "\"a b\"", "\"a\tb\"", "\"a\x7f\"", "\"a\"b\"", "\"a\"\"b\"", "*", "'a'"})
    EXPECT_FALSE(parse_entity_tag(text)) << text;
}

// The table of RFC 9110 section 8.8.3.2.
TEST(EntityTag, IsComparedStronglyAndWeakly) {
  const entity_tag w1{"1", true};
  const entity_tag w2{"2", true};
  const entity_tag s1{"1", false};
  EXPECT_FALSE(same_strongly(w1, w1));
  EXPECT_TRUE(same_weakly(w1, w1));
  EXPECT_FALSE(same_strongly(w1, w2));
  EXPECT_FALSE(same_weakly(w1, w2));
  EXPECT_FALSE(same_strongly(w1, s1));
  EXPECT_TRUE(same_weakly(w1, s1));
  EXPECT_TRUE(same_strongly(s1, s1));
  EXPECT_TRUE(same_weakly(s1, s1));
}

// -- each condition: RFC 9110 section 13.1 --------------------------------------------------------------------

TEST(Conditions, NoneMeansProceed) {
  check(strong, {{get, {}, proceed}, {put, {}, proceed}, {get, {{"Accept", "*/*"}}, proceed}});
}

TEST(Conditions, IfMatchNeedsAStrongTagOfTheList) { // 13.1.1
  check(strong, {{put, {{"If-Match", "\"a\""}}, proceed},
                 {put, {{"if-match", "\"b\", \"a\""}}, proceed},
                 {put, {{"IF-MATCH", " ,, \"b\" ,\t\"a\",, "}}, proceed},
                 {put, {{"If-Match", "\"b\""}, {"If-Match", "\"a\""}}, proceed},
                 {put, {{"If-Match", "\"a\""}, {"If-Match", ""}}, proceed},
                 {put, {{"If-Match", "*"}}, proceed},
                 {put, {{"If-Match", "\"b\""}}, precondition_failed},
                 {get, {{"If-Match", "\"b\""}}, precondition_failed},
                 {put, {{"If-Match", "W/\"a\""}}, precondition_failed},
                 {put, {{"If-Match", "\"A\""}}, precondition_failed},
                 {put, {{"If-Match", "\"b,a\""}}, precondition_failed}});
  check(weak, {{put, {{"If-Match", "W/\"a\""}}, precondition_failed},
               {put, {{"If-Match", "\"a\""}}, precondition_failed},
               {put, {{"If-Match", "*"}}, proceed}});
  check(bare, {{put, {{"If-Match", "\"a\""}}, precondition_failed}, {put, {{"If-Match", "*"}}, proceed}});
  check(absent, {{put, {{"If-Match", "\"a\""}}, precondition_failed}, {put, {{"If-Match", "*"}}, precondition_failed}});
}

TEST(Conditions, IfNoneMatchFailsForAnyTagOfTheList) { // 13.1.2
  check(strong, {{get, {{"If-None-Match", "\"a\""}}, not_modified},
                 {method::head, {{"If-None-Match", "W/\"a\""}}, not_modified},
                 {get, {{"If-None-Match", "\"b\", W/\"a\""}}, not_modified},
                 {get, {{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, not_modified},
                 {get, {{"If-None-Match", "*"}}, not_modified},
                 {get, {{"If-None-Match", "\"b\""}}, proceed},
                 {put, {{"If-None-Match", "\"a\""}}, precondition_failed},
                 {put, {{"If-None-Match", "*"}}, precondition_failed},
                 {put, {{"If-None-Match", "\"b\""}}, proceed}});
  check(weak, {{get, {{"If-None-Match", "\"a\""}}, not_modified}, {get, {{"If-None-Match", "W/\"a\""}}, not_modified}});
  check(bare, {{get, {{"If-None-Match", "\"a\""}}, proceed}});
  check(absent, {{put, {{"If-None-Match", "*"}}, proceed}, {put, {{"If-None-Match", "\"a\""}}, proceed}});
}

TEST(Conditions, AMalformedListNeverLetsAChangeHappenNorKeepsAnAnswerBack) {
  for (const std::string_view list : {"a", "\"a", "\"a\" \"a\"", "\"a\", b", "b, \"a\"", "\"a\", *", "*, \"a\"", "**",
                                      "", " , ", "\"a\";\"b\"", "W/ \"a\"", "w/\"a\""}) {
    check(strong, {{put, {{"If-Match", list}}, precondition_failed},
                   {get, {{"If-None-Match", list}}, proceed},
                   {method::head, {{"If-None-Match", list}}, proceed},
                   {put, {{"If-None-Match", list}}, precondition_failed},
                   {method::delete_, {{"If-None-Match", list}}, precondition_failed}});
  }
  // "*" stands alone, over several lines too.
  check(strong, {{put, {{"If-Match", "*"}, {"If-Match", "\"a\""}}, precondition_failed},
                 {get, {{"If-None-Match", "\"b\""}, {"If-None-Match", "*"}}, proceed},
                 {put, {{"If-None-Match", "*"}, {"If-None-Match", "*"}}, precondition_failed}});
}

TEST(Conditions, IfModifiedSinceFailsUnlessItChangedLater) { // 13.1.3
  check(strong, {{get, {{"If-Modified-Since", before}}, proceed},
                 {get, {{"If-Modified-Since", at}}, not_modified},
                 {get, {{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, not_modified},
                 {method::head, {{"If-Modified-Since", after}}, not_modified},
                 {put, {{"If-Modified-Since", at}}, proceed},
                 {get, {{"If-Modified-Since", "yesterday"}}, proceed},
                 {get, {{"If-Modified-Since", at}, {"If-Modified-Since", at}}, proceed}});
  check(bare, {{get, {{"If-Modified-Since", after}}, proceed}});
}

TEST(Conditions, IfUnmodifiedSinceFailsIfItChangedLater) { // 13.1.4
  check(strong, {{put, {{"If-Unmodified-Since", before}}, precondition_failed},
                 {get, {{"If-Unmodified-Since", before}}, precondition_failed},
                 {put, {{"If-Unmodified-Since", at}}, proceed},
                 {put, {{"If-Unmodified-Since", after}}, proceed},
                 {put, {{"If-Unmodified-Since", "yesterday"}}, proceed},
                 {put, {{"If-Unmodified-Since", before}, {"If-Unmodified-Since", before}}, proceed}});
  check(bare, {{put, {{"If-Unmodified-Since", before}}, proceed}});
  check(absent, {{put, {{"If-Unmodified-Since", before}}, proceed}});
}

// -- several: RFC 9110 section 13.2.2 -------------------------------------------------------------------------

TEST(Conditions, AreEvaluatedInTheirOrder) {
  check(strong, {// If-Match makes If-Unmodified-Since void, whatever it says.
                 {put, {{"If-Unmodified-Since", before}, {"If-Match", "\"a\""}}, proceed},
                 {put, {{"If-Unmodified-Since", after}, {"If-Match", "\"b\""}}, precondition_failed},
                 // If-None-Match makes If-Modified-Since void.
                 {get, {{"If-Modified-Since", after}, {"If-None-Match", "\"b\""}}, proceed},
                 {get, {{"If-Modified-Since", before}, {"If-None-Match", "\"a\""}}, not_modified},
                 {get, {{"If-Modified-Since", after}, {"If-None-Match", "malformed"}}, proceed},
                 // The first two go before the last two.
                 {get, {{"If-None-Match", "\"a\""}, {"If-Match", "\"b\""}}, precondition_failed},
                 {get, {{"If-None-Match", "\"a\""}, {"If-Match", "\"a\""}}, not_modified},
                 {put, {{"If-None-Match", "\"a\""}, {"If-Match", "\"a\""}}, precondition_failed},
                 {get, {{"If-Modified-Since", at}, {"If-Unmodified-Since", before}}, precondition_failed},
                 {get, {{"If-Modified-Since", at}, {"If-Unmodified-Since", at}}, not_modified},
                 {get, {{"If-None-Match", "\"b\""}, {"If-Unmodified-Since", at}}, proceed}});
}

TEST(Conditions, AreNoneForMethodsWithoutARepresentation) { // 13.2.1
  for (const auto m : {method::connect, method::options, method::trace})
    check(strong, {{m, {{"If-Match", "\"b\""}}, proceed}, {m, {{"If-None-Match", "*"}}, proceed}});
}

// -- If-Range: RFC 9110 section 13.1.5 ------------------------------------------------------------------------

TEST(IfRange, HoldsForAStrongTagOnly) {
  const auto holds = [](const validators& v, std::vector<field> fields) { return if_range_holds(fields, v, now); };
  EXPECT_TRUE(holds(strong, {}));
  EXPECT_TRUE(holds(strong, {{"If-Range", "\"a\""}}));
  EXPECT_TRUE(holds(strong, {{"if-range", " \"a\" "}}));
  EXPECT_FALSE(holds(strong, {{"If-Range", "\"b\""}}));
  EXPECT_FALSE(holds(strong, {{"If-Range", "W/\"a\""}}));
  EXPECT_FALSE(holds(weak, {{"If-Range", "W/\"a\""}}));
  EXPECT_FALSE(holds(weak, {{"If-Range", "\"a\""}}));
  EXPECT_FALSE(holds(bare, {{"If-Range", "\"a\""}}));
  EXPECT_FALSE(holds(absent, {{"If-Range", "\"a\""}}));
  for (const std::string_view bad : {"", "*", "a", "\"a\", \"a\"", "\"a", "tomorrow"})
    EXPECT_FALSE(holds(strong, {{"If-Range", bad}})) << bad;
  EXPECT_FALSE(holds(strong, {{"If-Range", "\"a\""}, {"If-Range", "\"a\""}}));
}

TEST(IfRange, HoldsForExactlyTheDateIfThatIsStrong) {
  auto dated = strong;
  const auto holds = [&dated](std::string_view date) {
    const std::vector<field> fields{{"If-Range", date}};
    return if_range_holds(fields, dated, now);
  };
  EXPECT_FALSE(holds(at)) << "it may have changed twice in that second";
  dated.modified_is_strong = true;
  EXPECT_TRUE(holds(at));
  EXPECT_FALSE(holds(before));
  EXPECT_FALSE(holds(after)) << "no order, only equality";
  dated.modified.reset();
  EXPECT_FALSE(holds(at));
}

} // namespace
} // namespace greenroom::http::internal::conditions_test
