// expect: the actor's function must be a coroutine that returns greenroom::task<>
// A function that returns a number is no actor.
#include <greenroom/runtime/actor_system.hpp>

int number() { return 1; }
greenroom::task<> actor() { co_return; }

void start(greenroom::actor_system& sys) {
#ifdef GREENROOM_CONTROL
  sys.spawn(actor);
#else
  sys.spawn(number);
#endif
}
