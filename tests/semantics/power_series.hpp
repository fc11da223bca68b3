// Power series as streams of coefficients that are computed when asked for: each operation is an actor. After M. D. McIlroy,
// "Squinting at Power Series". Source: go/test/chan/powser1 and powser2, as facts; the code is our own.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <greenroom/tests/semantics/coefficient_stream.hpp>

namespace greenroom::power_series {

template <class Item>
task<> write_repeated(rational c, writer<Item> to) {
  for (bool open = true; open;) open = co_await put(to, c);
}
template <class Item>
series<Item> repeated(rational c) {
  return start<Item>(write_repeated<Item>, c);
}

/// The polynomial with these coefficients: a series that ends.
template <class Item>
task<> write_polynomial(std::vector<rational> c, writer<Item> to) {
  for (const auto& r : c) {
    const bool open = co_await put(to, r);
    if (!open) co_return;
  }
}
template <class Item>
series<Item> polynomial(std::vector<rational> c) {
  return start<Item>(write_polynomial<Item>, std::move(c));
}

template <class Item>
task<> write_sum(series<Item> u, series<Item> v, writer<Item> to) {
  for (;;) {
    const auto asked = co_await to.asked.receive();
    if (!asked) co_return;
    const auto both = co_await get_both(u, v);
    if (!both.first && !both.second) co_return;
    const auto sum = both.first.value_or(0) + both.second.value_or(0);
    const auto sent = co_await to.answer.send(made_of<Item>(sum));
    if (!sent) co_return;
    if (both.first && both.second) continue;
    const auto rest = both.first ? u : v;
    co_await copy(rest, to);
    co_return;
  }
}
template <class Item>
series<Item> add(series<Item> u, series<Item> v) {
  return start<Item>(write_sum<Item>, std::move(u), std::move(v));
}

/// Each coefficient by c, and by a further c_step for each degree; with `gap` zeros after each: U(c_step * x^(gap + 1)) * c.
template <class Item>
task<> write_scaled(rational c, rational c_step, int gap, series<Item> u, writer<Item> to) {
  for (;;) {
    const auto asked = co_await to.asked.receive();
    if (!asked) co_return;
    const auto r = co_await get(u);
    if (!r) co_return;
    const auto sent = co_await to.answer.send(made_of<Item>(c * *r));
    if (!sent) co_return;
    c = c * c_step;
    for (int i = 0; i < gap; ++i) {
      const bool open = co_await put(to, rational(0));
      if (!open) co_return;
    }
  }
}
template <class Item>
series<Item> scaled(rational c, series<Item> u) {
  return start<Item>(write_scaled<Item>, c, rational(1), 0, std::move(u));
}
template <class Item>
series<Item> substituted(series<Item> u, rational c, int power) {
  return start<Item>(write_scaled<Item>, rational(1), c, power - 1, std::move(u));
}
template <class Item>
series<Item> subtract(series<Item> u, series<Item> v) {
  return add(std::move(u), scaled(rational(-1), std::move(v)));
}

/// c + x * U
template <class Item>
task<> write_shifted(rational c, series<Item> u, writer<Item> to) {
  const bool open = co_await put(to, c);
  if (open) co_await copy(u, to);
}
template <class Item>
series<Item> shifted(rational c, series<Item> u) {
  return start<Item>(write_shifted<Item>, c, std::move(u));
}

/// With U = u + x * UU and V = v + x * VV: U * V = u * v + x * (u * VV + v * UU) + x^2 * UU * VV.
template <class Item>
series<Item> multiply(series<Item> u, series<Item> v);
template <class Item>
task<> write_product(series<Item> u, series<Item> v, writer<Item> to) {
  const auto asked = co_await to.asked.receive();
  if (!asked) co_return;
  const auto both = co_await get_both(u, v);
  if (!both.first || !both.second) co_return;
  const auto sent = co_await to.answer.send(made_of<Item>(*both.first * *both.second));
  if (!sent) co_return;
  auto uu = split(std::move(u));
  auto vv = split(std::move(v));
  const auto middle = add(scaled(*both.first, vv.one), scaled(*both.second, uu.one));
  const auto asked_again = co_await to.asked.receive();
  if (!asked_again) co_return;
  const auto second = co_await get(middle);
  if (!second) co_return;
  const auto sent_again = co_await to.answer.send(made_of<Item>(*second));
  if (!sent_again) co_return;
  const auto rest = add(middle, multiply(uu.two, vv.two));
  uu = {}; // who keeps ends keeps the actors behind them alive
  vv = {};
  co_await copy(rest, to);
}
template <class Item>
series<Item> multiply(series<Item> u, series<Item> v) {
  return start<Item>(write_product<Item>, std::move(u), std::move(v));
}

template <class Item>
task<> write_derivative(series<Item> u, writer<Item> to) {
  const auto asked = co_await to.asked.receive();
  if (!asked) co_return;
  co_await get(u); // the constant
  for (std::int64_t n = 1;; ++n) {
    const auto r = co_await get(u);
    if (!r) co_return;
    const auto sent = co_await to.answer.send(made_of<Item>(rational(n) * *r));
    if (!sent) co_return;
    const auto next = co_await to.asked.receive();
    if (!next) co_return;
  }
}
template <class Item>
series<Item> derivative(series<Item> u) {
  return start<Item>(write_derivative<Item>, std::move(u));
}

template <class Item>
task<> write_integral(rational c, series<Item> u, writer<Item> to) {
  const bool open = co_await put(to, c);
  if (!open) co_return;
  for (std::int64_t n = 1;; ++n) {
    const auto asked = co_await to.asked.receive();
    if (!asked) co_return;
    const auto r = co_await get(u);
    if (!r) co_return;
    const auto sent = co_await to.answer.send(made_of<Item>(rational(1, n) * *r));
    if (!sent) co_return;
  }
}
template <class Item>
series<Item> integral(rational c, series<Item> u) {
  return start<Item>(write_integral<Item>, c, std::move(u));
}

/// With Z = 1/U and U = u + x * UU: Z = 1/u - x * (UU * Z)/u.
template <class Item>
task<> write_reciprocal(series<Item> u, writer<Item> to) {
  const auto asked = co_await to.asked.receive();
  if (!asked) co_return;
  const auto c = co_await get(u);
  const auto z = c->inverse();
  const auto sent = co_await to.answer.send(made_of<Item>(z));
  if (!sent) co_return;
  open_split<Item> rest; // Z without its constant: to the reader, and back into its own definition
  const auto whole = shifted(z, rest.read.one);
  rest.of(scaled(-z, multiply(std::move(u), whole)));
  const auto mine = rest.read.two;
  co_await copy(mine, to);
}
template <class Item>
series<Item> reciprocal(series<Item> u) {
  return start<Item>(write_reciprocal<Item>, std::move(u));
}

/// Z = exp(U), without U's constant: Z' = Z * U', Z(0) = 1.
template <class Item>
series<Item> exponential(series<Item> u) {
  open_split<Item> z;
  z.of(integral(rational(1), multiply(z.read.one, derivative(std::move(u)))));
  return z.read.two;
}

/// T' = 1 + T * T, T(0) = 0.
template <class Item>
series<Item> tangent() {
  open_split<Item> t;
  auto square = split(t.read.one);
  t.of(integral(rational(0), add(polynomial<Item>({1}), multiply(square.one, square.two))));
  return t.read.two;
}

} // namespace greenroom::power_series
