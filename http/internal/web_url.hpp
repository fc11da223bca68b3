// The address of a request that is sent: taken apart, checked, and resolved against another one. Strict: what two programs could read
// differently (user information, a port that is no number, spaces) is refused and not mended.
// Thread safety: as a value. Source: RFC 3986, RFC 9110 section 4.2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {

struct web_url {
  bool secure = false;
  std::string host; ///< in lower case; an IPv6 address without its brackets
  std::uint16_t port = 80;
  std::string target = "/"; ///< path and query, without dot segments; no fragment: it is never sent

  /// Returns "example.org" or "[::1]:8080", as the Host field has it: without the port that goes without saying.
  std::string authority() const;
  /// Returns "http://example.org", which tells apart who must not see each other's secrets. Source: RFC 6454 section 4.
  std::string origin() const;
  std::string text() const { return origin() + target; }
  /// Returns what errors may show of it: no query, since that often holds secrets, and errors get into logs.
  std::string shown() const { return origin() + target.substr(0, target.find('?')); }
};

/// Returns what errors may show of a reference that was perhaps none: no query, no fragment, no user information, at most 200 bytes.
std::string shown_reference(std::string_view reference);

/// Errors: parse, saying what is wrong with the address.
result<web_url> parse_web_url(std::string_view text);

/// Returns where a reference leads that was found at `base`, as the Location field of an answer. Errors: as above.
/// Source: RFC 3986 section 5.2.
result<web_url> resolve(const web_url& base, std::string_view reference);

} // namespace greenroom::http::internal
