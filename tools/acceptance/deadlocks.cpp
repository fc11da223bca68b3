// acceptance deadlocks: plants ten deadlocks in a system that runs on, and measures how long each takes to be named in its log.
// acceptance soak N: N messages by all ways there are, while deadlocks are searched for without a pause; none may be reported.
// Both read the log of the system as a user would, from its stderr. One JSON line each.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/turn_taking.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tools/acceptance/acceptance.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

/// Takes what this process writes to stderr.
class captured_stderr {
public:
  captured_stderr() {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    read_ = ends[0];
    former_ = ::dup(2);
    ::dup2(ends[1], 2);
    ::close(ends[1]);
    ::fcntl(read_, F_SETFL, O_NONBLOCK);
  }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;
  ~captured_stderr() {
    ::dup2(former_, 2);
    ::close(former_);
    ::close(read_);
  }
  /// Returns all that was written so far.
  const std::string& text() {
    char part[4096];
    for (ssize_t n = 0; (n = ::read(read_, part, sizeof part)) > 0;) text_.append(part, static_cast<std::size_t>(n));
    return text_;
  }

private:
  int read_ = -1;
  int former_ = -1;
  std::string text_;
};

task<> sends_first(address<int> out, mailbox<int> in) {
  (void)co_await out.send(1);
  (void)co_await in.receive();
}
task<> receives_first(address<int> out, mailbox<int> in) {
  (void)co_await in.receive();
  (void)co_await out.send(1);
}
template <class F>
task<> pair_of(F each) {
  auto [a_in, a_out] = make_mailbox<int>(rendezvous());
  auto [b_in, b_out] = make_mailbox<int>(rendezvous());
  spawn({.name = "left"}, each, std::move(b_out), std::move(a_in));
  spawn({.name = "right"}, each, std::move(a_out), std::move(b_in));
  co_return;
}
task<> cycle_of_sends() { return pair_of(sends_first); }
task<> cycle_of_receives() { return pair_of(receives_first); }

struct question {
  int number;
  using reply = int;
};
task<> asks_while_serving(mailbox<request<question>> in, address<request<question>> next) {
  while (auto r = co_await in.receive()) {
    const auto answer = co_await ask(next, question{1}, 1h);
    if (answer) r->reply(*answer);
  }
}
task<> asks_once(address<request<question>> to) { (void)co_await ask(to, question{1}, 1h); }
task<> cycle_of_requests() {
  auto [a_in, a_out] = make_mailbox<request<question>>(bounded(4));
  auto [b_in, b_out] = make_mailbox<request<question>>(bounded(4));
  spawn({.name = "client"}, asks_once, a_out);
  spawn({.name = "left"}, asks_while_serving, std::move(a_in), std::move(b_out));
  spawn({.name = "right"}, asks_while_serving, std::move(b_in), std::move(a_out));
  co_return;
}

struct locks {
  mutex first;
  mutex second;
  guarded<int> value{1};
  semaphore permits{2};
  std::atomic<int> holding{0};
};
task<> both_have_one(std::shared_ptr<locks> l) {
  ++l->holding;
  while (l->holding < 2) co_await yield();
}
task<> locks_both(std::shared_ptr<locks> l, bool first_first) {
  const auto one = co_await (first_first ? l->first : l->second).lock();
  co_await both_have_one(l);
  const auto other = co_await (first_first ? l->second : l->first).lock();
}
task<> opposite_locks() {
  const auto l = std::make_shared<locks>();
  spawn({.name = "left"}, locks_both, l, true);
  spawn({.name = "right"}, locks_both, l, false);
  co_return;
}
task<> wants_both_permits(std::shared_ptr<locks> l) {
  const auto one = co_await l->permits.acquire();
  co_await both_have_one(l);
  const auto other = co_await l->permits.acquire();
}
task<> permits_of_each_other() {
  const auto l = std::make_shared<locks>();
  spawn({.name = "left"}, wants_both_permits, l);
  spawn({.name = "right"}, wants_both_permits, l);
  co_return;
}
task<> sends_under_a_lock(std::shared_ptr<locks> l, address<int> out) {
  const auto held = co_await l->value.lock();
  ++l->holding;
  for (int i = 0; i < 2; ++i) (void)co_await out.send(i);
}
task<> locks_to_receive(std::shared_ptr<locks> l, mailbox<int> in) {
  while (l->holding == 0) co_await yield();
  const auto held = co_await l->value.lock();
  (void)co_await in.receive();
}
task<> lock_and_mailbox() {
  const auto l = std::make_shared<locks>();
  auto [in, out] = make_mailbox<int>(bounded(1));
  spawn({.name = "left"}, sends_under_a_lock, l, std::move(out));
  spawn({.name = "right"}, locks_to_receive, l, std::move(in));
  co_return;
}

