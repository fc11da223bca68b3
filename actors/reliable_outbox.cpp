#include <greenroom/actors/reliable_outbox.hpp>

#include <algorithm>

namespace greenroom {

result<std::uint64_t> journal_epoch::of(journal& log) const {
  const auto first = log.read(1);
  if (!first) return first.error();
  if (!*first) return std::uint64_t{0};
  return static_cast<std::uint64_t>(std::max<std::int64_t>((**first).written_at, 1))
         << 20; // as those of lives in memory
}

} // namespace greenroom
