// Patterns of routes: how "/users/{id:int}/files/{rest...}" is read, and which texts fit which type.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/detail/route_parameter.hpp>

namespace greenroom::http::internal {

using detail::parameter_type;

struct segment {
  enum class kind : std::uint8_t { literal, parameter, rest };

  kind is = kind::literal;
  parameter_type type = parameter_type::any; // of a parameter
  std::string text;                          // of a literal, decoded, or the name of the parameter
};

/// Returns the segments of a pattern, one at least. Errors: usage_error with a sentence that names the pattern.
std::vector<segment> parse_pattern(std::string_view pattern);

/// Throws the usage_error that names the pattern and says why it cannot be.
[[noreturn]] void refuse_pattern(std::string_view pattern, std::string_view why);

/// Returns whether a decoded segment is of the type. Each number has one spelling: no sign but '-', no zeros in front, no "-0".
bool fits(parameter_type type, std::string_view text) noexcept;

/// Returns the name that patterns call it by, "int"; "" for `any` and `rest`.
std::string_view name_of(parameter_type type) noexcept;

} // namespace greenroom::http::internal
