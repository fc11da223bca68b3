// The test kit at work: two deposits that each read, wait and write lose one of the two in some schedules. explore() finds such a
// schedule and says how to see it again; under a mutex it tries every schedule there is and finds nothing.
// In Go: `go test -race` would be silent, since no two goroutines touch the number at the same time.
//
// Run: 08_find_a_race
// You will see what was found, and then that nothing is left to find.
#include <cstdio>
#include <memory>
#include <string>

#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/testkit/explore.hpp>

using namespace greenroom;

struct account {
  mutex lock;
  int balance = 0;
};

task<> deposit(std::shared_ptr<account> to, bool locked) {
  mutex_guard guard;
  if (locked) guard = co_await to->lock.lock();
  const int read = to->balance;
  co_await yield(); // asks the bank, say
  to->balance = read + 1;
}

task<> both(scope& s, std::shared_ptr<account> to, bool locked) {
  s.spawn(deposit, to, locked);
  s.spawn(deposit, to, locked);
  co_return;
}

task<> two_deposits(bool locked) {
  auto to = std::make_shared<account>();
  const auto done = co_await with_scope(both, to, locked);
  testkit::require(done.has_value(), "a deposit failed");
  testkit::require(to->balance == 2, "two deposits, but the balance is " + std::to_string(to->balance));
}

int main() {
  const auto found = testkit::explore({.runs = 1'000}, [] { return two_deposits(false); });
  std::printf("without a lock: %s\n", found.nothing() ? "nothing" : found.failure.why.c_str());
  const auto proven = testkit::explore({.how = testkit::exploration::strategy::all}, [] { return two_deposits(true); });
  std::printf("with a lock: %s\n",
              proven.complete ? "nothing, in every schedule there is" : proven.to_string().c_str());
  return !found.nothing() && proven.complete ? 0 : 1;
}
