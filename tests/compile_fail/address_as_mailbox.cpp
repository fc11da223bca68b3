// expect: no matching function for call to 'greenroom::mailbox<int>::mailbox\(greenroom::address<int>&\)'|conversion from 'greenroom::address<int>' to non-scalar type 'greenroom::mailbox<int>'|no viable conversion from 'greenroom::address<int>' to 'greenroom::mailbox<int>'
// Ends convert only the safe way: a mailbox makes addresses, never the other way round.
#include <greenroom/runtime/mailbox.hpp>

#ifdef GREENROOM_CONTROL
greenroom::address<int> turn_round(greenroom::mailbox<int> in) { return in.address(); }
#else
greenroom::mailbox<int> turn_round(greenroom::address<int> out) {
  greenroom::mailbox<int> in = out;
  return in;
}
#endif
