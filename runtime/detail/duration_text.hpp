// Durations as texts in files and on command lines: "500ms", "2s", "5min", "1h".
// Thread safety: any thread. Lifetime: as values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// For error texts: "... is not " and this.
inline constexpr std::string_view duration_form = "a duration such as 500ms, 2s, 5min or 1h";

/// Returns nothing if the text is not of that form, or the duration too long for its type.
GREENROOM_EXPORT std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Returns what parse_duration() reads, in the longest unit that divides it; negative numbers it does not read.
GREENROOM_EXPORT std::string show_duration(std::chrono::milliseconds length);

} // namespace greenroom::detail
