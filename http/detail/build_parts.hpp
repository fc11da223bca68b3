// What the http folder was built with, as greenroom/runtime/detail/build_parts.hpp.
// Thread safety: any thread.
#pragma once

#include <greenroom/runtime/detail/build_parts.hpp>

namespace greenroom::http::detail {

/// zlib and nlohmann-json.
GREENROOM_EXPORT std::vector<greenroom::detail::build_part> build_parts();

} // namespace greenroom::http::detail
