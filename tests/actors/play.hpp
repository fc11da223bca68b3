// Programs of tests in virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/runtime/task.hpp>
#include <greenroom/testkit/explore.hpp>

namespace greenroom::test {

/// Runs a program in virtual time under many schedules. It must end each time, and leave nothing behind.
inline void play(std::function<task<>()> program, std::uint64_t runs = 30) {
  const auto found = testkit::explore({.runs = runs}, std::move(program));
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

} // namespace greenroom::test
