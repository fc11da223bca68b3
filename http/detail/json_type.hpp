// How C++ types stand in JSON: each is read, written and described by one json_type, found by json_type_of<T>().
// Thread safety: constant once made. Lifetime: of the process.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/http/detail/json_value.hpp>

namespace greenroom::http::detail {

/// What is wrong with a document, each with the path of its value. Reading goes on behind a fault, up to a number of them.
class GREENROOM_EXPORT json_faults {
public:
  struct fault {
    std::string pointer;
    std::string why;
  };
  /// A step down the path, for as long as it lives.
  class step {
  public:
    step(json_faults& in, std::string_view name) : in_(in), length_(in.at_.size()) { append_pointer(in.at_, name); }
    step(json_faults& in, std::size_t index) : in_(in), length_(in.at_.size()) { append_pointer(in.at_, index); }
    step(const step&) = delete;
    step& operator=(const step&) = delete;
    ~step() { in_.at_.resize(length_); }

  private:
    json_faults& in_;
    std::size_t length_;
  };

  void add(std::string why);
  void must_be(std::string_view what, const json_value& found);
  bool full() const noexcept { return all.size() >= most; }

  static constexpr std::size_t most = 16;
  std::vector<fault> all;

private:
  std::string at_;
};

class json_components;

class GREENROOM_EXPORT json_type {
public:
  explicit json_type(const std::type_info& type) noexcept : of(type) {}
  json_type(const json_type&) = delete;
  json_type& operator=(const json_type&) = delete;
  virtual ~json_type();

  /// Makes `to`, an object of the type, what the value says; leaves it in some state where it adds a fault.
  virtual void read(const json_value& from, void* to, json_faults& faults) const = 0;
  /// Errors: usage_error where a value has no text.
  virtual void write(const void* from, json_writer& out) const = 0;
  /// Writes the members of its JSON Schema.
  virtual void describe(json_writer& out, json_components& named) const = 0;
  /// The same, of a type that has a name, where it is defined.
  virtual void define(json_writer& out, json_components& named) const;

  const std::type_info& of;
};

/// The types that a document describes once, by their names.
class GREENROOM_EXPORT json_components {
public:
  /// Writes the reference to a type. Errors: usage_error when another type has the name.
  void refer(json_writer& out, std::string_view name, const json_type& to);
  /// Writes all that was referred to, as members of an object.
  void define_all(json_writer& out);

private:
  std::map<std::string, const json_type*, std::less<>> known_;
  std::vector<std::pair<std::string, const json_type*>> order_;
};

template <class T>
const json_type& json_type_of();

template <class T>
class typed_json : public json_type {
public:
  typed_json() noexcept : json_type(typeid(T)) {}
  void read(const json_value& from, void* to, json_faults& faults) const final {
    read_value(from, *static_cast<T*>(to), faults);
  }
  void write(const void* from, json_writer& out) const final { write_value(*static_cast<const T*>(from), out); }

protected:
  virtual void read_value(const json_value& from, T& to, json_faults& faults) const = 0;
  virtual void write_value(const T& from, json_writer& out) const = 0;
};

GREENROOM_EXPORT const json_type& bool_json() noexcept;
GREENROOM_EXPORT const json_type& string_json() noexcept;
/// Reads an integer that is in the range, also one that is spelled 1.0.
GREENROOM_EXPORT std::optional<std::int64_t> read_signed(const json_value& from, std::int64_t least, std::int64_t most,
                                                         json_faults& faults);
GREENROOM_EXPORT std::optional<std::uint64_t> read_unsigned(const json_value& from, std::uint64_t most,
                                                            json_faults& faults);
GREENROOM_EXPORT std::optional<double> read_real(const json_value& from, double most, json_faults& faults);
GREENROOM_EXPORT void describe_signed(json_writer& out, std::int64_t least, std::int64_t most);
GREENROOM_EXPORT void describe_unsigned(json_writer& out, std::uint64_t least, std::uint64_t most);

/// Writes the schema of a number within bounds.
template <class T>
void describe_number(json_writer& out, std::optional<T> least, std::optional<T> most) {
  using limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    out.key("type").text("number");
    if (least) out.key("minimum").number(*least);
    if (most) out.key("maximum").number(*most);
  } else if constexpr (std::is_signed_v<T>) {
    describe_signed(out, least.value_or(limits::min()), most.value_or(limits::max()));
  } else {
    describe_unsigned(out, least.value_or(limits::min()), most.value_or(limits::max()));
  }
}

