// What an exception says, as a value: how an actor, a job or a start ended.
// Thread safety: any thread. Lifetime: owns its text.
// Cost: rethrows the exception; for failures.
#pragma once

#include <exception>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/exit_reason.hpp>

namespace greenroom::detail {

/// Returns "failed: std::runtime_error: what it says" for most exceptions; the cause of a cancellation; normal for none.
GREENROOM_EXPORT exit_reason reason_of(const std::exception_ptr& thrown);

} // namespace greenroom::detail
