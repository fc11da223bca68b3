// caf_bench NAME [--threads N] [--n N] [--policy stealing|sharing]: the workloads of greenroom_bench in plain CAF 0.17 and its
// own way: event-based actors, unbounded mailboxes, callbacks. Prints one JSON line. Stealing is CAF's default.
#include <caf/all.hpp>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include <greenroom/tools/bench/measure.hpp>

namespace greenroom::bench {
namespace {

using number = std::int64_t;

/// Where an actor reports the end of the measured work, and main waits for it.
class finish_line {
public:
  explicit finish_line(meter& m) : meter_(m) {}
  void reach(number check) {
    meter_.stop();
    check_.set_value(check);
  }
  number wait() { return check_.get_future().get(); }

private:
  meter& meter_;
  std::promise<number> check_;
};

/// Adds up n numbers.
/// A handler that ends its actor with the n-th value.
auto adder(caf::event_based_actor* self, finish_line* end, number n) {
  auto left = std::make_shared<number>(n);
  auto sum = std::make_shared<number>(0);
  return [=](number value) {
    *sum += value;
    if (--*left == 0) {
      end->reach(*sum);
      self->quit();
    }
  };
}

caf::behavior add_up(caf::event_based_actor* self, finish_line* end, number n) { return {adder(self, end, n)}; }

outcome spawn_and_end(caf::actor_system& system, number n, meter& m) {
  finish_line end(m);
  std::atomic<number> count{0};
  m.start();
  system.spawn([&end, &count, n](caf::event_based_actor* self) {
    for (number i = 0; i < n; ++i) {
      self->spawn([&end, &count, n](caf::event_based_actor*) {
        if (count.fetch_add(1) + 1 == n) end.reach(n);
      });
    }
  });
  return {end.wait()};
}

outcome idle_memory(caf::actor_system& system, number n, meter& m) {
  finish_line end(m);
  std::atomic<number> count{0};
  std::vector<caf::actor> actors(static_cast<std::size_t>(n)); // its memory is touched before the first look
  const auto before = resident_bytes();
  m.start();
  for (auto& a : actors) {
    a = system.spawn([&end, &count, n](caf::event_based_actor*) -> caf::behavior {
      if (count.fetch_add(1) + 1 == n) end.reach(n);
      return {[](number) {}};
    });
  }
  const auto started = end.wait();
  return {started, (resident_bytes() - before) / static_cast<double>(n)};
}

outcome pingpong(caf::actor_system& system, number n, meter& m) {
  finish_line end(m);
  const auto other = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](number turn) { self->send(caf::actor_cast<caf::actor>(self->current_sender()), turn + 1); }};
  });
  m.start();
  system.spawn([&end, other, n](caf::event_based_actor* self) -> caf::behavior {
    self->send(other, number{1});
    return {[&end, self, other, n](number turn) {
      if (turn < n) {
        self->send(other, turn + 1);
      } else {
        end.reach(turn);
        self->quit();
      }
    }};
  });
  return {end.wait()};
}

caf::behavior pass_on(caf::event_based_actor* self, finish_line* end, caf::actor next, number hops) {
  return {[=](number hop) {
            if (hop == hops) {
              end->reach(hop);
            } else {
              self->send(next, hop + 1);
            }
          },
          [=](caf::actor other) { self->become(pass_on(self, end, std::move(other), hops)); }};
}

outcome ring(caf::actor_system& system, number n, meter& m) {
  constexpr int actors = 10'000;
  finish_line end(m);
  const auto last = system.spawn(pass_on, &end, caf::actor(), n);
  auto first = last;
  for (int i = 1; i < actors; ++i) first = system.spawn(pass_on, &end, first, n);
  caf::anon_send(last, first);
  m.start();
  caf::anon_send(first, number{0});
  return {end.wait()};
}

/// Each of the senders sends as many as the others: item(0), item(1), ...
template <class Item>
outcome many_to_one(caf::actor_system& system, number n, meter& m, int senders, Item item) {
  finish_line end(m);
  m.start();
  const auto sum = system.spawn(add_up, &end, n);
  for (int sender = 0; sender < senders; ++sender) {
    system.spawn([=](caf::event_based_actor* self) {
      for (number i = 0; i < n / senders; ++i) self->send(sum, item(i));
    });
  }
  return {end.wait()};
}

outcome fanin(caf::actor_system& system, number n, meter& m) {
  return many_to_one(system, n, m, 8, [](number i) { return i; });
}

