// Dates as HTTP writes them: all three forms are read, one is written.
// Thread safety: pure functions. Source: RFC 9110 section 5.6.7.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace greenroom::http::internal {

/// Reads "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or "Sun Nov  6 08:49:37 1994"; nothing for any other text,
/// with case. The name of the day must be one but need not be the right one: many senders compute it wrongly, and nothing depends on it. A
/// year of two digits is the last one that ends so and does not put the date more than 50 years after `now`.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text, std::chrono::sys_seconds now) noexcept;

/// Returns "Sun, 06 Nov 1994 08:49:37 GMT". A time outside of the years 0 to 9999 becomes the nearest one that can be written, since
/// file systems tell any.
std::string http_date(std::chrono::sys_seconds when);

} // namespace greenroom::http::internal
