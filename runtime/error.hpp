/// Errors as values: `errc` is the code, `error` a code with a sentence, `result<T>` a value or an
/// error. Expected failures travel as `result`; programming errors throw `usage_error`; exceptions
/// of user code end the actor and arrive elsewhere as `errc::failed`. Texts have the form "what
/// failed: on what: why (limit, actual)", and what to do about it.
/// Thread safety: distinct objects may be used from any threads; one object as const only. Copies
/// of an error share one immutable text.
/// Lifetime: all types own what they hold; views and references live as long as the object they
/// came from.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/invoke.hpp>

namespace greenroom {

/// Why something failed. The numbers are fixed: logs, metrics and other programs rely on them.
enum class errc : std::uint16_t {
  closed = 1,           ///< the mailbox is closed or has no receiver left
  full = 2,             ///< the mailbox is full and may not wait
  empty = 3,            ///< nothing is queued and the call may not wait
  timed_out = 4,        ///< the deadline passed first
  cancelled = 5,        ///< the context was cancelled first
  not_found = 6,        ///< no such thing
  already_exists = 7,   ///< the name or the thing is taken
  invalid_argument = 8, ///< an argument is outside its allowed range
  io = 9,               ///< a file, socket or other system call failed
  failed = 10,          ///< an actor was ended by an exception
  no_reply = 11,        ///< the request was dropped unanswered or its receiver is gone
  stopped = 12,         ///< the actor system is stopped
  killed = 13,          ///< the actor was killed
  unsupported = 14,     ///< this build or platform cannot do it
  parse = 15,           ///< the text does not follow its grammar
  limit = 16,           ///< a configured limit was reached
  type_mismatch = 17,   ///< a value has another type than the one asked for
  upstream = 18,        ///< another server failed: it was not reached, or its answer cannot be used
  unavailable = 19,     ///< it is refused for now, to spare who would have to do it: ask again later
};

/// Returns the code's own sentence, for example "deadline exceeded". Never null, also for unknown
/// numbers.
GREENROOM_EXPORT const char* sentence(errc code) noexcept;

/// Returns the code's name as it is spelled in the enum, for example "timed_out"; for metrics and
/// logs.
GREENROOM_EXPORT const char* to_string(errc code) noexcept;

/// Thrown for programming errors, such as a mailbox with an absurd capacity; what() is a sentence.
/// Thread safety: as std::logic_error.
class GREENROOM_EXPORT usage_error : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

template <class T>
class result;

/// A code and a sentence. There is no error that means success.
/// Thread safety: see the file comment.
/// Cost: without text no allocation; with text one allocation, and copies share it.
class GREENROOM_EXPORT error {
public:
  /// Makes an error that says the code's own sentence.
  error(errc code) noexcept : code_{code} {}
  /// Makes an error that says `text`; an empty text means the code's own sentence.
  error(errc code, std::string text);

  /// Returns the code.
  errc code() const noexcept { return code_; }
  /// Returns whether it has that code.
  bool is(errc code) const noexcept { return code_ == code; }

  /// Returns the text, or the code's sentence if there is none.
  /// Lifetime: valid until this error is assigned to or destroyed.
  std::string_view message() const noexcept;

  /// Compares codes only: texts are for people.
  friend bool operator==(const error& a, const error& b) noexcept { return a.code_ == b.code_; }

private:
  friend class result<void>;
  error() noexcept = default; // the success state of result<void>, which thereby needs no flag

  errc code_{};
  std::shared_ptr<const std::string> text_;
};

/// Thrown by result::value() when there is no value; what() is the message of the error.
/// Thread safety: as std::logic_error.
class GREENROOM_EXPORT bad_result : public std::logic_error {
public:
  /// Says that there is this error in place of a value.
  explicit bad_result(const error& why);
  /// Returns the error.
  const error& why() const noexcept { return why_; }

private:
  error why_;
};

namespace detail {

[[noreturn]] GREENROOM_EXPORT void throw_bad_result(const error& why);

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;
/// What a T comes back as from something that can fail itself: result<T>, or T if it is a result already.
template <class T>
using as_result = std::conditional_t<is_result<T>, T, result<T>>;

template <class F, class... Args>
using result_of = result<std::remove_cvref_t<std::invoke_result_t<F, Args...>>>;

/// Calls `f` with `args` and gives what it returned as a result.
template <class F, class... Args>
result_of<F, Args...> invoke_as_result(F&& f, Args&&... args) {
  if constexpr (std::is_void_v<std::invoke_result_t<F, Args...>>) {
    detail::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    return {};
  } else {
    return detail::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  }
}

} // namespace detail

/// Either a `T` or an `error`; converts from both, and from a bare `errc`.
/// Thread safety: see the file comment.
template <class T>
class [[nodiscard]] result {
  using failure = greenroom::error;
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "result<T> holds a plain value");
  static_assert(!std::is_same_v<T, failure> && !std::is_same_v<T, errc>, "an error cannot be the value of a result");

public:
  using value_type = T;

