#include "routes.hpp"

#include <utility>

#include <greenroom/actors/ask.hpp>
#include <greenroom/http/json.hpp>

using namespace greenroom;

namespace my_service {
namespace {

// Each call runs in an actor of its own, under the deadline of the request: the asks need none.

task<result<receipt>> take_order(order what, address<request<order>> to) {
  co_return co_await ask_until(to, std::move(what), never);
}

task<result<totals>> show_totals(address<request<get_totals>> to) {
  co_return co_await ask_until(to, get_totals{}, never);
}

} // namespace

http::routes api(const order_desk& desk, duration limit) {
  http::routes all;
  all.post("/orders", http::supervised(limit, http::json_handler(take_order, desk.orders)))
      .get("/totals", http::supervised(limit, http::json_handler(show_totals, desk.questions)));
  return all;
}

} // namespace my_service
