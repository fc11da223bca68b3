#include <greenroom/runtime/detail/frame_pool.hpp>

#include <new>
#include <utility>

#include <greenroom/runtime/detail/sanitized.hpp>

#ifdef GREENROOM_SANITIZED
// Of <sanitizer/allocator_interface.h>, which not every compiler's package has.
extern "C" int __sanitizer_get_ownership(const volatile void* p);
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* p);
#endif

namespace greenroom::detail {
namespace {

[[maybe_unused]] void plain_free(void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __cpp_sized_deallocation
  ::operator delete(memory, bytes); // ASan compares the size
#else
  ::operator delete(memory);
#endif
}

} // namespace
} // namespace greenroom::detail

#if !defined(GREENROOM_POOLED_FRAMES) && (defined(GREENROOM_PLAIN_FRAMES) || defined(GREENROOM_SANITIZED))

namespace greenroom::detail {

void* frame_allocate(std::size_t bytes) { return ::operator new(bytes); }

void frame_free(void* memory, std::size_t bytes) noexcept { plain_free(memory, bytes); }

#ifdef GREENROOM_SANITIZED
std::size_t frame_size(const void* memory) noexcept { return __sanitizer_get_allocated_size(memory); }
bool is_pooled(const void* place, std::size_t bytes) noexcept {
  return __sanitizer_get_ownership(place) != 0 && __sanitizer_get_allocated_size(place) >= bytes;
}
#else
std::size_t frame_size(const void*) noexcept { return 0; }
bool is_pooled(const void*, std::size_t) noexcept { return false; }
#endif

} // namespace greenroom::detail

#else

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include <sys/mman.h>

#include <greenroom/runtime/detail/spin_lock.hpp>

// How memory flows: region (mmap) -> chunk of one class -> batch of 32 objects -> magazine of a
// thread -> caller, and back from the caller to the magazine of the thread that frees, and in whole
// batches to the depot of the class.
namespace greenroom::detail {
namespace {

constexpr std::size_t granule = 16;
constexpr std::size_t largest = 2048; // the frame of a connection that waits for its answer has some 1,500
constexpr std::size_t class_count = largest / granule;
constexpr std::uint32_t batch_size = 32;
constexpr std::size_t chunk_size = 64 * 1024;
constexpr std::size_t region_size = 1024 * 1024;

// A free object. Both links fit the smallest class.
struct free_object {
  free_object* next;       // in its list
  free_object* next_batch; // only in the first object of a full batch in a depot
};
static_assert(sizeof(free_object) <= granule);

// Free objects of one class in the hands of one thread: at most two batches, so that a thread that
// allocates and frees around a batch's end does not go to the depot each time.
struct magazine {
  free_object* loaded = nullptr; // `count` objects
  free_object* spare = nullptr;  // a full batch or null
  std::uint32_t count = 0;
};

// Knows which chunks there are and the class of each: a hash table of regions, as reports need it that look at frames from outside.
// A region beyond the table's room is not known, and such reports then say less. Written under the lock of the region source.
// Untouched parts of the table cost no memory.
class region_table {
public:
  void add(const char* chunk, std::size_t object_class) noexcept {
    const auto region = reinterpret_cast<std::uintptr_t>(chunk) / region_size;
    for (std::size_t tries = 0; tries != longest_probe; ++tries) {
      auto& e = at(region + tries);
      if (const auto there = e.region.load(std::memory_order_relaxed); there != 0 && there != region) continue;
      e.classes[index_of(chunk)].store(static_cast<std::uint8_t>(object_class + 1), std::memory_order_relaxed);
      // Release, against the acquire below: who sees the region sees the class. Classes of later chunks may be seen late; nobody
      // has an object of such a chunk by then but through an acquire of his own.
      e.region.store(region, std::memory_order_release);
      return;
    }
    complete_.store(false, std::memory_order_release);
  }

  // False if there is a region that the table has no room for.
  bool complete() const noexcept { return complete_.load(std::memory_order_acquire); }

  // Returns the size of the objects in the chunk of `place`, if it is one of ours and an object begins there; else 0.
  std::size_t size_at(const void* place) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(place);
    for (std::size_t tries = 0; tries != longest_probe; ++tries) {
      const auto& e = at(address / region_size + tries);
      const auto there = e.region.load(std::memory_order_acquire);
      if (there == 0) return 0;
      if (there != address / region_size) continue;
      const std::size_t size = e.classes[index_of(place)].load(std::memory_order_relaxed) * granule;
      const auto offset = address % chunk_size;
      return size != 0 && offset % size == 0 && offset + size <= chunk_size ? size : 0;
    }
    return 0;
  }

private:
  struct entry {
    std::atomic<std::uintptr_t> region; // its address in units of region_size; 0: none
    std::array<std::atomic<std::uint8_t>, region_size / chunk_size> classes; // from 1; 0: none
  };
  static constexpr std::size_t longest_probe = 64;

