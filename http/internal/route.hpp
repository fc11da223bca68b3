// One route: what to call for a method and a pattern, and how long it may take.
// Thread safety: constant while the server runs. Lifetime: as its server's.
#pragma once

#include <memory>
#include <string>

#include <greenroom/http/handler.hpp>

namespace greenroom::http::internal {

struct route {
  http::method method;
  std::string pattern;
  const char* actor_name; // "GET /users/{id}"; as long as the system
  std::unique_ptr<const detail::any_handler> call;
  supervision how;
};

} // namespace greenroom::http::internal
