// A growable FIFO queue in one power-of-two ring: the storage of mailboxes, run queues and wait
// lists. 24 bytes and no allocation until the first push; std::deque would cost 80 bytes and 576 at
// once.
// Thread safety: none, but for looks_empty(); the owner's lock or thread guards it.
// Lifetime: references from front() last until the next push or pop.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/detail/frame_pool.hpp>

namespace greenroom::detail {

/// Holds items of any nothrow-movable type (move-only and not default-constructible ones too) in
/// order of arrival.
/// Cost: push and pop are O(1) amortised; doubles from 4 items. Storage for more than 64 items is
/// freed as soon as the ring becomes empty, so that a burst does not pin its memory; smaller
/// storage is kept for the next item.
template <class T>
class ring {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

public:
  ring() noexcept = default;

  ring(ring&& other) noexcept { swap(other); }

  ring& operator=(ring&& other) noexcept {
    ring(std::move(other)).swap(*this);
    return *this;
  }

  ~ring() {
    clear();
    release();
  }

  [[nodiscard]] bool empty() const noexcept { return count() == 0; }
  /// The same, as a hint. Thread safety: any thread.
  [[nodiscard]] bool looks_empty() const noexcept { return count() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Appends an item.
  /// Errors: std::bad_alloc; the item has then not been moved from and the ring is as before.
  /// Requires: `item` is not an element of this ring.
  void push_back(T&& item) { push_behind(count(), item); }

  /// Appends an item if there are fewer than `most`; else returns false, with the item not moved from. Errors and Requires: as push_back().
  bool try_push_back(T& item, std::uint32_t most) {
    const auto n = count();
    if (n >= most) return false;
    push_behind(n, item);
    return true;
  }

  void push_back(const T& item) requires std::is_copy_constructible_v<T> {
    T copy(item);
    push_back(std::move(copy));
  }

  /// Puts an item before the oldest. Errors and Requires: as push_back().
  void push_front(T&& item) {
    const auto n = count();
    if (n == capacity_) grow();
    head_ = (head_ - 1) & (capacity_ - 1);
    std::construct_at(slot(0), std::move(item));
    set_count(n + 1);
  }

  /// Returns the oldest item. Requires: not empty().
  [[nodiscard]] T& front() noexcept {
    assert(!empty());
    return data_[head_];
  }

  /// Removes and returns the oldest item. Requires: not empty().
  T pop_front() noexcept {
    assert(!empty());
    return pop_first_of(count());
  }

  /// Removes the oldest item, to `out`; false if there is none.
  bool try_pop_front(std::optional<T>& out) noexcept {
    const auto n = count();
    if (n == 0) return false;
    out.emplace(pop_first_of(n));
    return true;
  }

  /// Removes and returns the newest item. Requires: not empty().
  T pop_back() noexcept {
    assert(!empty());
    const auto left = count() - 1;
    T item = take(slot(left));
    set_count(left);
    if (left == 0) emptied();
    return item;
  }

  /// Destroys all items, oldest first.
  void clear() noexcept {
    while (!empty()) (void)pop_front(); // of a type that may be nodiscard
  }

  /// Gives the memory of the items, in one or two pieces, to `reader(const void*, bytes)`.
  template <class Reader>
  void show_memory(Reader& reader) const {
    const auto n = count();
    const auto first = std::min(n, capacity_ - head_);
    if (n != 0) reader(static_cast<const void*>(data_ + head_), first * sizeof(T));
    if (n != first) reader(static_cast<const void*>(data_), (n - first) * sizeof(T));
  }

  void swap(ring& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    const auto count_before = count();
    set_count(other.count());
    other.set_count(count_before);
  }

private:
  static constexpr std::uint32_t first_capacity = 4;
  static constexpr std::uint32_t kept_capacity = 64;
  static constexpr std::uint32_t most_capacity = std::uint32_t{1} << 31;

  // Relaxed: only a hint is read without the owner's lock, and from it nothing else follows.
  std::uint32_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  void set_count(std::uint32_t n) noexcept { count_.store(n, std::memory_order_relaxed); }

  T* slot(std::uint32_t index) const noexcept { return data_ + ((head_ + index) & (capacity_ - 1)); }

  static T take(T* place) noexcept {
    T item(std::move(*place));
    std::destroy_at(place);
    return item;
  }

  // Both are given the number of items, which the compiler would read anew.
  void push_behind(std::uint32_t n, T& item) {
    if (n == capacity_) grow();
    std::construct_at(slot(n), std::move(item));
    set_count(n + 1);
  }
  T pop_first_of(std::uint32_t n) noexcept {
    T item = take(slot(0));
    head_ = (head_ + 1) & (capacity_ - 1);
    set_count(n - 1);
    if (n == 1) emptied();
    return item;
  }

  void emptied() noexcept {
    head_ = 0; // a ring that is emptied again and again stays in its first cache line
    if (capacity_ > kept_capacity) release();
  }

  void release() noexcept {
    if (capacity_ != 0) give_back(data_, capacity_);
    data_ = nullptr;
    capacity_ = 0;
  }

  // Most rings stay small and come and go with an actor, as frames do.
  static constexpr bool pooled = alignof(T) <= 16;

  static T* allocate(std::size_t items) {
    if constexpr (pooled) return static_cast<T*>(frame_allocate(items * sizeof(T)));
    return std::allocator<T>().allocate(items);
  }

  static void give_back(T* data, std::size_t items) noexcept {
    if constexpr (pooled) return frame_free(data, items * sizeof(T));
    std::allocator<T>().deallocate(data, items);
  }

  [[gnu::noinline]] void grow() {
    if (capacity_ == most_capacity) throw std::bad_alloc();
    const std::uint32_t bigger = capacity_ == 0 ? first_capacity : capacity_ * 2;
    T* const data = allocate(bigger);
    for (std::uint32_t i = 0; i != count(); ++i) std::construct_at(data + i, take(slot(i)));
    release();
    data_ = data;
    capacity_ = bigger;
    head_ = 0;
  }

  // The count_ items stand at head_, head_ + 1, ... modulo capacity_, which is 0 or a power of two;
  // all other slots are raw memory. An empty ring has head_ == 0.
  T* data_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::atomic<std::uint32_t> count_{0};
};

static_assert(sizeof(ring<void*>) == 24);

} // namespace greenroom::detail
