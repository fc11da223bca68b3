// client_message: what an http::client sends and gets: a request, made with the calls one after the other, and the answer to it.
//
//   http::client_request q(http::method::post, "http://127.0.0.1:8080/orders");
//   q.header("Content-Type", "application/json").body(text).idempotent();
//
// Thread safety: owner only; both move with their actor. Lifetime: an answer owns its bytes; views into it live as long as it does,
// also when it is moved.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

namespace detail {
struct response_data;
}
namespace internal {
struct outgoing;
}

/// A request to send. Its limits, where they are not set, are those of the client.
class GREENROOM_EXPORT client_request {
public:
  /// Names what is asked for by its whole address. An address that is none is an error when the request is sent.
  client_request(http::method m, std::string url) : method_(m), url_(std::move(url)) {}

  /// Adds a field; who adds one twice sends it twice. Errors: usage_error if the name is no token, the value holds a control
  /// character (an injected line break among them), or the field is one that the client writes itself: Host, Content-Length,
  /// Transfer-Encoding, Connection, Keep-Alive, TE, Trailer, Upgrade, Expect. The client decodes no content coding: an Accept-Encoding
  /// allows some, and the body then comes as it is, with its Content-Encoding; without it a coded body is an error.
  client_request& header(std::string_view name, std::string_view value);
  /// Sets the body.
  client_request& body(std::string bytes) {
    body_ = std::move(bytes);
    return *this;
  }

  /// How long it may take, retries and redirections included; less if the context ends earlier. A request of client::open() has this time
  /// up to the end of the answer's header section, and then anew for each read().
  client_request& limit(duration longest) {
    limit_ = longest;
    return *this;
  }
  /// Longest body of the answer that is taken in; for client::open() none. Units: bytes.
  client_request& body_limit(std::size_t most) {
    body_limit_ = most;
    return *this;
  }
  /// Says that the server does the work once however often this request comes, as that of a PUT. One with a field Idempotency-Key
  /// needs not say so. Only such requests are sent again after they may have arrived. Source: RFC 9110 section 9.2.2.
  client_request& idempotent(bool yes = true) {
    idempotent_ = yes;
    return *this;
  }
  /// Sends the request once more, over another connection, if no answer has begun after `wait`: the first answer wins, the other
  /// request is cancelled. For few slow servers among many, so set it to what all but the slowest hundredth keep. It is one of the retries
  /// that the client's budget counts. Without effect on requests that are not idempotent.
  client_request& hedge_after(duration wait) {
    hedge_after_ = wait;
    return *this;
  }

  /// Returns the method.
  http::method method() const noexcept { return method_; }
  /// Returns the address as it was given.
  const std::string& url() const noexcept { return url_; }

private:
  friend struct internal::outgoing;

  struct line {
    std::string name;
    std::string value;
  };

  http::method method_;
  bool idempotent_ = false;
  std::string url_;
  std::vector<line> fields_;
  std::string body_;
  std::optional<duration> limit_;
  std::optional<std::size_t> body_limit_;
  duration hedge_after_ = duration::max();
};

/// The front of an answer: all but its body.
class GREENROOM_EXPORT response_head {
public:
  response_head(response_head&&) noexcept;
  response_head& operator=(response_head&&) noexcept;
  ~response_head();

  /// Returns the status code, from 200 to 599.
  int status() const noexcept;
  /// Says whether the status is one of success, from 200 to 299.
  bool ok() const noexcept { return status() / 100 == 2; }
  /// Returns the reason phrase as it came, "Not Found"; may be "".
  std::string_view reason() const noexcept;
  /// Returns the value of the first field of that name, without regard to case; nothing if there is none. Cost: walks the fields.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// Returns all fields in the order in which they came.
  std::span<const field> headers() const noexcept;
  /// Returns the fields behind a chunked body; none before the body has been read to its end. Source: RFC 9110 section 6.5.
  std::span<const field> trailers() const noexcept;
  /// Returns the address that answered: after a redirection another one than was asked.
  std::string_view url() const noexcept;

protected:
  explicit response_head(std::unique_ptr<detail::response_data> data) noexcept;

  std::unique_ptr<detail::response_data> data_;
};

/// A complete answer.
class GREENROOM_EXPORT client_response : public response_head {
public:
  /// Returns the body, decoded of its chunks; "" if there is none. It has a content coding only if the request allows that.
  std::string_view body() const noexcept;
  /// Takes the body out, without a copy.
  std::string take_body() noexcept;

  /// For the client.
  explicit client_response(std::unique_ptr<detail::response_data> data) noexcept;
};

} // namespace greenroom::http
