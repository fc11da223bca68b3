// A place in the source, for sentences.
// Thread safety: any thread. Lifetime: owns its text.
#pragma once

#include <source_location>
#include <string>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns "shop.cpp:12", without the folders.
GREENROOM_EXPORT std::string file_and_line(const std::source_location& where);

} // namespace greenroom::detail
