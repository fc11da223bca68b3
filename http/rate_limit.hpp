// rate_limit: so many requests in so much time for each client, and not more at once: a token bucket for each key.
//
//   front.use(http::rate_limit({.requests = 600, .period = 1min, .burst = 50}));
//   front.use(http::rate_limit({.requests = 5, .period = 1min, .key = [](const http::request& r) -> std::optional<std::string> {
//     return r.path() == "/login" ? std::optional(http::peer_group(r.peer())) : std::nullopt;
//   }}));
//
// Who is over the limit gets 429 with Retry-After, and no handler is called. Each server counts for itself.
// It sees a request when its whole body was read (and 100 Continue sent, if the client waited for it), unless the handler takes a body_reader: then it
// counts before the body. What who is over the limit can send is so bounded by handler::body_limit(), or limits::body.
// Buckets are kept in 16 parts, each behind a lock that is held for one search: a request meets another one there only if both come at the same
// moment and fall into the same part. An actor that counts would cost each request two changes of actor, and be one queue for all.
// Thread safety: calls come from any worker. Lifetime: as the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/middleware.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Returns by what the client at that address, "127.0.0.1:41234" or "[2001:db8::1]:80", is counted: the address without the port for IPv4, also
/// where it is written as one of IPv6; the first 64 bits, "2001:db8::/64", for IPv6, as a single customer has that many addresses. What is no
/// address comes back as it is.
GREENROOM_EXPORT std::string peer_group(std::string_view peer);

/// How many requests there may be, and of whom. Thread safety: as a value.
struct rate_limit_options {
  /// So many requests in so much time, spread evenly: at least 1, at least 1 ns for each of them, and a day at most. Units: requests.
  std::uint64_t requests = 100;
  /// The time for so many requests.
  duration period = std::chrono::minutes(1);
  /// How many of those may come at once, from 1 to a million, and no more than come back in a year; 0: all `requests`, up to that. Units: requests.
  std::uint64_t burst = 0;
  /// The most keys that are counted at a time, from 16 to 16,777,216; beyond that those that were used least lately are forgotten, which gives them a
  /// full bucket again. Each costs some 200 bytes. Units: keys.
  std::size_t keys = 65'536;
  /// By what a request is counted; nothing: it is not. Of a key the first 256 bytes count. None: by peer_group(). Behind a proxy all come from its
  /// address: take what it says of the client, but only what it, and no client, can have written.
  std::function<std::optional<std::string>(const request&)> key{};
  /// Whether answers tell the client how it stands, by the fields RateLimit-Policy and RateLimit. Source: draft-ietf-httpapi-ratelimit-headers.
  bool fields = false;
};

/// Makes the middleware. Errors: usage_error if an option is out of range.
GREENROOM_EXPORT middleware rate_limit(rate_limit_options how);

} // namespace greenroom::http
