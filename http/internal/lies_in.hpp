// Whether a view looks into a text, which may be about to move.
// Thread safety: a pure function.
#pragma once

#include <functional>
#include <string_view>

namespace greenroom::http::internal {

/// Says whether the view begins within `whole`.
inline bool lies_in(std::string_view view, std::string_view whole) noexcept {
  const std::less<> before; // also where the two are of different objects
  return !before(view.data(), whole.data()) && before(view.data(), whole.data() + whole.size());
}

} // namespace greenroom::http::internal
