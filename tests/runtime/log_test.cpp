#include <greenroom/runtime/log.hpp>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace greenroom {
namespace log_test {

struct unprintable {};

} // namespace log_test
} // namespace greenroom

template <>
struct fmt::formatter<greenroom::log_test::unprintable> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  fmt::format_context::iterator format(const greenroom::log_test::unprintable&, fmt::format_context&) const {
    throw std::runtime_error{"cannot be printed"};
  }
};

namespace greenroom::log_test {
namespace {

/// A host's logger whose lines can be read.
class Logger : public testing::Test {
protected:
  Logger() {
    host_->set_pattern("%l %v");
    host_->set_level(spdlog::level::trace);
  }
  ~Logger() override { detail::set_thread_log_origin(nullptr); }

  std::string take() {
    std::string lines = written_.str();
    written_.str("");
    return lines;
  }

  /// What becomes of a text.
  std::string told(std::string_view text) {
    log_.write(log_level::info, text);
    const auto line = take();
    const auto before = std::string_view("info [-] ").size();
    return line.size() <= before ? line : line.substr(before, line.size() - before - 1);
  }

  std::ostringstream written_;
  std::shared_ptr<spdlog::logger> host_ =
      std::make_shared<spdlog::logger>("host", std::make_shared<spdlog::sinks::ostream_sink_mt>(written_));
  logger log_ = use_logger(host_);
};

log_origin origin_of_test() noexcept { return {17, "pricing"}; }

TEST_F(Logger, LinesOutsideActorsSaySo) {
  log_.write(log_level::info, "started");
  EXPECT_EQ(take(), "info [-] started\n");
}

TEST_F(Logger, LinesNameTheGivenActor) {
  log_.write(log_level::warn, "late", 17, "pricing");
  log_.write(log_level::warn, "late", 18);
  EXPECT_EQ(take(), "warning [actor 17 pricing] late\nwarning [actor 18] late\n");
}

TEST_F(Logger, LinesNameTheActorOfTheirThreadOnly) {
  detail::set_thread_log_origin(origin_of_test);
  log_.info("sent {}", 3);
  log_.write(log_level::info, "plain");
  EXPECT_EQ(take(), "info [actor 17 pricing] sent 3\ninfo [actor 17 pricing] plain\n");
  std::thread{[this] { log_.info("elsewhere"); }}.join();
  EXPECT_EQ(take(), "info [-] elsewhere\n");
}

TEST_F(Logger, LinesOfATraceCarryItsIds) {
  log_.write(log_level::info, "sold",
             {17, "pricing", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "order-17"});
  log_.write(log_level::info, "sold", {17, "pricing", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"});
  EXPECT_EQ(take(),
            "info [actor 17 pricing trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 "
            "request_id=order-17] sold\n"
            "info [actor 17 pricing trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7] sold\n");
}

TEST_F(Logger, EachLevelReachesTheHostAsItself) {
  log_.trace("a");
  log_.debug("b");
  log_.info("c");
  log_.warn("d");
  log_.error("e");
  EXPECT_EQ(take(), "trace [-] a\ndebug [-] b\ninfo [-] c\nwarning [-] d\nerror [-] e\n");
}

TEST_F(Logger, FollowsTheLevelOfTheHost) {
  host_->set_level(spdlog::level::warn);
  EXPECT_FALSE(log_.enabled(log_level::info));
  EXPECT_TRUE(log_.enabled(log_level::warn));
  log_.info("dropped");
  log_.write(log_level::debug, "dropped");
  EXPECT_EQ(take(), "");
}

TEST_F(Logger, OffWritesNothing) {
  EXPECT_FALSE(log_.enabled(log_level::off));
  log_.write(log_level::off, "dropped");
  host_->set_level(spdlog::level::off);
  log_.error("dropped");
  EXPECT_EQ(take(), "");
}

TEST_F(Logger, TextIsNeitherFormattedTwiceNorTrusted) {
  log_.write(log_level::info, "{} %v");
  log_.info("{}", "forged\n[actor 1] line\r\x1b[0m\ttab");
  EXPECT_EQ(take(), "info [-] {} %v\ninfo [-] forged\\n[actor 1] line\\r\\x1b[0m\ttab\n");
}

TEST_F(Logger, EscapesWhatControlsATerminalOrEndsALineBeyondAscii) {
  EXPECT_EQ(told("\xc2\x80|\xc2\x85|\xc2\x9b"
                 "31m|\xc2\x9f"),
            "\\u0080|\\u0085|\\u009b31m|\\u009f");
  EXPECT_EQ(told("a\xe2\x80\xa8"
                 "b\xe2\x80\xa9"
                 "c"),
            "a\\u2028b\\u2029c");
  EXPECT_EQ(told("\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9"), "\\u202a\\u202e\\u2066\\u2069");
  for (const auto* const kept :
       {"\xc2\xa0", "\xc2\xb5", "\xdf\xbf", "\xe0\xa0\x80", "\xe2\x80\xa7", "\xe2\x80\xaf", "\xe2\x82\xac",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(told(kept), kept);
}

TEST_F(Logger, EscapesEachByteThatIsNoUtf8) {
  EXPECT_EQ(told("a\x9b"
                 "31m"),
            "a\\x9b31m");
  EXPECT_EQ(told("\xff\xc2"), "\\xff\\xc2");
  EXPECT_EQ(told("\xc2\x1b["), "\\xc2\\x1b[");
  EXPECT_EQ(told("\xc0\x8a"), "\\xc0\\x8a") << "an overlong line end";
  EXPECT_EQ(told("\xe0\x82\x9b"), "\\xe0\\x82\\x9b");
  EXPECT_EQ(told("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(told("\xf0\x80\x82\x9b"), "\\xf0\\x80\\x82\\x9b");
  EXPECT_EQ(told("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(told("\xe2\x82"
                 "x\xf0\x9f\x98"),
            "\\xe2\\x82x\\xf0\\x9f\\x98");
}

TEST_F(Logger, ActorNamesAreNotTrustedEither) {
  log_.write(log_level::info, "text", 1, "a\nb");
  EXPECT_EQ(take(), "info [actor 1 a\\nb] text\n");
}

TEST_F(Logger, TextBeyondAsciiIsKept) {
  log_.info("grün");
  EXPECT_EQ(take(), "info [-] grün\n");
}

TEST_F(Logger, AFormatterThatThrowsDoesNotEndTheCaller) {
  EXPECT_NO_THROW(log_.info("value {}", log_test::unprintable{}));
  EXPECT_EQ(take(), "info [-] cannot format log line: value {}: cannot be printed\n");
}

TEST_F(Logger, CopiesShareTheHostsLogger) {
  const logger copy = log_;
  copy.info("x");
  EXPECT_EQ(take(), "info [-] x\n");
}

TEST(LoggerWithoutTarget, DropsEverything) {
  const logger none;
  EXPECT_FALSE(none.enabled(log_level::error));
  none.error("dropped {}", 1);
  EXPECT_FALSE(use_logger(nullptr).enabled(log_level::error));
}

TEST(MakeLogger, WritesToStderrFromItsLevelOnAndIsKnownToNobody) {
  const auto host_default = spdlog::default_logger();
  testing::internal::CaptureStderr();
  const logger made = make_logger("shop", log_level::warn);
  made.info("dropped");
  made.warn("kept");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(written.find("dropped"), std::string::npos);
  EXPECT_NE(written.find(" warning shop [-] kept\n"), std::string::npos) << written;
  EXPECT_EQ(spdlog::get("shop"), nullptr);
  EXPECT_EQ(spdlog::default_logger(), host_default);
}

TEST(LogLevel, NamesAreReadBack) {
  for (const char* name : {"trace", "debug", "info", "warn", "error", "off"}) {
    ASSERT_TRUE(parse_log_level(name)) << name;
    EXPECT_STREQ(to_string(*parse_log_level(name)), name);
  }
  EXPECT_FALSE(parse_log_level("warning"));
  EXPECT_FALSE(parse_log_level("INFO"));
  EXPECT_FALSE(parse_log_level(""));
}

} // namespace
} // namespace greenroom::log_test
