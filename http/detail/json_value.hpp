// JSON texts: a document that was read, and a writer that sets the commas.
// Thread safety: owner only. Lifetime: both own their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::detail {

struct json_member;

/// A number that is no integer of 64 bits, as it was written: a double may not hold all of its digits. Requires: a number of JSON, finite
/// as a double.
struct json_number {
  /// Returns the double next to it.
  GREENROOM_EXPORT double value() const noexcept;

  std::string text;
};

/// One value of a document. Strings are UTF-8; no object has two members of one name.
struct json_value {
  using array = std::vector<json_value>;
  using object = std::vector<json_member>; // in the order of the text

  /// Returns "null", "a string", or the number itself: what a sentence says was found.
  GREENROOM_EXPORT std::string shown() const;

  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, json_number, std::string, array, object> is;
};

struct json_member {
  std::string name;
  json_value value;
};

/// Reads a document strictly: RFC 8259, whole, in UTF-8, nested `depth` deep at most, no name twice in an object, no number
/// beyond the doubles. What is no integer of 64 bits stays text, digit by digit.
/// Errors: parse, with line and column or the path of the value, and what was expected; unsupported if the build has no parser.
/// Cost: up to some thirty times the text in memory.
GREENROOM_EXPORT result<json_value> parse_json(std::string_view text, std::size_t depth);
/// Returns whether the build has a parser.
GREENROOM_EXPORT bool can_parse_json() noexcept;

/// Appends "/items/3" for the steps of a JSON pointer. Source: RFC 6901.
GREENROOM_EXPORT void append_pointer(std::string& to, std::string_view name);
GREENROOM_EXPORT void append_pointer(std::string& to, std::size_t index);

/// Returns what an answer may repeat of a text of the client's: not all of a name that is as long as the document, and
/// no control characters: each becomes '?'.
GREENROOM_EXPORT std::string shortened(std::string_view text);

/// Writes one JSON text. What is not UTF-8 in a string becomes U+FFFD.
class GREENROOM_EXPORT json_writer {
public:
  json_writer& open_object() { return begin(), out_ += '{', first_ = true, *this; }
  json_writer& close_object() { return out_ += '}', first_ = false, *this; }
  json_writer& open_array() { return begin(), out_ += '[', first_ = true, *this; }
  json_writer& close_array() { return out_ += ']', first_ = false, *this; }
  json_writer& key(std::string_view name);
  json_writer& text(std::string_view value);
  json_writer& boolean(bool value) { return raw(value ? "true" : "false"); }
  json_writer& null() { return raw("null"); }
  /// Errors: usage_error for a double that is no finite number.
  template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
  json_writer& number(Number value) {
    if constexpr (std::is_floating_point_v<Number>)
      return real(static_cast<double>(value), std::is_same_v<Number, float>);
    else if constexpr (std::is_signed_v<Number>)
      return integer(std::int64_t{value});
    else
      return integer(std::uint64_t{value});
  }
  json_writer& value(const json_value& v);
  /// Requires: a whole JSON text.
  json_writer& raw(std::string_view json) { return begin(), out_ += json, *this; }

  const std::string& str() const& noexcept { return out_; }
  std::string str() && noexcept { return std::move(out_); }

private:
  void begin() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  json_writer& integer(std::int64_t value);
  json_writer& integer(std::uint64_t value);
  json_writer& real(double value, bool single);

  std::string out_;
  bool first_ = true;
};

} // namespace greenroom::http::detail
