// What the cluster stores refuse, in the same words. Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/actors/cluster_store.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>

namespace greenroom::internal {

inline constexpr std::size_t longest_cluster_name = 200; // Units: bytes

/// Errors: invalid_argument for a name or a time that cannot be.
inline result<void> check_ttl(std::string_view what, std::string_view name, duration ttl) {
  if (name.empty() || name.size() > longest_cluster_name)
    return error(errc::invalid_argument,
                 fmt::format("cannot {} a name of {} bytes: from 1 to {}", what, name.size(), longest_cluster_name));
  if (ttl < std::chrono::milliseconds(1) || ttl > std::chrono::hours(24))
    return error(errc::invalid_argument,
                 fmt::format("cannot {} '{}' for {} ns: from 1 ms to 24 h", what, name, ttl.count()));
  return {};
}

/// `left`: what the other has of its time.
inline error name_taken(const cluster_member& wants, const cluster_member& has, duration left) {
  const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(left), std::chrono::seconds(1));
  return {errc::already_exists,
          fmt::format("cannot announce '{}' at {}:{}: that name lives at {}:{}; if that was this member before it was "
                      "started again, it has the name for {} more at most; else give each member a name of its own",
                      wants.name, wants.host, wants.port, has.host, has.port, detail::show_duration(seconds))};
}
inline error lease_taken(const lease& held) {
  return {errc::already_exists,
          fmt::format("the lease '{}' is held by '{}' (token {})", held.name, held.holder, held.token)};
}
inline error lease_over(const lease& held) {
  return {errc::not_found,
          fmt::format("the lease '{}' of '{}' with token {} is over: its time has passed, or another has it", held.name,
                      held.holder, held.token)};
}

} // namespace greenroom::internal
