// The allocator of coroutine frames, actors and other small objects that come and go by the
// million. Sizes up to 2,048 bytes come from per-thread free lists in classes of 16 bytes, without
// headers; larger ones from operator new, behind a word with their size. Memory freed here is reused
// for the same class, but stays with the process until its end.
// Thread safety: any thread; memory may be freed on another thread than it came from.
// Lifetime: usable from before main until after the last destructor of a static or thread-local
// object.
// Under ASan and TSan, or with GREENROOM_PLAIN_FRAMES, both functions are operator new and delete, so
// that the tools see each object; GREENROOM_POOLED_FRAMES, for the pool's own tests, keeps the pool.
#pragma once

#include <cstddef>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns memory for `bytes` bytes, aligned to 16.
/// Errors: std::bad_alloc.
/// Cost: a few instructions; every 32nd call may take a lock, every few thousandth a system call.
GREENROOM_EXPORT void* frame_allocate(std::size_t bytes);

/// Gives memory back.
/// Requires: `memory` came from frame_allocate(bytes) with the same `bytes`; not null.
/// Cost: as frame_allocate.
GREENROOM_EXPORT void frame_free(void* memory, std::size_t bytes) noexcept;

/// Returns how many bytes from `memory` on may be read: those asked for, or a few more. 0 if that is not known: with
/// GREENROOM_PLAIN_FRAMES, or in a process with more frames than 16 GiB. Requires: `memory` came from frame_allocate() and was not freed.
GREENROOM_EXPORT std::size_t frame_size(const void* memory) noexcept;

/// Returns whether an object of at least `bytes` bytes, and at most 2,048, begins or began at `place`, which may be any address:
/// its memory may be read then.
GREENROOM_EXPORT bool is_pooled(const void* place, std::size_t bytes) noexcept;

} // namespace greenroom::detail
