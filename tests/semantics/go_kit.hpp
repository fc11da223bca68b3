// What the tests of Go's cases share: systems with a seed of their own, and whether an actor waits for ever.
#pragma once

#include <string>
#include <utility>

#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::go_kit {

using namespace test;

/// Settings with a seed drawn for this run, or STRESS_SEED to repeat one.
inline options seeded(std::size_t workers) {
  auto o = quiet(workers);
  o.seed = from_environment("STRESS_SEED", random_seed());
  return o;
}
/// For SCOPED_TRACE: what a failed run must be repeated with.
inline std::string seed_of(const actor_system& sys) { return "STRESS_SEED=" + std::to_string(sys.settings().seed); }

/// Runs `body(args...)` as an actor and says whether it waits for ever. For systems with one worker.
template <class... Args>
bool waits(actor_system& sys, detail::target_for<Args...> body, Args... args) {
  const auto a = sys.spawn(body, std::move(args)...);
  (void)sys.run(settle);
  const bool waiting = !a.finished();
  a.cancel();
  a.wait();
  return waiting;
}

} // namespace greenroom::go_kit
