// Spans in OTLP's JSON.
// Thread safety: pure functions. Source: OpenTelemetry Protocol 1.1, JSON Protobuf encoding; opentelemetry/proto/trace/v1/trace.proto.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/runtime/span.hpp>

namespace greenroom::http::internal {

/// Returns a resource as JSON.
std::string resource_json(std::string_view service, const std::vector<std::pair<std::string, std::string>>& more);

/// Returns the body of a request for these spans. `epoch`: what is to be added to a time of the system's clock to make it one of the Unix epoch.
std::string otlp_json(const std::vector<span>& spans, std::string_view resource, std::chrono::nanoseconds epoch);

} // namespace greenroom::http::internal
