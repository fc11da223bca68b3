// A parameter of a route as one request has it.
// Thread safety: as a value. Lifetime: the name belongs to the route.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace greenroom::http::detail {

/// What a parameter takes, in the order in which the types are tried at one place.
enum class parameter_type : std::uint8_t { uuid, uint, int_, slug, any, rest };

struct route_parameter {
  std::string_view name;
  std::string value; // decoded
  parameter_type type = parameter_type::any;
};

} // namespace greenroom::http::detail
