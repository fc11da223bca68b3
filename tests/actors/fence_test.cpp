#include <greenroom/actors/fence.hpp>

#include <string>

#include <gtest/gtest.h>

#include <greenroom/actors/journal.hpp>

namespace greenroom::fence_test {
namespace {

TEST(Fence, LetsNoOlderTokenPassOnceANewerOneHas) {
  fence f("books");
  EXPECT_TRUE(f.check(3));
  EXPECT_TRUE(f.check(3)) << "the holder goes on";
  EXPECT_TRUE(f.check(7));
  const auto refused = f.check(6);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::not_found));
  EXPECT_EQ(refused.error().message(),
            "refused: a write to 'books': its lease is over (token 6, and 7 has been here); stop");
  EXPECT_EQ(f.seen(), 7U);
  EXPECT_FALSE(fence("books", 8).check(7)) << "it was told what had been seen";
}

#ifdef GREENROOM_HAS_SQLITE
result<void> write_as(journal& log, std::uint64_t token, const std::string& content) {
  if (auto begun = log.begin(); !begun) return begun;
  if (auto fine = check_fence(log, "books", token); !fine) {
    log.rollback();
    return fine;
  }
  if (auto put = log.append({.content = content}); !put) return put.error();
  return log.commit();
}

TEST(Fence, InAJournalIsKeptWithWhatIsWritten) {
  const auto log = open_sqlite_journal(":memory:").value();
  EXPECT_TRUE(write_as(*log, 2, "a"));
  EXPECT_TRUE(write_as(*log, 2, "b"));
  EXPECT_TRUE(write_as(*log, 3, "c"));
  const auto late = write_as(*log, 2, "d");
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is(errc::not_found)) << late.error().message();
  EXPECT_EQ(log->last(), 3U);
  EXPECT_EQ(log->cursor("fence books").value(), 3U);
  ASSERT_TRUE(log->begin());
  EXPECT_TRUE(check_fence(*log, "books", 9));
  log->rollback();
  EXPECT_TRUE(write_as(*log, 3, "e")) << "what was not written has fenced nobody";
}
#endif

} // namespace
} // namespace greenroom::fence_test
