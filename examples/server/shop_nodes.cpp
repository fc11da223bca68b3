#include "shop_nodes.hpp"

#include <chrono>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> number_orders(mailbox<order> in, address<order> out) {
  std::uint64_t last = 0;
  while (auto o = co_await in.receive()) {
    o->number = ++last;
    (void)co_await out.send(*o);
  }
}

task<> validate(mailbox<order> in, address<order> good, address<order> bad) {
  while (const auto o = co_await in.receive()) {
    const bool fine = o->customer > 0 && o->pieces > 0;
    const auto& to = fine ? good : bad;
    (void)co_await to.send(*o);
  }
}

task<> price(mailbox<order> in, address<bill> out) {
  while (const auto o = co_await in.receive()) {
    const bill b{o->number, o->customer, std::int64_t{o->pieces} * 199};
    (void)co_await out.send(b);
  }
}

task<> pay_back(mailbox<refund> in, address<bill> out) {
  while (const auto r = co_await in.receive()) {
    const bill b{0, r->customer, -r->cents};
    (void)co_await out.send(b);
  }
}

task<> book(mailbox<bill> in, address<bill> out, books b) {
  while (const auto next = co_await in.receive()) {
    ++b->booked;
    b->cents += next->cents;
    (void)co_await out.send(*next);
  }
}

task<> audit(mailbox<bill> in, books b) {
  while (const auto next = co_await in.receive()) {
    ++b->audited;
    b->cents -= next->cents;
  }
}

task<> notify(mailbox<bill> in, books b) {
  while (const auto next = co_await in.receive()) ++b->notified;
}

task<> ship(mailbox<bill> in, books b) {
  while (const auto next = co_await in.receive()) {
    if (next->cents > 0) ++b->shipped;
  }
}

task<> complain(mailbox<order> in, books b) {
  while (const auto o = co_await in.receive()) ++b->rejected;
}

task<> every_minute(address<tick> out) {
  for (ticker minutes(1min);;) {
    co_await minutes.tick();
    const tick now;
    (void)co_await out.send(now);
  }
}

task<> report(mailbox<tick> in, books b) {
  while (const auto now = co_await in.receive()) {
    ++b->reports;
    this_actor::system().log().info("the shop has booked {} bills", b->booked.load());
  }
}
