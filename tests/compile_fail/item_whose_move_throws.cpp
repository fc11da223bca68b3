// expect: a mailbox item must be nothrow move constructible: it is moved while the mailbox is locked
// An item is moved under the mailbox's lock, so its move must not throw.
#include <greenroom/runtime/mailbox.hpp>

struct item {
  item() = default;
#ifdef GREENROOM_CONTROL
  item(item&&) noexcept {}
#else
  item(item&&) noexcept(false) {}
#endif
};

greenroom::mailbox<item> make() { return greenroom::mailbox<item>(greenroom::bounded(1)); }
