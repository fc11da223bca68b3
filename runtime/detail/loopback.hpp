// Whether a host is this machine by way of loopback, where no network is in between.
// Thread safety: a pure function.
#pragma once

#include <string>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns true for "localhost", 127.0.0.0/8 and ::1, and for no other name: "127.0.0.1.example.com" may be anywhere.
GREENROOM_EXPORT bool is_loopback(const std::string& host) noexcept;

} // namespace greenroom::detail
