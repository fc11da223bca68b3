#include <greenroom/runtime/error.hpp>

#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::error_test {
namespace {

result<int> half(int number) {
  if (number % 2 != 0) return error{errc::invalid_argument, "cannot halve: 3: not even"};
  return number / 2;
}

struct throwing_move {
  throwing_move() = default;
  throwing_move(throwing_move&&) noexcept(false) {}
};

struct pinned_text {
  std::string text;
  pinned_text(const char* from) : text{from} {}
  pinned_text(pinned_text&&) = default;
};

static_assert(!std::is_default_constructible_v<error>);
static_assert(std::is_nothrow_move_constructible_v<error> && std::is_nothrow_copy_constructible_v<error>);
static_assert(std::is_nothrow_move_constructible_v<result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_assignable_v<result<std::string>>);
static_assert(!std::is_copy_constructible_v<result<std::unique_ptr<int>>>);
static_assert(!std::is_nothrow_move_constructible_v<result<throwing_move>>);
static_assert(!std::is_convertible_v<result<int>, bool>, "a result is tested, never taken for a number");
static_assert(!std::is_convertible_v<result<int>, int>);
static_assert(std::is_nothrow_default_constructible_v<result<void>> && !std::is_default_constructible_v<result<int>>);

TEST(Errc, NumbersAreFixed) {
  EXPECT_EQ(static_cast<int>(errc::closed), 1);
  EXPECT_EQ(static_cast<int>(errc::timed_out), 4);
  EXPECT_EQ(static_cast<int>(errc::invalid_argument), 8);
  EXPECT_EQ(static_cast<int>(errc::no_reply), 11);
  EXPECT_EQ(static_cast<int>(errc::type_mismatch), 17);
  EXPECT_EQ(static_cast<int>(errc::upstream), 18);
  EXPECT_EQ(static_cast<int>(errc::unavailable), 19);
}

TEST(Errc, EachCodeHasItsOwnNameAndSentence) {
  std::set<std::string> names, sentences;
  for (std::uint16_t number = 1; number <= 19; ++number) {
    names.insert(to_string(errc{number}));
    sentences.insert(sentence(errc{number}));
  }
  EXPECT_EQ(names.size(), 19u);
  EXPECT_EQ(sentences.size(), 19u);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_STREQ(sentence(errc::timed_out), "deadline exceeded");
  EXPECT_STREQ(to_string(errc::timed_out), "timed_out");
}

TEST(Errc, UnknownNumbersStillHaveASentence) {
  EXPECT_STREQ(to_string(errc{999}), "unknown");
  EXPECT_STREQ(sentence(errc{0}), "unknown error code");
}

TEST(Error, WithoutTextSaysTheSentenceOfItsCode) {
  EXPECT_EQ(error{errc::timed_out}.message(), "deadline exceeded");
  EXPECT_EQ((error{errc::timed_out, ""}.message()), "deadline exceeded");
}

TEST(Error, TextReplacesTheSentenceAndCopiesShareIt) {
  const error first{errc::io, "cannot open: /x: no such file"};
  const error second = first;
  EXPECT_EQ(second.message(), "cannot open: /x: no such file");
  EXPECT_EQ(first.message().data(), second.message().data());
}

TEST(Error, ComparesByCodeOnly) {
  const error why{errc::io, "text"};
  EXPECT_TRUE(why.is(errc::io));
  EXPECT_FALSE(why.is(errc::full));
  EXPECT_TRUE(why == error{errc::io});
  EXPECT_TRUE(why == errc::io);
  EXPECT_TRUE(why != errc::full);
}

TEST(Error, MovedFromKeepsItsCode) {
  error from{errc::full, "mailbox full: orders: 3 of 3"};
  const error to = std::move(from);
  EXPECT_EQ(to.message(), "mailbox full: orders: 3 of 3");
  EXPECT_EQ(from.message(),
            "mailbox full"); // NOLINT(bugprone-use-after-move): the promise under test
}

TEST(UsageError, SaysWhatItWasGiven) {
  const usage_error thrown{"mailbox capacity: orders: 0 is not allowed"};
  EXPECT_STREQ(static_cast<const std::logic_error&>(thrown).what(), "mailbox capacity: orders: 0 is not allowed");
}

TEST(Result, HoldsEitherTheValueOrTheError) {
  const auto good = half(4);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 2);
  const auto bad = half(3);
  ASSERT_FALSE(bad.has_value());
  EXPECT_TRUE(bad.error().is(errc::invalid_argument));
}

