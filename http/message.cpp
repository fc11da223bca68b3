#include <greenroom/http/message.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/detail/answer_marks.hpp>
#include <greenroom/http/detail/request_data.hpp>
#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/lies_in.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {
namespace {

constexpr std::array<std::string_view, 9> method_names{"GET",   "HEAD",    "POST",  "PUT",    "DELETE",
                                                       "PATCH", "OPTIONS", "TRACE", "CONNECT"};

constexpr std::array<std::string_view, 4> fields_of_the_server{"content-length", "transfer-encoding", "connection",
                                                               "date"};

using detail::parameter_type;

const detail::route_parameter* find_parameter(std::span<const detail::route_parameter> among,
                                              std::string_view name) noexcept {
  const auto it = std::find_if(among.begin(), among.end(), [name](const auto& p) { return p.name == name; });
  return it == among.end() ? nullptr : &*it;
}

template <class Number>
bool read_number(std::span<const detail::route_parameter> among, std::string_view name, parameter_type type,
                 Number& to) noexcept {
  const auto* const p = find_parameter(among, name);
  if (p == nullptr || p->type != type) return false;
  return std::from_chars(p->value.data(), p->value.data() + p->value.size(), to).ec == std::errc{};
}

} // namespace

method::method(std::string_view name) : common_(none) {
  if (const auto same = method_of(name)) {
    *this = *same;
    return;
  }
  if (name.empty() || name.size() > own_.size() || !internal::all_of(name, internal::token_char))
    throw usage_error(fmt::format("http::method: '{}' is no method: it has 1 to {} letters, digits and characters of "
                                  "!#$%&'*+-.^_`|~, as PURGE",
                                  name.substr(0, 64), own_.size()));
  std::copy(name.begin(), name.end(), own_.begin());
}

std::string_view method::name() const noexcept {
  if (common_ < method_names.size()) return method_names[common_];
  return {own_.data(), static_cast<std::size_t>(std::find(own_.begin(), own_.end(), '\0') - own_.begin())};
}

std::optional<method> method_of(std::string_view name) noexcept {
  switch (name.size()) { // asked for each request
  case 3: return name == "GET" ? std::optional(method::get) : name == "PUT" ? std::optional(method::put) : std::nullopt;
  case 4:
    return name == "POST" ? std::optional(method::post) : name == "HEAD" ? std::optional(method::head) : std::nullopt;
  case 5:
    return name == "PATCH"   ? std::optional(method::patch)
           : name == "TRACE" ? std::optional(method::trace)
                             : std::nullopt;
  case 6: return name == "DELETE" ? std::optional(method::delete_) : std::nullopt;
  case 7:
    return name == "OPTIONS"   ? std::optional(method::options)
           : name == "CONNECT" ? std::optional(method::connect)
                               : std::nullopt;
  default: return std::nullopt;
  }
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
  case 100: return "Continue";
  case 101: return "Switching Protocols";
  case 103: return "Early Hints";
  case 200: return "OK";
  case 201: return "Created";
  case 202: return "Accepted";
  case 203: return "Non-Authoritative Information";
  case 204: return "No Content";
  case 205: return "Reset Content";
  case 206: return "Partial Content";
  case 207: return "Multi-Status";
  case 208: return "Already Reported";
  case 226: return "IM Used";
  case 300: return "Multiple Choices";
  case 301: return "Moved Permanently";
  case 302: return "Found";
  case 303: return "See Other";
  case 304: return "Not Modified";
  case 305: return "Use Proxy";
  case 307: return "Temporary Redirect";
  case 308: return "Permanent Redirect";
  case 400: return "Bad Request";
  case 401: return "Unauthorized";
  case 402: return "Payment Required";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 406: return "Not Acceptable";
  case 407: return "Proxy Authentication Required";
  case 408: return "Request Timeout";
  case 409: return "Conflict";
  case 410: return "Gone";
  case 411: return "Length Required";
  case 412: return "Precondition Failed";
  case 413: return "Content Too Large";
  case 414: return "URI Too Long";
  case 415: return "Unsupported Media Type";
  case 416: return "Range Not Satisfiable";
  case 417: return "Expectation Failed";
  case 421: return "Misdirected Request";
  case 422: return "Unprocessable Content";
  case 423: return "Locked";
  case 424: return "Failed Dependency";
  case 425: return "Too Early";
  case 426: return "Upgrade Required";
  case 428: return "Precondition Required";
  case 429: return "Too Many Requests";
  case 431: return "Request Header Fields Too Large";
  case 451: return "Unavailable For Legal Reasons";
  case 500: return "Internal Server Error";
  case 501: return "Not Implemented";
  case 502: return "Bad Gateway";
  case 503: return "Service Unavailable";
  case 504: return "Gateway Timeout";
  case 505: return "HTTP Version Not Supported";
  case 506: return "Variant Also Negotiates";
  case 507: return "Insufficient Storage";
  case 508: return "Loop Detected";
  case 510: return "Not Extended";
  case 511: return "Network Authentication Required";
  default: return "";
  }
}

// -- request ----------------------------------------------------------------------------------------------

request::request(std::unique_ptr<detail::request_data> data) noexcept : data_(std::move(data)) {}
request::request(request&&) noexcept = default;
request& request::operator=(request&&) noexcept = default;
request::~request() = default;

const method& request::method() const noexcept { return data_->method; }
std::string_view request::target() const noexcept { return data_->target; }
std::string_view request::path() const noexcept { return data_->path; }
std::string_view request::query() const noexcept { return data_->query; }
std::string_view request::host() const noexcept { return data_->host; }
std::string_view request::peer() const noexcept { return data_->peer; }

