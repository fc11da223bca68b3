// Hosts and classes of characters: addresses are judged as the system's own function judges them, and what looks at eight characters at a time
// finds what looking at each of them finds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/host.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;

bool system_takes(const std::string& address) {
  in6_addr parsed;
  return address.find('\0') == address.npos && ::inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

void try_host(std::string_view text) {
  const std::string address(text);
  require(is_host("[" + address + "]") == system_takes(address), "an IPv6 address is what the system takes for one");
  require(is_host("[" + address + "]:80") == system_takes(address), "also before a port");
  if (!is_host(text)) return;
  require(text.find_first_of("/?#@\\ \"<>{}|^`") == text.npos, "a host holds none of the characters that divide a URL");
  for (const char c : text) require(c > 0x20 && c < 0x7f, "a host consists of visible characters");
  const auto end = text.rfind(']') == text.npos ? text.find(':') : text.find(':', text.rfind(']'));
  require(end != 0, "a host is not empty");
  require(end == text.npos || text.find_first_not_of("0123456789", end + 1) == text.npos, "a port is a number");
  if (end == text.npos) return;
  const auto digits = text.substr(std::min(text.size(), text.find_first_not_of('0', end + 1)));
  require(digits.size() < 5 || (digits.size() == 5 && digits <= "65535"), "a port has 16 bits");
}

void try_spans(std::string_view text) {
  for (std::size_t skip = 0; skip <= text.size() && skip < 9; ++skip) { // each place within eight
    const auto part = text.substr(skip);
    require(span_of_name(part) == span_of(part, token_char), "names are measured as byte by byte");
    require(span_of_value(part) == span_of(part, value_char), "values are measured as byte by byte");
  }
}

void try_list(std::string_view text) {
  std::string joined;
  const auto add = [&joined](std::string_view element) {
    require(!element.empty() && trimmed(element) == element && element.find(',') == element.npos,
            "an element is neither empty nor padded");
    joined.append(joined.empty() ? "" : ",").append(element);
  };
  for_each_element(text, add);
  const auto first = joined;
  joined.clear();
  for_each_element(first, add);
  require_same(joined, first, "a list that is joined has the same elements");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const greenroom::fuzz::input from(data, size);
  greenroom::http::internal::try_host(from.text());
  greenroom::http::internal::try_spans(from.text());
  greenroom::http::internal::try_list(from.text());
  return 0;
}
