// json: handlers that take and give values in place of requests and responses.
//
//   struct new_order { std::string customer; std::vector<line> lines; std::optional<std::string> note; };
//   void describe(http::schema<new_order>& s) {                               // beside the type: found by its namespace
//     s.field("customer", &new_order::customer).between(1, 80);
//     s.field("lines", &new_order::lines).at_least(1).says("what is ordered");
//     s.field("note", &new_order::note);
//   }
//   task<result<http::created<order>>> take_order(new_order what, book& orders);
//   front.post("/orders", http::json_handler(take_order, std::ref(orders)));
//
// What can stand in JSON: bool, numbers, std::string, std::optional, std::vector, std::map by std::string, any_json, and structures and
// enumerations that have a describe(). A body is read strictly: what is refused, and how, says json_handler(); README.md has the table.
// Needs a build with nlohmann-json; programs that use it do not.
// Thread safety: describe() is called once, by any thread. Lifetime: as handler.hpp.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/http/detail/json_call.hpp>
#include <greenroom/http/detail/json_object.hpp>
#include <greenroom/http/handler.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http {

/// Any JSON at all, as its text. Requires: whole and well-formed where it is written; what was read is. What was read says the same without its white space:
/// numbers stand as they were written, digit by digit; strings may have other escapes.
struct any_json {
  std::string text = "null"; ///< the document
};

/// How a structure stands in JSON: an object with these fields, and no others. Given to describe(schema<T>&), which the user writes beside T.
/// Requires: T has a default constructor. Thread safety: owner only.
template <class T>
class schema {
public:
  /// For the library.
  explicit schema(detail::json_shape& of) noexcept : of_(of) {}
  schema(const schema&) = delete;
  schema& operator=(const schema&) = delete;

  /// Adds a field, which must be there unless it is a std::optional or made `.optional()`: then what is missing keeps what its initializer gives.
  /// What it returns bounds and describes it, and so on in a chain: `.at_least(n)`, `.at_most(n)`, `.between(least, most)`, of a number itself, or of
  /// the characters of a string, the elements of a vector, the members of a map (a std::optional without a value is in bounds);
  /// `.says("what it is")` for OpenAPI.
  /// Errors: usage_error for a name that is taken.
  template <class M, class Base>
    requires std::derived_from<T, Base> detail::described_field<T, M>
  &field(std::string name, M Base::*member) {
    auto made = std::make_unique<detail::described_field<T, M>>(std::move(name), member);
    auto& there = *made;
    of_.add(std::move(made));
    return there;
  }
  /// Fields that are not known are passed over, in place of refused: for what others may extend.
  schema& ignore_unknown() { return of_.ignores_unknown = true, *this; }
  /// Names the type in OpenAPI, of letters, digits, '.', '_' and '-'. Without it the name is that of C++, "shop.new_order".
  schema& name(std::string text) { return of_.name = std::move(text), *this; }
  /// Says in a sentence what it is, for OpenAPI.
  schema& says(std::string text) { return of_.description = std::move(text), *this; }

private:
  detail::json_shape& of_;
};

/// How an enumeration stands in JSON: as one of these names.
template <class T>
  requires std::is_enum_v<T>
class schema<T> {
public:
  /// For the library.
  explicit schema(detail::json_names& of) noexcept : of_(of) {}
  schema(const schema&) = delete;
  schema& operator=(const schema&) = delete;

  /// Gives a value its name.
  schema& value(std::string name, T is) {
    of_.all.emplace_back(std::move(name), static_cast<std::int64_t>(is));
    return *this;
  }

private:
  detail::json_names& of_;
};

/// The answer 201 Created: where it is, and what.
template <class T>
class created {
public:
  /// Says where it is, and what.
  created(std::string at, T what) : location(std::move(at)), value(std::move(what)) {}

  std::string location; ///< for the Location field; percent_encode() what may hold anything
  T value;              ///< what was made, for the body
};

