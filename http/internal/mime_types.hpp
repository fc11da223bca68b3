// Which content type a file has, by the end of its name.
// Thread safety: pure functions. Lifetime: what they return lives as long as the program.
// Source: the media types that IANA has registered; RFC 9239 for JavaScript.
#pragma once

#include <string_view>

namespace greenroom::http::internal {

/// Returns the content type for what follows the last dot of the name, without regard to case; the name may be a path. Text has
/// "; charset=utf-8". What is unknown, has no dot, or only one at its front is "application/octet-stream", which browsers save and never run.
std::string_view content_type_of_file(std::string_view name) noexcept;

} // namespace greenroom::http::internal
