// acceptance fairness SECONDS: how late others get what they wait for (a timer, an answer over TCP, one from an actor) while one of two workers is held by an actor
// that never waits and the other has chatty pairs and actors that only yield. Prints the 99th percentile of whoever had to wait longest.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/transport.hpp>
#include <greenroom/tools/acceptance/acceptance.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

/// How late things were for each of some actors.
class lateness {
public:
  /// Begins the notes of one actor. Lifetime: as this object; for that actor alone.
  std::vector<duration>* of_another() {
    std::lock_guard guard(lock_);
    return &all_.emplace_back();
  }
  /// Requires: the actors have ended.
  std::size_t count() const {
    std::size_t n = 0;
    for (const auto& one : all_) n += one.size();
    return n;
  }
  /// Returns the 99th percentile of the actor that had to wait longest. Requires: as above, and each has noted something.
  double p99_ms() {
    duration worst{};
    for (auto& one : all_) {
      const auto at = one.begin() + static_cast<std::ptrdiff_t>(one.size() * 99 / 100);
      std::nth_element(one.begin(), at, one.end());
      worst = std::max(worst, *at);
    }
    return std::chrono::duration<double, std::milli>(worst).count();
  }

private:
  std::mutex lock_;
  std::deque<std::vector<duration>> all_; // guarded by lock_ while it grows
};

struct seen {
  std::atomic<bool> over{false};
  lateness timers, answers, bytes;
};

// -- who takes the workers ------------------------------------------------------------------------------

task<> spin(seen* s) {
  while (!s->over.load(std::memory_order_relaxed)) {}
  co_return;
}
task<> yield_always(seen* s) {
  while (!s->over.load(std::memory_order_relaxed)) co_await yield();
}
task<> play(seen* s, mailbox<int> in, address<int> out) {
  while (!s->over.load(std::memory_order_relaxed)) {
    const auto ball = co_await in.receive();
    if (!ball) co_return;
    const auto sent = co_await out.send(*ball);
    if (!sent) co_return;
  }
}

// -- who waits ------------------------------------------------------------------------------------------

task<> watch_timers(seen* s, duration each) {
  auto* const notes = s->timers.of_another();
  while (!s->over.load(std::memory_order_relaxed)) {
    const auto due = std::chrono::steady_clock::now() + each;
    co_await sleep_for(each);
    notes->push_back(std::chrono::steady_clock::now() - due);
  }
}

struct question {
  int number;
  using reply = int;
};
task<> answer(mailbox<request<question>> in) {
  while (auto r = co_await in.receive()) r->reply(r->message.number);
}
task<> watch_answers(seen* s, address<request<question>> to) {
  auto* const notes = s->answers.of_another();
  while (!s->over.load(std::memory_order_relaxed)) {
    const auto begun = std::chrono::steady_clock::now();
    const auto got = co_await ask(to, question{1}, 10s);
    if (!got) co_return;
    notes->push_back(std::chrono::steady_clock::now() - begun);
    co_await sleep_for(1ms);
  }
}

task<> give_back(std::unique_ptr<stream> io) {
  std::array<std::byte, 64> buffer;
  for (;;) {
    const auto got = co_await io->read_some(buffer);
    if (!got || *got == 0) co_return;
    const auto put = co_await io->write_all(std::span(buffer).first(*got));
    if (!put) co_return;
  }
}
task<> take_in(std::unique_ptr<listener> at) {
  for (;;) {
    auto made = co_await at->accept();
    if (!made) co_return;
    spawn(give_back, *std::move(made));
  }
}
task<> watch_bytes(seen* s, endpoint at) {
  auto made = co_await this_actor::system().net().connect(at);
  if (!made) co_return;
  auto* const notes = s->bytes.of_another();
  std::array<std::byte, 64> buffer{};
  while (!s->over.load(std::memory_order_relaxed)) {
    const auto begun = std::chrono::steady_clock::now();
    const auto put = co_await (*made)->write_all(buffer);
    if (!put) co_return;
    for (std::size_t left = buffer.size(); left > 0;) {
      const auto got = co_await (*made)->read_some(std::span(buffer).first(left));
      if (!got || *got == 0) co_return;
      left -= *got;
    }
    notes->push_back(std::chrono::steady_clock::now() - begun);
    co_await sleep_for(1ms);
  }
}

} // namespace

int acceptance::fairness(long seconds) {
  seen s;
  actor_system sys({.workers = 2});
  auto at = sys.net().listen({"127.0.0.1", 0});
  if (!at) return 1;
  const endpoint where("127.0.0.1", (*at)->port());
  const auto acceptor = sys.spawn(take_in, *std::move(at));
  auto [asked, to_answerer] = make_mailbox<request<question>>(bounded(16));
  const auto answerer = sys.spawn(answer, std::move(asked));
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) {
    auto one = make_mailbox<int>(bounded(1));
    auto two = make_mailbox<int>(bounded(1));
    if (!one.out.try_send(0)) return 1;
    all.push_back(sys.spawn(play, &s, one.in, two.out));
    all.push_back(sys.spawn(play, &s, two.in, one.out));
    all.push_back(sys.spawn(yield_always, &s));
  }
  all.push_back(sys.spawn(spin, &s));
  for (int i = 0; i < 20; ++i) {
    all.push_back(sys.spawn(watch_timers, &s, 1ms + 300us * i));
    all.push_back(sys.spawn(watch_answers, &s, to_answerer));
    all.push_back(sys.spawn(watch_bytes, &s, where));
  }
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  s.over = true;
  for (auto& a : all) a.wait();
  acceptor.cancel();
  std::printf("{\"timers\":%zu,\"timers_p99_ms\":%.2f,\"answers\":%zu,\"answers_p99_ms\":%.2f,\"bytes\":%zu,\"bytes_"
              "p99_ms\":%.2f}\n",
              s.timers.count(), s.timers.p99_ms(), s.answers.count(), s.answers.p99_ms(), s.bytes.count(),
              s.bytes.p99_ms());
  return 0;
}
