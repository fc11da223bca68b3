#include <greenroom/testkit/internal/reply_parser.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::testkit::internal::reply_parser_test {
namespace {

using outcome = reply_parser::outcome;

/// What comes of the bytes, in words, when they come in pieces of these sizes in turn and the connection then ends.
std::string told(const std::string& bytes, bool to_head, const std::vector<std::size_t>& sizes) {
  reply_parser p(to_head, {.head = 200, .body = 100});
  std::string_view left = bytes;
  auto o = outcome::more;
  std::size_t surplus = 0;
  for (std::size_t i = 0; o == outcome::more && !left.empty(); ++i) {
    auto piece = left.substr(0, sizes[i % sizes.size()]);
    left.remove_prefix(piece.size());
    o = p.take(piece);
    surplus = piece.size() + left.size();
  }
  if (o == outcome::more) o = p.end();
  EXPECT_NE(o, outcome::more);
  if (o == outcome::failed) return to_string(p.why().code());
  std::string text = std::to_string(p.reply().status) + p.reply().reason + (p.keeps_connection() ? "+" : "-");
  for (const auto& [name, value] : p.reply().fields) text += "|" + name + "=" + value;
  return text + "|" + p.reply().body + "|" + std::to_string(surplus);
}

std::vector<std::string> seeds_of_answers() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {ok + "Content-Length: 5\r\n\r\nabcde",
          ok + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nT: 1\r\n\r\n",
          ok + "Connection: close\r\nA: b\r\n\r\nto the end",
          "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
          "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"};
}

/// Changes, removes, doubles or inserts some bytes.
void mutate(std::string& bytes, xoshiro& random) {
  const std::string spice("\r\n:; ,0159af\0\x7f\xff", 15);
  for (auto n = 1 + random() % 3; n != 0 && !bytes.empty(); --n) {
    const auto at = static_cast<std::size_t>(random() % bytes.size());
    const char c = spice[static_cast<std::size_t>(random() % spice.size())];
    switch (random() % 4) {
    case 0: bytes[at] = c; break;
    case 1: bytes.erase(at, 1 + static_cast<std::size_t>(random() % 4)); break;
    case 2: bytes.insert(at, 1, c); break;
    default: bytes.insert(at, bytes.substr(at, static_cast<std::size_t>(random() % 20))); break;
    }
  }
}

TEST(ReplyParser, WhatItMakesOfAnyBytesDoesNotDependOnHowTheyAreSplit) {
  const auto seed = test::from_environment("GREENROOM_TEST_SEED", 20'240'601);
  SCOPED_TRACE("GREENROOM_TEST_SEED=" + std::to_string(seed));
  xoshiro random(seed);
  const auto answers = seeds_of_answers();
  std::size_t good = 0;
  for (int i = 0; i < 30'000; ++i) {
    auto bytes = answers[static_cast<std::size_t>(random() % answers.size())];
    mutate(bytes, random);
    const bool to_head = random() % 8 == 0;
    const auto at_once = told(bytes, to_head, {bytes.size() + 1});
    ASSERT_EQ(told(bytes, to_head, {1}), at_once) << shown(bytes);
    const auto some = static_cast<std::size_t>(1 + random() % 7);
    ASSERT_EQ(told(bytes, to_head, {some, 1, 3 * some}), at_once) << shown(bytes);
    good += at_once.find('|') != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(good, 100u) << "the test tries too little that is well-formed";
}

TEST(ReplyParser, ShowsBytesOfAServerWithoutControlCharactersAndNotAtLength) {
  EXPECT_EQ(shown("a\r\n\x1b\xff"), "'a\\x0d\\x0a\\x1b\\xff'");
  EXPECT_EQ(shown(std::string(81, 'a')), "'" + std::string(80, 'a') + "...'");
}

TEST(ReplyParser, FindsTokensInListsWithoutRegardToCase) {
  EXPECT_TRUE(list_has("Upgrade,\t CLOSE ,x", "close"));
  EXPECT_FALSE(list_has("closed, not-close", "close"));
  EXPECT_FALSE(list_has("", "close"));
}

} // namespace
} // namespace greenroom::testkit::internal::reply_parser_test
