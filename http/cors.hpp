// cors: tells browsers which pages of other origins may call, and read the answers. It protects users of browsers, not the server: others may
// send what they like.
//
//   front.use(http::cors({.origins = {"https://app.example"}, .methods = {http::method::put}, .headers = {"Content-Type", "Authorization"},
//                         .credentials = true}));
//
// It answers preflights by itself (OPTIONS with Origin and Access-Control-Request-Method), also for paths without a route; so it goes outside of
// what asks for credentials, which preflights never carry, and outside of recover(), so that failures can be read, too.
// The answer to a time-out can be read as well; what the server refuses before any middleware, as for overload, cannot: a page sees a network error.
// Thread safety: calls come from any worker. Lifetime: as the server.
// Source: the Fetch standard, "CORS protocol" and "CORS check".
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/http/middleware.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Who may call, and with what. Thread safety: as a value.
struct cors_options {
  /// The origins that may call, each as a browser writes it: "https://app.example", "http://localhost:3000", in lower case and without a default
  /// port. {"*"} is any. "null" is not taken: every sandboxed page has that.
  std::vector<std::string> origins{};
  /// The methods that they may use. GET, HEAD and POST need not be named: browsers send them anyway.
  std::vector<method> methods{method::get, method::head, method::post};
  /// The header fields that they may send, beside those that browsers send anyway. {"*"} is any but Authorization, which has to be named.
  std::vector<std::string> headers{};
  /// The header fields of answers that they may read, beside the few that they always may. {"*"} is any.
  std::vector<std::string> exposed{};
  /// Whether calls may carry cookies and other credentials of the user. Not with any "*": each page of the world could act as the user.
  bool credentials = false;
  /// How long browsers may keep the answer to a preflight, up to a day, which is the most that any of them does. Units: whole seconds count.
  std::chrono::seconds max_age{600};
};

/// Makes the middleware. A request of an origin that may call is answered with the fields that say so; a preflight of one that may not gets 403,
/// and any other request of it goes on, and its answer cannot be read. Where the answer depends on the origin it says so (Vary).
/// Errors: usage_error for an option that browsers would not take, for none at all in `origins`, and for credentials with "*".
GREENROOM_EXPORT middleware cors(cors_options how);

} // namespace greenroom::http
