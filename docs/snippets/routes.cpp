// Routes with typed parameters in groups, and handlers of values: JSON is read strictly, errors become problems.
#include <iostream>
#include <optional>
#include <string>

#include <greenroom/http/json.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/testkit/http_client.hpp>

using namespace greenroom;

namespace shop {

struct order {
  std::string item;
  std::uint32_t pieces = 1;
  std::optional<std::string> note;
};
void describe(http::schema<order>& s) { // beside the type: reads, checks, writes and documents it
  s.field("item", &order::item).between(1, 40);
  s.field("pieces", &order::pieces).optional().between(1, 1'000);
  s.field("note", &order::note);
}

result<http::created<order>> take(order what) {
  if (what.item == "coffee") return error(errc::not_found, "there is tea only");
  return http::created(std::string("/orders/1"), std::move(what));
}

http::response show(const http::request& r) {
  return http::text("order " + std::to_string(r.parameter_as<std::uint64_t>("number")) + "\n");
}

} // namespace shop

task<> ask_all(endpoint at) {
  testkit::http_client web(this_actor::system().net(), at);
  for (const char* body : {R"({"item":"tea"})", R"({"item":"coffee"})", R"({"item":"","price":3})"}) {
    auto posting = web.post("/v1/orders", body, "application/json");
    const auto got = co_await std::move(posting);
    std::cout << got->status << ' ' << got->body;
  }
  for (const char* path : {"/v1/orders/7", "/v1/orders/seven"}) {
    auto getting = web.get(path);
    const auto got = co_await std::move(getting);
    std::cout << got->status << ' ' << got->body;
  }
}

int main() {
  actor_system sys;
  http::server front(sys, {.port = 0});
  http::routes v1; // a group: its middleware and its prefix go with it
  v1.post("/orders", http::json_handler(shop::take)).get("/orders/{number:uint}", shop::show);
  front.mount("/v1", std::move(v1));
  front.start().value();
  return sys.run(ask_all, endpoint("127.0.0.1", front.port())) ? 0 : 1;
}
