// The text of a mailbox's item, for people: by a function describe() beside its type, by fmt, or by operator<<.
// Thread safety: as those are. Cost: allocates.
#pragma once

#include <concepts>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <greenroom/runtime/detail/item_copy.hpp>

namespace greenroom::detail {

template <class T>
concept has_description = requires(const T& item) {
  { describe(item) } -> std::convertible_to<std::string>;
};

template <class T>
inline constexpr bool has_item_text = has_description<T> || fmt::is_formattable<T>::value || has_text<T>;

template <class T>
std::string text_of_item(const T& item) {
  if constexpr (has_description<T>) {
    return describe(item);
  } else if constexpr (fmt::is_formattable<T>::value) {
    return fmt::format("{}", item);
  } else {
    std::ostringstream out;
    out << item;
    return std::move(out).str();
  }
}

} // namespace greenroom::detail
