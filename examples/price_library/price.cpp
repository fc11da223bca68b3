// A library without a main: three functions of C, behind which actors work. No symbol of Greenroom is seen outside (price.map), no signal is touched,
// and after price_stop() no thread is left, so that a program may load and unload it as often as it likes.
#include "price.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

struct question {
  std::string item;
  int pieces;
  using reply = long;
};

task<> answer(mailbox<request<question>> questions) {
  const std::map<std::string, long> cents{{"apple", 12}, {"pear", 15}};
  while (auto q = co_await questions.receive()) {
    const auto found = cents.find(q->message.item);
    if (found == cents.end())
      q->fail({errc::not_found, "there is no " + q->message.item});
    else
      q->reply(found->second * q->message.pieces);
  }
}

task<result<long>> ask_for(address<request<question>> whom, question q) {
  co_return co_await ask(whom, std::move(q), 1s);
}

/// All that runs, in the order in which it is made; it ends the other way round.
struct service {
  actor_system sys{options{.name = "prices", .workers = 2}};
  mailbox_ends<request<question>> questions = make_mailbox<request<question>>(bounded(64));
  result<supervisor> work = start();

  result<supervisor> start() {
    supervisor_spec spec("prices");
    spec.child("prices", answer, questions.in);
    return supervise(sys, std::move(spec));
  }
};

std::mutex lock;
std::shared_ptr<service> running; // guarded by lock; shared with the calls under way

std::shared_ptr<service> find_running() {
  const std::lock_guard guard(lock);
  return running;
}

} // namespace

// No exception may leave a function of C.
int price_start() try {
  const std::lock_guard guard(lock);
  if (running) return -1;
  auto fresh = std::make_shared<service>();
  if (!fresh->work) return -1;
  running = std::move(fresh);
  return 0;
} catch (...) {
  return -1;
}

int price_of(const char* item, int pieces, long* cents) try {
  const auto now = find_running();
  if (!now) return -1;
  const auto got = now->sys.run(ask_for, now->questions.out, question{item, pieces});
  if (!got) return -1;
  *cents = *got;
  return 0;
} catch (...) {
  return -1;
}

void price_stop() {
  std::shared_ptr<service> last;
  const std::lock_guard guard(lock);
  last.swap(running);
  if (last) last->sys.stop();
}
