#include <greenroom/runtime/detail/frame_allocator.hpp>

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace greenroom::detail::frame_allocator_test {
namespace {

TEST(FrameAllocator, HoldsStringsOfAnyLength) {
  for (const std::size_t n : {0u, 1u, 15u, 16u, 1'000u, 1'023u, 1'024u, 1'025u, 2'047u, 2'048u, 2'049u, 100'000u}) {
    pooled_string s(n, 'x');
    s += "yz";
    EXPECT_EQ(s.size(), n + 2);
    EXPECT_EQ(std::string_view(s).substr(n), "yz");
    const auto moved = std::move(s);
    const pooled_string copied(moved);
    EXPECT_EQ(copied, moved);
  }
}

TEST(FrameAllocator, HoldsVectorsThatGrow) {
  pooled_vector<std::uint64_t> v;
  for (std::uint64_t i = 0; i < 10'000; ++i) v.push_back(i);
  EXPECT_EQ(std::accumulate(v.begin(), v.end(), std::uint64_t{0}), 49'995'000u);
}

} // namespace
} // namespace greenroom::detail::frame_allocator_test
