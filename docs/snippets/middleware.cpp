// Middlewares: functions around handlers, those of the library and one of your own.
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include <greenroom/http/auth.hpp>
#include <greenroom/http/compress.hpp>
#include <greenroom/http/cors.hpp>
#include <greenroom/http/idempotency.hpp>
#include <greenroom/http/rate_limit.hpp>
#include <greenroom/http/recover.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/http/trace.hpp>
#include <greenroom/testkit/http_client.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

std::optional<http::principal> check(const http::credentials& c) {
  if (!http::same_secret(c.secret, "sesame")) return std::nullopt;
  return http::principal{.name = "ann"};
}

/// Takes the request, has it answered by what comes next, and adds a field to the answer.
task<http::response> name_server(http::request r, http::next next) {
  auto answering = next(std::move(r));
  auto answer = co_await std::move(answering);
  answer.set_header("Server", "greenroom");
  co_return answer;
}

http::response who() { return http::text(http::principal_of()->name); }
http::response fault() { throw std::runtime_error("a bug"); }

task<> ask_all(endpoint at) {
  testkit::http_client web(this_actor::system().net(), at);
  const testkit::http_fields none, ann{{"Authorization", "Bearer sesame"}};
  for (const auto& [path, with] : {std::pair("/who", none), std::pair("/who", ann), std::pair("/fault", ann)}) {
    auto asking = web.send("GET", path, with, "");
    const auto got = co_await std::move(asking);
    std::cout << path << ": " << got->status << ", by " << got->field("Server") << '\n';
  }
}

int main() {
  options how;
  how.log_level = "off"; // it would tell of the bug
  actor_system sys(how);
  http::server front(sys, {.port = 0});
  front.use(name_server)
      .use(http::trace_requests())
      .use(http::cors({.origins = {"https://app.example"}}))
      .use(http::recover())
      .use(http::compress_answers())
      .use(http::rate_limit({.requests = 600, .period = 1min}))
      .use(http::authenticate(http::auth_scheme::bearer, "shop", check))
      .use(http::idempotency_keys([](const http::request&) { return http::principal_of()->name; }));
  front.get("/who", who).get("/fault", fault);
  front.start().value();
  return sys.run(ask_all, endpoint("127.0.0.1", front.port())) ? 0 : 1;
}
