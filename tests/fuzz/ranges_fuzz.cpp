// Ranges of bytes: those that are chosen are together the bytes that were asked for, each once, and there are as many as are allowed. An input is
// the value of a Range field.
#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/internal/ranges.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using kind = range_choice::kind;

constexpr std::uint64_t small = 64;
using bytes = std::bitset<small>;

constexpr std::uint64_t sizes[] = {10, 0, 1, 2, 63, small, 1'000'000, UINT64_MAX - 1, UINT64_MAX};

bool is_number(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }
std::uint64_t number(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
} // the largest, if too large

/// The bytes that are asked for; nothing if the field does not count.
std::optional<bytes> asked(std::string_view value, std::uint64_t size, std::size_t most) {
  if (lower(value.substr(0, 6)) != "bytes=") return std::nullopt;
  bytes all;
  std::size_t named = 0;
  for (auto spec : split(value.substr(6), ',')) {
    spec.erase(0, std::min(spec.size(), spec.find_first_not_of(" \t")));
    spec.erase(spec.find_last_not_of(" \t") + 1);
    if (spec.empty()) continue;
    if (++named > most) return std::nullopt;
    const auto dash = spec.find('-');
    if (dash == spec.npos) return std::nullopt;
    const auto front = spec.substr(0, dash);
    const auto back = spec.substr(dash + 1);
    if ((!front.empty() && !is_number(front)) || (!back.empty() && !is_number(back)) || (front.empty() && back.empty()))
      return std::nullopt;
    if (!front.empty() && !back.empty() && number(back) < number(front)) return std::nullopt;
    if (front.empty() && size == 0 && number(back) > 0) return std::nullopt;
    for (std::uint64_t i = 0; i < size; ++i) {
      const bool in = front.empty()  ? size - i <= number(back)
                      : back.empty() ? i >= number(front)
                                     : i >= number(front) && i <= number(back);
      if (in) all.set(i);
    }
  }
  if (named == 0) return std::nullopt;
  return all;
}

void require_sound(const range_choice& choice, std::uint64_t size, std::size_t most) {
  require((choice.is == kind::parts) == !choice.parts.empty() || choice.is == kind::whole,
          "parts are there if they are sent");
  if (choice.is != kind::parts) return;
  require(choice.parts.size() <= most, "there are no more parts than allowed");
  auto sorted = choice.parts;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    require(sorted[i].first <= sorted[i].last && sorted[i].last < size, "a part lies within the whole");
    require(i == 0 || (sorted[i - 1].last < sorted[i].first && sorted[i].first - sorted[i - 1].last > 1),
            "parts neither overlap nor touch");
  }
  // Asked for anew they are the same.
  std::string value = "bytes=";
  for (const auto& p : choice.parts) value += std::to_string(p.first) + "-" + std::to_string(p.last) + ",";
  const auto again = parse_ranges(value, size, most);
  require(again.is == kind::parts && again.parts == choice.parts, "parts that are asked for anew are the same");
  require_same(content_range(choice.parts[0], size),
               "bytes " + std::to_string(choice.parts[0].first) + "-" + std::to_string(choice.parts[0].last) + "/" +
                   std::to_string(size),
               "a part says which it is");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 300));
  const auto whole = sizes[from.choice() % std::size(sizes)];
  const std::size_t most = from.choice() % 2 == 0 ? most_ranges : 2;
  const auto choice = parse_ranges(from.text(), whole, most);
  require_sound(choice, whole, most);
  if (whole > small) return 0;
  const auto expected = asked(from.text(), whole, most);
  require(expected.has_value() == (choice.is != kind::whole), "a field counts if it is well-formed");
  if (!expected) return 0;
  bytes got;
  for (const auto& p : choice.parts) {
    for (auto i = p.first; i <= p.last; ++i) got.set(i);
  }
  require(got == *expected, "the parts are what was asked for");
  return 0;
}