task<> wants_either(mailbox<int> a, mailbox<int> b, address<int> to_a, address<int> to_b) {
  (void)co_await select(a.receive(), b.receive());
  (void)co_await to_a.send(1);
  (void)co_await to_b.send(1);
}
task<> select_knot() {
  auto [a_in, a_out] = make_mailbox<int>(rendezvous());
  auto [b_in, b_out] = make_mailbox<int>(rendezvous());
  auto [to_a_in, to_a_out] = make_mailbox<int>(rendezvous());
  auto [to_b_in, to_b_out] = make_mailbox<int>(rendezvous());
  spawn({.name = "left"}, receives_first, std::move(a_out), std::move(to_a_in));
  spawn({.name = "middle"}, wants_either, std::move(a_in), std::move(b_in), std::move(to_a_out), std::move(to_b_out));
  spawn({.name = "right"}, receives_first, std::move(b_out), std::move(to_b_in));
  co_return;
}

task<> keeps_its_turn(turn_seat seat, mailbox<int> in) {
  (void)co_await seat.wait();
  (void)co_await in.receive();
}
task<> sends_in_its_turn(turn_seat seat, address<int> out) {
  (void)co_await seat.wait();
  (void)co_await out.send(1);
}
task<> turn_and_mailbox() {
  turn_taking table({"left", "right"});
  auto [in, out] = make_mailbox<int>(bounded(1));
  spawn({.name = "left"}, keeps_its_turn, table.seat(0), std::move(in));
  spawn({.name = "right"}, sends_in_its_turn, table.seat(1), std::move(out));
  co_return;
}

task<> waits_for_a_word(mailbox<int> in) { (void)co_await in.receive(); }
task<> body_that_keeps_the_word(scope& s, mailbox<int> in) {
  s.spawn({.name = "right"}, waits_for_a_word, std::move(in));
  co_return;
}
task<> parent_of_a_waiter() {
  auto [in, out] = make_mailbox<int>(bounded(1));
  (void)co_await with_scope(body_that_keeps_the_word, std::move(in));
  (void)co_await out.send(1);
}
task<> scope_and_child() {
  spawn({.name = "left"}, parent_of_a_waiter);
  co_return;
}

task<> joins(mailbox<actor> whom) {
  const auto who = co_await whom.receive();
  (void)co_await who->join();
}
task<> ends_of_each_other() {
  auto [a_in, a_out] = make_mailbox<actor>(bounded(1));
  auto [b_in, b_out] = make_mailbox<actor>(bounded(1));
  const auto a = spawn({.name = "left"}, joins, std::move(a_in));
  const auto b = spawn({.name = "right"}, joins, std::move(b_in));
  (void)co_await a_out.send(b);
  (void)co_await b_out.send(a);
}

task<> runs_on(mailbox<long> in, address<long> out) {
  while (auto n = co_await in.receive()) (void)co_await out.send(*n + 1);
}

/// A ring of actors that never stop.
void start_runners(actor_system& sys) {
  auto [first_in, first_out] = make_mailbox<long>(bounded(4));
  auto in = std::move(first_in);
  for (int i = 0; i < 100; ++i) {
    auto [next_in, next_out] = make_mailbox<long>(bounded(4));
    sys.spawn({.name = "runner"}, runs_on, std::move(in), i == 99 ? first_out : std::move(next_out));
    in = std::move(next_in);
  }
  for (int i = 0; i < 10; ++i) (void)first_out.try_send(i);
}

/// Returns how long it took until the log named the two, or a negative number after ten seconds.
double seconds_until_named(task<> (*plant)()) {
  captured_stderr log;
  options how;
  how.workers = 2;
  actor_system sys(how);
  start_runners(sys);
  const auto begin = steady::now();
  sys.spawn(plant);
  const auto elapsed = [&] { return std::chrono::duration<double>(steady::now() - begin).count(); };
  while (elapsed() < 10) {
    const auto& text = log.text();
    const auto found = text.find("deadlock: ");
    if (found != text.npos && text.find("'left'", found) != text.npos && text.find("'right'", found) != text.npos) {
      return text.find("runner") == text.npos ? elapsed() : -1;
    }
    std::this_thread::sleep_for(1ms);
  }
  return -1;
}

} // namespace

int acceptance::deadlocks() {
  task<> (*const planted[])() = {cycle_of_sends,   cycle_of_receives,     cycle_of_requests, opposite_locks,
                                 lock_and_mailbox, permits_of_each_other, select_knot,       turn_and_mailbox,
                                 scope_and_child,  ends_of_each_other};
  int named = 0;
  double slowest = 0;
  for (const auto plant : planted) {
    const auto seconds = seconds_until_named(plant);
    if (seconds >= 0) ++named;
    slowest = std::max(slowest, seconds);
  }
  std::printf("{\"planted\":%zu,\"named\":%d,\"slowest_seconds\":%.3f}\n", std::size(planted), named, slowest);
  return 0;
}

