// A program of somebody else's, built against the installed package: an actor that answers, a handle to CAF's world, an HTTP front, and a
// test by the kit.
#include <cstdio>

#include <greenroom/actors/actors.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/explore.hpp>

using namespace greenroom;

task<int> twice(int n) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto sent = co_await out.send(2 * n);
  const auto got = co_await in.receive();
  co_return sent ? *got : -1;
}

task<> stay() { co_await sleep_until(never); }

task<> expect_the_answer() {
  const auto answer = co_await twice(21);
  testkit::require(answer == 42, "twice 21 is not 42");
}

int main() {
  actor_system sys;
  const auto answer = sys.run(twice, 21);
  std::printf("the answer is %d\n", answer.value_or(-1));
  const actor waiting = sys.spawn(stay);
  const bool known_to_caf = caf_handle(waiting).id() == waiting.id();
  http::server front(sys, {.port = 0});
  front.get("/answer", [] { return http::text("42"); });
  const bool serves = front.start().has_value() && front.port() != 0 && front.stop().complete();
  const auto tried = testkit::explore({.runs = 100}, [] { return expect_the_answer(); });
  return answer.value_or(-1) == 42 && known_to_caf && serves && tried.nothing() ? 0 : 1;
}
