// Work of three seconds under a limit of two. In Go: context.WithTimeout and a select on ctx.Done().
// The work is cancelled where it waits and unwinds before the answer is given: nothing is left behind, where the goroutine of the
// Go original blocks for ever on a send that nobody receives.
//
// Run: 05_time_out [limit in milliseconds, 2000 if not given]
// You will see `Request canceled: context deadline exceeded` after two seconds, and that no actor is left.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> slow_step() { co_await sleep_for(3s); }

task<std::string> slow_task(scope& s) {
  s.spawn({.name = "step"}, slow_step); // cancelled with its scope, like all that belongs to the request
  co_await s.join();
  co_return "task completed";
}

task<std::string> request(std::chrono::milliseconds limit) {
  auto answer = co_await with_timeout(limit, with_scope(slow_task));
  if (!answer) co_return "Request canceled: context " + std::string(answer.error().message());
  co_return "Success: " + *answer;
}

int main(int argc, char** argv) {
  const std::chrono::milliseconds limit(argc > 1 ? std::atoi(argv[1]) : 2000);
  actor_system sys;
  auto line = sys.run(request, limit);
  if (!line) return 1;
  std::puts(line->c_str());
  std::printf("actors left: %zu\n", sys.live_actors());
  return 0;
}
