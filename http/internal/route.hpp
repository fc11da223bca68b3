// One route: what to call for a method and a pattern, how long it may take and how much it takes.
// Thread safety: constant while the server runs. Lifetime: as its server's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <greenroom/http/handler.hpp>
#include <greenroom/http/middleware.hpp>

namespace greenroom::http::internal {

struct route {
  http::method method = http::method::get;
  std::string pattern;
  const char* actor_name = ""; // "GET /users/{id}"; as long as the system
  detail::chain call;
  supervision how;
  std::uint64_t most_body = 0; // bytes
  std::string summary{};       // for documents, as the following
  std::shared_ptr<const detail::operation> about{};

  bool reads_body() const noexcept { return call.last->is == detail::any_handler::kind::reads_body; }
};

} // namespace greenroom::http::internal
