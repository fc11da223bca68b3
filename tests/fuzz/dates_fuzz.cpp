// Dates: what is read is written and read as the same time, a date in the usual form is its own text but for the name of its day, and a year
// of two digits is the right one of all that end so. An input is a date.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include <greenroom/http/internal/dates.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using namespace std::chrono;

constexpr sys_seconds first = sys_days{year{0} / 1 / 1};
constexpr sys_seconds last = sys_days{year{10'000} / 1 / 1} - seconds{1};

sys_seconds chosen(unsigned n) {
  constexpr std::array<sys_seconds, 6> all{sys_days{year{1994} / 11 / 6},  sys_days{year{2024} / 2 / 29},
                                           sys_days{year{2049} / 12 / 31}, sys_days{year{2050} / 1 / 1},
                                           sys_days{year{2099} / 6 / 15},  sys_seconds{}};
  return all[n % all.size()];
}

/// What the system makes of a time.
std::string by_system(sys_seconds when) {
  const std::time_t t = when.time_since_epoch().count(); // in nanoseconds, as the clock has them, not all would fit
  std::tm parts{};
  std::array<char, 40> text{};
  ::gmtime_r(&t, &parts);
  if (parts.tm_year < 1000 - 1900) return {}; // it does not pad the year
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

void try_date(std::string_view text, sys_seconds now) {
  const auto when = parse_http_date(text, now);
  if (!when) return;
  require(*when >= first && *when <= last + seconds{1},
          "a date is one that can be written, or a leap second behind it");
  const auto written = http_date(*when);
  require(written.size() == 29, "a date has the length that it always has");
  const auto again = parse_http_date(written, now);
  require(again && *again == std::min(*when, last), "a date that is written is read again");
  const auto expected = by_system(*again);
  if (!expected.empty()) require_same(written, expected, "it is the one that the system writes");
  const bool leap_second = text.find(":60") != text.npos;
  if (text.size() == 29 && text[3] == ',' && !leap_second)
    require_same(std::string_view(written).substr(4), text.substr(4), "a date in the usual form is its own text");
  const auto comma = text.find(',');
  if (comma == text.npos || comma == 3) return;
  const auto two_digits = text.substr(text.find('-') + 5, 2);
  require(leap_second || two_digits == written.substr(14, 2), "a year of two digits ends so");
  const auto latest = now + days{366 * 50};
  require(*when <= latest, "and is at most 50 years ahead");
  require(text.substr(comma + 2, 6) == "29-Feb" || *when + days{366 * 100} > now + days{365 * 50},
          "and the last such one");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 64));
  const auto now = chosen(from.choice());
  try_date(from.text(), now);
  // A time is any number: it is the first 8 bytes.
  std::uint64_t number = 0;
  for (const char c : from.text().substr(0, 8)) number = number * 256 + static_cast<unsigned char>(c);
  const auto text = http_date(std::chrono::sys_seconds{std::chrono::seconds{static_cast<std::int64_t>(number)}});
  require(parse_http_date(text, now).has_value(), "any time becomes a date");
  return 0;
}
