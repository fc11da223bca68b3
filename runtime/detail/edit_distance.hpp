// How far one word is spelled from another, for errors that name the nearest known one.
// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns how many characters must be added, removed or replaced to get from one text to the other.
/// Cost: the product of their lengths.
GREENROOM_EXPORT std::size_t edit_distance(std::string_view from, std::string_view to);

} // namespace greenroom::detail
