// cancelled: what unwinds an actor whose work is no longer wanted. It is thrown at the next co_await, so destructors run; it is not
// derived from std::exception, so that `catch (std::exception const&)` does not swallow it, and swallowed all the same, it
// comes again at the next wait.
// Thread safety: as any exception object. Lifetime: owns its cause.
#pragma once

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// Thrown by a wait whose context, or whose actor, was cancelled.
struct GREENROOM_EXPORT cancelled {
  error cause; ///< errc::cancelled, errc::timed_out for a deadline, or what the canceller gave
};

namespace detail {
/// Throws `cancelled` with the cause that holds for the running actor.
[[noreturn]] GREENROOM_EXPORT void throw_cancelled(actor_cell& cell);
} // namespace detail

} // namespace greenroom
