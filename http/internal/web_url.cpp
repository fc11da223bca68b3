#include <greenroom/http/internal/web_url.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/host.hpp>

namespace greenroom::http::internal {
namespace {

// Source: RFC 1035 section 2.3.4.
constexpr std::size_t longest_host = 255;
constexpr std::size_t longest_shown = 200;

error malformed(std::string reason) { return {errc::parse, std::move(reason)}; }

constexpr std::uint16_t usual_port(bool secure) noexcept { return secure ? 443 : 80; }

constexpr bool is_letter(char c) noexcept {
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'z';
}

std::string_view without_fragment(std::string_view text) noexcept { return text.substr(0, text.find('#')); }

/// Returns the scheme that the text begins with, or "".
std::string_view scheme_of(std::string_view text) noexcept {
  if (text.empty() || !is_letter(text.front())) return {};
  const auto end = std::find_if_not(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is(c, digit_char) || c == '+' || c == '-' || c == '.';
  });
  return end != text.end() && *end == ':' ? text.substr(0, static_cast<std::size_t>(end - text.begin()))
                                          : std::string_view();
}

/// Source: RFC 3986 section 5.2.4. Requires: begins with '/'.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_with_slash = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    ends_with_slash = segment == "." || segment == "..";
    if (!ends_with_slash) kept.push_back(segment);
    if (segment == ".." && !kept.empty()) kept.pop_back();
  }
  std::string result;
  for (const auto each : kept) result.append("/").append(each);
  if (ends_with_slash || result.empty()) result += '/';
  return result;
}

/// Checks path and query, which may be empty, and puts them into `into`.
result<void> take_target(web_url& into, std::string_view text) {
  if (!all_of(text, target_char))
    return malformed("path and query must be ASCII without spaces and control characters; percent-encode the others");
  if (!escapes_are_whole(text))
    return malformed("a '%' is not followed by two hexadecimal digits, or stands for a zero byte");
  const auto path = text.substr(0, text.find('?'));
  into.target = path.empty() ? "/" : without_dot_segments(path);
  into.target.append(text.substr(path.size()));
  return {};
}

result<void> take_authority(web_url& into, std::string_view text) {
  if (text.find('@') != text.npos)
    return malformed("an address must not hold a user or a password; send an Authorization field");
  auto host = text.substr(0, text.find(text.starts_with('[') ? ']' : ':'));
  if (host.starts_with('[')) host = text.substr(0, host.size() + 1);
  const auto port = text.substr(host.size());
  if (host.empty()) return malformed("the host is missing");
  const bool plain = host.front() == '[' || std::all_of(host.begin(), host.end(), [](char c) {
                       return is_letter(c) || is(c, digit_char) || c == '-' || c == '.' || c == '_';
                     });
  if (!plain || host.size() > longest_host || !is_host(host))
    return malformed(
        fmt::format("the host must be an address or a name of letters, digits and \"-._\" with at most {} characters",
                    longest_host));
  into.port = usual_port(into.secure);
  if (port.size() > 1) {
    const auto end = port.data() + port.size();
    const auto read = std::from_chars(port.data() + 1, end, into.port);
    if (port.front() != ':' || read.ptr != end || read.ec != std::errc() || into.port == 0)
      return malformed("the port must be a number from 1 to 65535");
  }
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  into.host.assign(host);
  std::transform(into.host.begin(), into.host.end(), into.host.begin(), to_lower);
  return {};
}

/// Requires: `rest` is what follows "http://".
result<web_url> parse_behind_scheme(bool secure, std::string_view rest) {
  web_url made;
  made.secure = secure;
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  auto checked = take_authority(made, authority);
  if (checked) checked = take_target(made, rest.substr(authority.size()));
  if (!checked) return checked.error();
  return made;
}

} // namespace

std::string web_url::authority() const {
  const bool six = host.find(':') != host.npos;
  auto text = six ? fmt::format("[{}]", host) : host;
  if (port != usual_port(secure)) text += fmt::format(":{}", port);
  return text;
}

std::string web_url::origin() const { return (secure ? "https://" : "http://") + authority(); }

std::string shown_reference(std::string_view reference) {
  reference = reference.substr(0, reference.find_first_of("?#"));
  std::string shown(reference.substr(0, longest_shown));
  const auto slashes = shown.find("//");
  const auto at = slashes == shown.npos ? slashes : shown.find('@', slashes);
  if (at < shown.find('/', slashes + 2)) shown.replace(slashes + 2, at - slashes - 2, "...");
  return shown;
}

result<web_url> parse_web_url(std::string_view text) {
  text = without_fragment(text);
  const auto scheme = scheme_of(text);
  const bool secure = same_word(scheme, "https");
  auto rest = text.substr(scheme.empty() ? 0 : scheme.size() + 1);
  if ((!secure && !same_word(scheme, "http")) || !rest.starts_with("//"))
    return malformed("the address must begin with http:// or https://");
  rest.remove_prefix(2);
  return parse_behind_scheme(secure, rest);
}

result<web_url> resolve(const web_url& base, std::string_view reference) {
  reference = without_fragment(reference);
  if (!scheme_of(reference).empty()) return parse_web_url(reference);
  if (reference.starts_with("//")) return parse_behind_scheme(base.secure, reference.substr(2));
  web_url made = base;
  if (reference.empty()) return made;
  std::string target(reference);
  if (reference.front() != '/') {
    const auto path = std::string_view(base.target).substr(0, base.target.find('?'));
    target.insert(0, reference.front() == '?' ? path : path.substr(0, path.rfind('/') + 1));
  }
  if (auto checked = take_target(made, target); !checked) return checked.error();
  return made;
}

} // namespace greenroom::http::internal
