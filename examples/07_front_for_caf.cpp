// An HTTP front and a supervised lightweight actor in a plain CAF program, 07_plain_caf.cpp: its actors and its system stay as they are, and the new
// ones live beside them. Of the code, 29 lines are new and none is changed: diff 07_plain_caf.cpp 07_front_for_caf.cpp
//
// Run: 07_front_for_caf; numbers can be typed as before.
// You will see `listening on http://127.0.0.1:41234`. Then: curl -X POST http://127.0.0.1:41234/orders/5; and .../orders/many, which
// crashes the desk: that request is answered with 503, and the supervisor starts the desk anew.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exec_main.hpp>
#include <caf/scoped_actor.hpp>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/caf.hpp>

using namespace std::chrono_literals;
using namespace greenroom;

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

struct order {
  std::string change;
  using reply = int;
};

/// A lightweight actor that asks a CAF actor as it would ask its own kind. What it cannot read ends it.
task<> take_orders(mailbox<request<order>> orders, caf::actor clerk) {
  while (auto o = co_await orders.receive()) {
    auto asking = ask_caf<int>(clerk, 1s, std::stoi(o->message.change));
    o->reply(co_await std::move(asking));
  }
}

task<http::response> post_order(http::request r, address<request<order>> desk) {
  order o{std::string(r.parameter("change"))};
  const auto pieces = co_await ask(desk, std::move(o), 1s);
  co_return pieces ? http::text("stock " + std::to_string(*pieces) + "\n") : http::text("no answer\n", 503);
}

void caf_main(caf::actor_system& system) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // each line at once, into a pipe, too
  caf::scoped_actor self(system);
  const auto stock = system.spawn(count);
  const auto clerk = system.spawn(serve, stock);
  actor_system sys(options{}, in_caf_system(system));
  auto [orders, desk] = make_mailbox<request<order>>(bounded(64));
  supervisor_spec shop("shop");
  shop.child("desk", take_orders, std::move(orders), clerk);
  const auto open = supervise(sys, std::move(shop)).value();
  http::server front(sys, {.port = 0}); // a free one
  front.post("/orders/{change}", post_order, desk);
  front.start().value();
  std::printf("listening on %s\n", front.url().c_str());

  for (int change = 0; std::cin >> change;)
    self->request(clerk, 1s, change).receive([](int) {}, [](const caf::error&) { std::puts("no answer"); });
  self->send_exit(clerk, caf::exit_reason::user_shutdown);
  self->send_exit(stock, caf::exit_reason::user_shutdown);
}

CAF_MAIN()
