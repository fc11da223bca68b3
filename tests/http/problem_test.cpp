#include <greenroom/http/problem.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/recover.hpp> // both together: there is one problem()

namespace greenroom::http::problem_test {
namespace {

TEST(Problem, IsRfc9457) {
  const std::vector<document_fault> faults{{"/a", "b \"c\""}};
  const auto p = problem(422, "no", faults);
  EXPECT_EQ(p.status(), 422);
  EXPECT_EQ(p.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(
      p.body(),
      R"({"title":"Unprocessable Content","status":422,"detail":"no","errors":[{"pointer":"/a","detail":"b \"c\""}]})"
      "\n");
  EXPECT_EQ(problem(404).body(), R"({"title":"Not Found","status":404})"
                                 "\n");
  EXPECT_EQ(problem(499, "x").body(), "{\"status\":499,\"detail\":\"x\"}\n");
  EXPECT_THROW(problem(200, "x"), usage_error);
  EXPECT_THROW(problem(600, "x"), usage_error);
}

TEST(Problem, StaysJsonWhateverTheDetailHolds) {
  const auto detail_of = [](std::string_view text) {
    const auto body = problem(400, text).body();
    const auto from = body.find("detail\":\"") + 9;
    return body.substr(from, body.rfind("\"}") - from);
  };
  EXPECT_EQ(detail_of("a \"b\" \\ c"), R"(a \"b\" \\ c)");
  EXPECT_EQ(detail_of(std::string_view("\0\n\x1f\x7f", 4)), "\\u0000\\n\\u001f\\u007f");
  EXPECT_EQ(detail_of("caf\xc3\xa9 \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xf0\x9f\x98\x80");
  EXPECT_EQ(detail_of("\xff\xc3("), "\xef\xbf\xbd\xef\xbf\xbd(");
}

TEST(Problem, HasTheStatusOfItsError) {
  const std::vector<std::pair<errc, int>> all{
      {errc::closed, 503},           {errc::full, 503},        {errc::empty, 500},          {errc::timed_out, 504},
      {errc::cancelled, 503},        {errc::not_found, 404},   {errc::already_exists, 409}, {errc::io, 500},
      {errc::invalid_argument, 422}, {errc::failed, 500},      {errc::no_reply, 503},       {errc::stopped, 503},
      {errc::killed, 500},           {errc::unsupported, 501}, {errc::parse, 400},          {errc::limit, 429},
      {errc::type_mismatch, 422},    {errc::upstream, 502},    {errc::unavailable, 503},    {errc{999}, 500}};
  for (const auto& [code, status] : all) {
    const auto p = problem(error(code, "the reason"));
    EXPECT_EQ(p.status(), status) << to_string(code);
    EXPECT_EQ(p.body().find("the reason") != std::string::npos, status < 500) << to_string(code);
    EXPECT_EQ(p.header("Retry-After").has_value(), status == 429 || status == 503) << to_string(code);
  }
}

TEST(Problem, From500OnSaysTheSameOfAllErrors) {
  EXPECT_EQ(problem(error(errc::upstream, "cannot GET http://internal-db/")).body(),
            R"({"title":"Bad Gateway","status":502,"detail":"another server failed that is needed for this answer"})"
            "\n");
  EXPECT_EQ(problem(errc::timed_out).body(),
            R"({"title":"Gateway Timeout","status":504,"detail":"what is needed for this answer took too long"})"
            "\n");
}

} // namespace
} // namespace greenroom::http::problem_test
