// Percent-encoding and queries: what is encoded comes back, what is decoded is what a slower decoder finds, and a query can be taken apart
// and put together again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http {
namespace {

using namespace fuzz;

constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";

std::optional<std::string> decoded_slowly(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() == '%') {
      const std::string digits(text.substr(1, 2));
      if (digits.size() < 2 || digits.find_first_not_of(hex_digits) != digits.npos) return std::nullopt;
      out += static_cast<char>(std::strtol(digits.c_str(), nullptr, 16));
      text.remove_prefix(2);
    } else {
      out += text.front();
    }
    text.remove_prefix(1);
  }
  return out;
}

void try_encoding(std::string_view text) {
  const auto encoded = percent_encode(text);
  require_same(percent_decode(encoded).value_or("nothing"), text, "what is encoded comes back");
  require(encoded.find_first_not_of("%-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
              encoded.npos,
          "what is encoded has no special character");
  const auto decoded = percent_decode(text);
  require(decoded == decoded_slowly(text), "escapes are decoded, and refused, as the standard says");
  require(internal::escapes_are_whole(text) == (decoded.has_value() && text.find("%00") == text.npos),
          "a target is checked by the same rule");
}

void try_query(std::string_view text) {
  std::vector<query_parameter> all;
  std::string again;
  auto left = text;
  for (auto before = left.size(); auto p = next_query_parameter(left); before = left.size()) {
    require(left.size() < before, "each parameter takes something off the query");
    again.append(percent_encode(p->name)).append("=").append(percent_encode(p->value)).append("&");
    all.push_back(*std::move(p));
  }
  require(left.empty(), "a query is walked to its end");
  require(all.size() <= text.size(), "there are no more parameters than bytes");

  std::string spaced;
  for (const char c : text) spaced.append(c == '+' ? "%20" : std::string(1, c));
  left = spaced;
  for (const auto& p : all) {
    const auto same = next_query_parameter(left);
    require(same && same->name == p.name && same->value == p.value, "a plus is a space");
  }

  left = again;
  for (const auto& p : all) {
    const auto back = next_query_parameter(left);
    require(back.has_value(), "a query that is put together again has as many parameters");
    require_same(back->name, p.name, "with the same names");
    require_same(back->value, p.value, "and the same values");
    const auto same_name = [&p](const query_parameter& other) { return other.name == p.name; };
    require_same(query_value(text, p.name).value_or("nothing"), std::find_if(all.begin(), all.end(), same_name)->value,
                 "a name finds the first value");
  }
  require(!next_query_parameter(left), "and no more");
}

} // namespace
} // namespace greenroom::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A name is looked for among all, hence the square of the size.
  const greenroom::fuzz::input from(data, std::min<std::size_t>(size, 512));
  greenroom::http::try_encoding(from.text());
  greenroom::http::try_query(from.text());
  return 0;
}
