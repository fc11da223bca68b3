// A text as JSON writes it, whatever its bytes are.
// Thread safety: a pure function. Source: RFC 8259, section 7.
#pragma once

#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns `text` between quotes, with what JSON wants escaped; each byte that is no UTF-8 becomes U+FFFD.
GREENROOM_EXPORT std::string json_literal(std::string_view text);

} // namespace greenroom::detail
