#include <greenroom/http/internal/write_openapi.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/http/detail/json_type.hpp>
#include <greenroom/http/detail/operation.hpp>
#include <greenroom/http/internal/route_pattern.hpp>
#include <greenroom/http/url.hpp>

namespace greenroom::http::internal {
namespace {

using detail::json_components;
using detail::json_writer;
using detail::operation;

/// The routes of one pattern.
struct path_item {
  std::vector<segment> segments;
  std::vector<const route*> routes;
};

/// In the order in which the router tries them.
std::string precedence(const std::vector<segment>& segments) {
  std::string order;
  for (const auto& s : segments)
    order += s.is == segment::kind::literal ? '0' : static_cast<char>('1' + static_cast<int>(s.type));
  return order;
}

/// "/users/{id}", or "/users/{}", by which OpenAPI tells paths apart.
std::string path_template(const std::vector<segment>& segments, bool with_names) {
  std::string text;
  for (const auto& s : segments) {
    text += '/';
    if (s.is == segment::kind::literal) {
      text += percent_encode(s.text);
    } else {
      text.append("{").append(with_names ? s.text : "").append("}");
    }
  }
  return text;
}

void write_parameter(const segment& s, json_writer& out) {
  out.open_object().key("name").text(s.text).key("in").text("path").key("required").boolean(true);
  if (s.is == segment::kind::rest) out.key("description").text("the rest of the path: may be empty, and hold slashes");
  out.key("schema").open_object();
  switch (s.type) {
  case parameter_type::int_: out.key("type").text("integer").key("format").text("int64"); break;
  case parameter_type::uint:
    out.key("type").text("integer").key("format").text("uint64").key("minimum").number(0);
    break;
  case parameter_type::uuid: out.key("type").text("string").key("format").text("uuid"); break;
  case parameter_type::slug: out.key("type").text("string").key("pattern").text("^[A-Za-z0-9_-]+$"); break;
  case parameter_type::any: out.key("type").text("string").key("minLength").number(1); break;
  default: out.key("type").text("string");
  }
  out.close_object().close_object();
}

void write_content(std::string_view type, const detail::json_type& of, json_writer& out, json_components& named) {
  out.key("content").open_object().key(type).open_object().key("schema").open_object();
  of.describe(out, named);
  out.close_object().close_object().close_object();
}

// The answers that several operations share; see write_shared_answers().
void refer_to_answer(int status, std::string_view name, json_writer& out) {
  out.key(fmt::format("{}", status)).open_object();
  out.key("$ref").text(fmt::format("#/components/responses/{}", name)).close_object();
}

void write_shared_answers(json_writer& out) {
  constexpr std::string_view plain = R"({"text/plain":{"schema":{"type":"string"}}})";
  constexpr std::string_view problem =
      R"({"application/problem+json":{"schema":{"$ref":"#/components/schemas/greenroom.problem"}}})";
  constexpr std::string_view both =
      R"({"text/plain":{"schema":{"type":"string"}},)"
      R"("application/problem+json":{"schema":{"$ref":"#/components/schemas/greenroom.problem"}}})";
  const auto write = [&out](std::string_view name, std::string_view says, std::string_view content) {
    out.key(name).open_object().key("description").text(says).key("content").raw(content).close_object();
  };
  out.key("responses").open_object();
  write("Malformed", "the body is no JSON", problem);
  write("NotFound", "a parameter of the path is not of its type, or there is no such thing", both);
  write("TooLong", "the body is longer than the limit", plain);
  write("NotJson", "the body is not application/json", problem);
  write("DoesNotFit", "the document does not fit its schema; `errors` names each part", problem);
  write("Busy", "the server is overloaded, or the time for the request is over", both);
  write("Failed", "another error", problem);
  out.close_object();
}

constexpr std::string_view problem_schema =
    R"({"type":"object","description":"RFC 9457","properties":{"title":{"type":"string"},"status":{"type":"integer"},)"
    R"("detail":{"type":"string"},"errors":{"type":"array","items":{"type":"object","properties":{)"
    R"("pointer":{"type":"string","description":"RFC 6901"},"detail":{"type":"string"}},)"
    R"("required":["pointer","detail"]}}},"required":["status","detail"]})";

void write_answers(const route& r, bool typed_path, json_writer& out, json_components& named) {
  const operation* const known = r.about.get();
  out.key("responses").open_object();
  if (known != nullptr && known->gives != operation::answer::unknown) {
    const bool is_new = known->gives == operation::answer::created;
    const bool empty = known->gives == operation::answer::nothing;
    out.key(is_new ? "201" : empty ? "204" : "200").open_object();
    out.key("description").text(is_new ? "it was created" : empty ? "it was done" : "the answer");
    if (is_new) out.key("headers").raw(R"({"Location":{"description":"where it is","schema":{"type":"string"}}})");
    if (!empty) write_content("application/json", *known->value, out, named);
    out.close_object();
  }
  const bool takes = known != nullptr && known->takes != nullptr;
  const bool fails = known != nullptr && known->may_fail;
  if (takes) refer_to_answer(400, "Malformed", out);
  if (typed_path || fails) refer_to_answer(404, "NotFound", out);
  if (takes) refer_to_answer(413, "TooLong", out);
  if (takes) refer_to_answer(415, "NotJson", out);
  if (takes) refer_to_answer(422, "DoesNotFit", out);
  refer_to_answer(503, "Busy", out);
  if (fails) {
    out.key("default").raw(R"({"$ref":"#/components/responses/Failed"})");
  } else if (known == nullptr || known->gives == operation::answer::unknown) {
    out.key("default").raw(R"({"description":"what the handler answers"})");
  }
  out.close_object();
}

void write_operation(const route& r, bool typed_path, json_writer& out, json_components& named) {
  std::string method(to_string(r.method));
  std::transform(method.begin(), method.end(), method.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  out.key(method).open_object();
  if (!r.summary.empty()) out.key("summary").text(r.summary);
  if (r.about && r.about->takes != nullptr) {
    out.key("requestBody").open_object().key("required").boolean(true);
    write_content("application/json", *r.about->takes, out, named);
    out.close_object();
  }
  write_answers(r, typed_path, out, named);
  out.close_object();
}

void write_path(const path_item& path, const std::vector<std::string_view>& others, json_writer& out,
                json_components& named) {
  out.key(path_template(path.segments, true)).open_object();
  const auto has_name = [](const segment& s) { return s.is != segment::kind::literal; };
  if (std::any_of(path.segments.begin(), path.segments.end(), has_name)) {
    out.key("parameters").open_array();
    for (const auto& s : path.segments) {
      if (has_name(s)) write_parameter(s, out);
    }
    out.close_array();
  }
  const bool typed = std::any_of(path.segments.begin(), path.segments.end(),
                                 [](const segment& s) { return !name_of(s.type).empty(); });
  for (const auto* const r : path.routes) {
    if (r->method.is_common() && r->method != method::connect)
      write_operation(*r, typed, out, named); // all that OpenAPI knows
  }
  if (!others.empty()) {
    out.key("x-also").open_array();
    for (const auto each : others) out.text(each);
    out.close_array();
  }
  out.close_object();
}

/// By the template without names, and there by precedence.
using path_table = std::map<std::string, std::map<std::string, path_item>>;

path_table table_of(std::span<const std::unique_ptr<route>> routes) {
  path_table all;
  for (const auto& r : routes) {
    auto segments = parse_pattern(r->pattern);
    auto& item = all[path_template(segments, false)][precedence(segments)];
    item.segments = std::move(segments);
    item.routes.push_back(r.get());
  }
  for (auto& [path, variants] : all) {
    for (auto& [order, item] : variants)
      std::sort(item.routes.begin(), item.routes.end(), [](auto* a, auto* b) { return a->method < b->method; });
  }
  return all;
}

} // namespace

std::string write_openapi(const openapi_info& info, std::span<const std::unique_ptr<route>> routes) {
  json_writer out;
  json_components named;
  out.open_object().key("openapi").text("3.1.0");
  out.key("info").open_object().key("title").text(info.title).key("version").text(info.version);
  if (!info.description.empty()) out.key("description").text(info.description);
  out.close_object();
  out.key("paths").open_object();
  for (const auto& [path, variants] : table_of(routes)) {
    std::vector<std::string_view> others;
    for (auto it = std::next(variants.begin()); it != variants.end(); ++it)
      others.push_back(it->second.routes.front()->pattern);
    write_path(variants.begin()->second, others, out, named);
  }
  out.close_object();
  out.key("components").open_object();
  write_shared_answers(out);
  out.key("schemas").open_object();
  named.define_all(out);
  out.key("greenroom.problem").raw(problem_schema).close_object();
  return out.close_object().close_object().str();
}

} // namespace greenroom::http::internal
