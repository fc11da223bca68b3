// A copy of a mailbox's item whose type is unknown: what is left of it when the actor that had it in hand fails.
// Thread safety: owner only. Lifetime: owns the copy.
#pragma once

#include <any>
#include <cstddef>
#include <iosfwd>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

struct actor_cell;
class mailbox_base;

/// What can be done with items of a type: static, one for each type.
struct item_kind {
  const std::type_info& type;
  std::size_t size;
  bool
      copied_at_no_cost; // numbers and enums: no classes and pointers, as there may be something behind them that is gone later
  // Null for a type that cannot be copied.
  void (*copy)(void* to, const void* item) = nullptr;
  std::any (*to_any)(const void* item) = nullptr;
  /// Gives it to a receiver, or puts it first in the queue; moves from it only then. Requires: the lock is held. Errors: std::bad_alloc.
  void (*put_back)(mailbox_base& box, void* item, actor_cell*& wake) = nullptr;

  void (*move)(void* to, void* from) noexcept;
  void (*destroy)(void* item) noexcept;
  void (*write)(std::ostream& out, const void* item) = nullptr; // null: there is no operator<<
};

class GREENROOM_EXPORT item_copy {
public:
  item_copy() noexcept = default;
  /// Errors: std::bad_alloc, and what the copy constructor throws. Requires: the kind can be copied.
  item_copy(const item_kind& kind, const void* item);
  item_copy(item_copy&& other) noexcept;
  item_copy& operator=(item_copy&& other) noexcept;
  ~item_copy();

  explicit operator bool() const noexcept { return kind_ != nullptr; }
  void* get() noexcept { return is_inside() ? inside_ : outside_; }
  const void* get() const noexcept { return is_inside() ? inside_ : outside_; }
  const item_kind* kind() const noexcept { return kind_; }
  /// Returns what operator<< writes, shortened if it is long; "" if there is none, or it throws.
  std::string text() const;

  static constexpr std::size_t inside_bytes = 32; // a std::string has as many

private:
  bool is_inside() const noexcept { return kind_->size <= inside_bytes; }

  const item_kind* kind_ = nullptr; // null: there is no copy
  union {
    alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) std::byte inside_[inside_bytes];
    void* outside_;
  };
};

template <class T>
concept has_text = requires(std::ostream& out, const T& item) {
  out << item;
};

} // namespace greenroom::detail
