// Which host names a request may ask for.
// Thread safety: pure functions. Source: RFC 9110 section 7.2, RFC 3986 section 3.2.2.
#pragma once

#include <string_view>

namespace greenroom::http::internal {

/// Says whether the text is a name, an IPv4 address, or an IPv6 address in brackets, and perhaps a colon and a port. Refuses
/// what the grammar allows but nobody can mean: a port without a name or above 65535, and addresses of a version to come.
bool is_host(std::string_view text) noexcept;

} // namespace greenroom::http::internal
