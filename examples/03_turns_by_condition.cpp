// The same strict turns by a mutex, a condition and a wait_group. In Go: sync.Mutex, sync.Cond and sync.WaitGroup.
// The turn is a variable under the mutex; a player waits on the condition while it is not its own. notify_all would be needed for
// more than two players. The lock, the wait and the join suspend the actor; no worker thread is ever blocked.
//
// You will see the numbers and the text strictly in turn, `both OK!`, and `all done`.
#include <cstdio>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/condition.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/wait_group.hpp>

using namespace greenroom;

struct table {
  mutex lock;
  condition changed;
  int turn = 0; // guarded by lock: whose turn it is
  wait_group playing;
};

task<> player(table* at, int me) {
  for (int i = 0; i < 10; ++i) {
    auto guard = co_await at->lock.lock();
    while (at->turn != me) co_await at->changed.wait(guard);
    if (me == 0) {
      std::printf("%d\n", i);
    } else {
      std::puts("im reading fugu.cafe");
    }
    at->turn = 1 - me;
    at->changed.notify_one();
  }
  at->playing.done();
}

task<> game() {
  table at;
  at.playing.add(2);
  std::puts("there is");
  spawn({.name = "numbers"}, player, &at, 0);
  spawn({.name = "text"}, player, &at, 1);
  co_await at.playing.wait();
  std::puts("both OK!");
  std::puts("all done");
}

int main() {
  actor_system sys;
  return sys.run(game) ? 0 : 1;
}
