#include <greenroom/testkit/schedule.hpp>

#include <algorithm>

#include <greenroom/runtime/error.hpp>

namespace greenroom::testkit {
namespace {

// Of so many steps, one lets time pass although actors could run: seldom enough that work gets done under a deadline.
constexpr std::uint64_t time_is_one_in = 16;

} // namespace

schedule::~schedule() = default;

std::size_t random_schedule::choose(std::span<const candidate> ready) {
  auto n = ready.size();
  if (ready.back() == time) {
    if (random_.below(time_is_one_in) == 0) return n - 1;
    --n;
  }
  return random_.below(n);
}

pct_schedule::pct_schedule(std::uint64_t seed, std::size_t depth, std::size_t length) : schedule(seed), random_(seed) {
  if (length == 0) throw usage_error("pct_schedule: the length of the run must be positive, not 0");
  for (std::size_t i = 0; i < depth; ++i) switches_.push_back(random_.below(length));
}

std::int64_t pct_schedule::priority_of(candidate c) {
  const auto [it, is_new] = priorities_.try_emplace(c, 0);
  if (is_new) it->second = 1 + static_cast<std::int64_t>(random_.below(std::uint64_t{1} << 32));
  return it->second;
}

std::size_t pct_schedule::choose(std::span<const candidate> ready) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < ready.size(); ++i) {
    if (priority_of(ready[i]) > priority_of(ready[best])) best = i;
  }
  if (std::find(switches_.begin(), switches_.end(), step_++) != switches_.end()) priorities_[ready[best]] = --lowest_;
  return best;
}

std::size_t path_schedule::choose(std::span<const candidate> ready) {
  const std::size_t wanted = step_ < path_.size() ? path_[step_] : 0;
  ++step_;
  return std::min(wanted, ready.size() - 1); // a path that was shrunk may not fit everywhere
}

} // namespace greenroom::testkit