/// Makes a handler of a function of values: fn([request,] [body,] args...), where args are those given here and the body is what is left.
/// It returns R or task<R>, where R is: a value, answered with 200 and its JSON; created<T>, with 201; void, with 204; a response, as
/// it is; or a result of one of them, where an error becomes a problem, with the status of status_of(). From 500 on it tells
/// the client nothing of the error, and a line in the log has it all.
///
///   front.post("/orders", http::json_handler(take_order, std::ref(orders)));
///   front.get("/orders/{id:uint}", supervised(2s, http::json_handler(show_order, std::ref(orders))));
///
/// A body that does not fit is answered in place of the handler, as a problem (problem.hpp): 415 unless it is application/json or
/// something+json, in UTF-8 and without a content coding; 400 with line and column if it is malformed, names a field twice, or is nested
/// more than 64 deep; 422 with the paths of up to 16 values that are missing, not known, of another type or out of bounds. Its length is
/// bounded by handler::body_limit().
/// Requires: one signature, no template nor overloads, and callable when const. Errors: usage_error if the build cannot read JSON.
template <class F, class... Args>
detail::json_function<std::decay_t<F>, std::decay_t<Args>...> json_handler(F&& fn, Args&&... args) {
  return detail::json_function<std::decay_t<F>, std::decay_t<Args>...>(std::forward<F>(fn),
                                                                       std::forward<Args>(args)...);
}

/// Answers with the JSON of a value, and a newline, as json_handler() does: for other handlers. Errors: usage_error for a number that is not finite,
/// and a value of an enumeration that has no name.
template <class T>
response json_of(const T& value, int status = 200) {
  return detail::json_response(status, detail::json_type_of<T>(), &value);
}

/// Reads a value of a JSON text, as strictly as a body. Errors: parse; invalid_argument, with the first fault and its path.
template <class T>
result<T> from_json(std::string_view text) {
  T value{};
  if (auto ok = detail::read_json(text, detail::json_type_of<T>(), &value); !ok) return ok.error();
  return value;
}

namespace detail {

template <class T>
concept described = requires(schema<T>& s) {
  describe(s);
}; // found by the namespace of T

template <class T>
void ask_user(schema<T>& of) {
  describe(of);
}

template <class T>
class object_json final : public typed_json<T> {
public:
  object_json() : shape_(typeid(T)) {
    schema<T> fields(shape_);
    ask_user(fields);
  }

private:
  void read_value(const json_value& from, T& to, json_faults& faults) const override { shape_.read(from, &to, faults); }
  void write_value(const T& from, json_writer& out) const override { shape_.write(&from, out); }
  void describe(json_writer& out, json_components& named) const override { named.refer(out, shape_.name, *this); }
  void define(json_writer& out, json_components& named) const override { shape_.define(out, named); }

  json_shape shape_;
};

template <class T>
class enum_json final : public typed_json<T> {
public:
  enum_json() {
    schema<T> values(names_);
    ask_user(values);
  }

private:
  void read_value(const json_value& from, T& to, json_faults& faults) const override {
    if (const auto n = names_.value_of(from, faults)) to = static_cast<T>(*n);
  }
  void write_value(const T& from, json_writer& out) const override {
    out.text(names_.name_of(static_cast<std::int64_t>(from)));
  }
  void describe(json_writer& out, json_components&) const override { names_.describe(out); }

  json_names names_;
};

GREENROOM_EXPORT const json_type& any_json_type() noexcept;

template <class T>
struct json_type_for {
  static_assert(described<T>,
                "this type cannot stand in JSON: write void describe(greenroom::http::schema<T>&) beside it, in its "
                "namespace");
  using type = std::conditional_t<std::is_enum_v<T>, enum_json<T>, object_json<T>>;
};
template <class T>
  requires std::is_arithmetic_v<T>
struct json_type_for<T> {
  using type = number_json<T>;
};
template <class T>
struct json_type_for<std::optional<T>> {
  using type = optional_json<T>;
};
template <class T>
struct json_type_for<std::vector<T>> {
  using type = vector_json<T>;
};
template <class T>
struct json_type_for<std::map<std::string, T>> {
  using type = map_json<T>;
};

template <class T>
const json_type& json_type_of() {
  if constexpr (std::same_as<T, bool>) {
    return bool_json();
  } else if constexpr (std::same_as<T, std::string>) {
    return string_json();
  } else if constexpr (std::same_as<T, any_json>) {
    return any_json_type();
  } else {
    static const typename json_type_for<T>::type it;
    return it;
  }
}

} // namespace detail
} // namespace greenroom::http
