#include <greenroom/actors/counter.hpp>

namespace greenroom::detail {

task<> count(mailbox<counter_message> in, std::int64_t value) {
  while (auto message = co_await in.receive()) {
    if (const auto* add = std::get_if<counter_add>(&*message)) {
      value += add->by;
    } else {
      std::get<request<counter_read>>(*message).reply(value);
    }
  }
}

} // namespace greenroom::detail
