#include <greenroom/runtime/detail/duration_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace greenroom::detail {
namespace {

struct unit {
  std::string_view name;
  std::int64_t milliseconds;
};

// Longest first: the first that divides a duration is the one to show it in.
constexpr std::array<unit, 4> units{{{"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::int64_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + digits, count);
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const unit& one) { return one.name == text.substr(digits); });
  std::int64_t total = 0;
  if (digits == 0 || problem != std::errc() || found == units.end() ||
      __builtin_mul_overflow(count, found->milliseconds, &total))
    return std::nullopt;
  return std::chrono::milliseconds{total};
}

std::string show_duration(std::chrono::milliseconds length) {
  const std::int64_t count = length.count();
  if (count == 0) return "0s";
  const auto fits =
      std::find_if(units.begin(), units.end(), [&](const unit& one) { return count % one.milliseconds == 0; });
  return fmt::format("{}{}", count / fits->milliseconds, fits->name);
}

} // namespace greenroom::detail
