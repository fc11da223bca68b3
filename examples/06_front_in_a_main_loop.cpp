// An HTTP front in a program that has a main loop of its own: a game, a control loop, a graphical interface.
// The loop owns its state and waits for nobody: requests reach it through a mailbox, into which it looks once a round. In Go: the
// `default` case of a select in the loop, and net/http in goroutines beside it.
//
// Run: 06_front_in_a_main_loop [port, 8080 if not given]
// You will see `listening on http://127.0.0.1:8080`. Then: curl http://127.0.0.1:8080/level; curl -X PUT .../valve/open;
// Ctrl-C ends the loop.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <variant>

#include <greenroom/actors/ask.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/stop_signal.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

// -- what the program was before ------------------------------------------------------------------------

/// Only the loop touches it: no lock, no atomic.
struct tank {
  double level = 50;
  bool valve_open = false;
  void flow() { level += (valve_open ? 0.5 : -0.1) * (level > 0 && level < 100 ? 1 : 0); }
};

// -- what the front asks of it --------------------------------------------------------------------------

struct read_level {
  using reply = double;
};
struct set_valve {
  bool open;
  using reply = double;
};
using question = std::variant<request<read_level>, request<set_valve>>;

void answer_all(const mailbox<question>& questions, tank& water) {
  while (auto q = questions.try_receive()) {
    if (auto* set = std::get_if<request<set_valve>>(&*q)) {
      water.valve_open = set->message.open;
      set->reply(water.level);
    } else {
      std::get<request<read_level>>(*q).reply(water.level);
    }
  }
}

http::response show(const result<double>& level) {
  if (!level) return http::text("no answer: " + std::string(level.error().message()) + "\n", 503);
  return http::text("level " + std::to_string(*level) + "\n");
}

task<http::response> get_level(http::request, address<question> loop) {
  const auto level = co_await ask(loop, read_level{}, 1s);
  co_return show(level);
}

task<http::response> put_valve(http::request r, address<question> loop) {
  const auto state = r.parameter("state");
  if (state != "open" && state != "shut") co_return http::text("the valve can be open or shut\n", 400);
  const auto level = co_await ask(loop, set_valve{state == "open"}, 1s);
  co_return show(level);
}

int main(int argc, char** argv) {
  stop_signal asked_to_stop;
  actor_system sys;
  auto [questions, loop] = make_mailbox<question>(bounded(64));
  http::server front(sys, {.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080)});
  front.get("/level", get_level, loop).put("/valve/{state}", put_valve, loop);
  if (const auto started = front.start(); !started) {
    std::fprintf(stderr, "%s\n", std::string(started.error().message()).c_str());
    return 1;
  }
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);

  tank water;
  while (!asked_to_stop.came()) {
    water.flow();
    answer_all(questions, water);
    std::this_thread::sleep_for(20ms); // the rhythm of the loop, not of the front
  }
  questions.close(queued::drop); // who still asks is told so at once
  front.stop();
  std::puts("stopped");
  return 0;
}
