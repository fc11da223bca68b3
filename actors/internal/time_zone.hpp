// The offsets of a place from UTC. Behind it is Howard Hinnant's date library, which reads the system's IANA database; what C++20 has of it is not in g++ 12.
// Thread safety: pure functions.
#pragma once

#include <chrono>
#include <string_view>

namespace greenroom::internal {

/// A stretch of time in which a place has one offset.
struct offset_span {
  std::chrono::sys_seconds begin, end; // [begin, end); the first and last reach as far as the database
  std::chrono::seconds offset;
};

bool has_time_zones() noexcept;
bool zone_exists(std::string_view zone);
/// Requires: the zone exists.
offset_span offset_at(std::string_view zone, std::chrono::sys_seconds when);

} // namespace greenroom::internal
