// message: what a handler takes and gives: an HTTP request and a response.
//
//   task<http::response> greet(http::request r) {
//     co_return http::text("Hello, " + std::string(r.parameter("name")) + "!");
//   }
//
// Thread safety: owner only; a request moves with its actor. Lifetime: a request owns its bytes; views into it live as long as it
// does, also when it is moved.
#pragma once

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/frame_allocator.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

/// A method of HTTP: one of the nine that everybody knows, or any other one by its name, as method("PURGE") or method("QUERY"). A server knows those
/// nine, but for CONNECT, and those of its routes; a request with another one is answered with 501. Source: RFC 9110 section 9, RFC 5789.
class GREENROOM_EXPORT method {
public:
  static const method get;     ///< GET
  static const method head;    ///< HEAD
  static const method post;    ///< POST
  static const method put;     ///< PUT
  static const method delete_; ///< DELETE
  static const method patch;   ///< PATCH
  static const method options; ///< OPTIONS
  static const method trace;   ///< TRACE
  static const method connect; ///< CONNECT, which no server of ours serves

  /// Names a method, with case. Errors: usage_error if it is no token (RFC 9110 section 5.6.2), or longer than 23 characters.
  explicit method(std::string_view name);

  /// Returns "GET" and so on. Lifetime: of the method.
  std::string_view name() const noexcept;
  /// Says whether it is one of the nine.
  bool is_common() const noexcept { return common_ != none; }

  /// Orders the nine as they are named above, and the others behind them by name.
  friend auto operator<=>(const method& a, const method& b) noexcept = default;
  friend bool operator==(const method& a, const method& b) noexcept {
    return a.common_ == b.common_ && (a.is_common() || a.own_ == b.own_);
  }

private:
  static constexpr std::uint8_t none = 9;
  constexpr explicit method(std::uint8_t common) noexcept : common_(common) {}

  std::uint8_t common_;        // its place among the nine, or none
  std::array<char, 23> own_{}; // the name of another one, filled up with zero bytes; all zero for the nine
};

inline constexpr method method::get{std::uint8_t{0}};
inline constexpr method method::head{std::uint8_t{1}};
inline constexpr method method::post{std::uint8_t{2}};
inline constexpr method method::put{std::uint8_t{3}};
inline constexpr method method::delete_{std::uint8_t{4}};
inline constexpr method method::patch{std::uint8_t{5}};
inline constexpr method method::options{std::uint8_t{6}};
inline constexpr method method::trace{std::uint8_t{7}};
inline constexpr method method::connect{std::uint8_t{8}};

/// Returns "GET" and so on. Lifetime: of the method.
inline std::string_view to_string(const method& m) noexcept { return m.name(); }
/// Returns the one of the nine that is spelled so, with case; nothing for another one.
GREENROOM_EXPORT std::optional<method> method_of(std::string_view name) noexcept;
/// Returns the reason phrase of a status code, for example "Not Found"; "" for an unknown one. Source: RFC 9110 section 15.
GREENROOM_EXPORT std::string_view reason_phrase(int status) noexcept;

/// One header field. The value has no white space around it.
struct field {
  std::string_view name;  ///< as it was sent
  std::string_view value; ///< without white space around it
};

namespace detail {
struct request_data;
class continuation;
} // namespace detail

/// A complete request: what the client sent, and the parameters of the route.
class GREENROOM_EXPORT request {
public:
  request(request&&) noexcept;
  request& operator=(request&&) noexcept;
  ~request();

  /// Returns the method.
  const http::method& method() const noexcept;
  /// Returns the target as it was sent: "/search?q=a%20b".
  std::string_view target() const noexcept;
  /// Returns the path as it was sent, without the query and still percent-encoded: "/search".
  std::string_view path() const noexcept;
  /// Returns what follows the question mark, still encoded; "" if there is none.
  std::string_view query() const noexcept;
  /// Returns the decoded value of the first query parameter of that name ('+' is a space); nothing if there is none, "" for
  /// one without a value. Cost: walks the query.
  std::optional<std::string> query_value(std::string_view name) const;
  /// Returns the whole number that the first query parameter of that name holds, in decimal; `otherwise` if there is none. Errors: parse, with
  /// a sentence for the client, if it is anything else or not from `least` to `most`.
  template <std::integral Number>
  result<Number> query_number(std::string_view name, Number otherwise, Number least, Number most) const {
    using wide = std::conditional_t<std::signed_integral<Number>, std::int64_t, std::uint64_t>;
    const auto read = read_query_number(name, wide{otherwise}, wide{least}, wide{most});
    if (!read) return read.error();
    return static_cast<Number>(*read);
  }
  /// Returns the decoded value of a parameter of the route, as in "/users/{id}". It has no segment "." or "..", but unless it has a type it
  /// may hold slashes: {id} those that were encoded, {rest...} also the others, and one at its front ("/files//etc" gives "/etc").
  /// Never append it to a folder's name unseen. Errors: usage_error if the route has no such one.
  std::string_view parameter(std::string_view name) const;
  /// Returns the number of a parameter {name:int}, as std::int64_t, or {name:uint}, as std::uint64_t: one that is no number has led
  /// elsewhere. Errors: usage_error if the route has no parameter of that name and type.
  template <class Number>
    requires(std::same_as<Number, std::int64_t> || std::same_as<Number, std::uint64_t>)
  Number parameter_as(std::string_view name)
  const {
    Number number{};
    read_parameter(name, number);
    return number;
  }