  static std::size_t index_of(const void* place) noexcept {
    return reinterpret_cast<std::uintptr_t>(place) % region_size / chunk_size;
  }
  entry& at(std::uintptr_t slot) noexcept { return entries_[slot % entries_.size()]; }
  const entry& at(std::uintptr_t slot) const noexcept { return entries_[slot % entries_.size()]; }

  std::array<entry, 16 * 1024> entries_{}; // 16 GiB of frames
  std::atomic<bool> complete_{true};
};

constinit region_table regions_known;

// Cuts regions into chunks. Lock rank: after a depot's lock.
class region_source {
public:
  char* take_chunk(std::size_t object_class) {
    std::lock_guard guard(lock_);
    if (next_ == end_) {
      next_ = map_region(end_);
      end_ = next_ + region_size;
    }
    regions_known.add(next_, object_class);
    return std::exchange(next_, next_ + chunk_size);
  }

private:
  // Aligned to its size: the region and the chunk of an object follow from its address. Behind the last one if there is room, so that
  // the kernel keeps one map of all and can use huge pages.
  static char* map_region(char* last_end) {
    if (last_end != nullptr) {
      auto* const next = map(last_end, region_size);
      if (is_aligned(next)) return next;
      ::munmap(next, region_size);
    }
    char* const start = map(nullptr, 2 * region_size);
    const std::size_t before = (region_size - reinterpret_cast<std::uintptr_t>(start) % region_size) % region_size;
    if (before != 0) ::munmap(start, before);
    ::munmap(start + before + region_size, region_size - before);
    return start + before;
  }
  static bool is_aligned(const char* region) noexcept {
    return reinterpret_cast<std::uintptr_t>(region) % region_size == 0;
  }
  static char* map(char* hint, std::size_t bytes) {
    void* const mapped =
        ::mmap(hint, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    return static_cast<char*>(mapped);
  }

  eager_spin_lock lock_;
  // guarded by lock_
  char* next_ = nullptr;
  char* end_ = nullptr;
};

// All free objects of one class that no thread holds.
class alignas(64) depot {
public:
  // Fills an empty magazine with 1 to 32 objects.
  void refill(magazine& empty, std::size_t size) {
    std::lock_guard guard(lock_);
    while (loose_ != nullptr && empty.count != batch_size) push(empty, pop_loose());
    if (empty.count != 0) return;
    if (batches_ == nullptr) return carve(empty, size);
    empty.loaded = std::exchange(batches_, batches_->next_batch);
    empty.count = batch_size;
  }

  void put_batch(free_object* batch) noexcept {
    std::lock_guard guard(lock_);
    batch->next_batch = std::exchange(batches_, batch);
  }

  void put(free_object* object) noexcept {
    std::lock_guard guard(lock_);
    object->next = std::exchange(loose_, object);
  }

  // Returns one object to a caller without a magazine.
  void* take(std::size_t size) {
    magazine hand;
    refill(hand, size);
    void* const result = std::exchange(hand.loaded, hand.loaded->next);
    put_all(hand);
    return result;
  }

  // Takes what a thread leaves behind.
  void put_all(magazine& left) noexcept {
    if (left.spare != nullptr) put_batch(left.spare);
    while (left.loaded != nullptr) put(std::exchange(left.loaded, left.loaded->next));
    left = {};
  }

private:
  static void push(magazine& to, free_object* object) noexcept {
    object->next = std::exchange(to.loaded, object);
    ++to.count;
  }

  free_object* pop_loose() noexcept { return std::exchange(loose_, loose_->next); }

  // Links objects in the order of their addresses: frames made one after the other are neighbours.
  void carve(magazine& empty, std::size_t size) {
    if (static_cast<std::size_t>(end_ - next_) < size) {
      const bool is_first = next_ == nullptr;
      next_ = regions_.take_chunk(size / granule - 1);
      end_ = next_ + chunk_size;
      if (!is_first)
        back_with_pages(next_); // who has used up one chunk of a class will soon have touched most of the next
    }
    free_object** tail = &empty.loaded;
    do {
      auto* const object = reinterpret_cast<free_object*>(std::exchange(next_, next_ + size));
      *tail = object;
      tail = &object->next;
      ++empty.count;
    } while (empty.count != batch_size && static_cast<std::size_t>(end_ - next_) >= size);
    *tail = nullptr;
  }

  // Has the kernel back a chunk with memory at once: two thirds of what its sixteen pages cost when each is first touched. Without
  // effect where the kernel (before Linux 5.14) or the C library has no such call, or where memory is short: the pages then come one by one.
  static void back_with_pages([[maybe_unused]] char* chunk) noexcept {
#ifdef MADV_POPULATE_WRITE
    ::madvise(chunk, chunk_size, MADV_POPULATE_WRITE);
#endif
  }

  static constinit region_source regions_;

