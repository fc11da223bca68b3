// An HTTP front, and a client that asks it: each request is answered by an actor of its own, under a deadline.
#include <iostream>
#include <string>

#include <greenroom/http/client.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

http::response hello() { return http::text("Hello, World!\n"); } // waits for nothing

task<http::response> greet(http::request r) {
  co_return http::text("Hello, " + std::string(r.parameter("name")) + "!\n");
}

http::response take_order(const http::request& r) {
  return http::text(std::string(r.body()) + " is ordered\n", 201).header("Location", "/orders/1");
}

task<http::response> slow() {
  co_await sleep_for(1h); // cancelled here when its time is over, or when the client leaves
  co_return http::text("done\n");
}

task<> show(http::client* web, std::string url) {
  auto asking = web->get(std::move(url));
  const auto got = co_await std::move(asking); // any status is an answer; an error is that there is none
  std::cout << (got ? std::to_string(got->status()) + " " + std::string(got->body())
                    : std::string(got.error().message()) + "\n");
}

task<> order_tea(http::client* web, std::string front) {
  http::client_request q(http::method::post, front + "/orders");
  q.header("Content-Type", "text/plain").header("Idempotency-Key", "order-17").body("tea").limit(2s);
  auto asking = web->send(std::move(q));
  const auto got = co_await std::move(asking);
  if (got) std::cout << got->status() << " " << got->header("Location").value_or("nowhere") << '\n';
}

task<> ask_all(http::client* web, std::string front) {
  for (const char* path : {"/hello", "/greet/Ann", "/slow", "/nowhere"}) co_await show(web, front + path);
  co_await order_tea(web, front);
}

int main() {
  actor_system sys;
  http::server front(sys, {.port = 0}); // 0 picks a free one
  front.get("/hello", hello)
      .get("/greet/{name}", greet)
      .get("/slow", supervised(50ms, slow))
      .post("/orders", take_order);
  front.start().value(); // throws the sentence if the port is taken
  {
    http::client web(sys, {.retries = 0}); // by itself it asks again where a GET has got 503, twice
    (void)sys.run(ask_all, &web, front.url());
  }
  const auto stopped = front.stop(); // finishes what it has begun
  std::cout << "timed out " << front.stats().timed_out << ", cut off " << stopped.cut_off << '\n';
}
