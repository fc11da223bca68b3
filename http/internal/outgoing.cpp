#include <greenroom/http/internal/outgoing.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/runtime/version.hpp>

namespace greenroom::http::internal {
namespace {

bool is_idempotent(method m) noexcept { // Source: RFC 9110 section 9.2.2
  return m != method::post && m != method::patch && m != method::connect;
}

/// Says whether a request of this method has a body by its nature, so that an empty one has to be announced.
bool expects_body(method m) noexcept { return m == method::post || m == method::put || m == method::patch; }

template <class Fields>
bool has(const Fields& fields, std::string_view name) noexcept {
  return std::any_of(fields.begin(), fields.end(), [name](const auto& f) { return same_word(f.name, name); });
}

} // namespace

result<outgoing> outgoing::from(client_request request, const client_options& how, bool streamed) {
  if (request.method_ == method::connect)
    return error(errc::invalid_argument, "CONNECT makes a tunnel, which this client cannot use");
  if (request.method_ == method::trace && !request.body_.empty())
    return error(errc::invalid_argument, "a TRACE request has no body");
  auto url = parse_web_url(request.url_);
  if (!url) return error(errc::invalid_argument, std::string(url.error().message()));
  outgoing made;
  made.method = request.method_;
  made.url = std::move(*url);
  made.fields = std::move(request.fields_);
  made.body = std::move(request.body_);
  made.most.head = how.head;
  made.most.fields = how.fields;
  made.most.body = streamed ? std::numeric_limits<std::size_t>::max() : request.body_limit_.value_or(how.body);
  made.most.to_head = request.method_ == method::head;
  made.limit = request.limit_.value_or(how.request_time);
  made.hedge_after = request.hedge_after_;
  made.idempotent = request.idempotent_ || has(made.fields, "idempotency-key");
  return made;
}

std::string outgoing::head(std::string_view traceparent) const {
  std::string text;
  text.reserve(256 + url.target.size());
  text.append(to_string(method)).append(" ").append(url.target).append(" HTTP/1.1\r\nHost: ").append(url.authority());
  text += "\r\n";
  for (const auto& f : fields) text.append(f.name).append(": ").append(f.value).append("\r\n");
  if (!has(fields, "user-agent")) text += "User-Agent: greenroom/" GREENROOM_VERSION "\r\n";
  if (!traceparent.empty() && !has(fields, "traceparent"))
    text.append("traceparent: ").append(traceparent).append("\r\n");
  if (!body.empty() || expects_body(method)) text += fmt::format("Content-Length: {}\r\n", body.size());
  text += "\r\n";
  return text;
}

bool outgoing::may_repeat() const noexcept { return idempotent || is_idempotent(method); }

template <std::size_t N>
void outgoing::remove_fields(const std::string_view (&names)[N]) {
  std::erase_if(fields, [&names](const auto& f) {
    return std::any_of(std::begin(names), std::end(names), [&f](auto name) { return same_word(f.name, name); });
  });
}

result<void> outgoing::redirect(int status, std::string_view location) {
  auto to = resolve(url, location);
  if (!to) return to.error();
  if (url.secure && !to->secure)
    return error(errc::unsupported, "it leads from https to http, where others could read and change the request");
  if (to->origin() != url.origin()) remove_fields({"authorization", "cookie", "proxy-authorization"});
  const bool to_get = (status == 303 && method != method::get && method != method::head) ||
                      ((status == 301 || status == 302) && method == method::post);
  if (to_get) {
    method = method::get;
    body.clear();
    remove_fields({"content-type", "content-encoding", "content-language", "content-location"});
  }
  url = std::move(*to);
  return {};
}

} // namespace greenroom::http::internal
