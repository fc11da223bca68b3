// Writes a value as bytes.
// Thread safety: owner only. Lifetime: the text outlives it.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <greenroom/actors/detail/wire_visit.hpp>

namespace greenroom::detail {

static_assert(std::endian::native == std::endian::little,
              "the wire has the least byte first, as the processors that this was built for");

class wire_writer : public wire_inspector<wire_writer> {
public:
  static constexpr bool is_loading = false;

  explicit wire_writer(std::string& to) noexcept : to_(to) {}

  void kind(std::string_view) noexcept {}
  void in_units_of(std::intmax_t, std::intmax_t) noexcept {}
  template <class T>
  bool scalar(const T& x) {
    to_.append(reinterpret_cast<const char*>(&x),
               sizeof(x)); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): its bytes
    return true;
  }
  bool text(const std::string& x) { return length(x.size()) && (to_.append(x), true); }
  template <class T, class Walk>
  bool structure(T&, Walk walk) {
    return walk();
  }
  template <class T>
  bool maybe(T& x) {
    const bool there = x.has_value();
    return scalar(there) && (!there || visit_wire(*this, *x));
  }
  template <class T>
  bool choice(T& x) {
    const auto index = static_cast<std::uint8_t>(x.index());
    return scalar(index) && std::visit([this](auto& each) { return visit_wire(*this, each); }, x);
  }
  template <class T>
  bool tuple(T& x) {
    return std::apply([this](auto&... each) { return (visit_wire(*this, each) && ...); }, x);
  }
  template <class C>
  bool sequence(C& all) {
    length(all.size());
    using value = typename C::value_type;
    for (const auto& each : all) {
      if constexpr (!std::same_as<value, typename wire_element<value>::type>) { // a map's
        read_only(each.first);
        read_only(each.second);
      } else {
        const value& one = each; // of a std::vector<bool> it is a copy
        read_only(one);
      }
    }
    return true;
  }

  void named(std::string_view) noexcept {}
  void begin_field(std::string_view) noexcept {}
  void end_field(std::string_view, bool) noexcept {}

private:
  bool length(std::size_t n) { return scalar(static_cast<std::uint32_t>(n)); }
  template <class T>
  void read_only(const T& x) {
    visit_wire(*this,
               const_cast<T&>(
                   x)); // NOLINT(cppcoreguidelines-pro-type-const-cast): inspect() could change it, a writer does not
  }

  std::string& to_;
};

} // namespace greenroom::detail
