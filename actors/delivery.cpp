#include <greenroom/actors/delivery.hpp>

#include <fmt/format.h>

namespace greenroom {

result<void> check_sender(const std::string& name) {
  if (!name.empty() && name.size() <= longest_sender) return {};
  return error(errc::invalid_argument,
               fmt::format("the name of a sender must have 1 to {} bytes, not {}", longest_sender, name.size()));
}

} // namespace greenroom
