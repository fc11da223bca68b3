#include <greenroom/runtime/detail/address_counts.hpp>

#include <mutex>

namespace greenroom::detail {

bool address_counts::enter(const std::string& address, std::size_t most) {
  std::lock_guard guard(lock_);
  auto& count = counts_[address];
  if (count >= most) return false;
  ++count;
  return true;
}

void address_counts::leave(std::string_view address) noexcept {
  decltype(counts_)::node_type gone; // freed without the lock
  std::lock_guard guard(lock_);
  const auto it = counts_.find(address);
  if (it != counts_.end() && --it->second == 0) gone = counts_.extract(it);
}

} // namespace greenroom::detail
