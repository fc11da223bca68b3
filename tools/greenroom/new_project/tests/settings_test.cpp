#include "settings.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace my_service {
namespace {

using namespace std::chrono_literals;

greenroom::result<settings> read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "my-service");
  return read_settings(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Settings, TakeTheCommandLine) {
  const auto s = read({"--port=0", "--request-time", "500ms", "--workers", "2"});
  ASSERT_TRUE(s) << s.error().message();
  EXPECT_EQ(s->front.port, 0);
  EXPECT_EQ(s->request_time, 500ms);
  EXPECT_EQ(s->system.workers, 2u);
}

TEST(Settings, RefuseWhatTheyDoNotKnowInASentence) {
  const auto s = read({"--prot=1"});
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().message(), "argument --prot: unknown option: prot: the nearest is port");
}

TEST(Settings, GiveTheHelp) {
  const auto s = read({"--help"});
  ASSERT_TRUE(s);
  EXPECT_NE(s->help.find("--drain-time"), std::string::npos);
}

} // namespace
} // namespace my_service
