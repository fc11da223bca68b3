#include <greenroom/testkit/detail/describe.hpp>

#include <cstdlib>
#include <memory>

#include <cxxabi.h>

namespace greenroom::testkit::detail {

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? name.get() : type.name();
}

std::string in_milliseconds(duration span) {
  return fmt::format("{} ms", std::chrono::duration<double, std::milli>(span).count());
}

} // namespace greenroom::testkit::detail
