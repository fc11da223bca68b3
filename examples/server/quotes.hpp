// Five quote services, one slow and one that fails every time, asked at once: GET /quotes. Each stands behind guards of its own. The services are
// functions here, in the place of calls by http::client.
#pragma once

#include <greenroom/http/routes.hpp>

/// Returns the route, with a limit for each client.
greenroom::http::routes quote_routes();
