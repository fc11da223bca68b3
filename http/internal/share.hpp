// Which part of something that is kept once for each thread, or nearly, the calling thread uses: so that workers do not wait for each other.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace greenroom::http::internal {

inline std::atomic<std::size_t> threads_with_share{0};
inline thread_local constinit std::size_t share_of_thread = 0; // from 1; 0: it has not asked yet

/// Returns the number of the calling thread, in the order in which threads first ask.
inline std::size_t share_here() noexcept {
  if (share_of_thread == 0) [[unlikely]]
    share_of_thread = threads_with_share.fetch_add(1, std::memory_order_relaxed) + 1;
  return share_of_thread - 1;
}

} // namespace greenroom::http::internal
