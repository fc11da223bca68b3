#include <greenroom/actors/detail/wire_reader.hpp>

#include <fmt/format.h>

namespace greenroom::detail {

bool wire_reader::text(std::string& x) {
  std::uint32_t length = 0;
  if (!scalar(length)) return false;
  if (length > left_.size()) return cut_off(length);
  x.assign(left_.substr(0, length));
  left_.remove_prefix(length);
  return true;
}

void wire_reader::end_field(std::string_view name, bool good) {
  if (!good) path_ = path_.empty() ? std::string(name) : fmt::format("{}.{}", name, path_);
}

bool wire_reader::at_end() {
  return left_.empty() || wrong(fmt::format("is followed by {} bytes that belong to nothing", left_.size()));
}

bool wire_reader::cut_off(std::size_t needed) {
  return wrong(fmt::format("needs {} bytes, and {} are left", needed, left_.size()));
}

bool wire_reader::wrong(std::string why) {
  if (why_.empty()) why_ = std::move(why);
  return false;
}

error wire_reader::failure(const std::string& type) const {
  return {errc::parse, path_.empty() ? fmt::format("cannot read {} from bytes: it {}", type, why_)
                                     : fmt::format("cannot read {} from bytes: {} {}", type, path_, why_)};
}

} // namespace greenroom::detail
