// One end of a link as CAF sees it: its beginning and its end.
#ifdef GREENROOM_HAS_NODES
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>

#include <greenroom/actors/internal/caf_wire.hpp>

namespace greenroom::caf_wire_test {
namespace {

struct silent_host final : internal::wire_host {
  void bytes_out(std::string_view) noexcept override {}
  void ready() noexcept override {}
  void frame_in(std::string) noexcept override {}
  void bytes_taken(std::size_t) noexcept override {}
  void closed(std::string) noexcept override { ++closings; }
  std::atomic<int> closings{0};
};

// Its broker begins on a thread of CAF's, so most ends below come before that: what the broker uses must still be there.
TEST(CafWire, EndsBeforeItsBrokerHasBegun) {
  for (int i = 0; i < 20; ++i) {
    for (const auto role : {internal::wire_role::serves, internal::wire_role::connects}) {
      silent_host host;
      { internal::caf_wire wire(role, host, 1024); }
      EXPECT_LE(host.closings, 1);
    }
  }
}

TEST(CafWire, SaysOnceWhyItEndsThoughItIsToldTwice) {
  silent_host host;
  {
    internal::caf_wire wire(internal::wire_role::connects, host, 1024);
    wire.hang_up("the line is cut");
    wire.hang_up("the line is cut");
  }
  EXPECT_EQ(host.closings, 1);
}

} // namespace
} // namespace greenroom::caf_wire_test
#endif
