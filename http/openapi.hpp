// openapi: what server::openapi() says in front of the routes.
//
//   front.get("/orders/{id:uint}", http::handler(http::json_handler(show_order, std::ref(orders))).summary("Shows an order"));
//   front.get("/openapi.json", serve, front.openapi({.title = "Orders", .version = "1.0"}));   // made once, given to `serve`
//
// When to use: for documents, clients and tests that are generated. Of a handler of values (json.hpp) it tells what goes in and out, of
// any other only where it is.
// Thread safety: as a value. Lifetime: owns its texts. Source: OpenAPI 3.1.0, whose schemas are JSON Schema 2020-12.
#pragma once

#include <string>

namespace greenroom::http {

/// The head of an OpenAPI document. Thread safety: as a value.
struct openapi_info {
  std::string title;         ///< of the interface
  std::string version;       ///< of the interface, not of OpenAPI
  std::string description{}; ///< may be Markdown
};

} // namespace greenroom::http
