#include <greenroom/testkit/faults.hpp>

#include <utility>

#include <fmt/format.h>

namespace greenroom::testkit {
namespace {

using named = std::pair<const char*, double>;

error outside(const char* name, const std::string& value, const char* range) {
  return {errc::invalid_argument, fmt::format("fault_plan: {} must be {}, not {}", name, range, value)};
}

} // namespace

result<void> fault_plan::check() const {
  const named probabilities[] = {
      {"network.refused", network.refused}, {"network.reset", network.reset},
      {"network.silent", network.silent},   {"network.delayed", network.delayed},
      {"network.slow", network.slow},       {"disk.read", disk.read},
      {"disk.write", disk.write},           {"disk.sync", disk.sync},
      {"disk.power_cut", disk.power_cut},   {"crashes.probability", crashes.probability},
  };
  for (const auto& [name, value] : probabilities) {
    if (!(value >= 0 && value <= 1)) return outside(name, fmt::format("{}", value), "a probability from 0 to 1");
  }
  if (network.most_bytes == 0) return outside("network.most_bytes", "0", "1 at least");
  const std::pair<const char*, duration> times[] = {{"network.longest_delay", network.longest_delay},
                                                    {"network.latest_time", network.latest_time}};
  for (const auto& [name, value] : times) {
    if (value < duration::zero()) return outside(name, fmt::format("{} ns", value.count()), "0 at least");
  }
  return {};
}

} // namespace greenroom::testkit
