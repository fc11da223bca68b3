// dead_letter: an item that a supervised child could not handle: it was in its hand when the child failed, and does not come again. See queue_fate.
//
//   task<> keep_aside(mailbox<dead_letter> in) {
//     while (const auto letter = co_await in.receive()) {
//       if (const auto* const o = letter->as<order>()) file_away(*o, letter->why.to_string());
//     }
//   }
//   spec.dead_letters(out);                              // or graph::dead_letters(clinic.in<0>(), bounded(64))
//
// Thread safety: as a value. Lifetime: owns the item.
#pragma once

#include <any>
#include <cstdint>
#include <string>

#include <greenroom/runtime/exit_reason.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

/// An item that nobody could handle. Thread safety: as a value.
struct dead_letter {
  std::any item;                ///< as it was when it was received
  std::string type;             ///< of the item, as C++ spells it
  std::string text;             ///< the item as operator<< writes it, 200 bytes at most; "" without such an operator
  std::string child;            ///< who had it in hand last
  std::uint32_t deliveries = 0; ///< how often it was in hand
  exit_reason why;              ///< of the last one's end

  /// Returns the item if it is a T, else null.
  template <class T>
  const T* as() const noexcept {
    return std::any_cast<T>(&item);
  }
};

} // namespace greenroom
