// What it costs to be a CAF actor from the first moment, instead of on first use.
#include <greenroom/tools/bench/greenroom_bench.hpp>

#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/tools/bench/countdown.hpp>

namespace greenroom::bench {
namespace {

task<> show_and_count(countdown* left) {
  const auto me = caf_handle(this_actor::self());
  if (me.id() == this_actor::id()) left->count_one();
  co_return;
}

} // namespace

task<outcome> spawn_with_identity(std::int64_t n, meter* m) {
  countdown left(n);
  m->start();
  for (std::int64_t i = 0; i < n; ++i) spawn(show_and_count, &left);
  co_await left.wait();
  m->stop();
  co_return outcome{n - left.left()};
}

} // namespace greenroom::bench
