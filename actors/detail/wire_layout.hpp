// Describes how a type stands on the wire, as a text that is the same on both sides if the bytes are.
// Thread safety: owner only.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/wire_visit.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/type_name.hpp>

namespace greenroom::detail {

class GREENROOM_EXPORT wire_layout : public wire_inspector<wire_layout> {
public:
  static constexpr bool is_loading = false;

  std::string text() && { return std::move(text_); }

  /// Returns the name of a type: what its inspect() calls it, or else what C++ does; of what has no inspect(), the layout.
  template <class T>
  static std::string name_of() {
    wire_layout walk;
    T like{};
    if constexpr (wire_inspected<wire_layout, T>) {
      walk.only_name_ = true;
      inspect(walk, like);
      return walk.name_.empty() ? type_name(typeid(T)) : std::move(walk.name_);
    } else {
      visit_wire(walk, like);
      return std::move(walk.text_);
    }
  }

  /// What the value means that comes next.
  void kind(std::string_view what) { word(what); }
  void in_units_of(std::intmax_t num, std::intmax_t den) {
    word("s*" + std::to_string(num) + "/" + std::to_string(den) + " ");
  }
  template <class T>
  bool scalar(T&) {
    if constexpr (std::same_as<T, bool>)
      return word("bool");
    else if constexpr (std::floating_point<T>)
      return word("f" + std::to_string(8 * sizeof(T)));
    else
      return word((std::is_signed_v<T> ? "i" : "u") + std::to_string(8 * sizeof(T)));
  }
  bool text(std::string&) { return word("text"); }
  template <class T, class Walk>
  bool structure(T&, Walk walk) {
    if (only_name_) return true;
    if (is_within(typeid(T))) return word("^" + type_name(typeid(T)));
    within_.push_back({typeid(T), false});
    const auto begin = text_.size();
    walk();
    if (within_.back().open) word("}");
    if (begin == text_.size()) word("{}"); // it has no fields
    within_.pop_back();
    return true;
  }
  template <class T>
  bool maybe(T&) {
    typename T::value_type like{};
    return only_name_ || (visit_wire(*this, like) && word("?"));
  }
  template <class T>
  bool choice(T&) {
    return only_name_ || (word("<"), alternatives<T>(std::make_index_sequence<std::variant_size_v<T>>()), word(">"));
  }
  template <class T>
  bool tuple(T& x) {
    if (only_name_) return true;
    word("(");
    std::apply([&](auto&... each) { (element(each, ","), ...); }, x);
    return word(")");
  }
  template <class C>
  bool sequence(C&) {
    if (only_name_) return true;
    typename wire_element<typename C::value_type>::type like{};
    word(wire_keyed<C> ? "[key " : "[");
    visit_wire(*this, like);
    return word("]");
  }

  void named(std::string_view name) {
    if (within_.empty() && name_.empty()) name_ = name;
  }
  void begin_field(std::string_view name);
  void end_field(std::string_view, bool) noexcept {}

private:
  struct structure_of {
    std::type_index type;
    bool open; // a field was begun
  };

  bool is_within(std::type_index type) const noexcept;
  bool word(std::string_view w);
  template <class T>
  void element(T& x, std::string_view separator) {
    visit_wire(*this, x);
    word(separator);
  }
  template <class T, std::size_t... I>
  void alternatives(std::index_sequence<I...>) {
    (one_of(std::variant_alternative_t<I, T>{}), ...);
  }
  template <class T>
  void one_of(T like) {
    element(like, "|");
  }

  bool only_name_ = false;
  std::string text_;
  std::string name_;
  std::vector<structure_of> within_; // structures that are being walked: one that holds its like is not walked again
};

} // namespace greenroom::detail
