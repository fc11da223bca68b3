// Routes as an OpenAPI document.
// Thread safety: pure function.
#pragma once

#include <memory>
#include <span>
#include <string>

#include <greenroom/http/internal/route.hpp>
#include <greenroom/http/openapi.hpp>

namespace greenroom::http::internal {

/// Errors: usage_error when two types have one name.
std::string write_openapi(const openapi_info& info, std::span<const std::unique_ptr<route>> routes);

} // namespace greenroom::http::internal
