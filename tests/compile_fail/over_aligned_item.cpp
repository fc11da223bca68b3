// expect: a mailbox item must not be over-aligned
#include <greenroom/runtime/mailbox.hpp>

#ifdef GREENROOM_CONTROL
struct alignas(16) item {};
#else
struct alignas(64) item {};
#endif

greenroom::mailbox<item> in(greenroom::rendezvous());
