#include <greenroom/http/internal/give_back.hpp>

#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/detail/frame_allocator.hpp>

namespace greenroom::http::internal::give_back_test {
namespace {

TEST(GiveBack, FreesTheRoomOfAString) {
  std::string s(1'000, 'x');
  give_back(s);
  EXPECT_TRUE(s.empty());
  EXPECT_EQ(s.capacity(), std::string().capacity());
}

TEST(GiveBack, FreesTheRoomOfOneThatIsEmptyAlready) {
  greenroom::detail::pooled_string s(1'000, 'x');
  s.clear();
  give_back(s);
  EXPECT_EQ(s.capacity(), greenroom::detail::pooled_string().capacity());
}

} // namespace
} // namespace greenroom::http::internal::give_back_test
