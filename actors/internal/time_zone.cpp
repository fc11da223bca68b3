#include <greenroom/actors/internal/time_zone.hpp>

#ifdef GREENROOM_HAS_TIME_ZONES
#include <stdexcept>
#include <string>

#include <date/tz.h>
#endif

namespace greenroom::internal {
namespace {

constexpr offset_span always{std::chrono::sys_seconds::min(), std::chrono::sys_seconds::max(), {}};
bool is_utc(std::string_view zone) noexcept { return zone == "UTC"; }

} // namespace

#ifdef GREENROOM_HAS_TIME_ZONES

bool has_time_zones() noexcept { return true; }

bool zone_exists(std::string_view zone) try {
  return is_utc(zone) || date::locate_zone(std::string(zone)) != nullptr;
} catch (const std::runtime_error&) {
  return false;
}

offset_span offset_at(std::string_view zone, std::chrono::sys_seconds when) {
  if (is_utc(zone)) return always;
  const auto info = date::locate_zone(std::string(zone))->get_info(date::sys_seconds(when.time_since_epoch()));
  return {std::chrono::sys_seconds(info.begin.time_since_epoch()),
          std::chrono::sys_seconds(info.end.time_since_epoch()), info.offset};
}

#else

bool has_time_zones() noexcept { return false; }
bool zone_exists(std::string_view zone) { return is_utc(zone); }
offset_span offset_at(std::string_view, std::chrono::sys_seconds) { return always; }

#endif

} // namespace greenroom::internal
