// A dump of a flight recorder as it was written as JSON, and what of it somebody wants to see.
// Thread safety: as values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/flight_recorder.hpp>

namespace trace_reading {

/// Reads JSON as flight_log::to_json() writes it, in this and later versions. Texts come without control characters.
/// Errors: parse, with line and column; invalid_argument, with the place of a value that is none of such a dump.
greenroom::result<greenroom::flight_log> parse(std::string_view json);

/// Which events to show; all that is given must hold.
struct filter {
  std::optional<std::uint64_t> actor; ///< by its number,
  std::string name;                   ///< or a part of its name
  std::optional<greenroom::flight_kind> kind;
  std::string trace_id; ///< lines of the log of this trace, by its first digits at least
  std::chrono::milliseconds from{0};
  std::chrono::milliseconds to = std::chrono::milliseconds::max();
  std::optional<std::chrono::milliseconds> since; ///< so long before the dump was made, at most
  std::size_t last = SIZE_MAX;                    ///< the newest of those
};
greenroom::flight_log filtered(greenroom::flight_log all, const filter& by);

/// "took", "spawned", "ended", "logged". Nothing for others.
std::optional<greenroom::flight_kind> kind_of(std::string_view name);

/// Returns the events that `before` has not: of one service, asked twice. Items that one actor has taken in a row are one event, which
/// comes again when there are more of them.
greenroom::flight_log new_since(const greenroom::flight_log& before, greenroom::flight_log now);

/// Writes it in the form of Chrome's trace events: a row for each actor, from its spawn to its end.
/// Source: "Trace Event Format", Google.
std::string chrome_of(const greenroom::flight_log& log);

} // namespace trace_reading
