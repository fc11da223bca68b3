// Objects and enumerations in JSON: what a describe(schema<T>&) of the user gathers.
// Thread safety: constant once made. Lifetime: of the process.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <greenroom/http/detail/json_type.hpp>

namespace greenroom::http::detail {

/// One field of an object, its types forgotten.
class GREENROOM_EXPORT json_field {
public:
  json_field(std::string called, bool must) : name(std::move(called)), required(must) {}
  json_field(const json_field&) = delete;
  json_field& operator=(const json_field&) = delete;
  virtual ~json_field();

  virtual void read(const json_value& from, void* object, json_faults& faults) const = 0;
  virtual void write(const void* object, json_writer& out) const = 0;
  void describe(json_writer& out, json_components& named) const;

  const std::string name;
  bool required;
  std::string description;

private:
  virtual void describe_type(json_writer& out, json_components& named) const = 0;
};

/// What is known of an object type.
struct GREENROOM_EXPORT json_shape {
  explicit json_shape(const std::type_info& of);
  json_shape(const json_shape&) = delete;
  json_shape& operator=(const json_shape&) = delete;

  void read(const json_value& from, void* to, json_faults& faults) const;
  void write(const void* from, json_writer& out) const;
  void define(json_writer& out, json_components& named) const;
  void add(std::unique_ptr<json_field> made);

  std::string name; // of the component in OpenAPI
  std::string description;
  bool ignores_unknown = false;
  std::vector<std::unique_ptr<json_field>> fields;
};

/// The names of the values of an enumeration.
struct GREENROOM_EXPORT json_names {
  std::optional<std::int64_t> value_of(const json_value& from, json_faults& faults) const;
  /// Errors: usage_error for a value without a name.
  const std::string& name_of(std::int64_t value) const;
  void describe(json_writer& out) const;

  std::vector<std::pair<std::string, std::int64_t>> all;
};

// -- what can be bounded: a number itself, else how much is in it ---------------------------------------

GREENROOM_EXPORT std::size_t characters(std::string_view text) noexcept;
GREENROOM_EXPORT std::string out_of_range(std::string_view bound, const std::string& limit, const std::string& found,
                                          std::string_view of);
GREENROOM_EXPORT std::string text_of_number(std::int64_t n);
GREENROOM_EXPORT std::string text_of_number(std::uint64_t n);
GREENROOM_EXPORT std::string text_of_number(double n);
template <class N>
std::string shown_number(N n) {
  if constexpr (std::is_floating_point_v<N>)
    return text_of_number(static_cast<double>(n));
  else if constexpr (std::is_signed_v<N>)
    return text_of_number(std::int64_t{n});
  else
    return text_of_number(std::uint64_t{n});
}

template <class M>
struct json_extent {
  static constexpr bool known = false;
  using type = int;
};
template <class M>
  requires(std::is_arithmetic_v<M> && !std::same_as<M, bool>)
struct json_extent<M> {
  static constexpr bool known = true;
  using type = M;
  static constexpr std::string_view of = "", least = "minimum", most = "maximum";
  static std::optional<M> measure(const M& m) { return m; }
};
template <>
struct json_extent<std::string> {
  static constexpr bool known = true;
  using type = std::size_t;
  static constexpr std::string_view of = "characters", least = "minLength", most = "maxLength";
  static std::optional<std::size_t> measure(const std::string& m) { return characters(m); }
};
template <class T>
struct json_extent<std::vector<T>> {
  static constexpr bool known = true;
  using type = std::size_t;
  static constexpr std::string_view of = "elements", least = "minItems", most = "maxItems";
  static std::optional<std::size_t> measure(const std::vector<T>& m) { return m.size(); }
};
template <class T>
struct json_extent<std::map<std::string, T>> {
  static constexpr bool known = true;
  using type = std::size_t;
  static constexpr std::string_view of = "members", least = "minProperties", most = "maxProperties";
  static std::optional<std::size_t> measure(const std::map<std::string, T>& m) { return m.size(); }
};
template <class T>
struct json_extent<std::optional<T>> : json_extent<T> {
  static auto measure(const std::optional<T>& m) { return m ? json_extent<T>::measure(*m) : std::nullopt; }
};

template <class M>
inline constexpr bool is_optional = false;
template <class M>
inline constexpr bool is_optional<std::optional<M>> = true;

/// A field as the user bounds and describes it. Thread safety: owner only.
template <class T, class M>
class described_field final : public json_field {
  using extent = json_extent<M>;
  using limit = typename extent::type;

public:
  described_field(std::string called, M T::*at) : json_field(std::move(called), !is_optional<M>), at_(at) {}

  /// Bounds a number itself, or the characters of a string, the elements of an array, the members of an object.
  described_field& at_least(limit n) requires(extent::known) { return least_ = n, *this; }
  described_field& at_most(limit n) requires(extent::known) { return most_ = n, *this; }
  described_field& between(limit least, limit most) requires(extent::known) { return at_least(least).at_most(most); }
  /// May be missing; the member then keeps what its initializer gives. A std::optional may be missing without this, or null.
  described_field& optional() { return required = false, *this; }
  /// Says in a sentence what it is, for OpenAPI.
  described_field& says(std::string text) { return description = std::move(text), *this; }

private:
  void read(const json_value& from, void* object, json_faults& faults) const override {
    M& member = static_cast<T*>(object)->*at_;
    const auto before = faults.all.size();
    json_type_of<M>().read(from, &member, faults);
    if constexpr (extent::known) {
      if (faults.all.size() != before) return;
      const std::optional<limit> n = extent::measure(member);
      if (n && least_ && *n < *least_)
        faults.add(out_of_range("at least", shown_number(*least_), shown_number(*n), extent::of));
      if (n && most_ && *n > *most_)
        faults.add(out_of_range("at most", shown_number(*most_), shown_number(*n), extent::of));
    }
  }
  void write(const void* object, json_writer& out) const override {
    const M& member = static_cast<const T*>(object)->*at_;
    if constexpr (is_optional<M>) {
      if (!member) return; // reads back as the same
    }
    json_type_of<M>().write(&member, out.key(name));
  }
  void describe_type(json_writer& out, json_components& named) const override {
    if constexpr (std::is_arithmetic_v<M> && extent::known) return describe_number<M>(out, least_, most_);
    json_type_of<M>().describe(out, named);
    if constexpr (extent::known) {
      if (least_) out.key(extent::least).number(*least_);
      if (most_) out.key(extent::most).number(*most_);
    }
  }

  M T::*at_;
  std::optional<limit> least_;
  std::optional<limit> most_;
};

} // namespace greenroom::http::detail
