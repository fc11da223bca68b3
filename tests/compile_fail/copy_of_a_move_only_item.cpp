// expect: deleted function|use of deleted|call to deleted constructor of 'std::unique_ptr<int>'
// A move-only item is sent by std::move only.
#include <memory>
#include <utility>

#include <greenroom/runtime/mailbox.hpp>

greenroom::task<> actor(greenroom::address<std::unique_ptr<int>> out) {
  auto item = std::make_unique<int>(1);
#ifdef GREENROOM_CONTROL
  const auto sent = co_await out.send(std::move(item));
#else
  const auto sent = co_await out.send(item);
#endif
}
