// expect: the arguments do not fit the parameters of the actor's function; mind that a mailbox<T> is a receive
// An address is no mailbox: an actor that receives cannot be given one.
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

greenroom::task<> actor(greenroom::mailbox<int> in) { const auto item = co_await in.receive(); }

void start(greenroom::actor_system& sys, const greenroom::mailbox_ends<int>& ends) {
#ifdef GREENROOM_CONTROL
  sys.spawn(actor, ends.in);
#else
  sys.spawn(actor, ends.out);
#endif
}
