// Seeing the ends of actors, tying two together, and finding one by its name.
#include <iostream>
#include <stdexcept>

#include <greenroom/actors/link.hpp>
#include <greenroom/actors/monitor.hpp>
#include <greenroom/actors/registry.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;

task<> reader(mailbox<int> in) {
  while (const auto n = co_await in.receive()) {
    if (*n == 0) throw std::runtime_error("division by zero");
  }
}

task<> writer() { co_await sleep_until(never); }

task<> program() {
  auto [in, out] = make_mailbox<int>(bounded(4));
  const actor reads = spawn({.name = "reader"}, reader, std::move(in));
  const actor writes = spawn({.name = "writer"}, writer);
  link(reads, writes); // who fails takes the other along

  registry names; // one for each program that needs names: there is no global one
  const auto added = names.add("numbers", out);
  const auto found = names.find<address<int>>("numbers");
  const auto wrong = names.find<address<int>>("nunbers");
  std::cout << added.has_value() << found.has_value() << ' ' << wrong.error().message() << '\n';

  monitor ends;
  ends.add(reads);
  ends.add(writes);
  (void)found->try_send(0);
  for (int i = 0; i < 2; ++i) {
    const down d = co_await ends.next();
    std::cout << d.who.name() << " " << (d.why.kind() == exit_kind::failed ? "failed" : "was cancelled") << '\n';
  }
}

int main() {
  options how{.workers = 1};
  how.log_level = "off";
  actor_system sys(how);
  return sys.run(program) ? 0 : 1;
}
