#include "answers.hpp"

#include <chrono>
#include <string>

#include <greenroom/runtime/timer.hpp>

using namespace greenroom;

namespace {
constexpr int longest_task = 3'600'000; // an hour; only so that a slip of the pen gets a sentence
} // namespace

http::response hello() { return http::text("Hello, World!"); }

http::response echo(http::request r) {
  const std::string type(r.header("Content-Type").value_or("application/octet-stream"));
  return {200, type, r.take_body()};
}

task<http::response> slow_task(http::request r) {
  const auto ms = r.query_number("ms", 3'000, 0, longest_task);
  if (!ms) co_return http::text(std::string(ms.error().message()) + "\n", 400);
  co_await sleep_for(std::chrono::milliseconds(
      *ms)); // stands for the work; the time limit, or a client that leaves, ends it right here
  co_return http::text("Success: task completed\n");
}

http::response health() { return http::text("ok\n"); }

http::response readiness(const http::server* front) {
  return front->ready() ? http::text("ready\n") : http::text("stopping\n", 503);
}
