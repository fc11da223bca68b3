// expect: 'class greenroom::address<int>' has no member named 'receive'|no member named 'receive' in 'greenroom::address<int>'
// An address is a send end: receiving from it must not compile.
#include <greenroom/runtime/mailbox.hpp>

greenroom::task<> actor(greenroom::address<int> out) {
#ifdef GREENROOM_CONTROL
  const auto sent = co_await out.send(1);
#else
  const auto item = co_await out.receive();
#endif
}