TEST(Result, ConvertsFromABareCode) {
  const result<std::string> bad = errc::closed;
  EXPECT_EQ(bad.error().message(), "mailbox closed");
  const result<bool> not_a_flag = errc::closed;
  EXPECT_FALSE(not_a_flag.has_value());
}

TEST(Result, ConvertsFromWhateverConvertsToTheValue) {
  const result<std::string> text = "abc";
  EXPECT_EQ(text->size(), 3u);
  const result<std::shared_ptr<const int>> pointer = std::make_shared<int>(7);
  EXPECT_EQ(**pointer, 7);
}

TEST(Result, ValueThrowsTheMessageOfTheError) {
  try {
    static_cast<void>(half(3).value());
    FAIL() << "value() did not throw";
  } catch (const bad_result& thrown) {
    EXPECT_STREQ(thrown.what(), "cannot halve: 3: not even");
    EXPECT_TRUE(thrown.why().is(errc::invalid_argument));
  }
}

TEST(Result, CarriesMoveOnlyValues) {
  result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  const result<std::unique_ptr<int>> moved = std::move(made);
  EXPECT_EQ(**moved, 5);
  const std::unique_ptr<int> taken = result<std::unique_ptr<int>>{std::make_unique<int>(6)}.value();
  EXPECT_EQ(*taken, 6);
}

TEST(Result, ValueAndArrowReachTheValueInPlace) {
  result<std::vector<int>> list = std::vector<int>{1};
  list->push_back(2);
  list.value().push_back(3);
  EXPECT_EQ(*list, (std::vector<int>{1, 2, 3}));
}

TEST(Result, AssignmentSwitchesBetweenValueAndError) {
  result<std::string> text = "a";
  text = errc::empty;
  EXPECT_TRUE(text.error().is(errc::empty));
  text = "b";
  EXPECT_EQ(*text, "b");
}

TEST(Result, ValueOrPrefersTheValue) {
  EXPECT_EQ(half(4).value_or(9), 2);
  EXPECT_EQ(half(3).value_or(9), 9);
  const result<std::string> missing = errc::not_found;
  EXPECT_EQ(missing.value_or("none"), "none");
  result<pinned_text> kept = pinned_text{"kept"};
  EXPECT_EQ(std::move(kept).value_or("other").text, "kept");
}

TEST(Result, TransformMapsValuesAndPassesErrorsOn) {
  const auto to_text = [](int number) { return std::to_string(number); };
  EXPECT_EQ(*half(4).transform(to_text), "2");
  EXPECT_EQ(half(3).transform(to_text).error().message(), "cannot halve: 3: not even");
  const auto stored = half(8);
  EXPECT_EQ(*stored.transform(to_text), "4");
}

TEST(Result, TransformByAVoidFunctionGivesResultOfVoid) {
  int seen = 0;
  const auto look = [&seen](int number) { seen = number; };
  const result<void> done = half(4).transform(look);
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, 2);
}

TEST(Result, TransformMovesTheValueOutOfATemporary) {
  result<std::unique_ptr<int>> owner = std::make_unique<int>(3);
  const auto unwrap = [](std::unique_ptr<int> from) { return *from + 1; };
  EXPECT_EQ(*std::move(owner).transform(unwrap), 4);
}

TEST(Result, AndThenStopsAtTheFirstError) {
  EXPECT_EQ(*half(8).and_then(half).and_then(half), 1);
  EXPECT_TRUE(half(6).and_then(half).and_then(half).error().is(errc::invalid_argument));
}

TEST(ResultOfVoid, IsSuccessByDefault) {
  const result<void> done;
  EXPECT_TRUE(done);
  EXPECT_NO_THROW(done.value());
}

TEST(ResultOfVoid, CarriesAnErrorWithItsText) {
  const result<void> bad = error{errc::io, "write: /x: disk full"};
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().message(), "write: /x: disk full");
  EXPECT_THROW(bad.value(), bad_result);
}

TEST(ResultOfVoid, ChainsLikeTheOthers) {
  const result<void> good;
  const result<void> bad = errc::stopped;
  EXPECT_EQ(*good.and_then([] { return half(4); }), 2);
  EXPECT_TRUE(bad.and_then([] { return half(4); }).error().is(errc::stopped));
  EXPECT_EQ(*good.transform([] { return 1; }), 1);
  EXPECT_TRUE(bad.transform([] {}).error().is(errc::stopped));
}

#ifndef NDEBUG
TEST(ResultDeathTest, ReadingTheMissingSideIsAsserted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto bad = half(3);
  const auto good = half(4);
  EXPECT_DEATH(static_cast<void>(*bad), "has_value");
  EXPECT_DEATH(static_cast<void>(good.error()), "has_value");
}
#endif

} // namespace
} // namespace greenroom::error_test
