#include <greenroom/runtime/detail/loopback.hpp>

#include <gtest/gtest.h>

namespace greenroom::detail::loopback_test {
namespace {

TEST(Loopback, IsByItsNameAndItsAddresses) {
  for (const auto* host : {"localhost", "127.0.0.1", "127.9.8.7", "::1"}) EXPECT_TRUE(is_loopback(host)) << host;
}

TEST(Loopback, IsNoNameThatLooksLikeIt) {
  for (const auto* host : {"127.0.0.1.example.com", "127.example", "localhost.example.com", "example.com", "10.0.0.1",
                           "0.0.0.0", "::2", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

} // namespace
} // namespace greenroom::detail::loopback_test
