// Go's generated cases: one operation, phrased in every way, has exactly one effect. Source: go/test/chan/select5, as facts.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::select_phrasing_test {
namespace {

using namespace go_kit;

enum class phrase { direct, until_never, alone, with_default, behind, before, between, behind_with_default };
constexpr std::array all_phrases{phrase::direct, phrase::until_never, phrase::alone,   phrase::with_default,
                                 phrase::behind, phrase::before,      phrase::between, phrase::behind_with_default};
constexpr bool has_default(phrase p) { return p == phrase::with_default || p == phrase::behind_with_default; }

/// Alternatives that never complete: without a mailbox, and without a peer.
template <class T>
struct dead_ends {
  mailbox<T> none;
  address<T> nowhere;
  mailbox_ends<T> silent = make_mailbox<T>(rendezvous());
  T unsent{};
};

// The operation under test. Its value is simplified, so that all phrases give the same.
template <class T>
struct receiving {
  using outcome = std::optional<T>;
  mailbox<T> in;
  auto plain() const { return in.receive(); }
  auto timed() const { return in.receive_until(never); }
  static std::optional<T> value(std::optional<T>&& got) { return std::move(got); }
  static std::optional<T> value(result<T>&& got) { return got ? std::optional<T>(*std::move(got)) : std::nullopt; }
};
template <class T>
struct moving {
  using outcome = bool;
  address<T> out;
  T* item;
  auto plain() const { return out.send(std::move(*item)); }
  auto timed() const { return out.send_until(std::move(*item), never); }
  static bool value(send_result<T>&& sent) { return sent.has_value(); }
};
template <class T>
struct copying {
  using outcome = bool;
  address<T> out;
  T* item;
  auto plain() const { return out.send(std::as_const(*item)); }
  auto timed() const { return out.send_until(std::as_const(*item), never); }
  static bool value(send_result<T>&& sent) { return sent.has_value(); }
};

/// Does the operation once, phrased as told. Gives its value, or nothing if the default won.
template <class Op, class T>
task<std::optional<typename Op::outcome>> phrased(phrase p, Op op, dead_ends<T>* dead) {
  switch (p) {
  case phrase::direct: {
    auto got = co_await op.plain();
    co_return op.value(std::move(got));
  }
  case phrase::until_never: {
    auto got = co_await op.timed();
    co_return op.value(std::move(got));
  }
  case phrase::alone: {
    auto s = co_await select(op.plain());
    co_return op.value(std::move(s.template get<0>()));
  }
  case phrase::with_default: {
    auto s = co_await select(op.plain(), otherwise());
    if (s.index() == 1) co_return std::nullopt;
    co_return op.value(std::move(s.template get<0>()));
  }
  case phrase::behind: {
    auto s = co_await select(dead->silent.in.receive(), op.plain());
    co_return op.value(std::move(s.template get<1>()));
  }
  case phrase::before: {
    auto s = co_await select(op.plain(), dead->nowhere.send(std::move(dead->unsent)));
    co_return op.value(std::move(s.template get<0>()));
  }
  case phrase::between: {
    auto s = co_await select(dead->none.receive(), op.plain(), dead->silent.out.send(std::move(dead->unsent)));
    co_return op.value(std::move(s.template get<1>()));
  }
  default: {
    auto s = co_await select(dead->none.receive(), dead->silent.in.receive(), op.plain(), otherwise());
    if (s.index() == 3) co_return std::nullopt;
    co_return op.value(std::move(s.template get<2>()));
  }
  }
}

// -- kinds of items ---------------------------------------------------------------------------------

template <class T>
T item_of(int n) {
  if constexpr (std::is_same_v<T, std::unique_ptr<int>>) {
    return std::make_unique<int>(n);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return std::string(40, 'x') + std::to_string(n); // too long to be kept in place
  } else {
    return T(n);
  }
}
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, std::unique_ptr<int>>) {
    return a != nullptr && *a == *b;
  } else {
    return a == b;
  }
}

template <class T>
void expect_untouched(dead_ends<T>& dead) {
  EXPECT_EQ(dead.silent.in.try_receive().error().code(), errc::empty) << "a loser left its item";
  EXPECT_FALSE(dead.silent.out.try_send(item_of<T>(0))) << "a loser still waits";
}

template <class T, class Op>
task<> send_and_receive(phrase sending, phrase receiving_by) {
  dead_ends<T> dead;
  auto ends = make_mailbox<T>(bounded(2));
  auto item = item_of<T>(7);
  const Op op{ends.out, &item};
  const auto sent = co_await phrased(sending, op, &dead);
  EXPECT_EQ(sent, true);
  EXPECT_EQ(ends.in.size_approx(), 1U);
  const receiving<T> taking{ends.in};
  const auto got = co_await phrased(receiving_by, taking, &dead);
  EXPECT_TRUE(got && *got && same(**got, item_of<T>(7)));
  EXPECT_EQ(ends.in.size_approx(), 0U);
  expect_untouched(dead);
}

