#include <greenroom/runtime/detail/item_meter.hpp>

#include <algorithm>

namespace greenroom::detail {

void item_meter::leave(const actor_cell* who, bool in_order) noexcept {
  auto* const h = find(who);
  if (h == nullptr) return;
  if (h->holds) ++(in_order ? handled_ : failed_);
  *h = holders_.back();
  holders_.pop_back();
}

std::uint64_t item_meter::in_hand() const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(holders_.begin(), holders_.end(), [](const holder& h) { return h.holds; }));
}

} // namespace greenroom::detail
