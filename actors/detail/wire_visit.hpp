// Which kind of value a type is on the wire, and the walk over a value of it, for a visitor: one that writes, reads or describes it.
// Thread safety: as the visitor.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace greenroom::detail {

template <class T>
inline constexpr bool wire_is_optional = false;
template <class T>
inline constexpr bool wire_is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool wire_is_variant = false;
template <class... Ts>
inline constexpr bool wire_is_variant<std::variant<Ts...>> = true;

template <class T>
inline constexpr bool wire_is_tuple = false;
template <class... Ts>
inline constexpr bool wire_is_tuple<std::tuple<Ts...>> = true;
template <class A, class B>
inline constexpr bool wire_is_tuple<std::pair<A, B>> = true;
template <class T, std::size_t N>
inline constexpr bool wire_is_tuple<std::array<T, N>> = true;

template <class T>
inline constexpr bool wire_is_duration = false;
template <class Rep, class Period>
inline constexpr bool wire_is_duration<std::chrono::duration<Rep, Period>> = true;

template <class T>
inline constexpr bool wire_is_time_point = false;
template <class Duration>
inline constexpr bool wire_is_time_point<std::chrono::time_point<std::chrono::system_clock, Duration>> = true;

/// std::vector and its like; and, with a key_type, sets and maps.
template <class C>
concept wire_sequence = requires(C c, typename C::value_type v) {
  c.size();
  c.clear();
  c.begin();
  c.insert(c.end(), std::move(v));
};
template <class C>
concept wire_keyed = wire_sequence<C> && requires {
  typename C::key_type;
};
/// A map's elements can be changed once they lost the const of their key.
template <class V>
struct wire_element {
  using type = V;
};
template <class K, class V>
struct wire_element<std::pair<const K, V>> {
  using type = std::pair<K, V>;
};

template <class Visitor, class T>
concept wire_inspected = requires(Visitor& v, T& x) {
  { inspect(v, x) } -> std::convertible_to<bool>;
};

/// A field as inspect() names it.
template <class T>
struct wire_field {
  std::string_view name;
  T& value;
};

template <class>
inline constexpr bool wire_never = false;

/// Walks over the value; returns false as soon as the visitor does.
template <class Visitor, class T>
bool visit_wire(Visitor& v, T& x) {
  if constexpr (wire_inspected<Visitor, T>) {
    return v.structure(x, [&v, &x] { return inspect(v, x); });
  } else if constexpr (std::is_enum_v<T>) {
    v.kind("enum ");
    auto number = static_cast<std::underlying_type_t<T>>(x);
    if (!visit_wire(v, number)) return false;
    x = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return v.scalar(x);
  } else if constexpr (std::same_as<T, std::string>) {
    return v.text(x);
  } else if constexpr (wire_is_optional<T>) {
    return v.maybe(x);
  } else if constexpr (wire_is_variant<T>) {
    return v.choice(x);
  } else if constexpr (wire_is_tuple<T>) {
    return v.tuple(x);
  } else if constexpr (std::same_as<T, std::monostate>) {
    return true;
  } else if constexpr (wire_is_duration<T>) {
    v.in_units_of(T::period::num, T::period::den);
    auto count = x.count();
    if (!visit_wire(v, count)) return false;
    x = T(count);
    return true;
  } else if constexpr (wire_is_time_point<T>) {
    v.kind("point ");
    auto since = x.time_since_epoch();
    if (!visit_wire(v, since)) return false;
    x = T(since);
    return true;
  } else if constexpr (wire_sequence<T>) {
    return v.sequence(x);
  } else {
    static_assert(wire_never<T>,
                  "the type cannot cross to another process: write inspect(Inspector&, T&) beside it, see wire.hpp");
  }
}

/// What inspect() calls: the same for all visitors, which give `begin_field(name)` and `end_field(name, good)`.
template <class Visitor>
class wire_inspector {
public:
  static constexpr bool has_human_readable_format = false;

  template <class T>
  class object_fields {
  public:
    explicit object_fields(Visitor& v) : v_(v) {}
    object_fields& pretty_name(std::string_view name) {
      v_.named(name);
      return *this;
    }
    template <class... Fields>
    bool fields(Fields&&... all) {
      return (one(all) && ...);
    }

  private:
    template <class F>
    bool one(F& f) {
      v_.begin_field(f.name);
      const bool good = visit_wire(v_, f.value);
      v_.end_field(f.name, good);
      return good;
    }

    Visitor& v_;
  };

  template <class T>
  object_fields<T> object(T&) {
    return object_fields<T>(self());
  }
  template <class T>
  wire_field<T> field(std::string_view name, T& value) {
    return {name, value};
  }
  /// For a type that is one value in other clothes.
  template <class T>
  bool apply(T& value) {
    return visit_wire(self(), value);
  }

private:
  Visitor& self() { return static_cast<Visitor&>(*this); }
};

} // namespace greenroom::detail
