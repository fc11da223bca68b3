// What the actors folder was built with, as greenroom/runtime/detail/build_parts.hpp.
// Thread safety: any thread.
#pragma once

#include <greenroom/runtime/detail/build_parts.hpp>

namespace greenroom::detail {

/// SQLite, PostgreSQL's client and the time zones.
GREENROOM_EXPORT std::vector<build_part> actors_parts();

} // namespace greenroom::detail
