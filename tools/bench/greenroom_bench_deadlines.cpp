// Workloads about deadlines that do not come to pass, as nearly all of them do not.
#include <greenroom/tools/bench/greenroom_bench.hpp>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/spawn.hpp>

namespace greenroom::bench {
namespace {

using namespace std::chrono_literals;

task<> answer_in_time(mailbox<std::int64_t> in, address<std::int64_t> out) {
  while (const auto value = co_await in.receive_for(1h)) {
    if (!co_await out.send(*value + 1)) co_return;
  }
}

struct question {
  std::int64_t number;
  using reply = std::int64_t;
};

task<> answer_questions(mailbox<request<question>> in) {
  while (auto asked = co_await in.receive()) asked->reply(asked->message.number + 1);
}

task<> ask_questions(address<request<question>> server, std::int64_t count, address<std::int64_t> to_total) {
  std::int64_t sum = 0;
  for (std::int64_t i = 1; i <= count; ++i) {
    const auto answer = co_await ask(server, question{i}, 1s);
    if (!answer) co_return;
    sum += *answer;
  }
  (void)co_await to_total.send(sum);
}

task<outcome> rpc_with(int clients, std::int64_t n, meter* m) {
  auto [questions, server] = make_mailbox<request<question>>(bounded(64));
  auto [sums, to_me] = make_mailbox<std::int64_t>(bounded(64));
  spawn(answer_questions, std::move(questions));
  m->start();
  for (int i = 0; i < clients; ++i) spawn(ask_questions, server, n / clients, to_me);
  to_me = {};
  std::int64_t total = 0;
  while (const auto sum = co_await sums.receive()) total += *sum;
  m->stop();
  co_return outcome{total};
}

} // namespace

task<outcome> rpc(std::int64_t n, meter* m) { return rpc_with(1, n, m); }

task<outcome> rpc64(std::int64_t n, meter* m) { return rpc_with(64, n, m); }

task<outcome> timers(std::int64_t n, meter* m) {
  std::vector<std::optional<context>> pending(
      static_cast<std::size_t>(n)); // its memory is touched before the first look
  const auto parent = this_actor::context();
  const auto before = resident_bytes();
  m->start();
  for (auto& ctx : pending) ctx.emplace(parent.with_timeout(1h));
  const auto grown = resident_bytes() - before;
  std::int64_t cancelled = 0;
  for (auto& ctx : pending) {
    ctx.reset(); // the last handle of a context takes its deadline back
    ++cancelled;
  }
  m->stop();
  co_return outcome{cancelled, grown / static_cast<double>(n)};
}

task<outcome> timed_pingpong(std::int64_t n, meter* m) {
  auto [to_me, from_me] = make_mailbox<std::int64_t>(rendezvous());
  auto [to_other, from_other] = make_mailbox<std::int64_t>(rendezvous());
  spawn(answer_in_time, std::move(to_me), std::move(from_other));
  m->start();
  std::int64_t turn = 0;
  for (std::int64_t i = 0; i < n / 2; ++i) {
    if (!co_await from_me.send(turn + 1)) break;
    const auto answer = co_await to_other.receive_for(1h);
    if (!answer) break;
    turn = *answer;
  }
  m->stop();
  co_return outcome{turn};
}

} // namespace greenroom::bench
