// SHA-1, for the key of a WebSocket handshake alone. It is broken for signatures and secrets; there it only shows that a server has read
// the key and speaks the protocol. Written here because Boost's stands in a detail header whose form changes between releases.
// Thread safety: pure functions. Source: FIPS 180-4; RFC 4648 section 4 for base64.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace greenroom::http::internal {

std::array<unsigned char, 20> sha1(std::string_view bytes);
std::string base64(std::string_view bytes);

} // namespace greenroom::http::internal
