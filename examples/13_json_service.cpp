// A JSON service: handlers take and give values, and the same descriptions read, check, write and document them. In Go: encoding/json,
// a validator, net/http and an OpenAPI generator, each with tags of its own.
//
// Run: 13_json_service [port, 8080 if not given]
// You will see `listening on http://127.0.0.1:8080`. Then: curl .../v1/orders -H 'Content-Type: application/json' -d
// '{"customer":"Ann","lines":[{"item":"tea","pieces":2}]}'; curl .../v1/orders/1; curl .../openapi.json; Ctrl-C ends it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/json.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/stop_signal.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

// -- what is said -----------------------------------------------------------------------------------------

namespace shop {

struct line {
  std::string item;
  std::uint32_t pieces = 1;
};
struct order {
  std::string customer;
  std::vector<line> lines;
  std::optional<std::string> note;
};
struct receipt {
  std::uint64_t number = 0;
  order of;
};

void describe(http::schema<line>& s) {
  s.field("item", &line::item).between(1, 40);
  s.field("pieces", &line::pieces).optional().between(1, 1'000);
}
void describe(http::schema<order>& s) {
  s.field("customer", &order::customer).between(1, 80);
  s.field("lines", &order::lines).between(1, 100).says("what is ordered");
  s.field("note", &order::note).at_most(200);
}
void describe(http::schema<receipt>& s) {
  s.field("number", &receipt::number);
  s.field("of", &receipt::of);
}

// -- what is done -----------------------------------------------------------------------------------------

using book = guarded<std::vector<order>>;

task<result<http::created<receipt>>> take_order(order what, book& orders) {
  auto all = co_await orders.lock();
  if (all->size() == 1'000) co_return error(errc::limit, "the book is full: it has 1,000 orders");
  all->push_back(what);
  receipt taken{all->size(), std::move(what)};
  auto where = "/v1/orders/" + std::to_string(taken.number);
  co_return http::created(std::move(where), std::move(taken));
}

task<result<receipt>> show_order(http::request r, book& orders) {
  const auto number = r.parameter_as<std::uint64_t>("number"); // a path without one led elsewhere
  auto all = co_await orders.lock();
  if (number == 0 || number > all->size())
    co_return error(errc::not_found, "there is no order " + std::to_string(number));
  receipt found{number, (*all)[number - 1]};
  co_return found;
}

} // namespace shop

http::response serve(std::string document) { return http::json(std::move(document)); }

int main(int argc, char** argv) {
  stop_signal asked_to_stop;
  actor_system sys;
  shop::book orders;
  http::server front(sys, {.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080)});

  http::routes v1;
  v1.post("/orders", http::handler(http::json_handler(shop::take_order, std::ref(orders))).summary("Takes an order"))
      .get("/orders/{number:uint}", supervised(2s, http::json_handler(shop::show_order, std::ref(orders))));
  front.mount("/v1", std::move(v1));
  front.get("/openapi.json", serve, front.openapi({.title = "Orders", .version = "1.0"}));

  if (const auto started = front.start(); !started) {
    std::fprintf(stderr, "%s\n", std::string(started.error().message()).c_str());
    return 1;
  }
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);
  asked_to_stop.wait();
  front.stop();
  std::puts("stopped");
}
