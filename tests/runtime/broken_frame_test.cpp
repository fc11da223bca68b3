// A fault of g++ 12 that must not be met silently.
#include <cstdlib>

#include <sys/wait.h>

#include <gtest/gtest.h>

#include <greenroom/runtime/task.hpp>

namespace greenroom::broken_frame_test {
namespace {

task<bool> no() { co_return false; }

// Declares nothing, and tests an await in place.
task<> test_in_place() {
  while (co_await no()) {}
}

task<> test_a_variable() {
  for (;;) {
    const bool ok = co_await no();
    if (!ok) co_return;
  }
}

bool right_or_aborted(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

TEST(BrokenFrame, ACoroutineThatIsCompiledWronglyEndsTheProgramWithASentence) {
  const auto make = [] {
    const auto made = test_in_place();
    std::exit(0); // a compiler without the fault
  };
  EXPECT_EXIT(make(), right_or_aborted, "^$|compiled wrongly");
}

TEST(BrokenFrame, AnAwaitThatIsKeptInAVariableIsFine) { const auto made = test_a_variable(); }

} // namespace
} // namespace greenroom::broken_frame_test