template <class T>
class number_json final : public typed_json<T> {
  using limits = std::numeric_limits<T>;

  void read_value(const json_value& from, T& to, json_faults& faults) const override {
    if constexpr (std::is_floating_point_v<T>) {
      if (const auto n = read_real(from, static_cast<double>(limits::max()), faults)) to = static_cast<T>(*n);
    } else if constexpr (std::is_signed_v<T>) {
      if (const auto n = read_signed(from, limits::min(), limits::max(), faults)) to = static_cast<T>(*n);
    } else {
      if (const auto n = read_unsigned(from, limits::max(), faults)) to = static_cast<T>(*n);
    }
  }
  void write_value(const T& from, json_writer& out) const override { out.number(from); }
  void describe(json_writer& out, json_components&) const override { describe_number<T>(out, {}, {}); }
};

template <class T>
class optional_json final : public typed_json<std::optional<T>> {
  void read_value(const json_value& from, std::optional<T>& to, json_faults& faults) const override {
    if (std::holds_alternative<std::nullptr_t>(from.is)) return to.reset();
    json_type_of<T>().read(from, &to.emplace(), faults);
  }
  void write_value(const std::optional<T>& from, json_writer& out) const override {
    if (!from) {
      out.null();
    } else {
      json_type_of<T>().write(&*from, out);
    }
  }
  void describe(json_writer& out, json_components& named) const override {
    out.key("anyOf").open_array().open_object();
    json_type_of<T>().describe(out, named);
    out.close_object().open_object().key("type").text("null").close_object().close_array();
  }
};

template <class T>
class vector_json final : public typed_json<std::vector<T>> {
  void read_value(const json_value& from, std::vector<T>& to, json_faults& faults) const override {
    const auto* const all = std::get_if<json_value::array>(&from.is);
    if (all == nullptr) return faults.must_be("an array", from);
    to.clear();
    for (const auto& each : *all) {
      if (faults.full()) return;
      const json_faults::step here(faults, to.size());
      T element{};
      json_type_of<T>().read(each, &element, faults);
      to.push_back(std::move(element));
    }
  }
  void write_value(const std::vector<T>& from, json_writer& out) const override {
    out.open_array();
    for (const T& each : from) json_type_of<T>().write(&each, out);
    out.close_array();
  }
  void describe(json_writer& out, json_components& named) const override {
    out.key("type").text("array").key("items").open_object();
    json_type_of<T>().describe(out, named);
    out.close_object();
  }
};

template <class T>
class map_json final : public typed_json<std::map<std::string, T>> {
  void read_value(const json_value& from, std::map<std::string, T>& to, json_faults& faults) const override {
    const auto* const all = std::get_if<json_value::object>(&from.is);
    if (all == nullptr) return faults.must_be("an object", from);
    to.clear();
    for (const auto& each : *all) {
      if (faults.full()) return;
      const json_faults::step here(faults, each.name);
      json_type_of<T>().read(each.value, &to[each.name], faults);
    }
  }
  void write_value(const std::map<std::string, T>& from, json_writer& out) const override {
    out.open_object();
    for (const auto& [name, value] : from) json_type_of<T>().write(&value, out.key(name));
    out.close_object();
  }
  void describe(json_writer& out, json_components& named) const override {
    out.key("type").text("object").key("additionalProperties").open_object();
    json_type_of<T>().describe(out, named);
    out.close_object();
  }
};

} // namespace greenroom::http::detail