void request::mark_answer(std::string_view name, std::string_view value) {
  response::check_field(name, value); // now: later it would throw in the wrong place
  if (data_->marks) data_->marks->add(std::string(name), std::string(value));
}
std::string_view request::body() const noexcept { return data_->body; }
std::span<const field> request::trailers() const noexcept { return detail::fields_of(data_->trailers.get()); }
std::string request::take_body() noexcept { return std::exchange(data_->body, {}); }
std::span<const field> request::headers() const noexcept { return data_->fields; }
int request::minor_version() const noexcept { return data_->minor_version; }
bool request::secure() const noexcept { return data_->secure; }

std::optional<std::string> request::query_value(std::string_view name) const {
  return http::query_value(data_->query, name);
}

namespace {

template <class Number>
result<Number> number_of(const std::optional<std::string>& text, std::string_view name, Number otherwise, Number least,
                         Number most) {
  if (!text) return otherwise;
  const char* const end = text->data() + text->size();
  Number n = 0;
  const auto read = std::from_chars(text->data(), end, n);
  if (read.ec == std::errc() && read.ptr == end && n >= least && n <= most) return n;
  return error(errc::parse, fmt::format("{} must be a whole number from {} to {}, not '{}'", name, least, most, *text));
}

} // namespace

result<std::int64_t> request::read_query_number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                                std::int64_t most) const {
  return number_of(query_value(name), name, otherwise, least, most);
}

result<std::uint64_t> request::read_query_number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                                 std::uint64_t most) const {
  return number_of(query_value(name), name, otherwise, least, most);
}

std::string_view request::parameter(std::string_view name) const {
  if (const auto* const p = find_parameter(data_->parameters, name)) return p->value;
  throw usage_error(fmt::format("http request for '{}': its route has no parameter '{}'", path(), name));
}

void request::read_parameter(std::string_view name, std::int64_t& to) const {
  if (read_number(data_->parameters, name, parameter_type::int_, to)) return;
  throw usage_error(fmt::format("http request for '{}': its route has no parameter '{{{}:int}}'", path(), name));
}

void request::read_parameter(std::string_view name, std::uint64_t& to) const {
  if (read_number(data_->parameters, name, parameter_type::uint, to)) return;
  throw usage_error(fmt::format("http request for '{}': its route has no parameter '{{{}:uint}}'", path(), name));
}

std::optional<std::string_view> request::header(std::string_view name) const noexcept {
  const auto same = [name](const field& f) { return internal::same_name(f.name, name); };
  const auto it = std::find_if(data_->fields.begin(), data_->fields.end(), same);
  if (it == data_->fields.end()) return std::nullopt;
  return it->value;
}

// -- response ---------------------------------------------------------------------------------------------

response::response(int status) : status_(status) {
  if (status < 200 || status > 599)
    throw usage_error(fmt::format("http::response: the status must be from 200 to 599, not {}", status));
}

response::response(int status, std::string_view content_type, std::string body) : response(status) {
  header("Content-Type", content_type);
  body_ = std::move(body);
}

void response::check_field(std::string_view name, std::string_view value) {
  if (name.empty() || internal::span_of_name(name) != name.size())
    throw usage_error(fmt::format("http::response: '{}' is no name for a header field", name));
  if (internal::span_of_value(value) != value.size())
    throw usage_error(fmt::format("http::response: the value of the header field {} holds a control character", name));
  for (const auto own : fields_of_the_server) {
    if (internal::same_word(name, own))
      throw usage_error(fmt::format("http::response: the server writes the header field {} itself", name));
  }
}

response& response::header(std::string_view name, std::string_view value) & {
  check_field(name, value);
  if (internal::lies_in(name, header_lines_) || internal::lies_in(value, header_lines_)) // which may move now
    return header(std::string(name), std::string(value));
  header_lines_.reserve(header_lines().size() + name.size() + value.size() + 4);
  header_lines_.append(std::exchange(only_line_, {}));
  header_lines_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

response& response::set_header(std::string_view name, std::string_view value) & {
  check_field(name, value);
  const std::string kept_name(name), kept(value); // they may be views of what is removed
  return remove_header(kept_name).header(kept_name, kept);
}

response& response::remove_header(std::string_view name) & noexcept {
  if (internal::same_name(only_line_.substr(0, only_line_.find(':')), name)) only_line_ = {};
  for (std::size_t at = 0; at < header_lines_.size();) {
    const auto size = header_lines_.find("\r\n", at) + 2 - at;
    const auto line = std::string_view(header_lines_).substr(at, size);
    if (internal::same_name(line.substr(0, line.find(':')), name)) {
      header_lines_.erase(at, size);
    } else {
      at += size;
    }
  }
  return *this;
}

response& response::body(std::string bytes) & {
  if (next_) throw usage_error("http::response: the body is streamed already; it cannot have another one");
  body_ = std::move(bytes);
  return *this;
}

std::optional<std::string_view> response::header(std::string_view name) const noexcept {
  for (auto left = header_lines(); !left.empty();) {
    const auto line = left.substr(0, left.find("\r\n"));
    left.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    if (internal::same_name(line.substr(0, colon), name)) return line.substr(colon + 2);
  }
  return std::nullopt;
}

response response::of_type(std::string_view line, std::string body, int status) {
  response r(status);
  r.only_line_ = line;
  r.body_ = std::move(body);
  return r;
}

response text(std::string body, int status) {
  return response::of_type("Content-Type: text/plain; charset=utf-8\r\n", std::move(body), status);
}
response json(std::string body, int status) {
  return response::of_type("Content-Type: application/json\r\n", std::move(body), status);
}
response html(std::string body, int status) {
  return response::of_type("Content-Type: text/html; charset=utf-8\r\n", std::move(body), status);
}

} // namespace greenroom::http
