#include <greenroom/http/websocket_options.hpp>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::websocket_options_test {
namespace {

std::string fault(const websocket_options& how) {
  const auto sound = how.check();
  return sound ? "none" : std::string(sound.error().message());
}

TEST(WebsocketOptions, AreSoundByDefault) { EXPECT_EQ(fault({}), "none"); }

TEST(WebsocketOptions, NameTheLimitThatIsOutOfRange) {
  using std::chrono::milliseconds;
  const std::vector<std::pair<std::string, websocket_limits>> table{
      {"message", {.message = 0}},
      {"frame", {.frame = 0}},
      {"fragments", {.fragments = 0}},
      {"ping_after", {.ping_after = milliseconds(0)}},
      {"pong_time", {.pong_time = milliseconds(-5)}},
      {"message_time", {.message_time = milliseconds(0)}},
      {"write_time", {.write_time = milliseconds(0)}},
      {"close_time", {.close_time = milliseconds(0)}},
      {"handshake_time", {.handshake_time = milliseconds(0)}}};
  for (const auto& [name, limits] : table) {
    websocket_options how;
    how.limits = limits;
    EXPECT_TRUE(fault(how).starts_with("the websocket limit " + name + " must be at least 1 ")) << fault(how);
  }
  websocket_options endless;
  endless.limits.message = SIZE_MAX;
  endless.limits.ping_after = milliseconds::max();
  EXPECT_EQ(fault(endless), "none");
}

TEST(WebsocketOptions, NameAProtocolThatIsNone) {
  websocket_options how;
  how.protocols = {"chat.v1", "chat v2"};
  EXPECT_EQ(fault(how), "a websocket protocol is not a token: it needs letters, digits or a few signs");
  how.protocols = {""};
  EXPECT_NE(fault(how), "none");
  how.protocols = {"a", "b", "a"};
  EXPECT_EQ(fault(how), "the websocket protocol a stands twice in the list");
}

} // namespace
} // namespace greenroom::http::websocket_options_test
