#include <greenroom/http/limits.hpp>

#include <cstdint>

#include <fmt/format.h>

namespace greenroom::http {
namespace {

result<void> in_range(const char* name, std::size_t value, std::size_t least, std::size_t most) {
  if (value >= least && value <= most) return {};
  return error(errc::invalid_argument,
               fmt::format("the HTTP limit {} must be from {} to {}, not {}", name, least, most, value));
}

result<void> positive(const char* name, std::chrono::milliseconds value) {
  if (value.count() > 0) return {};
  return error(errc::invalid_argument,
               fmt::format("the HTTP limit {} must be at least 1 ms, not {} ms", name, value.count()));
}

} // namespace

result<void> limits::check() const {
  constexpr std::size_t any = SIZE_MAX / 2;
  for (const auto& outcome : {in_range("request_line", request_line, 64, 65'535), in_range("head", head, 256, 65'535),
                              in_range("fields", fields, 1, 1'000), in_range("body", body, 0, any),
                              in_range("chunk_line", chunk_line, 18, 65'535), positive("head_time", head_time),
                              positive("body_time", body_time), positive("idle_time", idle_time),
                              positive("write_time", write_time), positive("handler_time", handler_time),
                              positive("queue_age", queue_age), in_range("connections", connections, 1, any),
                              in_range("connections_per_address", connections_per_address, 1, any),
                              in_range("in_flight", in_flight, 1, any)}) {
    if (!outcome) return outcome;
  }
  return {};
}

} // namespace greenroom::http
