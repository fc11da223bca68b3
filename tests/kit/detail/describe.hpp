// Words for what tests compare and wait for: values, types and times, as failed expectations print them.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/type_name.hpp>

namespace greenroom::testkit::detail {

template <class T>
concept streamable = !std::is_pointer_v<T> && requires(std::ostream & to, const T& item) {
  to << item;
};

/// Returns "12 ms". Units: milliseconds, with decimals where it needs them.
GREENROOM_EXPORT std::string in_milliseconds(duration span);

/// Returns the item in words: as fmt or a stream prints it, else by its type.
template <class T>
std::string describe(const T& item) {
  if constexpr (std::is_same_v<T, std::string>) {
    return "'" + item + "'";
  } else if constexpr (fmt::is_formattable<T>::value) {
    return fmt::format("{}", item);
  } else if constexpr (streamable<T>) {
    std::ostringstream to;
    to << item;
    return to.str();
  } else {
    return "a message of type " + greenroom::detail::type_name(typeid(T));
  }
}

/// Returns "{1, 2, 3}"; of a long list its beginning, and its size.
template <class T>
std::string describe_all(const std::vector<T>& items) {
  constexpr std::size_t most = 20;
  std::string text = "{";
  for (std::size_t i = 0; i < items.size() && i < most; ++i) {
    const T& item = items[i]; // also of a vector<bool>
    text += (i == 0 ? "" : ", ") + describe(item);
  }
  return text + (items.size() > most ? fmt::format(", ... {} in all}}", items.size()) : "}");
}

} // namespace greenroom::testkit::detail
