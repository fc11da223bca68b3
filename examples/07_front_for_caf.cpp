// An HTTP front for a plain CAF program, whose actors and system stay as they are: what is new stands between the two lines below.
// The front's actors live in the host's system, beside CAF's own, and ask them as CAF actors ask each other.
//
// Run: 07_front_for_caf [--port=8080]
// You will see `listening on http://127.0.0.1:8080`. Then: curl http://127.0.0.1:8080/count; curl -X POST .../count/5
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exec_main.hpp>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/stop_signal.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

/// What the program had before: an actor that adds up.
caf::behavior counter(caf::event_based_actor*) {
  return {[total = 0](int n) mutable { return total += n; }};
}

// -- new from here --------------------------------------------------------------------------------------

std::optional<int> number(std::string_view text) {
  int n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

task<http::response> add(int n, caf::actor whom) {
  const auto total = co_await ask_caf<int>(whom, 1s, n);
  if (!total) co_return http::text("no answer: " + std::string(total.error().message()) + "\n", 503);
  co_return http::text("total " + std::to_string(*total) + "\n");
}

task<http::response> get_count(http::request, caf::actor whom) { return add(0, whom); }

task<http::response> post_count(http::request r, caf::actor whom) {
  const auto n = number(r.parameter("n"));
  if (!n) co_return http::text("n must be a whole number\n", 400);
  auto adding = add(*n, whom);
  co_return co_await std::move(adding);
}

int serve(caf::actor_system& host, const caf::actor& whom, std::uint16_t port) {
  stop_signal asked_to_stop;
  actor_system sys(options{}, in_caf_system(host));
  http::server front(sys, {.port = port});
  front.get("/count", get_count, whom).post("/count/{n}", post_count, whom);
  if (const auto started = front.start(); !started) {
    std::fprintf(stderr, "%s\n", std::string(started.error().message()).c_str());
    return 1;
  }
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);
  asked_to_stop.wait();
  front.stop();
  return 0;
}

// -- to here --------------------------------------------------------------------------------------------

struct config : caf::actor_system_config {
  std::uint16_t port = 8080;
  config() { opt_group(custom_options_, "global").add(port, "port,p", "where to listen"); }
};

int caf_main(caf::actor_system& host, const config& c) {
  const int code = serve(host, host.spawn(counter), c.port);
  if (code == 0) std::puts("stopped");
  return code;
}

CAF_MAIN()
