// Conditional requests: the order of the fields means nothing, what is malformed makes no change happen, and each verdict has its cause. An input
// is lines, each a header field.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/internal/conditions.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using namespace std::chrono;
using fields = std::vector<field>;

constexpr sys_seconds now = sys_days{year{2024} / 2 / 29};
constexpr sys_seconds changed = sys_days{year{1994} / 11 / 6} + hours{8} + minutes{49} + seconds{37};

validators chosen(unsigned n) {
  validators v;
  constexpr std::string_view tags[] = {"", "\"a\"", "W/\"a\"", "\"b,\\\""};
  v.etag = tags[n % 4];
  if ((n & 4) != 0) v.modified = changed;
  v.modified_is_strong = (n & 8) != 0;
  v.exists = (n & 16) == 0;
  return v;
}

bool has(const fields& all, std::string_view name) {
  return std::any_of(all.begin(), all.end(), [name](const field& f) { return lower(f.name) == name; });
}

verdict judge(method m, const fields& all, const validators& current) {
  const auto is = evaluate_conditions(m, all, current, now);
  auto reversed = all;
  std::reverse(reversed.begin(), reversed.end());
  require(evaluate_conditions(m, reversed, current, now) == is, "the order of the fields means nothing");
  return is;
}

void try_conditions(const fields& all, const validators& current) {
  const auto get = judge(method::get, all, current);
  const auto put = judge(method::put, all, current);
  require(judge(method::head, all, current) == get, "HEAD is as GET");
  require(judge(method::patch, all, current) == put && judge(method::delete_, all, current) == put,
          "changes are alike");
  require(judge(method::options, all, current) == verdict::proceed, "OPTIONS has no conditions");
  require(put != verdict::not_modified, "304 is for GET and HEAD alone");

  const bool must_match = has(all, "if-match");
  const bool must_not_match = has(all, "if-none-match");
  require(get != verdict::precondition_failed || must_match || has(all, "if-unmodified-since"),
          "a GET fails for a cause");
  require((get == verdict::precondition_failed) <= (put == verdict::precondition_failed),
          "what fails a GET fails a PUT");
  require(get != verdict::not_modified || (current.exists && (must_not_match || has(all, "if-modified-since"))),
          "what is not modified exists");
  require(!must_match || put != verdict::proceed || current.exists, "If-Match changes nothing that is not there");
  require(put != verdict::precondition_failed || must_match || must_not_match || has(all, "if-unmodified-since"),
          "a PUT fails for a cause");

  // One more condition.
  auto more = all;
  more.push_back({"If-Match", "\""});
  require(judge(method::put, more, current) == verdict::precondition_failed, "a malformed tag makes no change happen");
  more.back() = {"If-None-Match", "*"};
  const auto once = must_not_match ? verdict::precondition_failed : put;
  require(judge(method::put, more, current) == (current.exists ? verdict::precondition_failed : once),
          "a star keeps what is there");
  more.back() = {"If-None-Match", "\"other\", \"b,\\\" ,W/\"a\","};
  if (!must_not_match && get != verdict::precondition_failed && current.exists && !current.etag.empty())
    require(judge(method::get, more, current) == verdict::not_modified, "a tag is found in a list");

  const bool ranges = if_range_holds(all, current, now);
  require(has(all, "if-range") || ranges, "without If-Range nothing keeps from a range");
  require(!ranges || !has(all, "if-range") || (current.exists && (!current.etag.starts_with("W/") || current.modified)),
          "a range is of what is strongly the same");
}

void try_tag(std::string_view text) {
  const auto tag = parse_entity_tag(text);
  if (!tag) return;
  require_same((tag->weak ? "W/\"" : "\"") + std::string(tag->opaque) + "\"", text, "a tag is its own text");
  require(same_weakly(*tag, *tag) && same_strongly(*tag, *tag) == !tag->weak, "a tag is like itself");
  validators current;
  current.etag = text;
  require(judge(method::get, {{"If-None-Match", text}}, current) == verdict::not_modified, "and found as such");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 400));
  const auto current = chosen(from.choice());
  const auto lines = greenroom::fuzz::split(from.text(), '\n');
  fields all;
  for (const std::string_view line : lines) {
    const auto colon = line.find(": ");
    if (colon != line.npos) all.push_back({line.substr(0, colon), line.substr(colon + 2)});
    try_tag(colon == line.npos ? line : line.substr(colon + 2));
  }
  try_conditions(all, current);
  return 0;
}
