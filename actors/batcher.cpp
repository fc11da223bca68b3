#include <greenroom/actors/batcher.hpp>

#include <fmt/format.h>

namespace greenroom::detail {

batcher_options checked(batcher_options how) {
  const auto refuse = [](const char* what, const char* range, auto value) {
    throw usage_error(fmt::format("batcher: {} must be {}, not {}", what, range, value));
  };
  const auto seconds = [](duration d) { return std::chrono::duration<double>(d).count(); };
  if (how.most == 0) refuse("most", "1 or more", how.most);
  if (how.longest_wait < duration::zero()) refuse("longest_wait", "0 s or longer", seconds(how.longest_wait));
  if (how.at_once < 1) refuse("at_once", "1 or more", how.at_once);
  if (how.queue < 1) refuse("queue", "1 or more", how.queue);
  if (how.limit <= duration::zero()) refuse("limit", "more than 0 s", seconds(how.limit));
  return how;
}

error wrong_count(std::size_t answers, std::size_t items) {
  return {errc::failed, fmt::format("batcher: its call gave {} answers for {} items; it must give one for each, in "
                                    "their order",
                                    answers, items)};
}

void batch_counts::begun(std::size_t items, bool full) noexcept {
  items_.fetch_add(items, std::memory_order_relaxed);
  calls_.fetch_add(1, std::memory_order_relaxed);
  if (full) full_.fetch_add(1, std::memory_order_relaxed);
  auto known = largest_.load(std::memory_order_relaxed);
  while (known < items && !largest_.compare_exchange_weak(known, items, std::memory_order_relaxed)) {}
}

batcher_stats batch_counts::stats() const noexcept {
  return {.items = items_.load(std::memory_order_relaxed),
          .calls = calls_.load(std::memory_order_relaxed),
          .full = full_.load(std::memory_order_relaxed),
          .failed = failed_.load(std::memory_order_relaxed),
          .dropped = dropped_.load(std::memory_order_relaxed),
          .largest = largest_.load(std::memory_order_relaxed)};
}

} // namespace greenroom::detail
