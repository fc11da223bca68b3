#include <greenroom/runtime/detail/file_and_line.hpp>

#include <string_view>

#include <fmt/format.h>

namespace greenroom::detail {

std::string file_and_line(const std::source_location& where) {
  const std::string_view file(where.file_name());
  return fmt::format("{}:{}", file.substr(file.rfind('/') + 1), where.line()); // npos + 1 is 0
}

} // namespace greenroom::detail
