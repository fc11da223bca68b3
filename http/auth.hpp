// auth: who asks. A middleware reads the credentials of the Authorization field, a function of the program says whose they are, and all that comes
// behind finds that principal in its context.
//
//   task<std::optional<http::principal>> check(http::credentials c, token_store tokens);      // may wait; or returns it at once
//   front.use(http::authenticate(http::auth_scheme::bearer, "shop", check, tokens));
//   ...
//   const auto* who = http::principal_of();                     // in the handler, and in what it starts
//
// It sees a request when its whole body was read (and 100 Continue sent, if the client waited for it), unless the handler takes a body_reader: then it
// is asked before the body. What strangers can send is so bounded by handler::body_limit(), or limits::body.
// Basic sends the password with each request: only behind TLS. What lies before it (CORS, health checks) is added before it.
// Thread safety: calls come from any worker. Lifetime: function and arguments live as long as the server.
// Source: RFC 9110 section 11, RFC 6750 (Bearer), RFC 7617 (Basic).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/http/middleware.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

/// How clients say who they are.
enum class auth_scheme : std::uint8_t { basic, bearer };

/// What the client has sent, well-formed: of Basic, a user and a password in UTF-8 without control characters; of Bearer, a token in `secret`.
struct credentials {
  auth_scheme scheme; ///< which of the two
  std::string user;   ///< "" for Bearer; holds no colon
  std::string secret; ///< the password, or the token
};

/// Who asks: a value of the context.
struct principal {
  std::string name;                 ///< by which the program knows it
  std::vector<std::string> roles{}; ///< whatever the program makes of them
};

/// Returns for whom the running actor works; null if nobody has been authenticated. Lifetime: as the context.
GREENROOM_EXPORT const principal* principal_of(const context& under) noexcept;
/// The same for the context of the running actor; null outside of actors. Lifetime: as the context that the actor runs under.
GREENROOM_EXPORT const principal* principal_of();

/// Compares in a time that depends on the length of `given` only, so that nobody can guess `secret` piece by piece from how long it takes.
/// For tokens; passwords are compared by what a slow hash has made of them.
GREENROOM_EXPORT bool same_secret(std::string_view given, std::string_view secret) noexcept;

namespace detail {

class GREENROOM_EXPORT any_credential_check {
public:
  any_credential_check() = default;
  any_credential_check(const any_credential_check&) = delete;
  any_credential_check& operator=(const any_credential_check&) = delete;
  virtual ~any_credential_check();
  virtual task<std::optional<principal>> ask(credentials c) const = 0;
};

template <class F, class... Args>
class bound_credential_check final : public any_credential_check {
  static_assert(std::is_invocable_v<const F&, credentials, Args...>,
                "the function of http::authenticate must be callable with (http::credentials, arguments...), where the "
                "arguments are those given with it; a function object must be callable when const");
  using given = std::invoke_result_t<const F&, credentials, Args...>;
  static constexpr bool waits = std::is_same_v<given, task<std::optional<principal>>>;
  static_assert(
      waits || std::is_same_v<given, std::optional<principal>>,
      "the function of http::authenticate must return std::optional<http::principal>, or a greenroom::task<> of "
      "that");

public:
  template <class... A>
  explicit bound_credential_check(F fn, A&&... args) : fn_(std::move(fn)), args_(std::forward<A>(args)...) {}
  task<std::optional<principal>> ask(credentials c) const override { return call(&fn_, args_, std::move(c)); }

private:
  static task<std::optional<principal>> call(const F* fn, std::tuple<Args...> args, credentials c) {
    if constexpr (waits) {
      auto asked = call_handler(*fn, args, c);
      co_return co_await std::move(asked);
    } else {
      co_return call_handler(*fn, args, c);
    }
  }

  F fn_;
  std::tuple<Args...> args_;
};

GREENROOM_EXPORT middleware make_authentication(auth_scheme scheme, std::string realm,
                                                std::unique_ptr<const any_credential_check> check);

} // namespace detail

/// Makes a middleware that has `fn(credentials, args...)` say whose the credentials are, and runs the rest of the way for that principal. What `fn`
/// returns is a std::optional<principal> or a task of it; nothing is a refusal. Without credentials, or with those of nobody, the client gets 401
/// with WWW-Authenticate, and with malformed ones 400; no handler is called. Credentials of more than 8 KiB count as malformed.
/// Errors: usage_error if `realm`, which clients show to people, is "" or holds control characters or others than ASCII.
template <class F, class... Args>
middleware authenticate(auth_scheme scheme, std::string realm, F&& fn, Args&&... args) {
  using check = detail::bound_credential_check<std::decay_t<F>, std::decay_t<Args>...>;
  return detail::make_authentication(scheme, std::move(realm),
                                     std::make_unique<const check>(std::forward<F>(fn), std::forward<Args>(args)...));
}

} // namespace greenroom::http

namespace greenroom {
template <>
inline constexpr bool owns_what_it_names<http::principal> = true;
} // namespace greenroom
