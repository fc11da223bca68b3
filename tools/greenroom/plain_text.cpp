#include <greenroom/tools/greenroom/plain_text.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <greenroom/runtime/detail/utf8.hpp>

namespace cli {

void make_plain(std::string& text) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const auto length = greenroom::detail::utf8_length(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    const bool is_control =
        first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0);
    out += length == 0 || is_control ? std::string_view("?") : rest.substr(0, length);
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text = std::move(out);
}

} // namespace cli
