// greenroom_bench NAME [--threads N] [--n N]: runs one workload and prints one JSON line.
// tools/bench/compare runs them all beside the same in other languages and says what an item of each is (--items).
#include <greenroom/tools/bench/greenroom_bench.hpp>

#include <cstdio>
#include <exception>

namespace greenroom::bench {
namespace {

int run(int argc, char** argv) {
  const auto all = workloads();
  auto args = parse(argc, argv);
  const auto* chosen = args ? choose(all, *args) : nullptr;
  if (chosen == nullptr) return print_usage("greenroom_bench", all);
  std::printf("%s\n", line_of(*args, "greenroom", run_workload(*chosen, *args)).c_str());
  return 0;
}

} // namespace
} // namespace greenroom::bench

int main(int argc, char** argv) {
  try {
    return greenroom::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "greenroom_bench: %s\n", e.what());
    return 1;
  }
}
