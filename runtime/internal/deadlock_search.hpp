// The search for deadlocks: a graph of who could end whose wait, from which all that somebody who works can end is taken away, again
// and again, until what is left can only be ended by itself.
// Thread safety: any thread that holds no lock; several searches may run at once.
#pragma once

#include <chrono>

#include <greenroom/runtime/deadlock.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom::internal {

/// Searches among the actors that have waited for `least_age` or longer. Cost: about a microsecond for each of them, and some 500
/// bytes meanwhile; holds off spawns and ends of actors while it lists them.
deadlock_report find_deadlocks(detail::runtime_core& core, std::chrono::milliseconds least_age);

} // namespace greenroom::internal