outcome counter(caf::actor_system& system, number n, meter& m) {
  return many_to_one(system, n, m, 1'000, [](number) { return number{1}; });
}

/// CAF's mailboxes know no bound and no pulling: jobs are pushed, in turns.
outcome pool(caf::actor_system& system, number n, meter& m) {
  constexpr int workers = 8;
  finish_line end(m);
  m.start();
  const auto sum = system.spawn(add_up, &end, n);
  system.spawn([sum, n](caf::event_based_actor* self) {
    std::vector<caf::actor> all;
    for (int worker = 0; worker < workers; ++worker) {
      all.push_back(self->spawn([sum](caf::event_based_actor* me) -> caf::behavior {
        return {[me, sum](number job) { me->send(sum, small_work(job)); }};
      }));
    }
    for (number job = 0; job < n; ++job) self->send(all[static_cast<std::size_t>(job % workers)], job);
  });
  return {end.wait()};
}

template <class Tag>
void send_tagged(caf::event_based_actor* self, caf::actor to, number count) {
  for (number i = 0; i < count; ++i) self->send(to, Tag{}, i);
}

/// An actor has one mailbox: what comes from whom is told by the type of a tag.
outcome select(caf::actor_system& system, number n, meter& m) {
  finish_line end(m);
  m.start();
  const auto any = system.spawn([&end, n](caf::event_based_actor* self) -> caf::behavior {
    const auto add = adder(self, &end, n);
    return {[add](std::uint8_t, number value) { add(value); }, [add](std::uint16_t, number value) { add(value); },
            [add](std::uint32_t, number value) { add(value); }, [add](std::uint64_t, number value) { add(value); }};
  });
  system.spawn(send_tagged<std::uint8_t>, any, n / 4);
  system.spawn(send_tagged<std::uint16_t>, any, n / 4);
  system.spawn(send_tagged<std::uint32_t>, any, n / 4);
  system.spawn(send_tagged<std::uint64_t>, any, n / 4);
  return {end.wait()};
}

caf::behavior skynet_node(caf::event_based_actor* self, caf::actor parent, number first, number leaves) {
  if (leaves == 1) {
    self->send(parent, first);
    return {};
  }
  const auto part = leaves / 10;
  for (int child = 0; child < 10; ++child) {
    self->spawn(skynet_node, caf::actor_cast<caf::actor>(self), first + child * part, part);
  }
  auto left = std::make_shared<int>(10);
  auto sum = std::make_shared<number>(0);
  return {[=](number value) {
    *sum += value;
    if (--*left == 0) {
      self->send(parent, *sum);
      self->quit();
    }
  }};
}

outcome skynet(caf::actor_system& system, number n, meter& m) {
  finish_line end(m);
  m.start();
  system.spawn(skynet_node, system.spawn(add_up, &end, number{1}), number{0}, n);
  return {end.wait()};
}

/// A delayed message cannot be taken back in CAF 0.17; what can is the time-out of a request. So this calls the clock as a
/// request and its reply do.
outcome timers(caf::actor_system& system, number n, meter& m) {
  finish_line end(m);
  double grown = 0;
  system.spawn([&](caf::event_based_actor* self) {
    std::vector<caf::message_id> pending(static_cast<std::size_t>(n));
    const auto before = resident_bytes();
    m.start();
    auto& clock = system.clock();
    for (auto& id : pending) {
      id = self->new_request_id(caf::message_priority::normal).response_id();
      clock.set_request_timeout(clock.now() + std::chrono::hours(1), self, id);
    }
    grown = resident_bytes() - before;
    for (const auto& id : pending) clock.cancel_request_timeout(self, id);
    end.reach(n);
  });
  const auto cancelled = end.wait();
  return {cancelled, grown / static_cast<double>(n)};
}

void call_repeatedly(caf::event_based_actor* self, caf::actor server, number left, number sum, caf::actor total) {
  if (left == 0) {
    self->send(total, sum);
    return;
  }
  self->request(server, std::chrono::seconds(1), left).then([=](number answer) {
    call_repeatedly(self, server, left - 1, sum + answer, total);
  });
}

outcome rpc_with(caf::actor_system& system, number n, meter& m, int clients) {
  finish_line end(m);
  const auto server = system.spawn(
      [](caf::event_based_actor*) -> caf::behavior { return {[](number question) { return question + 1; }}; });
  const auto total = system.spawn(add_up, &end, number{clients});
  m.start();
  for (int client = 0; client < clients; ++client) {
    system.spawn([=](caf::event_based_actor* self) { call_repeatedly(self, server, n / clients, 0, total); });
  }
  return {end.wait()};
}

outcome rpc(caf::actor_system& system, number n, meter& m) { return rpc_with(system, n, m, 1); }

outcome rpc64(caf::actor_system& system, number n, meter& m) { return rpc_with(system, n, m, 64); }

constexpr workload<caf::actor_system> workloads[] = {
    {"spawn", 1'000'000, 1, spawn_and_end}, {"idle_mem", 1'000'000, 1, idle_memory},
    {"pingpong", 2'000'000, 2, pingpong},   {"ring", 5'000'000, 1, ring},
    {"fanin", 5'000'000, 8, fanin},         {"skynet", 1'000'000, 0, skynet},
    {"timers", 1'000'000, 1, timers},       {"rpc", 500'000, 1, rpc},
    {"rpc64", 500'000, 64, rpc64},          {"pool", 2'000'000, 1, pool},
    {"counter", 1'000'000, 1'000, counter}, {"select", 2'000'000, 4, select},
};

int run(int argc, char** argv) {
  const std::span<const workload<caf::actor_system>> all = workloads;
  auto args = parse(argc, argv);
  const auto* chosen = args ? choose(all, *args) : nullptr;
  if (chosen == nullptr) return print_usage("caf_bench", all);
  const bool sharing = args->policy == "sharing";
  if (!sharing && !args->policy.empty() && args->policy != "stealing") {
    complain(args->policy, "is no policy: they are sharing and stealing");
    return 2;
  }
  caf::actor_system_config config;
  config.set("scheduler.max-threads", args->threads);
  if (sharing) config.set("scheduler.policy", caf::atom("sharing"));
  caf::actor_system system(config);
  meter m;
  const auto found = chosen->run(system, args->n, m);
  print_line(*args, sharing ? "caf-sharing" : "caf", m, found);
  // Actors that wait for ever would hold up the end of the system, and a million of them take long to destroy.
  std::_Exit(0);
}

} // namespace
} // namespace greenroom::bench

int main(int argc, char** argv) { return greenroom::bench::run(argc, argv); }
