// expect: the items have no text: write describe\(const T&\) beside T, or operator<<, or a fmt::formatter
// The flight recorder can show only items that have a text.
#include <greenroom/runtime/mailbox.hpp>

struct order {};
#ifdef GREENROOM_CONTROL
const char* describe(const order&) { return "an order"; }
#endif

void show(const greenroom::mailbox<order>& in) { in.show_items(); }