template <class T>
task<> receive_from_a_peer(phrase p, mailbox<T> in) {
  dead_ends<T> dead;
  const receiving<T> taking{in};
  const auto got = co_await phrased(p, taking, &dead);
  EXPECT_TRUE(got && *got && same(**got, item_of<T>(8)));
  expect_untouched(dead);
}

/// The receiver waits already, in a way that can wait.
template <class T, class Op>
task<> hand_over(phrase sending, phrase receiving_by) {
  if (has_default(receiving_by)) co_return;
  dead_ends<T> dead;
  auto ends = make_mailbox<T>(rendezvous());
  const auto peer = spawn(receive_from_a_peer<T>, receiving_by, ends.in);
  co_await settle();
  auto item = item_of<T>(8);
  const Op op{ends.out, &item};
  const auto sent = co_await phrased(sending, op, &dead);
  EXPECT_EQ(sent, true);
  const auto why = co_await peer.join();
  EXPECT_TRUE(why.normal());
  EXPECT_EQ(ends.in.try_receive().error().code(), errc::empty);
  expect_untouched(dead);
}

template <class T, class Op>
void check_all_pairs() {
  one_worker sys;
  for (const auto sending : all_phrases) {
    for (const auto receiving_by : all_phrases) {
      SCOPED_TRACE(testing::Message() << "sent " << static_cast<int>(sending) << ", received "
                                      << static_cast<int>(receiving_by));
      EXPECT_TRUE(sys.run(send_and_receive<T, Op>, sending, receiving_by));
      EXPECT_TRUE(sys.run(hand_over<T, Op>, sending, receiving_by));
    }
  }
}

// Go: test/chan/select5
TEST(GoSelect, MovedItemArrivesOnceInEveryPhrasing) {
  check_all_pairs<int, moving<int>>();
  check_all_pairs<std::string, moving<std::string>>();
  check_all_pairs<std::unique_ptr<int>, moving<std::unique_ptr<int>>>();
}

// Go: test/chan/select5
TEST(GoSelect, CopiedItemArrivesOnceInEveryPhrasing) {
  check_all_pairs<int, copying<int>>();
  check_all_pairs<std::string, copying<std::string>>();
}

template <class T>
task<> nothing_is_ready() {
  dead_ends<T> dead;
  auto empty = make_mailbox<T>(bounded(1));
  auto full = make_mailbox<T>(bounded(1));
  EXPECT_TRUE(full.out.try_send(item_of<T>(1)));
  for (const auto p : all_phrases) {
    if (!has_default(p)) continue;
    const receiving<T> taking{empty.in};
    const auto got = co_await phrased(p, taking, &dead);
    EXPECT_FALSE(got.has_value());
    auto item = item_of<T>(2);
    const moving<T> giving{full.out, &item};
    const auto sent = co_await phrased(p, giving, &dead);
    EXPECT_FALSE(sent.has_value());
    EXPECT_TRUE(same(item, item_of<T>(2))) << "moved although it was not sent";
  }
  EXPECT_TRUE(same(full.in.try_receive().value(), item_of<T>(1)));
  EXPECT_EQ(full.in.size_approx(), 0U);
  expect_untouched(dead);
}

// Go: test/chan/select5
TEST(GoSelect, DefaultHasNoEffectOnAnyMailboxOrItem) {
  one_worker sys;
  EXPECT_TRUE(sys.run(nothing_is_ready<int>));
  EXPECT_TRUE(sys.run(nothing_is_ready<std::string>));
  EXPECT_TRUE(sys.run(nothing_is_ready<std::unique_ptr<int>>));
}

int counted(int* calls, int value) {
  ++*calls;
  return value;
}

task<> receive_into_targets(mailbox<int> in, int* calls) {
  std::map<int, int> by_key;
  std::array<int, 3> by_index{};
  int named = 0;
  int* const pointed = &named;

  const auto first = co_await in.receive();
  by_key[counted(calls, 13)] = *first;
  auto second = co_await select(in.receive(), otherwise());
  by_index.at(static_cast<std::size_t>(counted(calls, 1))) = *second.get<0>();
  auto third = co_await select(in.receive());
  *pointed = *third.get<0>();
  EXPECT_EQ(by_key, (std::map<int, int>{{13, 1}}));
  EXPECT_EQ(by_index, (std::array<int, 3>{0, 2, 0}));
  EXPECT_EQ(named, 3);
}

// Go: test/chan/select5
// Differs: Go also lays down the order in which the operands of all cases are evaluated; C++ leaves the order of arguments open.
TEST(GoSelect, ReceivedValuesReachMapsArraysAndPointersOnce) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(3));
  for (const int i : {1, 2, 3}) EXPECT_TRUE(out.try_send(i));
  int calls = 0;
  EXPECT_TRUE(sys.run(receive_into_targets, in, &calls));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(in.size_approx(), 0U);
}

} // namespace
} // namespace greenroom::select_phrasing_test