namespace {

struct progress {
  std::atomic<long> messages{0};
};

task<> receives_all(mailbox<long> in, progress* seen) {
  long n = 0;
  while (co_await in.receive()) {
    if (++n % 1024 == 0) seen->messages += 1024;
  }
}
task<> sends(address<long> out, long n) {
  for (long i = 0; i < n; ++i) (void)co_await out.send(i);
}
task<> takes_turns(mailbox<long> in, address<long> out, bool begins, long n, progress* seen) {
  if (begins) (void)co_await out.send(0);
  for (long i = 0; i < n; ++i) {
    const auto turn = co_await in.receive();
    if (!turn) co_return;
    if (i % 1024 == 1023) seen->messages += 1024;
    (void)co_await out.send(i);
  }
}
task<> merges(mailbox<long> a, mailbox<long> b, progress* seen) {
  long n = 0;
  for (int open = 2; open != 0;) {
    auto s = co_await select(a.receive(), b.receive());
    const bool came = s.index() == 0 ? s.get<0>().has_value() : s.get<1>().has_value();
    if (!came) {
      (s.index() == 0 ? a : b) = {}; // a case that never wins
      --open;
    }
    if (++n % 1024 == 0) seen->messages += 1024;
  }
}
task<> serves(mailbox<request<question>> in, std::shared_ptr<mutex> lock) {
  while (auto r = co_await in.receive()) {
    const auto held = co_await lock->lock();
    r->reply(r->message.number);
  }
}
task<> asks_many(address<request<question>> to, std::shared_ptr<mutex> lock, long n, progress* seen) {
  for (long i = 0; i < n; ++i) {
    if (i % 16 == 0) {
      const auto held = co_await lock->lock();
    }
    const auto answer = co_await ask(to, question{1}, 1h);
    if (!answer) co_return;
    if (i % 512 == 511) seen->messages += 1024; // there and back
  }
}

/// Starts one of each kind of traffic, each of about `n` messages.
void start_traffic(actor_system& sys, long n, progress* seen) {
  auto [in, out] = make_mailbox<long>(bounded(16));
  sys.spawn({.name = "receiver"}, receives_all, std::move(in), seen);
  for (int i = 0; i < 4; ++i) sys.spawn({.name = "sender"}, sends, out, n / 4);
  auto [ping_in, ping_out] = make_mailbox<long>(rendezvous());
  auto [pong_in, pong_out] = make_mailbox<long>(rendezvous());
  sys.spawn({.name = "ping"}, takes_turns, std::move(ping_in), std::move(pong_out), true, n / 2, seen);
  sys.spawn({.name = "pong"}, takes_turns, std::move(pong_in), std::move(ping_out), false, n / 2, seen);
  auto [a_in, a_out] = make_mailbox<long>(bounded(1));
  auto [b_in, b_out] = make_mailbox<long>(rendezvous());
  sys.spawn({.name = "merger"}, merges, std::move(a_in), std::move(b_in), seen);
  sys.spawn({.name = "a"}, sends, std::move(a_out), n / 2);
  sys.spawn({.name = "b"}, sends, std::move(b_out), n / 2);
  const auto lock = std::make_shared<mutex>();
  auto [calls, to_server] = make_mailbox<request<question>>(bounded(2));
  sys.spawn({.name = "server"}, serves, std::move(calls), lock);
  for (int i = 0; i < 4; ++i) sys.spawn({.name = "client"}, asks_many, to_server, lock, n / 8, seen);
}

} // namespace

int acceptance::soak(long n) {
  captured_stderr log;
  progress seen;
  long searches = 0;
  long reports = 0;
  double seconds = 0;
  {
    options how;
    how.workers = 2;
    actor_system sys(how);
    const auto begin = steady::now();
    start_traffic(sys, n / 4, &seen);
    while (sys.live_actors() != 0) {
      reports += static_cast<long>(sys.deadlocks().found.size());
      ++searches;
      std::this_thread::sleep_for(1ms);
    }
    seconds = std::chrono::duration<double>(steady::now() - begin).count();
  }
  const bool logged = log.text().find("deadlock") != std::string::npos;
  std::printf("{\"messages\":%ld,\"searches\":%ld,\"reports\":%ld,\"logged\":%d,\"seconds\":%.1f}\n",
              seen.messages.load(), searches, reports, logged ? 1 : 0, seconds);
  return 0;
}
