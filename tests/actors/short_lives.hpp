// Actors that end in each way, for tests of who is told.
#pragma once

#include <stdexcept>

#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test {

inline task<> sleeps() { co_await sleep_for(24h); }
inline task<> returns() { co_return; }
inline task<> throws() {
  throw std::runtime_error("broken");
  co_return;
}

} // namespace greenroom::test
