// Addresses that are asked for: what is taken is taken again as it is written, and a reference leads where RFC 3986 says, step by step. An input
// is an address, a line feed, and a reference that was found there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/internal/host.hpp>
#include <greenroom/http/internal/web_url.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view scheme_chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";

/// Source: RFC 3986 section 3, and appendix B.
struct parts {
  std::string scheme;
  std::optional<std::string> authority;
  std::string path;
  std::optional<std::string> query;

  explicit parts(std::string_view text) {
    text = text.substr(0, text.find('#'));
    const auto colon = text.find_first_not_of(scheme_chars);
    if (colon != text.npos && colon != 0 && text[colon] == ':' && letters.find(text[0]) != letters.npos) {
      scheme = text.substr(0, colon);
      text.remove_prefix(colon + 1);
    }
    if (text.starts_with("//")) {
      text.remove_prefix(2);
      authority = text.substr(0, text.find_first_of("/?"));
      text.remove_prefix(authority->size());
    }
    path = text.substr(0, text.find('?'));
    if (path.size() < text.size()) query = text.substr(path.size() + 1);
  }
  std::string text() const {
    auto all = scheme + ":";
    if (authority) all.append("//").append(*authority);
    all += path;
    if (query) all.append("?").append(*query);
    return all;
  }
};

/// Source: RFC 3986 section 5.2.4, to the letter.
std::string without_dots(std::string in) {
  std::string out;
  const auto drop_last = [&out] { out.erase(std::min(out.size(), out.rfind('/'))); };
  while (!in.empty()) {
    if (in.starts_with("../")) {
      in.erase(0, 3);
    } else if (in.starts_with("./") || in.starts_with("/./")) {
      in.erase(0, 2);
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../")) {
      in.erase(0, 3);
      drop_last();
    } else if (in == "/..") {
      in = "/";
      drop_last();
    } else if (in == "." || in == "..") {
      in.clear();
    } else {
      const auto end = std::min(in.size(), in.find('/', 1));
      out.append(in, 0, end);
      in.erase(0, end);
    }
  }
  return out;
}

/// Source: RFC 3986 section 5.2.2.
parts resolved(const parts& base, parts r) {
  const bool has_scheme = !r.scheme.empty();
  if (!has_scheme) r.scheme = base.scheme;
  if (has_scheme || r.authority) {
    r.path = without_dots(r.path);
    return r;
  }
  r.authority = base.authority;
  if (r.path.empty()) {
    r.path = base.path;
    if (!r.query) r.query = base.query;
  } else if (!r.path.starts_with('/')) {
    r.path.insert(0, base.path, 0, base.path.rfind('/') + 1);
  }
  r.path = without_dots(r.path);
  return r;
}

bool is_well_formed(std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  return std::all_of(reference.begin(), reference.end(), [](char c) { return c > 0x20 && c < 0x7f; }) &&
         percent_decode(reference).has_value() && reference.find("%00") == reference.npos;
}

void require_sound(const web_url& u) {
  require(!u.host.empty() && u.host.size() <= 255 && u.port != 0, "there are a host and a port");
  require(u.host == lower(u.host), "a host is in lower case");
  require(u.host.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-._:") == u.host.npos,
          "and has no other characters");
  require(is_host(u.authority()), "the Host field is one that is taken");
  require(u.target.starts_with('/'), "a target begins with a slash");
  for (const char c : u.target) require(c > 0x20 && c < 0x7f && c != '#', "a target consists of allowed characters");
  require(percent_decode(u.target).has_value(), "its escapes are whole");
  const auto path = u.target.substr(0, u.target.find('?')) + "/";
  require(path.find("/./") == path.npos && path.find("/../") == path.npos, "its path has no dot segments");
}

void require_same_url(const greenroom::result<web_url>& got, const greenroom::result<web_url>& expected,
                      const char* property) {
  require(got.has_value() == expected.has_value(), property);
  if (!got) return require_same(got.error().message(), expected.error().message(), property);
  require(got->secure == expected->secure && got->port == expected->port, property);
  require_same(got->host + got->target, expected->host + expected->target, property);
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  const input from(data, std::min<std::size_t>(size, 600)); // more than the longest host
  const auto text = from.text();
  const auto address = text.substr(0, text.find('\n'));
  const auto reference = text.substr(std::min(text.size(), address.size() + 1));

  const auto base = parse_web_url(address);
  if (!base) {
    const auto why = base.error().message();
    require(std::none_of(why.begin(), why.end(), is_control), "a refusal is one sentence");
    return 0;
  }
  require_sound(*base);
  require_same_url(parse_web_url(base->text()), base, "an address is taken again as it is written");
  require(lower(address).starts_with(base->secure ? "https://" : "http://"), "the scheme is the one that was given");
  const parts of_base(address);
  require_same(base->target,
               (of_base.path.empty() ? "/" : without_dots(of_base.path)) + (of_base.query ? "?" + *of_base.query : ""),
               "the target is path and query");
  require_same_url(resolve(*base, ""), base, "the empty reference leads nowhere else");
  require_same_url(resolve(*base, base->text() + "#here"), base, "an address is a reference too");

  const auto led = resolve(*base, reference);
  if (led) {
    require_sound(*led);
  } else if (!is_well_formed(reference)) {
    return 0; // also in a segment that a later ".." takes away
  }
  const parts of_reference(reference);
  if (!of_reference.scheme.empty() && !of_reference.authority) {
    // "http:.//a": without its dots it would look like an address.
    require(!led, "an address with a scheme has a host");
    return 0;
  }
  require_same_url(led, parse_web_url(resolved(parts(base->text()), of_reference).text()),
                   "a reference leads where the standard says");
  return 0;
}
