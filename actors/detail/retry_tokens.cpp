#include <greenroom/actors/detail/retry_tokens.hpp>

#include <algorithm>
#include <cmath>

#include <greenroom/runtime/detail/actor_cell.hpp>

namespace greenroom::detail {

retry_tokens::retry_tokens(double share, int reserve) noexcept
    : earned_(std::llround(share * static_cast<double>(token))), most_(reserve * token), saved_(most_) {}

void retry_tokens::earn() noexcept {
  auto now = saved_.load(std::memory_order_relaxed);
  while (now < most_ && !saved_.compare_exchange_weak(now, std::min(now + earned_, most_), std::memory_order_relaxed)) {
  }
}

bool retry_tokens::spend() noexcept {
  auto now = saved_.load(std::memory_order_relaxed);
  while (now >= token) {
    if (saved_.compare_exchange_weak(now, now - token, std::memory_order_relaxed)) return true;
  }
  return false;
}

duration full_jitter(duration first, int retries, duration longest) noexcept {
  auto most = std::min(first, longest);
  for (int i = 0; i < retries && most < longest; ++i) most = most > longest / 2 ? longest : 2 * most;
  const auto part = static_cast<double>(random_below(UINT32_MAX)) / static_cast<double>(UINT32_MAX);
  return duration(std::llround(static_cast<double>(most.count()) * part));
}

} // namespace greenroom::detail
