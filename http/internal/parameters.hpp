// The parameters behind a field's value: `; name=value; name="value"`.
// Thread safety: pure functions. Source: RFC 9110 section 5.6.6.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace greenroom::http::internal {

struct parameter {
  std::string_view name; ///< as sent: compare it without regard to case
  std::string value;     ///< without its quotes
  bool quoted = false;
};

/// What a backslash does in quotes.
enum class backslash : std::uint8_t {
  escapes,             ///< the next character stands for itself, as RFC 9110 has it
  escapes_quotes_alone ///< only before a quote and a backslash: browsers send those in names of files as they are
};

enum class parameter_outcome : std::uint8_t { found, none, malformed };

/// Takes the first parameter off the front of `rest`, which begins with the semicolon before it. Empty ones are skipped.
parameter_outcome next_parameter(std::string_view& rest, parameter& found, backslash rule = backslash::escapes);

} // namespace greenroom::http::internal
