// Reads a value from bytes, which may come from a stranger: each length is held against what is left, nesting is bounded.
// Thread safety: owner only. Lifetime: the bytes outlive it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <greenroom/actors/detail/wire_visit.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::detail {

class GREENROOM_EXPORT wire_reader : public wire_inspector<wire_reader> {
public:
  static constexpr bool is_loading = true;
  static constexpr int deepest = 64;

  explicit wire_reader(std::string_view bytes) noexcept : left_(bytes) {}

  void kind(std::string_view) noexcept {}
  void in_units_of(std::intmax_t, std::intmax_t) noexcept {}
  template <class T>
  bool scalar(T& x) {
    if (left_.size() < sizeof(x)) return cut_off(sizeof(x));
    if constexpr (std::is_same_v<T, bool>) {
      if (left_[0] != 0 && left_[0] != 1) return wrong("is neither true nor false");
      x = left_[0] != 0;
    } else {
      std::memcpy(&x, left_.data(), sizeof(x));
    }
    left_.remove_prefix(sizeof(x));
    return true;
  }
  bool text(std::string& x);
  template <class T, class Walk>
  bool structure(T&, Walk walk) {
    if (++depth_ > deepest) return wrong("is nested too deep");
    const bool good = walk();
    --depth_;
    return good || (why_.empty() ? wrong("is not allowed by its inspect()") : false);
  }
  template <class T>
  bool maybe(T& x) {
    bool there = false;
    if (!scalar(there)) return false;
    if (!there) return x.reset(), true;
    return visit_wire(*this, x.emplace());
  }
  template <class T>
  bool choice(T& x) {
    std::uint8_t index = 0;
    return scalar(index) && alternative<0>(x, index);
  }
  template <class T>
  bool tuple(T& x) {
    return std::apply([this](auto&... each) { return (visit_wire(*this, each) && ...); }, x);
  }
  template <class C>
  bool sequence(C& all) {
    std::uint32_t count = 0;
    if (!scalar(count)) return false;
    if (count > left_.size()) return cut_off(count); // an element takes a byte at least, or there are few
    all.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      typename wire_element<typename C::value_type>::type one{};
      if (!visit_wire(*this, one)) return false;
      const auto before = all.size();
      all.insert(all.end(), std::move(one));
      if (wire_keyed<C> && all.size() == before) return wrong("has a key twice");
    }
    return true;
  }

  void named(std::string_view) noexcept {}
  void begin_field(std::string_view) noexcept {}
  void end_field(std::string_view name, bool good);

  bool at_end();
  /// Returns what went wrong, with the sentence for a type of that name.
  error failure(const std::string& type) const;

private:
  template <std::size_t I, class T>
  bool alternative(T& x, std::size_t index) {
    if constexpr (I == std::variant_size_v<T>) {
      return wrong("has an alternative that is not known");
    } else {
      return index == I ? visit_wire(*this, x.template emplace<I>()) : alternative<I + 1>(x, index);
    }
  }
  bool cut_off(std::size_t needed);
  bool wrong(std::string why);

  std::string_view left_;
  int depth_ = 0;
  std::string why_;  // empty as long as all is well
  std::string path_; // of the field where it went wrong
};

} // namespace greenroom::detail
