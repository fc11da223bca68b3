#include <greenroom/runtime/random.hpp>

#include <random>

namespace greenroom {

random_source::~random_source() = default;

namespace {

std::uint64_t splitmix64(std::uint64_t& state) noexcept {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

} // namespace

// splitmix64 passes through each number once, so four draws in a row are never all zero.
xoshiro::xoshiro(std::uint64_t seed) noexcept {
  for (std::uint64_t& word : state_) word = splitmix64(seed);
}

std::uint64_t random_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  const std::uint64_t seed = high << 32 | device();
  return seed != 0 ? seed : 1;
}

} // namespace greenroom
