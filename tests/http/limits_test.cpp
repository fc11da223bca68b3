#include <greenroom/http/limits.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::limits_test {
namespace {

struct size_limit {
  std::string_view name;
  std::size_t limits::*of;
  std::size_t least;
  std::size_t most; // 0: as good as any
};

const std::vector<size_limit> sizes{{"request_line", &limits::request_line, 64, 65'535},
                                    {"head", &limits::head, 256, 65'535},
                                    {"fields", &limits::fields, 1, 1'000},
                                    {"body", &limits::body, 0, 0},
                                    {"chunk_line", &limits::chunk_line, 18, 65'535},
                                    {"connections", &limits::connections, 1, 0}};

struct time_limit {
  std::string_view name;
  std::chrono::milliseconds limits::*of;
};

const std::vector<time_limit> times{{"head_time", &limits::head_time},
                                    {"body_time", &limits::body_time},
                                    {"idle_time", &limits::idle_time},
                                    {"write_time", &limits::write_time},
                                    {"handler_time", &limits::handler_time}};

/// The error of check(), or "none".
std::string fault(const limits& l) {
  const auto outcome = l.check();
  if (outcome) return "none";
  EXPECT_EQ(outcome.error().code(), errc::invalid_argument);
  return std::string(outcome.error().message());
}

std::string fault_of(std::size_t limits::*which, std::size_t value) {
  limits l;
  l.*which = value;
  return fault(l);
}

TEST(Limits, AreAllowedByDefault) { EXPECT_EQ(fault({}), "none"); }

TEST(Limits, AreAllowedUpToTheEndsOfTheirRanges) {
  for (const auto& each : sizes) {
    EXPECT_EQ(fault_of(each.of, each.least), "none");
    EXPECT_EQ(fault_of(each.of, each.most != 0 ? each.most : std::size_t{1} << 40), "none");
  }
  for (const auto& each : times) {
    limits l;
    l.*each.of = std::chrono::milliseconds(1);
    EXPECT_EQ(fault(l), "none");
    l.*each.of = std::chrono::milliseconds::max();
    EXPECT_EQ(fault(l), "none");
  }
}

TEST(Limits, NameTheOneOutsideItsRangeWithValueAndRange) {
  for (const auto& each : sizes) {
    std::vector<std::size_t> bad{~std::size_t{0}};
    if (each.least != 0) bad.push_back(each.least - 1);
    if (each.most != 0) bad.push_back(each.most + 1);
    for (const auto value : bad) {
      const auto text = fault_of(each.of, value);
      EXPECT_NE(text.find("the HTTP limit " + std::string(each.name) + " must be from " + std::to_string(each.least)),
                text.npos)
          << text;
      EXPECT_NE(text.find("not " + std::to_string(value)), text.npos) << text;
      if (each.most == 0) continue;
      EXPECT_NE(text.find("to " + std::to_string(each.most) + ","), text.npos) << text;
    }
  }
}

TEST(Limits, RefuseTimesThatAreNotPositive) {
  for (const auto& each : times) {
    for (const int value : {0, -1, -1000}) {
      limits l;
      l.*each.of = std::chrono::milliseconds(value);
      EXPECT_EQ(fault(l), "the HTTP limit " + std::string(each.name) + " must be at least 1 ms, not " +
                              std::to_string(value) + " ms");
    }
  }
}

TEST(Limits, ReportTheFirstOfSeveral) {
  EXPECT_NE(fault({.request_line = 1, .fields = 0}).find("request_line"), std::string::npos);
}

} // namespace
} // namespace greenroom::http::limits_test
