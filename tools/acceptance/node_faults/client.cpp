// node_faults client: orders transfers, puts and takes items and reads all accounts at another node, and notes each operation in a history as
// node_history.py reads it; sends two numbered streams; watches the other node. node_faults last: takes what is left, and reads.
#include <array>
#include <atomic>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tools/acceptance/node_faults/types.hpp>

using namespace greenroom;

namespace node_faults {
namespace {

struct client_state {
  client_state(const arguments& a, std::FILE* to) : args(a), history(to), here(sys, options_of(a)) {
    peer.emplace(here.connect(a.host, a.port));
  }
  const arguments args;
  line_file history;
  std::atomic<bool> over{false};
  actor_system sys{options{.workers = 2, .log_level = "info"}};
  node here;
  std::optional<node_peer> peer;
};

// -- operations -------------------------------------------------------------------------------------

template <class M>
std::string shown(const char* op, const client_state* s, const M& message, const char* phase) {
  return fmt::format("\"client\":{},\"op\":\"{}\",\"id\":{},\"phase\":\"{}\"", json_text(s->args.name), op,
                     json_text(message.id), phase);
}
std::string asked(const transfer& t) {
  return fmt::format(",\"from\":{},\"to\":{},\"cents\":{}", json_text(t.from), json_text(t.to), t.cents);
}
template <class M>
std::string asked(const M&) {
  return "";
}
std::string answered(const std::string& item) { return fmt::format(",\"item\":{}", json_text(item)); }
std::string answered(std::int64_t) { return ""; }
std::string answered(std::uint64_t) { return ""; }
std::string answered(const std::map<std::string, std::int64_t>& balances) {
  std::string all;
  for (const auto& [account, cents] : balances)
    all += fmt::format("{}{}:{}", all.empty() ? "" : ",", json_text(account), cents);
  return ",\"balances\":{" + all + "}";
}

/// Where the operations of one kind go; looked up again whenever it is gone.
template <class M>
struct target {
  const char* op;
  const char* published;
  std::optional<address<request<M>>> to;
};

/// One operation. Whatever error there is but the bank's own refusal, it may have been done all the same.
template <class M>
task<result<typename M::reply>> operate(client_state* s, target<M>* at, M message) {
  while (!at->to) {
    if (s->over) co_return error(errc::stopped);
    remote_options how;
    how.limit = 500ms;
    auto looking = s->peer->lookup<request<M>>(at->published, how);
    auto found = co_await std::move(looking);
    if (found) at->to = *std::move(found);
  }
  s->history.say(shown(at->op, s, message, "invoke") + asked(message));
  const auto copy = message;
  auto answer = co_await ask(*at->to, copy, 2s);
  if (answer) {
    s->history.say(shown(at->op, s, message, "ok") + answered(*answer));
  } else {
    const bool refused = answer.error().is(errc::invalid_argument);
    s->history.say(shown(at->op, s, message, refused ? "refused" : "unknown") +
                   ",\"why\":" + json_text(answer.error().message()));
    if (!refused) at->to.reset();
  }
  co_return answer;
}

task<> order_transfers(client_state* s, int worker) {
  target<transfer> at{"transfer", "transfers", {}};
  std::mt19937 draw(static_cast<unsigned>(std::hash<std::string>{}(s->args.name)) + static_cast<unsigned>(worker));
  for (int n = 1; !s->over; ++n) {
    const auto give = draw() % 8;
    const auto take_to = (give + 1 + draw() % 7) % 8;
    transfer t{fmt::format("{}-t{}-{}", s->args.name, worker, n), "account " + std::to_string(give),
               "account " + std::to_string(take_to), static_cast<std::int64_t>(draw() % 40'000 + 1)};
    auto one = operate(s, &at, std::move(t));
    (void)co_await std::move(one);
    co_await sleep_for(5ms);
  }
}
task<> put_items(client_state* s) {
  target<put> at{"put", "puts", {}};
  for (int n = 1; !s->over; ++n) {
    auto one = operate(s, &at, put{fmt::format("{}-p-{}", s->args.name, n)});
    (void)co_await std::move(one);
    co_await sleep_for(10ms);
  }
}
task<> take_items(client_state* s, const char* series, bool until_empty) {
  target<take> at{"take", "takes", {}};
  for (int n = 1; !s->over; ++n) {
    auto one = operate(s, &at, take{fmt::format("{}-{}-{}", s->args.name, series, n)});
    const auto got = co_await std::move(one);
    if (until_empty && got && got->empty()) co_return;
    if (!until_empty) co_await sleep_for(8ms);
  }
}
task<> read_accounts(client_state* s) {
  target<read_all> at{"read", "reads", {}};
  for (int n = 1; !s->over; ++n) {
    auto one = operate(s, &at, read_all{fmt::format("{}-r-{}", s->args.name, n)});
    (void)co_await std::move(one);
    co_await sleep_for(50ms);
  }
}

// -- streams ----------------------------------------------------------------------------------------

/// Sends as fast as it may; the address waits while the other node is down.
task<> send_numbers(client_state* s, const char* stream, std::size_t load, std::chrono::milliseconds pause) {
  remote_options how;
  how.down = remote_options::when_down::wait;
  std::optional<address<numbered>> to;
  while (!to && !s->over) {
    auto looking = s->peer->lookup<numbered>(stream, how);
    auto found = co_await std::move(looking);
    if (found) to = *std::move(found);
  }
  for (std::uint64_t n = 1; !s->over; ++n) {
    numbered item{s->args.name, n, std::string(load, 'x')};
    const auto sent = co_await to->send(std::move(item));
    if (!sent) {
      events().say(fmt::format("\"event\":\"closed\",\"stream\":{},\"why\":{}", json_text(stream),
                               json_text(sent.error().message())));
      co_return;
    }
    if (pause > 0ms && n % 10 == 0) co_await sleep_for(pause);
  }
}

// -- watching ---------------------------------------------------------------------------------------

task<> watch(client_state* s, int number) {
  for (;;) {
    while (s->peer->state() != link_state::up) co_await sleep_for(10ms);
    if (number == 0) events().say("\"event\":\"up\"");
    const auto monitor = s->peer->monitor();
    int notices = 0;
    std::string why;
    double at = 0;
    while (auto told = co_await monitor.receive()) {
      if (++notices == 1) at = now();
      why = told->why;
    }
    events().say(fmt::format("\"event\":\"down\",\"monitor\":{},\"notices\":{},\"at\":{:.6f},\"why\":{}", number,
                             notices, at, json_text(why)));
  }
}

task<> work(scope& all, client_state* s) {
  for (int worker = 0; worker < 4; ++worker) all.spawn(order_transfers, s, worker);
  all.spawn(put_items, s);
  all.spawn(take_items, s, "k", false);
  all.spawn(read_accounts, s);
  co_return;
}
task<bool> operations(client_state* s) {
  const auto ended = co_await with_scope(work, s);
  co_return ended.has_value();
}
task<bool> finish(client_state* s) {
  auto taking = take_items(s, "k", true);
  co_await std::move(taking);
  target<read_all> at{"read", "reads", {}};
  auto reading = operate(s, &at, read_all{s->args.name + "-r-1"});
  const auto got = co_await std::move(reading);
  co_return got.has_value();
}

std::FILE* open_history(const arguments& args) {
  auto* const to = std::fopen(args.file.c_str(), "a");
  if (to == nullptr) throw usage_error("node_faults: cannot write " + args.file);
  return to;
}

} // namespace

int client(const arguments& args) {
  stop_signal asked_to_end;
  client_state s(args, open_history(args));
  for (int number = 0; number < 3; ++number) s.sys.spawn(watch, &s, number);
  s.sys.spawn(send_numbers, &s, "fast", std::size_t{256}, 5ms);
  s.sys.spawn(send_numbers, &s, "slow", std::size_t{1024}, 0ms);
  constexpr auto start = [](client_state* of, address<bool> done) -> task<> {
    auto running = operations(of);
    const bool ended = co_await std::move(running);
    (void)co_await done.send(ended);
  };
  auto [ended, to_ended] = make_mailbox<bool>(bounded(1));
  s.sys.spawn(+start, &s, to_ended);
  asked_to_end.wait();
  s.over = true;
  constexpr auto wait = [](mailbox<bool> from) -> task<bool> {
    const auto got = co_await from.receive_for(20s);
    co_return got&&* got;
  };
  return s.sys.run(+wait, ended).value_or(false) ? 0 : 1;
}

int last_look(const arguments& args) {
  client_state s(args, open_history(args));
  return s.sys.run(finish, &s).value_or(false) ? 0 : 1;
}

} // namespace node_faults
