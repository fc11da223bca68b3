#include <greenroom/testkit/detail/describe.hpp>

#include <chrono>

namespace greenroom::testkit::detail {

std::string in_milliseconds(duration span) {
  return fmt::format("{} ms", std::chrono::duration<double, std::milli>(span).count());
}

} // namespace greenroom::testkit::detail
