// A plain CAF program, as there are many: an actor that counts a stock, a clerk that asks it and writes a line, and a loop that reads orders.
// 07_front_for_caf.cpp is the same program with an HTTP front and a supervised lightweight actor; `diff` shows what that took.
//
// Run: 07_plain_caf; then type numbers, such as 5 or -2. The end of the input (Ctrl-D) ends it.
// You will see `stock 5`, `stock 3`.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exec_main.hpp>
#include <caf/scoped_actor.hpp>

using namespace std::chrono_literals;

caf::behavior count(caf::event_based_actor*) {
  return {[pieces = 0](int change) mutable { return pieces += change; }};
}

caf::behavior serve(caf::event_based_actor* self, caf::actor stock) {
  return {[=](int change) {
    auto done = self->make_response_promise<int>();
    self->request(stock, 1s, change).then([=](int pieces) mutable {
      std::printf("stock %d\n", pieces);
      done.deliver(pieces);
    });
    return done;
  }};
}

void caf_main(caf::actor_system& system) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // each line at once, into a pipe, too
  caf::scoped_actor self(system);
  const auto stock = system.spawn(count);
  const auto clerk = system.spawn(serve, stock);

  for (int change = 0; std::cin >> change;)
    self->request(clerk, 1s, change).receive([](int) {}, [](const caf::error&) { std::puts("no answer"); });
  self->send_exit(clerk, caf::exit_reason::user_shutdown);
  self->send_exit(stock, caf::exit_reason::user_shutdown);
}

CAF_MAIN()
