// expect: spawn: the actor's function must be a coroutine that returns greenroom::task<>
#include <greenroom/runtime/actor_system.hpp>

#ifdef GREENROOM_CONTROL
greenroom::task<> work() { co_return; }
#else
greenroom::task<int> work() { co_return 1; }
#endif

void start(greenroom::actor_system& sys) { (void)sys.spawn(work); }
