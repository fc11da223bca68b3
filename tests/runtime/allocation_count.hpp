// Counts what each thread allocates, by replacing operator new in the whole test program. Include it in one source of it. Under the
// sanitizers, which have their own, GREENROOM_COUNTS_ALLOCATIONS is not defined.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GREENROOM_COUNTS_ALLOCATIONS 1
namespace {
thread_local std::size_t allocations = 0;
}
// Replaces the plain forms; the array and nothrow forms call these. Inlined, they make g++ 12 warn of memory from new that goes to
// free().
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes != 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
