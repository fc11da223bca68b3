#include <greenroom/http/cors.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/single_field.hpp>

namespace greenroom::http {
namespace {

using namespace std::chrono_literals;

bool is_any(const std::vector<std::string>& list) noexcept { return list.size() == 1 && list.front() == "*"; }

std::string joined(const std::vector<std::string>& list) { return fmt::format("{}", fmt::join(list, ", ")); }

std::string joined(const std::vector<method>& list) {
  std::vector<std::string> names;
  for (const auto m : list) names.emplace_back(to_string(m));
  return joined(names);
}

bool is_port(std::string_view text, std::string_view scheme) noexcept {
  const bool number = !text.empty() && text.size() <= 5 && internal::all_of(text, internal::digit_char);
  return number && text.front() != '0' && text != (scheme == "https" ? "443" : scheme == "http" ? "80" : "");
}

/// Whether a browser would write an origin so: a scheme, a host, and a port that is not the usual one.
bool is_origin(std::string_view text) noexcept {
  const auto slashes = text.find("://");
  if (slashes == text.npos) return false;
  const auto scheme = text.substr(0, slashes);
  auto host = text.substr(slashes + 3);
  const auto lower = [](char c) { return c < 'A' || c > 'Z'; };
  const auto in_scheme = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '+';
  };
  if (scheme.empty() || !std::all_of(scheme.begin(), scheme.end(), in_scheme)) return false;
  const bool six = host.starts_with('[');
  const auto end = six ? host.find(']') : host.find(':');
  if (six && end == host.npos) return false;
  const auto name = six ? host.substr(1, end - 1) : host.substr(0, end);
  const auto rest = end == host.npos ? std::string_view() : host.substr(six ? end + 1 : end);
  const auto in_host = [six](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || (six ? c == ':' : c == '-' || c == '_');
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), in_host) &&
         std::all_of(host.begin(), host.end(), lower) &&
         (rest.empty() || (rest.front() == ':' && is_port(rest.substr(1), scheme)));
}

void check_names(const std::vector<std::string>& names, std::string_view option) {
  if (is_any(names)) return;
  for (const auto& name : names) {
    if (name != "*" && !name.empty() && internal::all_of(name, internal::token_char)) continue;
    throw usage_error(
        fmt::format("http::cors: the option {} holds '{}', which is no name of a header field; \"*\" must "
                    "stand alone",
                    option, name));
  }
}

void check(const cors_options& how) {
  if (how.origins.empty())
    throw usage_error("http::cors: no origins are given; name them, or {\"*\"} for any, or leave cors() out");
  for (const auto& origin : how.origins) {
    if (is_any(how.origins) || is_origin(origin)) continue;
    throw usage_error(
        fmt::format("http::cors: '{}' is no origin as browsers write it: a scheme and a host in lower case, "
                    "a port unless it is the usual one, and no path: \"https://app.example\"; \"*\" must "
                    "stand alone",
                    origin));
  }
  check_names(how.headers, "headers");
  check_names(how.exposed, "exposed");
  if (how.credentials && (is_any(how.origins) || is_any(how.headers) || is_any(how.exposed))) {
    throw usage_error(
        "http::cors: credentials do not go with \"*\", and browsers refuse it: each page of the world could "
        "act as the user; name the origins and the header fields");
  }
  if (how.max_age < 0s || how.max_age > 24h) {
    throw usage_error(fmt::format("http::cors: max_age must be from 0 s to 86,400 s, not {} s", how.max_age.count()));
  }
}

class sharer final : public detail::any_middleware {
public:
  explicit sharer(cors_options how) : how_(std::move(how)) {
    check(how_);
    any_ = is_any(how_.origins);
    methods_ = joined(how_.methods);
    headers_ = joined(how_.headers);
    exposed_ = joined(how_.exposed);
    std::sort(how_.origins.begin(), how_.origins.end());
  }
  task<response> begin(request r, next on) const override { return shared(this, std::move(r), std::move(on)); }

private:
  static task<response> shared(const sharer* self, request r, next on) {
    const auto origin = internal::single_field(r.headers(), "origin");
    const bool preflight =
        r.method() == method::options && origin.present && r.header("Access-Control-Request-Method").has_value();
    const std::optional<std::string> allowed = self->allowed(origin.text);
    if (preflight) co_return self->to_preflight(allowed);
    self->mark([&r](std::string_view name, std::string_view value) { r.mark_answer(name, value); }, allowed);
    auto rest = on(std::move(r));
    auto answer = co_await std::move(rest);
    self->mark([&answer](std::string_view name, std::string_view value) { answer.header(name, value); }, allowed);
    co_return answer;
  }

  /// Returns what Access-Control-Allow-Origin is to say; nothing if the origin may not call.
  std::optional<std::string> allowed(const std::optional<std::string_view>& origin) const {
    if (any_) return "*"; // also without an origin: the answer may be kept for those who have one
    if (!origin || !std::binary_search(how_.origins.begin(), how_.origins.end(), *origin)) return std::nullopt;
    return std::string(*origin);
  }
  /// Gives `add` the fields that each answer is to have.
  template <class Add>
  void mark(Add add, const std::optional<std::string>& allowed, bool preflight = false) const {
    if (!any_) add("Vary", "Origin");
    if (!allowed) return;
    add("Access-Control-Allow-Origin", *allowed);
    if (how_.credentials) add("Access-Control-Allow-Credentials", "true");
    if (!exposed_.empty() && !preflight) add("Access-Control-Expose-Headers", exposed_);
  }
  response to_preflight(const std::optional<std::string>& allowed) const {
    auto answer = allowed ? response(204) : text("pages of this origin may not call this server\n", 403);
    mark([&answer](std::string_view name, std::string_view value) { answer.header(name, value); }, allowed, true);
    if (!allowed) return answer;
    if (!methods_.empty()) answer.header("Access-Control-Allow-Methods", methods_);
    if (!headers_.empty()) answer.header("Access-Control-Allow-Headers", headers_);
    answer.header("Access-Control-Max-Age", std::to_string(how_.max_age.count()));
    return answer;
  }

  cors_options how_;
  bool any_ = false;
  std::string methods_;
  std::string headers_;
  std::string exposed_;
};

} // namespace

middleware cors(cors_options how) { return middleware(std::make_shared<const sharer>(std::move(how))); }

} // namespace greenroom::http
