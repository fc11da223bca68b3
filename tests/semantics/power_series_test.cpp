// Go's programs with power series: hundreds of actors that ask each other for one coefficient at a time, some of them in circles.
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>
#include <greenroom/tests/semantics/power_series.hpp>

namespace greenroom::power_series_test {
namespace {

using namespace go_kit;
using namespace power_series;

template <class Item>
task<std::vector<rational>> first_ten(series<Item> (*make)()) {
  const auto s = make();
  std::vector<rational> found;
  while (found.size() < 10) {
    const auto c = co_await get(s);
    if (!c) break;
    found.push_back(*c);
  }
  co_return found;
}
template <class Item>
std::vector<rational> ten_of(actor_system& sys, series<Item> (*make)()) {
  return sys.run(first_ten<Item>, make).value();
}
std::vector<rational> ten_times(rational r) { return std::vector<rational>(10, r); }
const std::vector<rational> naturals{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

template <class Item>
series<Item> ones() {
  return repeated<Item>(1);
}
template <class Item>
series<Item> twos() {
  return repeated<Item>(2);
}
/// 1/(1 + x^2), the derivative of the arc tangent.
template <class Item>
series<Item> alternating() {
  return substituted(ones<Item>(), -1, 2);
}

template <class Item>
void check_sums_and_products() {
  actor_system sys(quiet(2));
  EXPECT_EQ(ten_of(sys, ones<Item>), ten_times(1));
  EXPECT_EQ(ten_of<Item>(sys, [] { return add(ones<Item>(), twos<Item>()); }), ten_times(3));
  EXPECT_EQ(ten_of<Item>(sys, [] { return scaled(-1, twos<Item>()); }), ten_times(-2));
  EXPECT_EQ(ten_of<Item>(sys, [] { return subtract(ones<Item>(), twos<Item>()); }), ten_times(-1));
  EXPECT_EQ(ten_of<Item>(sys, [] { return multiply(ones<Item>(), ones<Item>()); }), naturals);
  EXPECT_EQ(ten_of<Item>(sys, [] { return derivative(ones<Item>()); }), naturals);
  EXPECT_EQ(ten_of<Item>(sys, [] { return integral(0, derivative(shifted(0, ones<Item>()))); }),
            (std::vector<rational>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(ten_of<Item>(sys, [] { return integral(0, ones<Item>()); }),
            (std::vector<rational>{0, 1, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8}, {1, 9}}));
  EXPECT_EQ(ten_of<Item>(sys, [] { return integral(0, alternating<Item>()); }),
            (std::vector<rational>{0, 1, 0, {-1, 3}, 0, {1, 5}, 0, {-1, 7}, 0, {1, 9}}));
  while (sys.live_actors() != 0) std::this_thread::yield(); // each operation ends with its reader
}

template <class Item>
void check_series_that_end() {
  actor_system sys(quiet(2));
  // (1 + x)^3, and it cancelled by its negative but for the last.
  EXPECT_EQ(ten_of<Item>(sys, [] { return polynomial<Item>({1, 3, 3, 1}); }), (std::vector<rational>{1, 3, 3, 1}));
  EXPECT_EQ(ten_of<Item>(sys,
                         [] {
                           return add(polynomial<Item>({1, 3, 3, 1}), polynomial<Item>({-1, -3}));
                         }),
            (std::vector<rational>{0, 0, 3, 1}));
  EXPECT_EQ(ten_of<Item>(sys,
                         [] {
                           return derivative(polynomial<Item>({1, 3, 3, 1}));
                         }),
            (std::vector<rational>{3, 6, 3}));
  while (sys.live_actors() != 0) std::this_thread::yield();
}

template <class Item>
void check_series_defined_by_themselves() {
  actor_system sys(quiet(2));
  EXPECT_EQ(
      ten_of<Item>(sys, [] { return exponential(ones<Item>()); }),
      (std::vector<rational>{
          1, 1, {3, 2}, {13, 6}, {73, 24}, {167, 40}, {4051, 720}, {37633, 5040}, {43817, 4480}, {4596553, 362880}}));
  EXPECT_EQ(ten_of<Item>(sys, [] { return reciprocal(ones<Item>()); }),
            (std::vector<rational>{1, -1, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ten_of<Item>(sys, [] { return reciprocal(multiply(ones<Item>(), ones<Item>())); }),
            (std::vector<rational>{1, -2, 1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ten_of(sys, tangent<Item>),
            (std::vector<rational>{0, 1, 0, {1, 3}, 0, {2, 15}, 0, {17, 315}, 0, {62, 2835}}));
  EXPECT_GT(sys.live_actors(), 0U) << "those in a circle keep each other alive, as in Go";
  EXPECT_TRUE(sys.stop().complete());
}

// Go: test/chan/powser1
TEST(GoChannel, PowerSeriesAddAndMultiplyOnDemandAndEndWithTheirReader) { check_sums_and_products<rational>(); }

// Go: test/chan/powser1
TEST(GoChannel, PowerSeriesThatEndCloseTheirStreams) { check_series_that_end<rational>(); }

// Go: test/chan/powser1
TEST(GoChannel, PowerSeriesDefinedByThemselvesDoNotDeadlock) { check_series_defined_by_themselves<rational>(); }

// Go: test/chan/powser2
TEST(GoChannel, PowerSeriesOfPolymorphicItemsAddAndMultiply) { check_sums_and_products<any_item>(); }

// Go: test/chan/powser2
TEST(GoChannel, PowerSeriesOfPolymorphicItemsEnd) { check_series_that_end<any_item>(); }

// Go: test/chan/powser2
TEST(GoChannel, PowerSeriesOfPolymorphicItemsMayBeDefinedByThemselves) {
  check_series_defined_by_themselves<any_item>();
}

} // namespace
} // namespace greenroom::power_series_test
