// The service as a graph of supervised actors: orders -> price -> book <- questions.
#pragma once

#include <greenroom/actors/graph_service.hpp>

#include "orders.hpp"

namespace my_service {

/// The graph at work, and the ways into it. Copies are cheap and of any thread.
struct order_desk {
  greenroom::service running;
  greenroom::address<greenroom::request<order>> orders;
  greenroom::address<greenroom::request<get_totals>> questions;
};

/// Starts the graph. Throws greenroom::graph_error, with a line for each fault, if it is wired wrongly.
greenroom::task<greenroom::result<order_desk>> open_desk();

} // namespace my_service
