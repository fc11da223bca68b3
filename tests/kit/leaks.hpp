// leaks: what a test has left in a system that runs on. A simulation looks by itself at the end of each run; this is for tests of real
// systems, with threads and real time.
//
//   EXPECT_EQ(left_behind(sys), "");        // at the end of a test: names each actor with its spawn site, timers, requests
//
// Thread safety: any thread that is no worker of the system. Lifetime: the system outlives the call.
#pragma once

#include <chrono>
#include <string>

#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::testkit {

/// Waits until nothing lives in the system, and returns ""; or, when `patience` of real time has passed, the ledger as text.
/// Actors that are meant to live until the stop are left behind, too: stop them first.
/// Waits: blocks the thread. Errors: usage_error on a worker thread.
GREENROOM_EXPORT std::string left_behind(const actor_system& sys,
                                         std::chrono::milliseconds patience = std::chrono::seconds(5));

} // namespace greenroom::testkit
