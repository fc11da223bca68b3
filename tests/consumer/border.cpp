// What passes between a program and Greenroom's libraries besides calls: exceptions both ways, casts, types by their typeid. The program is
// compiled with hidden symbols; where Greenroom is shared, each of these crosses a border between libraries.
#include <any>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/simulation.hpp>

using namespace greenroom;

/// The program's own exception, whose type no library knows.
struct out_of_stock : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class slow_clock final : public clock {
public:
  time_point now() const noexcept override { return real_clock().now(); }
  std::chrono::system_clock::time_point wall_now() const noexcept override { return {}; }
};

void expect(bool yes, const char* what) {
  if (yes) return;
  std::fprintf(stderr, "border: %s\n", what);
  std::exit(1);
}

template <class Thrown, class F>
bool throws(F&& does) {
  try {
    does();
  } catch (const Thrown&) {
    return true;
  }
  return false;
}

task<> sell() {
  throw out_of_stock("no apples");
  co_return;
}

task<> until_cancelled(bool* seen) {
  try {
    co_await sleep_until(never);
  } catch (const cancelled& why) {
    *seen = why.cause.is(errc::limit);
    throw;
  }
}

task<> give(address<int> out) { (void)co_await out.send(1); }

void exceptions_of_the_libraries() {
  expect(throws<usage_error>([] { (void)bounded(-1); }), "usage_error is not caught");
  expect(throws<std::logic_error>([] { (void)bounded(-1); }), "usage_error is not caught as a logic_error");
  expect(throws<bad_result>([] { (void)result<int>(errc::full).value(); }), "bad_result is not caught");
  actor_system sys;
  graph open_end("open_end");
  open_end.add("giver", give);
  expect(throws<graph_error>([&] { (void)run(sys, std::move(open_end)); }), "graph_error is not caught");
  expect(throws<testkit::broken_requirement>([] { testkit::require(false, "no"); }), "a requirement is not caught");
}

void exceptions_of_the_program() {
  actor_system sys(options{.log_level = "off"});
  const auto sold = sys.run(sell);
  expect(!sold && sold.error().is(errc::failed), "an exception in an actor is no error");
  expect(sold.error().message() == "out_of_stock: no apples", "the error does not name the program's type");
  bool seen = false;
  const auto waiting = sys.spawn(until_cancelled, &seen);
  waiting.cancel(errc::limit);
  expect(waiting.wait().kind() == exit_kind::cancelled, "a cancelled actor ends otherwise");
  expect(seen, "an actor cannot catch its cancellation");
}

void types() {
  memory_transport net;
  const slow_clock time;
  actor_system sys(options{}, environment{.time = &time, .net = &net});
  transport* const base = &sys.net();
  expect(dynamic_cast<memory_transport*>(base) == &net, "a class of the libraries is not known again");
  expect(sys.wall_now() == std::chrono::system_clock::time_point{}, "a class of the program is not called");
  struct price {
    int cents;
  };
  const auto priced = sys.context().with_value(price{12});
  const auto* const found = priced.value<price>();
  expect(found != nullptr && found->cents == 12, "a value of the program is not found by its type");
}

int main() {
  exceptions_of_the_libraries();
  exceptions_of_the_program();
  types();
  std::puts("the border is open");
  return 0;
}
