#include <greenroom/runtime/detail/json_literal.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/runtime/detail/utf8.hpp>

namespace greenroom::detail {

std::string json_literal(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

} // namespace greenroom::detail