  eager_spin_lock lock_;
  // guarded by lock_
  free_object* batches_ = nullptr; // full batches, linked by next_batch
  free_object* loose_ = nullptr;   // single objects, from threads that ended
  char* next_ = nullptr;           // the current chunk's untouched rest
  char* end_ = nullptr;
};

constinit region_source depot::regions_;

// Constant-initialised and trivially destroyed, so usable at any time of the process.
constinit std::array<depot, class_count> depots;

struct cache {
  std::array<magazine, class_count> magazines;
};

// initial-exec saves a call per access. It takes room in the static TLS block, of which glibc keeps
// a reserve for libraries that are loaded late: hence only two words here and the cache itself on
// the heap.
[[gnu::tls_model("initial-exec")]] constinit thread_local cache* this_cache = nullptr;
[[gnu::tls_model("initial-exec")]] constinit thread_local bool thread_ended = false;

struct cache_owner {
  ~cache_owner() {
    thread_ended = true;
    cache* const mine = std::exchange(this_cache, nullptr);
    for (std::size_t c = 0; c != class_count; ++c) depots[c].put_all(mine->magazines[c]);
    delete mine;
  }
};

// Null when the thread has none and can get none: it is ending (destructors of other thread-local
// objects may run after the owner's) or memory is short. The depot then serves directly.
cache* find_cache() noexcept {
  if (this_cache == nullptr && !thread_ended) {
    this_cache = new (std::nothrow) cache;
    if (this_cache != nullptr) {
      thread_local cache_owner owner;
      static_cast<void>(owner);
    }
  }
  return this_cache;
}

// Zero bytes wrap around to a class that does not exist and so go to operator new, as large ones do.
constexpr std::size_t class_of(std::size_t bytes) noexcept { return (bytes - 1) / granule; }

[[gnu::noinline]] void* allocate_slowly(std::size_t c) {
  const std::size_t size = (c + 1) * granule;
  cache* const mine = find_cache();
  if (mine == nullptr) return depots[c].take(size);
  magazine& m = mine->magazines[c];
  if (m.loaded == nullptr) {
    if (m.spare != nullptr) {
      m.loaded = std::exchange(m.spare, nullptr);
      m.count = batch_size;
    } else {
      depots[c].refill(m, size);
    }
  }
  --m.count;
  return std::exchange(m.loaded, m.loaded->next);
}

[[gnu::noinline]] void free_slowly(free_object* object, std::size_t c) noexcept {
  cache* const mine = find_cache();
  if (mine == nullptr) return depots[c].put(object);
  magazine& m = mine->magazines[c];
  if (m.count == batch_size) {
    if (m.spare != nullptr) depots[c].put_batch(m.spare);
    m.spare = std::exchange(m.loaded, nullptr);
    m.count = 0;
  }
  object->next = std::exchange(m.loaded, object);
  ++m.count;
}

// A large object stands behind its size, which reports want to know.
void* allocate_large(std::size_t bytes) {
  auto* const memory = static_cast<char*>(::operator new(bytes + granule));
  *reinterpret_cast<std::size_t*>(memory) = bytes;
  return memory + granule;
}

void free_large(void* memory, std::size_t bytes) noexcept {
  plain_free(static_cast<char*>(memory) - granule, bytes + granule);
}

} // namespace

std::size_t frame_size(const void* memory) noexcept {
  if (const auto size = regions_known.size_at(memory); size != 0) return size;
  if (!regions_known.complete()) return 0; // it may be a pooled one
  return *reinterpret_cast<const std::size_t*>(static_cast<const char*>(memory) - granule);
}

bool is_pooled(const void* place, std::size_t bytes) noexcept { return regions_known.size_at(place) >= bytes; }

// Both stay out of line even with link-time optimisation: inlined into a coroutine, the address of
// this_cache could be kept across a suspension and used on another thread.
[[gnu::noinline]] void* frame_allocate(std::size_t bytes) {
  const std::size_t c = class_of(bytes);
  if (c >= class_count) return allocate_large(bytes);
  if (cache* const mine = this_cache; mine != nullptr) [[likely]] {
    magazine& m = mine->magazines[c];
    if (free_object* const object = m.loaded; object != nullptr) [[likely]] {
      m.loaded = object->next;
      --m.count;
      return object;
    }
  }
  return allocate_slowly(c);
}

[[gnu::noinline]] void frame_free(void* memory, std::size_t bytes) noexcept {
  const std::size_t c = class_of(bytes);
  if (c >= class_count) return free_large(memory, bytes);
  auto* const object = static_cast<free_object*>(memory);
  if (cache* const mine = this_cache; mine != nullptr) [[likely]] {
    magazine& m = mine->magazines[c];
    if (m.count != batch_size) [[likely]] {
      object->next = m.loaded;
      m.loaded = object;
      ++m.count;
      return;
    }
  }
  free_slowly(object, c);
}

} // namespace greenroom::detail

#endif
