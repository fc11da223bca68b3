#include <greenroom/actors/detail/wire_layout.hpp>

#include <algorithm>

namespace greenroom::detail {

void wire_layout::begin_field(std::string_view name) {
  if (within_.empty()) return; // only the name is wanted
  word(within_.back().open ? "," : "{");
  within_.back().open = true;
  word(name);
  word(":");
}

bool wire_layout::is_within(std::type_index type) const noexcept {
  return std::any_of(within_.begin(), within_.end(), [type](const structure_of& outer) { return outer.type == type; });
}

bool wire_layout::word(std::string_view w) {
  text_ += w;
  return true;
}

} // namespace greenroom::detail
