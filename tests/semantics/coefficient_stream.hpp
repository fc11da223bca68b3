// Streams of coefficients that are computed when asked for: what power_series.hpp is made of.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <ostream>
#include <utility>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::power_series {

// -- coefficients -----------------------------------------------------------------------------------

class rational {
public:
  rational(std::int64_t num = 0, std::int64_t den = 1) : num_(num), den_(den) {
    const auto common = std::gcd(num_, den_) * (den_ < 0 ? -1 : 1);
    num_ /= common;
    den_ /= common;
  }
  friend rational operator+(rational a, rational b) {
    const auto common = std::gcd(a.den_, b.den_);
    return {a.num_ * (b.den_ / common) + b.num_ * (a.den_ / common), a.den_ / common * b.den_};
  }
  friend rational operator*(rational a, rational b) {
    const rational crosswise(a.num_, b.den_); // reduced first, so that the product stays small
    const rational other(b.num_, a.den_);
    return {crosswise.num_ * other.num_, crosswise.den_ * other.den_};
  }
  rational operator-() const { return {-num_, den_}; }
  rational inverse() const { return {den_, num_}; }
  friend bool operator==(rational, rational) = default;
  friend std::ostream& operator<<(std::ostream& to, rational r) { return to << r.num_ << '/' << r.den_; }

private:
  std::int64_t num_;
  std::int64_t den_;
};

/// What powser2 sends instead: a value that is known by its interface only.
struct item {
  virtual ~item() = default;
  virtual rational value() const = 0;
};
using any_item = std::shared_ptr<const item>;
struct rational_item final : item {
  explicit rational_item(rational r) : r_(r) {}
  rational value() const override { return r_; }

private:
  rational r_;
};

inline rational value_of(rational r) { return r; }
inline rational value_of(const any_item& i) { return i->value(); }

template <class Item>
Item made_of(rational r) {
  if constexpr (std::is_same_v<Item, rational>) {
    return r;
  } else {
    return std::make_shared<const rational_item>(r);
  }
}

using coefficient = std::optional<rational>; // none: the series has ended, all further ones are zero

// -- streams ----------------------------------------------------------------------------------------

/// The reader's end: each coefficient is asked for, then answered. The writer's end closes it when the series ends.
template <class Item>
struct series {
  address<nothing> ask;
  mailbox<Item> answer;
};
template <class Item>
struct writer {
  mailbox<nothing> asked;
  address<Item> answer;
};

/// Starts `fn(args..., writer)` as an actor and gives the series that it writes.
template <class Item, class F, class... Args>
series<Item> start(F fn, Args... args) {
  auto asks = make_mailbox<nothing>(rendezvous());
  auto answers = make_mailbox<Item>(rendezvous());
  writer<Item> to{std::move(asks.in), std::move(answers.out)};
  spawn(fn, std::move(args)..., std::move(to));
  return {std::move(asks.out), std::move(answers.in)};
}

template <class Item>
task<coefficient> get(series<Item> from) {
  const auto asked = co_await from.ask.send(nothing());
  if (!asked) co_return std::nullopt;
  const auto got = co_await from.answer.receive();
  if (!got) co_return std::nullopt;
  co_return value_of(*got);
}

/// Gives false when nobody reads any more.
template <class Item>
task<bool> put(writer<Item> to, rational r) {
  const auto asked = co_await to.asked.receive();
  if (!asked) co_return false;
  const auto sent = co_await to.answer.send(made_of<Item>(r));
  co_return sent.has_value();
}

template <class Item>
task<> copy(series<Item> from, writer<Item> to) {
  for (;;) {
    const auto asked = co_await to.asked.receive();
    if (!asked) co_return;
    const auto c = co_await get(from);
    if (!c) co_return;
    const auto sent = co_await to.answer.send(made_of<Item>(*c));
    if (!sent) co_return;
  }
}

/// Asks both series and takes both answers, each as soon as it can.
template <class Item>
task<std::pair<coefficient, coefficient>> get_both(series<Item> u, series<Item> v) {
  std::array<address<nothing>, 2> ask{u.ask, v.ask}; // emptied when used
  std::array<mailbox<Item>, 2> answer;               // empty until asked
  std::array<coefficient, 2> got;
  const std::array<const series<Item>*, 2> from{&u, &v};
  for (int open = 2; open > 0;) {
    auto s = co_await select(ask[0].send(nothing()), ask[1].send(nothing()), answer[0].receive(), answer[1].receive());
    const std::size_t side = s.index() % 2;
    if (s.index() < 2) {
      ask[side] = {};
      const bool sent = side == 0 ? s.template get<0>().has_value() : s.template get<1>().has_value();
      if (sent) answer[side] = from[side]->answer;
      open -= !sent;
    } else {
      answer[side] = {};
      const auto c = side == 0 ? s.template get<2>() : s.template get<3>();
      if (c) got[side] = value_of(*c);
      --open;
    }
  }
  co_return std::pair(got[0], got[1]);
}

/// Gives one series to two readers, of which one may be far ahead. It serves both also while it waits for a coefficient, which may
/// depend on earlier ones that it must give out first.
template <class Item>
task<> split_to(series<Item> from, writer<Item> first, writer<Item> second) {
  std::array<writer<Item>, 2> to{std::move(first), std::move(second)};
  std::array<std::deque<Item>, 2> ahead; // what the other has taken already
  std::array<bool, 2> asks{};
  bool fetching = false;
  while (to[0].asked || to[1].asked) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (!asks[side] || ahead[side].empty()) continue;
      const auto sent = co_await to[side].answer.send(ahead[side].front());
      ahead[side].pop_front();
      asks[side] = false;
      if (!sent) to[side] = {};
    }
    if (!fetching && (asks[0] || asks[1])) {
      const auto asked = co_await from.ask.send(nothing());
      if (!asked) co_return;
      fetching = true;
    }
    const auto one = asks[0] ? mailbox<nothing>() : to[0].asked;
    const auto two = asks[1] ? mailbox<nothing>() : to[1].asked;
    const auto source = fetching ? from.answer : mailbox<Item>();
    auto s = co_await select(one.receive(), two.receive(), source.receive());
    if (s.index() == 2) {
      const auto got = s.template get<2>();
      if (!got) co_return;
      fetching = false;
      for (std::size_t side = 0; side < 2; ++side) {
        if (to[side].asked) ahead[side].push_back(*got);
      }
    } else {
      const std::size_t side = s.index();
      asks[side] = (side == 0 ? s.template get<0>() : s.template get<1>()).has_value();
      if (!asks[side]) to[side] = {}; // its reader is gone
    }
  }
}

template <class Item>
struct pair_of_series {
  series<Item> one;
  series<Item> two;
};

/// Two series that come into being before what they are a copy of: for definitions that use themselves.
template <class Item>
struct open_split {
  pair_of_series<Item> read;
  writer<Item> one;
  writer<Item> two;

  open_split() {
    for (auto [r, w] : {std::pair(&read.one, &one), std::pair(&read.two, &two)}) {
      auto asks = make_mailbox<nothing>(rendezvous());
      auto answers = make_mailbox<Item>(rendezvous());
      *r = {std::move(asks.out), std::move(answers.in)};
      *w = {std::move(asks.in), std::move(answers.out)};
    }
  }
  void of(series<Item> from) { spawn(split_to<Item>, std::move(from), std::move(one), std::move(two)); }
};
template <class Item>
pair_of_series<Item> split(series<Item> from) {
  open_split<Item> made;
  made.of(std::move(from));
  return std::move(made.read);
}

} // namespace greenroom::power_series
