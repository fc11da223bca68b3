#include <greenroom/http/internal/otlp_json.hpp>

#include <cstdint>

#include <greenroom/http/detail/json_value.hpp>
#include <greenroom/runtime/version.hpp>

namespace greenroom::http::internal {
namespace {

using detail::json_writer;

void write_attribute(json_writer& out, std::string_view name, const span::value& value) {
  out.open_object().key("key").text(name).key("value").open_object();
  if (const auto* const text = std::get_if<std::string>(&value))
    out.key("stringValue").text(*text);
  else // 64 bits go as text: a double would not hold them
    out.key("intValue").text(std::to_string(std::get<std::int64_t>(value)));
  out.close_object().close_object();
}

std::string nanoseconds(time_point t, std::chrono::nanoseconds epoch) {
  return std::to_string((t.time_since_epoch() + epoch) / std::chrono::nanoseconds(1));
}

void write_span(json_writer& out, const span& s, std::chrono::nanoseconds epoch) {
  out.open_object().key("traceId").text(s.place.trace_id()).key("spanId").text(s.place.span_id());
  if (!s.place.parent_id().empty()) out.key("parentSpanId").text(s.place.parent_id());
  if (!s.place.state().empty()) out.key("traceState").text(s.place.state());
  out.key("name").text(s.name).key("kind").number(static_cast<int>(s.kind));
  out.key("startTimeUnixNano")
      .text(nanoseconds(s.began, epoch))
      .key("endTimeUnixNano")
      .text(nanoseconds(s.ended, epoch));
  out.key("attributes").open_array();
  for (const auto& [name, value] : s.attributes) write_attribute(out, name, value);
  out.close_array().key("status").open_object();
  if (s.failed) out.key("code").number(2).key("message").text(s.why);
  out.close_object().close_object();
}

} // namespace

std::string resource_json(std::string_view service, const std::vector<std::pair<std::string, std::string>>& more) {
  json_writer out;
  out.open_object().key("attributes").open_array();
  write_attribute(out, "service.name", std::string(service));
  for (const auto& [name, value] : more) write_attribute(out, name, value);
  return std::move(out.close_array().close_object()).str();
}

std::string otlp_json(const std::vector<span>& spans, std::string_view resource, std::chrono::nanoseconds epoch) {
  json_writer out;
  out.open_object().key("resourceSpans").open_array().open_object().key("resource").raw(resource);
  out.key("scopeSpans").open_array().open_object().key("scope").open_object();
  out.key("name").text("greenroom").key("version").text(GREENROOM_VERSION).close_object();
  out.key("spans").open_array();
  for (const auto& s : spans) write_span(out, s, epoch);
  out.close_array().close_object().close_array().close_object().close_array().close_object();
  return std::move(out).str();
}

} // namespace greenroom::http::internal
