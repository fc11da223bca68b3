// frame_allocator: the frame pool (frame_pool.hpp) for containers that come and go with each request. malloc keeps seven blocks of a size
// for a thread and takes a longer way for the eighth: a server that answers sixty-four requests at a time would always go it.
// Thread safety: as the pool. Cost: as the pool, for up to 2,048 bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <greenroom/runtime/detail/frame_pool.hpp>

namespace greenroom::detail {

template <class T>
struct frame_allocator {
  using value_type = T;
  static_assert(alignof(T) <= 16, "the pool aligns to 16");

  constexpr frame_allocator() noexcept = default;
  template <class U>
  constexpr frame_allocator(const frame_allocator<U>&) noexcept {} // NOLINT: as allocators are rebound

  T* allocate(std::size_t n) { return static_cast<T*>(frame_allocate(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { frame_free(p, n * sizeof(T)); }

  template <class U>
  friend constexpr bool operator==(frame_allocator, frame_allocator<U>) noexcept {
    return true;
  }
};

using pooled_string = std::basic_string<char, std::char_traits<char>, frame_allocator<char>>;
template <class T>
using pooled_vector = std::vector<T, frame_allocator<T>>;

} // namespace greenroom::detail
