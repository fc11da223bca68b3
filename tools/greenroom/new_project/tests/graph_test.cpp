// The graph under many schedules, on one thread and in virtual time. What fails prints how to see it again:
// TESTKIT_REPLAY=random:17 build/release/my_service_tests
#include "graph.hpp"

#include <string>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/testkit/explore.hpp>

namespace my_service {
namespace {

using namespace greenroom;
using namespace std::chrono_literals;
using testkit::require;

task<> buy(order_desk desk, std::string item, std::uint32_t pieces) {
  order wanted{item, pieces};
  const auto got = co_await ask(desk.orders, std::move(wanted), 1s);
  require(got.has_value(), got ? "" : std::string(got.error().message()));
}

task<> two_customers() {
  const auto desk = co_await open_desk();
  co_await with_scope(
      [](scope& both, order_desk at) -> task<> {
        both.spawn(buy, at, "tea", 2u);
        both.spawn(buy, at, "cake", 1u);
        co_return;
      },
      *desk);
  const auto sum = co_await ask(desk->questions, get_totals{}, 1s);
  require(sum && sum->orders == 2 && sum->cents == 920, "the book does not add up");
  const auto drained = co_await desk->running.drain(1s);
  require(drained.has_value() && desk->running.look().conserved(), "an order is left");
}

TEST(Graph, BooksEveryOrderOnceUnderAnySchedule) {
  const auto found = testkit::explore({.runs = 500}, two_customers);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

task<> unknown_item() {
  const auto desk = co_await open_desk();
  order wanted{"gold", 1};
  const auto got = co_await ask(desk->orders, std::move(wanted), 1s);
  require(!got && got.error().is(errc::invalid_argument), "gold is sold");
  const auto drained = co_await desk->running.drain(1s);
  require(drained.has_value(), "not drained");
}

TEST(Graph, RefusesWhatIsNotSold) {
  const auto found = testkit::explore({.runs = 100}, unknown_item);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

} // namespace
} // namespace my_service
