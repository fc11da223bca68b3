// node_caf serve | roundtrip PORT N | calls PORT N | items PORT N: what node_bench does, in plain CAF: publish(), remote_actor(), its own scheduler.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string_view>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <greenroom/tools/bench/measure.hpp>

namespace {

using namespace greenroom::bench;

struct config : caf::actor_system_config {
  config() {
    load<caf::io::middleman>();
    set("scheduler.max-threads", std::size_t{1});
  }
};

struct tally {
  std::int64_t sum = 0;
};

// Three kinds of message, told apart by their types: a call, an item, and the question what has come.
caf::behavior server(caf::stateful_actor<tally>* self) {
  return {
      [](std::int64_t n) { return n + 1; },
      [self](std::int32_t item) { self->state.sum += item; },
      [self](caf::get_atom) { return std::exchange(self->state.sum, 0); },
  };
}

struct calling {
  std::int64_t left = 0, under_way = 0, next = 0, sum = 0;
  std::promise<std::int64_t>* done = nullptr;
};

/// One more call, and another one when it is answered.
void call(caf::stateful_actor<calling>* self, const caf::actor& to) {
  auto& s = self->state;
  if (s.left == 0) {
    if (s.under_way == 0) s.done->set_value(s.sum);
    return;
  }
  --s.left;
  ++s.under_way;
  self->request(to, caf::infinite, s.next++).then([self, to](std::int64_t answer) {
    --self->state.under_way;
    self->state.sum += answer;
    call(self, to);
  });
}

std::int64_t call_at_once(caf::actor_system& sys, const caf::actor& to, std::int64_t n, int at_once) {
  std::promise<std::int64_t> done;
  sys.spawn([&, n, at_once](caf::stateful_actor<calling>* self) {
    self->state.left = n;
    self->state.done = &done;
    for (int i = 0; i < at_once; ++i) call(self, to);
  });
  return done.get_future().get();
}

std::int64_t send_items(caf::actor_system& sys, const caf::actor& to, std::int64_t n) {
  caf::scoped_actor self{sys};
  for (std::int64_t i = 0; i < n; ++i) self->send(to, static_cast<std::int32_t>(i % 1000));
  std::int64_t sum = -1;
  self->request(to, caf::infinite, caf::get_atom::value)
      .receive([&](std::int64_t all) { sum = all; }, [](caf::error&) {});
  return sum;
}

int serve(caf::actor_system& sys) {
  const auto port = sys.middleman().publish(sys.spawn(server), 0, "127.0.0.1");
  if (!port) return 1;
  std::printf("%u\n", static_cast<unsigned>(*port));
  std::fflush(stdout);
  std::promise<void>().get_future().wait(); // until it is killed
  return 0;
}

int run(caf::actor_system& sys, std::string_view what, std::uint16_t port, std::int64_t n) {
  const auto to = sys.middleman().remote_actor("127.0.0.1", port);
  if (!to) return 1;
  meter m;
  m.start();
  std::int64_t found = 0;
  if (what == "roundtrip") found = call_at_once(sys, *to, n, 1);
  if (what == "calls") found = call_at_once(sys, *to, n, 64);
  if (what == "items") found = send_items(sys, *to, n);
  m.stop();
  print_line({what, 1, n, {}}, "caf", m, {found});
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  config cfg;
  caf::actor_system sys(cfg);
  int code = 2;
  if (argc == 2 && std::string_view(argv[1]) == "serve") code = serve(sys);
  if (argc == 4) code = run(sys, argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])), std::atoll(argv[3]));
  if (code == 2) std::fputs("usage: node_caf serve | roundtrip PORT N | calls PORT N | items PORT N\n", stderr);
  std::_Exit(code); // CAF's own end waits for the other process
}
