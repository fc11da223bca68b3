// Which types cannot refer to a variable of whoever makes a value of them: what one actor gives another of such types lets it touch nothing
// of the giver's. The search for deadlocks relies on it, see deadlock.hpp.
// Thread safety: compile-time constants.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace greenroom {

/// True for types that own all that they name. Specialise it for messages and settings of your own, if it is true of them, so that spawning with
/// one does not keep the variables of the spawner out of reports:
///   template <> inline constexpr bool greenroom::owns_what_it_names<my_settings> = true;
template <class T>
inline constexpr bool owns_what_it_names = false;

namespace detail {

template <class T>
inline constexpr bool refers_to_nothing =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string> || owns_what_it_names<T>;
template <class Rep, class Period>
inline constexpr bool refers_to_nothing<std::chrono::duration<Rep, Period>> = true;
template <class Clock, class Span>
inline constexpr bool refers_to_nothing<std::chrono::time_point<Clock, Span>> = true;
template <class T>
inline constexpr bool refers_to_nothing<std::vector<T>> = refers_to_nothing<T>;
template <class T>
inline constexpr bool refers_to_nothing<std::optional<T>> = refers_to_nothing<T>;
template <class T, std::size_t N>
inline constexpr bool refers_to_nothing<std::array<T, N>> = refers_to_nothing<T>;
template <class A, class B>
inline constexpr bool refers_to_nothing<std::pair<A, B>> = refers_to_nothing<A>&& refers_to_nothing<B>;
template <class... T>
inline constexpr bool refers_to_nothing<std::tuple<T...>> = (refers_to_nothing<T> && ...);
template <class... T>
inline constexpr bool refers_to_nothing<std::variant<T...>> = (refers_to_nothing<T> && ...);

} // namespace detail
} // namespace greenroom
