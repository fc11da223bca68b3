// routes: a group of routes with their middleware, built apart from a server and put under a prefix.
//
//   http::routes api;
//   api.use(only_members, members).get("/users/{id:int}", show_user, users).get("", list);
//   front.mount("/api/v1", std::move(api));               // /api/v1/users/{id:int}, and /api/v1 itself
//
// When to use: for parts of a program that bring their routes along, for versions, and for middleware around some routes only.
// A group may hold groups. The server's middleware is around that of the group, and alone around what has no route below the prefix.
// Thread safety: owner only. Lifetime: a value; what it calls lives as long as the server it is mounted in.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/http/handler.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/http/middleware.hpp>

namespace greenroom::http {

namespace detail {

using middleware_list = std::vector<std::shared_ptr<const any_middleware>>; // outermost first

struct route_entry {
  http::method method;
  std::string pattern;
  handler call;
  middleware_list around;
};

/// How routes and middleware are added, the same for a server and for a group of routes.
template <class Self>
class routing {
public:
  /// Each adds a route for its method, to a handler or to a function and its arguments; see route().
  template <class... H>
  Self& get(std::string_view pattern, H&&... h) {
    return self().route(method::get, pattern, handler(std::forward<H>(h)...));
  }
  template <class... H>
  Self& post(std::string_view pattern, H&&... h) {
    return self().route(method::post, pattern, handler(std::forward<H>(h)...));
  }
  template <class... H>
  Self& put(std::string_view pattern, H&&... h) {
    return self().route(method::put, pattern, handler(std::forward<H>(h)...));
  }
  template <class... H>
  Self& patch(std::string_view pattern, H&&... h) {
    return self().route(method::patch, pattern, handler(std::forward<H>(h)...));
  }
  template <class... H>
  Self& delete_(std::string_view pattern, H&&... h) {
    return self().route(method::delete_, pattern, handler(std::forward<H>(h)...));
  }
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, middleware>)
  Self& use(F&& fn, Args&&... args) { return self().use(middleware(std::forward<F>(fn), std::forward<Args>(args)...)); }

protected:
  routing() = default;
  routing(const routing&) = default;
  routing& operator=(const routing&) = default;
  ~routing() = default;

private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

/// Returns the entries as they are behind the prefix and inside of `around`. Errors: usage_error as routes::mount().
std::vector<route_entry> mounted(std::string_view prefix, std::vector<route_entry> entries,
                                 const middleware_list& around);

} // namespace detail

/// A group of routes with their middleware. Thread safety: owner only.
class GREENROOM_EXPORT routes : public detail::routing<routes> {
public:
  /// Adds a route. The pattern is as one of server::route(), or "", which is the prefix itself.
  /// Errors: usage_error for a pattern that is malformed. One that is taken shows when the group is mounted in a server.
  routes& route(method m, std::string_view pattern, handler h);

  /// Puts a middleware around all routes that are added from here on, groups among them, inside of those that were given before.
  routes& use(middleware m);
  using routing::use;

  /// Adds the routes of `group` with `prefix` in front of each pattern. The prefix may have parameters, "/shops/{shop:slug}". "/" adds
  /// nothing in front.
  /// Errors: usage_error that names the whole pattern, when the prefix does not begin with '/', ends with '/' or holds a rest, or the
  /// whole is malformed, as with two parameters of one name.
  routes& mount(std::string_view prefix, routes group);

  /// For the server.
  const std::vector<detail::route_entry>& entries() const& noexcept { return entries_; }
  std::vector<detail::route_entry> entries() && noexcept { return std::move(entries_); }

private:
  std::vector<detail::route_entry> entries_;
  detail::middleware_list around_;
};

} // namespace greenroom::http