  /// Returns the value of the first field of that name, without regard to case; nothing if there is none.
  /// Cost: walks the fields.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// Returns all fields in the order in which they came.
  std::span<const field> headers() const noexcept;
  /// Returns the host that was asked for, from the target or else the Host field, which header("Host") has in any case; "" if that is
  /// empty, and in an HTTP/1.0 request without one.
  std::string_view host() const noexcept;
  /// Returns 1 for HTTP/1.1, 0 for HTTP/1.0.
  int minor_version() const noexcept;

  /// Returns the body, decoded of its chunks; "" if there is none.
  std::string_view body() const noexcept;
  /// Takes the body out, without a copy.
  std::string take_body() noexcept;
  /// Returns the fields behind a chunked body in the order in which they came; none where a body_reader reads it, which has them then. They
  /// are never among headers(): a client could change there what has been looked at already. Source: RFC 9110 section 6.5.
  std::span<const field> trailers() const noexcept;

  /// Returns whether it came over TLS.
  bool secure() const noexcept;
  /// Returns the address of the client's end of the connection, "127.0.0.1:41234".
  std::string_view peer() const noexcept;

  /// Adds a field to the answer that the server gives in place of handler and middlewares: their time is over, or they have failed. For a
  /// middleware that adds it to each of its own answers. Does nothing where there is no middleware. Errors: as response::header().
  void mark_answer(std::string_view name, std::string_view value);

  /// For the server.
  explicit request(std::unique_ptr<detail::request_data> data) noexcept;
  /// Returns what it is made of.
  detail::request_data& data() noexcept { return *data_; }

private:
  void read_parameter(std::string_view name, std::int64_t& to) const;
  void read_parameter(std::string_view name, std::uint64_t& to) const;
  result<std::int64_t> read_query_number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                         std::int64_t most) const;
  result<std::uint64_t> read_query_number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                          std::uint64_t most) const;

  std::unique_ptr<detail::request_data> data_;
};

class response;
namespace detail {
GREENROOM_EXPORT response with_continuation(response head, std::shared_ptr<continuation> next);
}

/// What a handler answers. The server adds Date, Content-Length and Connection. One whose body is streamed is made by body.hpp.
class GREENROOM_EXPORT response {
public:
  /// An empty answer. Errors: usage_error unless the status is from 200 to 599.
  explicit response(int status = 200);
  /// An answer with a body. Errors: as above and as header().
  response(int status, std::string_view content_type, std::string body);

  /// Returns the status code.
  int status() const noexcept { return status_; }
  const std::string& body() const noexcept { return body_; }

  /// Adds a field; who adds one twice sends it twice. Errors: usage_error if the name is no token, the value holds a control
  /// character (an injected line break among them), or the field is one that the server writes itself: Content-Length,
  /// Transfer-Encoding, Connection, Date.
  response& header(std::string_view name, std::string_view value) &;
  response&& header(std::string_view name, std::string_view value) && { return std::move(header(name, value)); }

  /// Returns the value of the first field of that name, without regard to case; nothing if there is none.
  /// Cost: walks the fields.
  std::optional<std::string_view> header(std::string_view name) const noexcept;

  /// Sets a field in place of all those of that name, behind all others. Errors: as header().
  response& set_header(std::string_view name, std::string_view value) &;
  response&& set_header(std::string_view name, std::string_view value) && { return std::move(set_header(name, value)); }
  /// Removes all fields of that name, if there are any, without regard to case.
  response& remove_header(std::string_view name) & noexcept;
  response&& remove_header(std::string_view name) && noexcept { return std::move(remove_header(name)); }

  /// Sets another body; what describes it, as Content-Type and ETag, stays as it is. Errors: usage_error when it is streamed.
  response& body(std::string bytes) &;
  response&& body(std::string bytes) && { return std::move(body(std::move(bytes))); }
  /// Takes the body out, without a copy.
  std::string take_body() noexcept { return std::exchange(body_, {}); }

  /// Announces the length of a body that is streamed, where it is known: the client sees how far it is. One that turns out
  /// shorter or longer is cut off, with a line in the log. Units: bytes.
  response& content_length(std::uint64_t bytes) & noexcept { return length_ = bytes, *this; }
  response&& content_length(std::uint64_t bytes) && noexcept { return std::move(content_length(bytes)); }

  /// For the server: the fields as lines, each ended by CR LF.
  std::string_view header_lines() const noexcept {
    return only_line_.empty() ? std::string_view(header_lines_) : only_line_;
  }
  /// Returns what content_length() was told. Units: bytes.
  std::optional<std::uint64_t> announced_length() const noexcept { return length_; }
  /// Returns what goes on behind the head; null if the answer is whole.
  detail::continuation* continuation() const noexcept { return next_.get(); }

private:
  friend response detail::with_continuation(response head, std::shared_ptr<detail::continuation> next);
  friend class request; // which checks fields for answers to come
  friend response text(std::string body, int status);
  friend response json(std::string body, int status);
  friend response html(std::string body, int status);
  static response of_type(std::string_view line, std::string body, int status); // a literal that needs no check
  static void check_field(std::string_view name, std::string_view value);

  int status_;
  std::optional<std::uint64_t> length_;
  std::string_view only_line_; // a literal; in place of the following for as long as there is no other field
  greenroom::detail::pooled_string header_lines_;
  std::string body_;
  std::shared_ptr<detail::continuation> next_; // what goes on when the head is given
};

/// Answers with plain text in UTF-8.
GREENROOM_EXPORT response text(std::string body, int status = 200);
/// Answers with a JSON document, given as its text.
GREENROOM_EXPORT response json(std::string body, int status = 200);
/// Answers with a page in UTF-8.
GREENROOM_EXPORT response html(std::string body, int status = 200);

} // namespace greenroom::http
