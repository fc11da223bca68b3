// A header field that may be sent once: which of two values would count is a doubt that nobody should settle by guessing.
// Thread safety: pure functions. Source: RFC 9110 section 5.3.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

struct single_value {
  bool present = false;                 ///< it was sent, once or more often
  std::optional<std::string_view> text; ///< its value, if it was sent once
};

/// Finds the field of that name, which is in lower case.
inline single_value single_field(std::span<const field> fields, std::string_view name) noexcept {
  single_value found;
  for (const auto& f : fields) {
    if (!same_word(f.name, name)) continue;
    found.text = found.present ? std::nullopt : std::optional(trimmed(f.value));
    found.present = true;
  }
  return found;
}

} // namespace greenroom::http::internal
