// What the service answers over HTTP.
#pragma once

#include <greenroom/http/routes.hpp>
#include <greenroom/runtime/clock.hpp>

#include "graph.hpp"

namespace my_service {

/// POST /orders and GET /totals, to be mounted below a version. A request that takes longer than `limit` gets 503, and
/// what it has begun is cancelled.
greenroom::http::routes api(const order_desk& desk, greenroom::duration limit);

} // namespace my_service
