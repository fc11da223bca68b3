#include <greenroom/testkit/leaks.hpp>

#include <thread>

namespace greenroom::testkit {

std::string left_behind(const actor_system& sys, std::chrono::milliseconds patience) {
  greenroom::detail::check_may_block("left_behind", "actor_system::ledger()");
  const auto limit = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto all = sys.ledger();
    if (all.empty()) return "";
    if (std::chrono::steady_clock::now() >= limit) return all.to_string();
    std::this_thread::yield(); // an actor that has told of its end may not have been counted out yet
  }
}

} // namespace greenroom::testkit
