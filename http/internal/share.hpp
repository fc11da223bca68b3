// Which part of something that is kept once for each thread, or nearly, the calling thread uses: so that workers do not wait for each other.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace greenroom::http::internal {

/// Returns the number of the calling thread, in the order in which threads first ask.
inline std::size_t share_here() noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

} // namespace greenroom::http::internal
