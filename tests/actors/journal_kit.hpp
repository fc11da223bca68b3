// What the tests of journals share. Thread safety: one thread at a time, as a journal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/journal.hpp>

namespace greenroom::test {

/// Writes records of these contents in one transaction.
inline void put(journal& to, const std::vector<std::string>& contents) {
  ASSERT_TRUE(to.begin());
  for (const auto& content : contents) ASSERT_TRUE(to.append({.content = content}));
  const auto done = to.commit();
  ASSERT_TRUE(done) << done.error().message();
}
/// Returns the records behind `after`, "1a 2b ", or why they cannot be read.
inline std::string all(journal& of, std::uint64_t after = 0) {
  std::string text;
  const auto read = of.replay(after, [&text](const journal_record& r) -> result<void> {
    text += std::to_string(r.number) + r.content + " ";
    return {};
  });
  return read ? text : std::string(read.error().message());
}

} // namespace greenroom::test
