// What the tests of the guards round calls share: programs in virtual time, a service that does as it is told, and callers whose outcome is noted.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/actors/play.hpp>

namespace greenroom::test {

using namespace std::chrono_literals;
using testkit::require;
using place = std::source_location;

/// Fails the run unless they are equal.
template <class A, class B>
void same(const A& got, const B& wanted, place at = place::current()) {
  require(got == wanted, fmt::format("line {}: it is {}, not {}", at.line(), got, wanted));
}

inline std::string told(const result<int>& got) { return got ? std::to_string(*got) : to_string(got.error().code()); }
inline std::string text_of(const result<int>& got) { return std::string(got ? "no error" : got.error().message()); }

/// A service, and what was asked of it.
struct stub_service {
  int begun = 0;
  int running = 0;
  int most = 0; // at once
  int done = 0;
  int cancelled = 0;
};

/// Asks a service, which takes its time.
inline task<result<int>> serve(stub_service* s, duration takes, result<int> gives) {
  struct visit {
    explicit visit(stub_service* at) : s(at) {
      ++s->begun;
      s->most = std::max(s->most, ++s->running);
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() { --s->running; }
    stub_service* s;
  };
  const visit here(s);
  try {
    if (takes > duration::zero()) co_await sleep_for(takes);
  } catch (const cancelled&) {
    ++s->cancelled;
    throw;
  }
  ++s->done;
  co_return gives;
}

inline task<result<int>> throwing() {
  co_await yield();
  throw std::runtime_error("out of order");
}

/// Makes a call here and now; it must give that value, or the error of that code.
inline task<> gives(const char* wanted, task<result<int>> call, place at = place::current()) {
  const auto got = co_await std::move(call);
  require(told(got) == wanted,
          fmt::format("line {}: it gave {} ({}), not {}", at.line(), told(got), text_of(got), wanted));
}
/// The same for an error and its sentence.
inline task<> refuses(const char* sentence, task<result<int>> call, place at = place::current()) {
  const auto got = co_await std::move(call);
  require(text_of(got) == sentence, fmt::format("line {}: it said '{}'", at.line(), text_of(got)));
}

/// A caller as an actor of its own.
class caller {
public:
  explicit caller(task<result<int>> call) : who(spawn({.name = "caller"}, note, std::move(call), got_)) {}
  std::string got() const { return *got_; }

private:
  static task<> note(task<result<int>> call, std::shared_ptr<std::string> into) {
    try {
      const auto outcome = co_await std::move(call);
      *into = told(outcome);
    } catch (const cancelled&) {
      *into = "cancelled";
      throw;
    }
  }
  std::shared_ptr<std::string> got_ = std::make_shared<std::string>("under way");

public:
  actor who;
};

/// Expects a usage_error with that sentence.
template <class F>
void is_refused(F make, const std::string& sentence) {
  try {
    make();
    ADD_FAILURE() << "it was taken where this was expected: " << sentence;
  } catch (const usage_error& e) {
    EXPECT_EQ(e.what(), sentence);
  }
}

} // namespace greenroom::test
