// expect: 'class greenroom::mailbox<int>' has no member named 'send'|no member named 'send' in 'greenroom::mailbox<int>'
// A mailbox is a receive end: sending on it must not compile.
#include <greenroom/runtime/mailbox.hpp>

greenroom::task<> actor(greenroom::mailbox<int> in) {
#ifdef GREENROOM_CONTROL
  const auto item = co_await in.receive();
#else
  const auto sent = co_await in.send(1);
#endif
}
