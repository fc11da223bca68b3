// Start, stop, and start again, a thousand times in one process: nothing is left of any life but what the first ones keep for all.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/internal/caf_version.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/tests/embedding/one_life.hpp>
#include <greenroom/tests/embedding/process.hpp>

namespace greenroom::restart_test {
namespace {

using namespace test;

// The sanitizers make each life ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int lives = 100;
constexpr std::size_t most_resident = std::numeric_limits<std::size_t>::max() / 2; // they keep what is freed
#else
constexpr int lives = 1'000;
constexpr std::size_t most_resident = 4'000'000;
#endif
constexpr int first_lives = lives / 4; // until what is kept for all has been made

/// Lives so often, and returns what the heap held at least after one of the last lives: what the caches of threads hold comes and goes.
template <class Life>
std::size_t heap_after(int times, Life one) {
  auto least = std::numeric_limits<std::size_t>::max();
  for (int i = 0; i < times; ++i) {
    one();
    if (i >= times - lives / 10) least = std::min(least, heap_in_use());
  }
  return least;
}

template <class Life>
void live_often(Life one) {
  const auto threads_before = threads();
  const auto heap_before = heap_after(first_lives, one);
  const auto descriptors_before = descriptors();
  const auto resident_before = resident();
  const auto heap_now = heap_after(lives, one);
  EXPECT_EQ(threads_at_last(threads_before), threads_before);
  EXPECT_EQ(descriptors(), descriptors_before);
  // The heap's smallest block has 32 bytes: one that is left by each life is more than this.
  EXPECT_LE(heap_now, heap_before + 24 * lives) << "bytes for each life: " << (heap_now - heap_before) / lives;
  // The frames of actors come from a pool, which the heap knows nothing of.
  EXPECT_LE(resident(), resident_before + most_resident);
}

TEST(Restart, AThousandLivesInMemoryLeaveNothing) {
  live_often([] {
    memory_transport net;
    live_once({.net = &net});
  });
}

TEST(Restart, AThousandLivesOverSocketsLeaveNothing) {
  live_often([] { live_once(); });
}

TEST(Restart, AThousandLivesInAHostsCafSystemLeaveNothing) {
  internal::announce_core_types();
  caf::actor_system_config config;
  internal::use_threads_of_caf(config, 2);
  caf::actor_system host(config);
  const auto adder = host.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int n) { return n + 1; }}; });
  live_often([&] {
    memory_transport net;
    environment env;
    env.net = &net;
    live_once(in_caf_system(host, env));
    actor_system sys(quiet(), in_caf_system(host));
    EXPECT_EQ(sys.run(
                     [](caf::actor whom) -> task<int> {
                       auto asking = ask_caf<int>(whom, 10s, 41);
                       const auto sum = co_await std::move(asking);
                       co_return sum.value_or(0);
                     },
                     adder)
                  .value(),
              42);
  });
  caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
}

#ifdef GREENROOM_HAS_SQLITE
TEST(Restart, AThousandLivesWithALedgerLeaveNothing) {
  // In memory if possible: each life waits five times for the disk.
  std::string folder = (::access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir()) + "greenroom_lives_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto file = std::filesystem::path(folder) / "ledger.db";
  live_often([&] {
    memory_transport net;
    live_once({.net = &net}, file);
    for (const char* part : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(file.string() + part);
  });
  std::filesystem::remove_all(folder);
}
#endif

} // namespace
} // namespace greenroom::restart_test
