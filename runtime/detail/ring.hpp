// A growable FIFO queue in one power-of-two ring: the storage of mailboxes, run queues and wait
// lists. 24 bytes and no allocation until the first push; std::deque would cost 80 bytes and 576 at
// once.
// Thread safety: none; the owner's lock or thread guards it.
// Lifetime: references from front() last until the next push or pop.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
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

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Appends an item.
  /// Errors: std::bad_alloc; the item has then not been moved from and the ring is as before.
  /// Requires: `item` is not an element of this ring.
  void push_back(T&& item) {
    if (count_ == capacity_) grow();
    std::construct_at(slot(count_), std::move(item));
    ++count_;
  }

  void push_back(const T& item) requires std::is_copy_constructible_v<T> {
    T copy(item);
    push_back(std::move(copy));
  }

  /// Puts an item before the oldest. Errors and Requires: as push_back().
  void push_front(T&& item) {
    if (count_ == capacity_) grow();
    head_ = (head_ - 1) & (capacity_ - 1);
    std::construct_at(slot(0), std::move(item));
    ++count_;
  }

  /// Returns the oldest item. Requires: not empty().
  [[nodiscard]] T& front() noexcept {
    assert(count_ != 0);
    return data_[head_];
  }

  /// Removes and returns the oldest item. Requires: not empty().
  T pop_front() noexcept {
    assert(count_ != 0);
    T item = take(slot(0));
    head_ = (head_ + 1) & (capacity_ - 1);
    if (--count_ == 0) emptied();
    return item;
  }

  /// Removes and returns the newest item. Requires: not empty().
  T pop_back() noexcept {
    assert(count_ != 0);
    T item = take(slot(count_ - 1));
    if (--count_ == 0) emptied();
    return item;
  }

  /// Destroys all items, oldest first.
  void clear() noexcept {
    while (count_ != 0) (void)pop_front(); // of a type that may be nodiscard
  }

  /// Gives the memory of the items, in one or two pieces, to `reader(const void*, bytes)`.
  template <class Reader>
  void show_memory(Reader& reader) const {
    const auto first = count_ < capacity_ - head_ ? count_ : capacity_ - head_;
    if (count_ != 0) reader(static_cast<const void*>(data_ + head_), first * sizeof(T));
    if (count_ != first) reader(static_cast<const void*>(data_), (count_ - first) * sizeof(T));
  }

  void swap(ring& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    std::swap(count_, other.count_);
  }

private:
  static constexpr std::uint32_t first_capacity = 4;
  static constexpr std::uint32_t kept_capacity = 64;
  static constexpr std::uint32_t most_capacity = std::uint32_t{1} << 31;

  T* slot(std::uint32_t index) const noexcept { return data_ + ((head_ + index) & (capacity_ - 1)); }

  static T take(T* place) noexcept {
    T item(std::move(*place));
    std::destroy_at(place);
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
    for (std::uint32_t i = 0; i != count_; ++i) std::construct_at(data + i, take(slot(i)));
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
  std::uint32_t count_ = 0;
};

static_assert(sizeof(ring<void*>) == 24);

} // namespace greenroom::detail