  template <class U = T>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
             !std::is_same_v<std::remove_cvref_t<U>, failure> && !std::is_same_v<std::remove_cvref_t<U>, errc>)
  /// Holds a value or an error.
  /// Holds a value or an error.
  result(U&& value)
  noexcept(std::is_nothrow_constructible_v<T, U>) : state_{std::in_place_index<0>, std::forward<U>(value)} {}
  /// Holds a value or an error.
  result(failure why) noexcept : state_{std::in_place_index<1>, std::move(why)} {}
  /// Holds a value or an error.
  result(errc code) noexcept : state_{std::in_place_index<1>, code} {}

  /// Returns whether there is a value.
  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Returns the value.
  /// Errors: throws bad_result when there is none.
  T& value() & { return check(), **this; }
  const T& value() const& { return check(), **this; }
  T&& value() && { return check(), *std::move(*this); }

  /// Returns the value. Requires: has_value() (asserted).
  T& operator*() & noexcept { return assert(has_value()), *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return assert(has_value()), *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return &**this; }
  const T* operator->() const noexcept { return &**this; }

  /// Returns the error. Requires: !has_value() (asserted).
  const failure& error() const& noexcept { return assert(!has_value()), *std::get_if<1>(&state_); }

  /// Returns the value, or `other` when there is none.
  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  T value_or(U&& other) && {
    return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
  }

  /// Returns the result of `f(value)`, or this error.
  template <class F>
  detail::result_of<F, const T&> transform(F&& f) const& {
    if (!has_value()) return error();
    return detail::invoke_as_result(std::forward<F>(f), **this);
  }
  template <class F>
  detail::result_of<F, T> transform(F&& f) && {
    if (!has_value()) return error();
    return detail::invoke_as_result(std::forward<F>(f), *std::move(*this));
  }

  /// Returns `f(value)`, which is itself a result, or this error.
  template <class F>
  std::invoke_result_t<F, const T&> and_then(F&& f) const& {
    static_assert(detail::is_result<std::invoke_result_t<F, const T&>>,
                  "and_then needs a function that returns a result");
    if (!has_value()) return error();
    return detail::invoke(std::forward<F>(f), **this);
  }
  template <class F>
  std::invoke_result_t<F, T> and_then(F&& f) && {
    static_assert(detail::is_result<std::invoke_result_t<F, T>>, "and_then needs a function that returns a result");
    if (!has_value()) return error();
    return detail::invoke(std::forward<F>(f), *std::move(*this));
  }

private:
  void check() const {
    if (!has_value()) detail::throw_bad_result(error());
  }

  std::variant<T, failure> state_;
};

/// Success without a value, or an error. Default-constructed it is success.
/// Thread safety: see the file comment.
template <>
class [[nodiscard]] result<void> {
  using failure = greenroom::error;

public:
  using value_type = void;

  result() noexcept = default;
  /// Holds success, or an error.
  result(failure why) noexcept : error_{std::move(why)} {}
  result(errc code) noexcept : error_{code} {}

  /// Returns whether it is success.
  bool has_value() const noexcept { return error_.code_ == errc{}; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Errors: throws bad_result when this is an error.
  void value() const {
    if (!has_value()) detail::throw_bad_result(error_);
  }

  /// Returns the error. Requires: !has_value() (asserted).
  const failure& error() const& noexcept { return assert(!has_value()), error_; }

  /// Returns the result of `f()`, or this error.
  template <class F>
  detail::result_of<F> transform(F&& f) const {
    if (!has_value()) return error_;
    return detail::invoke_as_result(std::forward<F>(f));
  }

  /// Returns `f()`, which is itself a result, or this error.
  template <class F>
  std::invoke_result_t<F> and_then(F&& f) const {
    static_assert(detail::is_result<std::invoke_result_t<F>>, "and_then needs a function that returns a result");
    if (!has_value()) return error_;
    return detail::invoke(std::forward<F>(f));
  }

private:
  failure error_; // code 0 means success
};

} // namespace greenroom
