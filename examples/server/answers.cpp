#include "answers.hpp"

#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include <greenroom/runtime/timer.hpp>

using namespace greenroom;

namespace {

constexpr int longest_task = 3'600'000; // an hour; only so that a slip of the pen gets a sentence

std::optional<std::chrono::milliseconds> parse_ms(const std::string& text) {
  int ms = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (problem != std::errc() || end != text.data() + text.size() || ms < 0 || ms > longest_task) return std::nullopt;
  return std::chrono::milliseconds(ms);
}

} // namespace

http::response hello() { return http::text("Hello, World!"); }

http::response echo(http::request r) {
  const std::string type(r.header("Content-Type").value_or("application/octet-stream"));
  return {200, type, r.take_body()};
}

task<http::response> slow_task(http::request r) {
  const auto asked = r.query_value("ms").value_or("3000");
  const auto ms = parse_ms(asked);
  if (!ms) {
    co_return http::text("ms must be a whole number of milliseconds from 0 to " + std::to_string(longest_task) +
                             ", not '" + asked + "'\n",
                         400);
  }
  co_await sleep_for(*ms); // stands for the work; the time limit, or a client that leaves, ends it right here
  co_return http::text("Success: task completed\n");
}

http::response health() { return http::text("ok\n"); }

http::response readiness(const http::server* front) {
  return front->ready() ? http::text("ready\n") : http::text("stopping\n", 503);
}
