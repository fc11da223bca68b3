// When a server wants a request to be sent again.
// Thread safety: pure functions. Source: RFC 9110 sections 5.6.7 and 10.2.3.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <greenroom/runtime/clock.hpp>

namespace greenroom::http::internal {

/// Reads the value of a Retry-After field, seconds or a date; nothing if it is neither. A date that has passed is no time.
std::optional<duration> read_retry_after(std::string_view value,
                                         std::chrono::system_clock::time_point wall_now) noexcept;

} // namespace greenroom::http::internal
