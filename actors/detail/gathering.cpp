#include <greenroom/actors/detail/gathering.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace greenroom::detail {

call_witness::~call_witness() { (void)to_.try_send(end_); }

task<std::vector<call_end>> await_goal(mailbox<call_end> ends, gather_goal goal) {
  std::vector<call_end> order;
  std::size_t successes = 0;
  std::size_t failures = 0;
  while (order.size() < goal.calls && successes < goal.successes && failures < goal.failures) {
    const auto end = co_await ends.receive_until(goal.deadline);
    if (!end) break;
    order.push_back(*end);
    ++(end->success ? successes : failures);
  }
  co_return order;
}

error too_few(const std::vector<call_end>& order, std::size_t needed, std::size_t calls, const error& why) {
  const auto successes = std::count_if(order.begin(), order.end(), [](const auto& each) { return each.success; });
  return {why.code(), fmt::format("{} of {} calls succeeded where {} had to; the last failure: {}", successes, calls,
                                  needed, why.message())};
}

} // namespace greenroom::detail
